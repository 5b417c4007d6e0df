//! Direct: the way of messages straight to Telegram, within its limits.
//!
//! Knows the client and the limits. Does not know how messages are made, nor who tries again.

use super::client::TelegramClient;
use super::limits::SendLimits;
use super::message::TelegramMessage;
use crate::forward::Outcome;
use crate::forward::message::Message;
use crate::forward::transport::{Stop, Transport};
use logwell_options::secret::Secret;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Sends messages to one group through its bot.
#[derive(Debug)]
pub(super) struct Direct {
    client: TelegramClient,
    token: Secret,
    /// Shared by the groups: not held while a message is on its way.
    limits: Arc<Mutex<SendLimits>>,
}

/// A chat that has been written to as often as it may waits at most so long for the next time.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Direct {
    pub(super) fn new(
        client: TelegramClient,
        token: Secret,
        limits: Arc<Mutex<SendLimits>>,
    ) -> Self {
        Self { client, token, limits }
    }

    fn send(&self, message: &Message, stop: &Stop) -> Outcome {
        let message = match TelegramMessage::from_json(&message.body) {
            Ok(message) => message,
            Err(why) => return Outcome::refused(why),
        };
        let chat_id = &message.chat_id;
        let sent = match self.wait_for_leave(chat_id, stop) {
            Ok(now) => now,
            Err(wait) => return Outcome::Retry { after: Some(wait), why: LIMIT.to_owned() },
        };
        let outcome = self.client.send(&self.token, &message);
        let now = Instant::now();
        let mut limits = self.limits();
        limits.answered(chat_id, sent, now);
        if let Outcome::Retry { after: Some(after), .. }
        | Outcome::Blocked { after: Some(after), .. } = &outcome
        {
            limits.pause(chat_id, now + *after);
        }
        outcome
    }

    /// The moment at which leave was taken, or how long it takes until there is leave.
    fn wait_for_leave(&self, chat_id: &str, stop: &Stop) -> Result<Instant, Duration> {
        loop {
            let now = Instant::now();
            // Bound apart, so that the lock is not held while it waits.
            let leave = self.limits().take(chat_id, now);
            match leave {
                Ok(()) => return Ok(now),
                Err(wait) if wait > LONGEST_WAIT || stop.is_requested() => return Err(wait),
                Err(wait) => drop(stop.wait(wait)),
            }
        }
    }

    fn limits(&self) -> MutexGuard<'_, SendLimits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Direct {
    fn start(&mut self, stop: &Stop) {
        let interrupted = self.client.clone();
        stop.at_deadline(move || interrupted.shutdown());
    }

    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Outcome> {
        let mut fates: Vec<Outcome> = Vec::new();
        for message in messages {
            let outcome = match fates.last() {
                Some(failed) if failed.is_waiting() => failed.clone(),
                _ => self.send(message, stop),
            };
            fates.push(outcome);
        }
        fates
    }
}

const LIMIT: &str = "the chat was written to as often as it may be";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::telegram::Audience;
    use crate::forward::{HttpClient, HttpOptions};
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;

    /// A server that takes every message, and says how many it was sent.
    fn server() -> (String, std::sync::mpsc::Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    match stream.read_line(&mut line) {
                        Ok(1..) if line.trim().is_empty() => break,
                        Ok(1..) => {}
                        _ => return,
                    }
                    let line = line.to_ascii_lowercase();
                    if let Some(bytes) = line.strip_prefix("content-length:") {
                        length = bytes.trim().parse().unwrap();
                    }
                }
                stream.read_exact(&mut vec![0; length]).unwrap();
                sender.send(()).unwrap();
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        (url, requests)
    }

    fn message() -> Message {
        let body = TelegramMessage {
            audience: Audience::Developer,
            chat_id: "-1001".to_owned(),
            text: "disk full".to_owned(),
            timestamp: String::new(),
            hash: String::new(),
            is_silent: false,
            token: None,
        };
        Message { id: String::new(), body: body.to_json(), records: 1, from: 1 }
    }

    #[test]
    fn what_the_limits_do_not_allow_is_not_sent_however_often_it_is_tried() {
        let (url, requests) = server();
        let client = TelegramClient::new(HttpClient::new(&HttpOptions::default()).unwrap(), &url);
        let limits = Arc::new(Mutex::new(SendLimits::new(30, 2)));
        let mut direct = Direct::new(client, Secret::new("12:ab"), limits);
        // Who is asked to stop does not wait.
        let stop = Stop::default();
        let start = Instant::now();
        stop.request(start + Duration::from_secs(60));
        let messages = [message(), message(), message(), message()];
        for expected in [[true, true, false, false], [false; 4], [false; 4]] {
            let fates = direct.deliver(&messages, &stop);
            let delivered: Vec<_> = fates.iter().map(Outcome::is_delivered).collect();
            assert_eq!(delivered, expected, "{fates:?}");
            let after = |outcome: &Outcome| match outcome {
                Outcome::Retry { after, .. } => *after,
                _ => None,
            };
            let wait = fates.last().and_then(after).unwrap();
            // A minute after the first answer.
            assert!(wait + start.elapsed() >= LONGEST_WAIT && wait <= LONGEST_WAIT, "{wait:?}");
        }
        assert_eq!(requests.try_iter().count(), 2);
    }

    #[test]
    fn what_is_no_message_is_refused_and_the_next_is_sent() {
        let (url, requests) = server();
        let client = TelegramClient::new(HttpClient::new(&HttpOptions::default()).unwrap(), &url);
        let limits = Arc::new(Mutex::new(SendLimits::new(30, 20)));
        let mut direct = Direct::new(client, Secret::new("12:ab"), limits);
        let broken = Message { body: b"{}".to_vec(), ..message() };
        let fates = direct.deliver(&[broken, message()], &Stop::default());
        let expected = [Outcome::refused("type is missing or no text"), Outcome::Delivered];
        assert_eq!(fates, expected);
        assert_eq!(requests.try_iter().count(), 1);
    }
}
