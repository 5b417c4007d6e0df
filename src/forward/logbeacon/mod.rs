//! LogBeacon: the log server. Its client, and how records become its messages.
//!
//! Knows its bodies and headers. Does not know HTTP, nor what its messages look like inside, but
//! for where the hash stands.

pub(crate) mod encoder;

use super::destination::{Compose, Destination, Notice, Render, Taken};
use super::http::{HttpClient, HttpOptions, classify};
use super::message::Message;
use super::transport::{Stop, Transport};
use crate::base::error::Error;
use crate::forward::headers;
use crate::forward::logbeacon::encoder::LogBeaconEncoder;
use crate::forward::options::ForwardConfig;
use crate::forward::options::LogBeaconConfig;
use crate::forward::outcome::Outcome;
use crate::record::level::Level;
use logwell_options::problem::{ConfigProblem, Origin};
use logwell_options::secret::{Secret, SecretUrl};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "logbeacon";

/// Posts messages to LogBeacon, as the configuration says. Clones share the connection.
#[derive(Debug, Clone)]
pub struct LogBeaconClient {
    http: HttpClient,
    url: SecretUrl,
    headers: Vec<(String, Secret)>,
}

impl LogBeaconClient {
    /// A client for the server of the section `forward.logbeacon`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// `ca_file` cannot be read, or a proxy or header cannot be used.
    pub fn new(config: &ForwardConfig) -> Result<Self, Error> {
        let LogBeaconConfig { url, token, headers: given, .. } = &config.logbeacon;
        let mut headers = headers::parse(given.reveal()).map_err(|problem| {
            let key = "forward.logbeacon.headers".to_owned();
            let (problem, help) = (problem.to_owned(), String::new());
            Error::config(vec![ConfigProblem { origin: Origin::Code, key, problem, help }])
        })?;
        headers.extend(bearer(token));
        let options = HttpOptions {
            connect_timeout: config.logbeacon.connect_timeout,
            timeout: config.logbeacon.timeout,
            gzip: config.logbeacon.gzip,
            ..HttpOptions::from_config(&config.http)
        };
        Ok(Self { http: HttpClient::new(&options)?, url: url.into(), headers })
    }

    /// A client for the server at that address, which sends the token as its bearer unless the
    /// token is empty.
    #[must_use]
    pub fn with_token(http: HttpClient, url: SecretUrl, token: &Secret) -> Self {
        Self { http, url, headers: bearer(token).into_iter().collect() }
    }

    /// Posts messages, each a JSON object: one as it is, several as an array. Blocks until there is
    /// an answer, at most as long as `forward.logbeacon.timeout` says.
    #[must_use]
    pub fn post(&self, messages: &[&[u8]]) -> Outcome {
        let array;
        let body = match messages {
            [one] => one,
            several => {
                array = [b"[", several.join(&b","[..]).as_slice(), b"]"].concat();
                &array[..]
            }
        };
        match self.http.post_json(&self.url, &self.headers, body) {
            Ok(answer) => match (classify(&answer), messages) {
                // It names the record: there is no doubt what is at fault.
                (Outcome::Doubtful { why }, [one]) if names(&answer.body_start, one) => {
                    Outcome::Refused { why }
                }
                (outcome, _) => outcome,
            },
            Err(error) => error.into(),
        }
    }

    /// Where it posts, without what may be secret.
    #[must_use]
    pub fn address(&self) -> String {
        self.url.to_string()
    }

    /// Interrupts what is under way, for good; see [`HttpClient::shutdown`].
    pub fn shutdown(&self) {
        self.http.shutdown();
    }
}

/// The header with the token, unless it is empty.
fn bearer(token: &Secret) -> Option<(String, Secret)> {
    let bearer = || Secret::new(format!("Bearer {}", token.reveal()));
    (!token.is_empty()).then(|| ("authorization".to_owned(), bearer()))
}

/// The destination that the configuration asks for.
pub(crate) fn destination(
    config: &ForwardConfig,
    encoder: LogBeaconEncoder,
    stop: &Stop,
) -> Result<Destination, Error> {
    let client = LogBeaconClient::new(config)?;
    let address = client.address();
    let LogBeaconConfig { batch_records, batch_wait, max_bytes, max_age, .. } = config.logbeacon;
    let interrupted = client.clone();
    stop.at_deadline(move || interrupted.shutdown());
    Ok(Destination {
        name: NAME,
        address,
        min_level: Level::Trace,
        render: Box::new(encoder),
        compose: Box::new(Batches::new(batch_records, batch_wait)),
        transport: Box::new(Direct { client, batch_records }),
        hidden: Secret::default(),
        at_once: batch_records,
        max_bytes,
        max_age,
    })
}

impl Render for LogBeaconEncoder {
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        self.encode(notice.record, (notice.level, notice.hash), out);
    }
}

/// Makes a message of each entry, and waits until there are enough for a batch.
struct Batches {
    waiting: VecDeque<Message>,
    batch_records: usize,
    batch_wait: Duration,
    /// When those that wait are to go, however few they are.
    due: Option<Instant>,
    is_finished: bool,
}

impl Batches {
    fn new(batch_records: usize, batch_wait: Duration) -> Self {
        let batch_wait = if batch_records > 1 { batch_wait } else { Duration::ZERO };
        Self { waiting: VecDeque::new(), batch_records, batch_wait, due: None, is_finished: false }
    }
}

impl Compose for Batches {
    fn take(&mut self, entry: Taken<'_>, now: Instant) {
        self.due.get_or_insert(now + self.batch_wait);
        self.waiting.push_back(Message {
            id: hash_of(entry.bytes).unwrap_or_default().to_owned(),
            body: entry.bytes.to_vec(),
            records: 1,
            from: entry.id,
        });
    }

