//! Direct: the way of messages straight to Telegram, within its limits.
//!
//! Knows the client and the limits. Does not know how messages are made, nor who tries again.

use super::client::TelegramClient;
use super::limits::SendLimits;
use super::message::TelegramMessage;
use crate::config::Secret;
use crate::forward::Fate;
use crate::forward::message::Message;
use crate::forward::transport::{Stop, Transport};
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

    fn send(&self, message: &Message, stop: &Stop) -> Fate {
        let message = match TelegramMessage::from_json(&message.body) {
            Ok(message) => message,
            Err(why) => return Fate::refused(why),
        };
        let chat_id = &message.chat_id;
        let sent = match self.wait_for_leave(chat_id, stop) {
            Ok(now) => now,
            Err(wait) => return Fate::Retry { after: Some(wait), why: LIMIT.to_owned() },
        };
        let fate = self.client.send(&self.token, &message);
        let now = Instant::now();
        let mut limits = self.limits();
        limits.answered(chat_id, sent, now);
        if let Fate::Retry { after: Some(after), .. } = &fate {
            limits.pause(chat_id, now + *after);
        }
        fate
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
    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Fate> {
        let mut fates: Vec<Fate> = Vec::new();
        for message in messages {
            let fate = match fates.last() {
                Some(failed @ Fate::Retry { .. }) => failed.clone(),
                _ => self.send(message, stop),
            };
            fates.push(fate);
        }
        fates
    }
}

const LIMIT: &str = "the chat was written to as often as it may be";