    fn ready(&mut self, now: Instant) -> Vec<Message> {
        let is_due = self.is_finished || self.due.is_some_and(|due| due <= now);
        let whole = self.waiting.len() / self.batch_records.max(1) * self.batch_records;
        let ready = if is_due { self.waiting.len() } else { whole };
        if ready == self.waiting.len() {
            self.due = None;
        } else if ready > 0 {
            self.due = Some(now + self.batch_wait);
        }
        self.waiting.drain(..ready).collect()
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn held_from(&self) -> Option<u64> {
        self.waiting.front().map(|message| message.from)
    }

    fn finish(&mut self) {
        self.is_finished = true;
    }
}

/// The hash at the end of a message.
fn hash_of(message: &[u8]) -> Option<&str> {
    let hash = message.strip_suffix(b"\"}")?;
    let start = hash.iter().rposition(|byte| *byte == b'"')? + 1;
    std::str::from_utf8(hash.get(start..)?).ok()
}

/// Posts messages to LogBeacon itself.
struct Direct {
    client: LogBeaconClient,
    batch_records: usize,
}

impl Transport for Direct {
    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Outcome> {
        let mut fates = Vec::with_capacity(messages.len());
        for batch in messages.chunks(self.batch_records.max(1)) {
            if !self.deliver_batch(batch, stop, &mut fates) {
                break;
            }
        }
        let untried = fates.last().cloned().unwrap_or(Outcome::Delivered);
        fates.resize(messages.len(), untried);
        fates
    }
}

impl Direct {
    /// Halves a batch that is refused until the records that are to blame are alone: they must not
    /// take the others with them. Says whether it is worth going on.
    fn deliver_batch(&self, batch: &[Message], stop: &Stop, fates: &mut Vec<Outcome>) -> bool {
        let outcome = self.post(batch, stop);
        if batch.len() == 1 || outcome.is_delivered() || outcome.is_waiting() {
            fates.resize(fates.len() + batch.len(), outcome);
            return !is_hopeless(fates);
        }
        let (left, right) = batch.split_at(batch.len() / 2);
        self.deliver_batch(left, stop, fates) && self.deliver_batch(right, stop, fates)
    }

    fn post(&self, messages: &[Message], stop: &Stop) -> Outcome {
        if stop.is_over() {
            return Outcome::retry("logging ends");
        }
        let bodies: Vec<_> = messages.iter().map(|message| message.body.as_slice()).collect();
        self.client.post(&bodies)
    }
}

/// Whether the other side takes nothing now. Two records in doubt and none delivered: the way is to
/// blame rather than both of them.
fn is_hopeless(fates: &[Outcome]) -> bool {
    let in_doubt =
        fates.iter().filter(|outcome| matches!(outcome, Outcome::Doubtful { .. })).count();
    let is_waiting = fates.last().is_some_and(Outcome::is_waiting);
    is_waiting || (in_doubt >= 2 && !fates.iter().any(Outcome::is_delivered))
}

/// Whether an answer names that message, by its hash. One that has the time of the message too only
/// repeats what it was sent, as validators do.
fn names(answer: &str, message: &[u8]) -> bool {
    let has = |text: &str| !text.is_empty() && answer.contains(text);
    hash_of(message).is_some_and(has) && !timestamp_of(message).is_some_and(has)
}

/// The timestamp of a message, which comes right before its hash.
fn timestamp_of(message: &[u8]) -> Option<&str> {
    const KEY: &str = "\"timestamp\":\"";
    let text = std::str::from_utf8(message).ok()?;
    let (_, behind) = text.rsplit_once(KEY)?;
    behind.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(batches: &mut Batches, id: u64, now: Instant) {
        let bytes = format!("{{\"n\":{id},\"hash\":\"{id:032x}\"}}");
        batches.take(Taken { id, at_unix_ms: 0, bytes: bytes.as_bytes() }, now);
    }

    fn ids(batches: &mut Batches, now: Instant) -> Vec<u64> {
        batches.ready(now).iter().map(|message| message.from).collect()
    }

    #[test]
    fn single_messages_do_not_wait() {
        let now = Instant::now();
        let mut batches = Batches::new(1, Duration::from_secs(9));
        take(&mut batches, 7, now);
        let ready = batches.ready(now);
        assert_eq!(ready[0].id, format!("{:032x}", 7));
        assert_eq!((ready.len(), batches.due(), batches.held_from()), (1, None, None));
    }

    #[test]
    fn a_batch_goes_when_it_is_full_or_has_waited_long_enough_or_at_the_end() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut batches = Batches::new(3, Duration::from_millis(100));
        (1..=4).for_each(|id| take(&mut batches, id, start));
        assert_eq!(ids(&mut batches, start), [1, 2, 3]);
        assert_eq!(batches.held_from(), Some(4));
        assert_eq!(batches.due(), Some(after(100)));
        assert!(ids(&mut batches, after(99)).is_empty());
        assert_eq!(ids(&mut batches, after(100)), [4]);
        assert_eq!(batches.due(), None);
        take(&mut batches, 5, after(200));
        assert!(ids(&mut batches, after(200)).is_empty());
        batches.finish();
        assert_eq!(ids(&mut batches, after(200)), [5]);
    }

    #[test]
    fn the_hash_is_found_where_it_stands_and_nowhere_else() {
        assert_eq!(hash_of(br#"{"a":"b","hash":"9f2c"}"#), Some("9f2c"));
        for odd in [&b""[..], b"{}", b"\"}", b"9f2c\"}", b"\xff"] {
            assert!(hash_of(odd).is_none_or(str::is_empty), "{odd:?}");
        }
    }
}
