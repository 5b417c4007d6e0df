//! LogBeacon: the log server. Its client, and how records become its messages.
//!
//! Knows its bodies and headers. Does not know HTTP, nor what its messages look like inside, but
//! for where the hash stands.

pub(crate) mod encoder;

use super::batches::{BatchSize, Batches};
use super::destination::{Destination, Notice, Render};
use super::exchange::{Exchange, InBatches, Verdict};
use super::http::{HttpClient, HttpOptions, classify};
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::forward::headers;
use crate::forward::logbeacon::encoder::LogBeaconEncoder;
use crate::forward::options::ForwardConfig;
use crate::forward::options::LogBeaconConfig;
use crate::forward::outcome::Outcome;
use logwell_options::problem::{ConfigProblem, Origin};
use logwell_options::secret::{Secret, SecretUrl};

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
) -> Result<Destination, Error> {
    let client = LogBeaconClient::new(config)?;
    let address = client.address();
    let LogBeaconConfig { batch_records, batch_wait, max_bytes, max_age, .. } = config.logbeacon;
    let size = BatchSize { records: batch_records, bytes: usize::MAX, wait: batch_wait };
    let compose = Batches::splitting(size, |entry| (hash_of(entry).unwrap_or_default(), entry));
    let transport = InBatches::new(client, size);
    let destination = Destination::new(NAME, encoder, compose, transport);
    Ok(destination.address(address).at_once(batch_records).max_bytes(max_bytes).max_age(max_age))
}

impl Render for LogBeaconEncoder {
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        self.encode(notice.record, (notice.level, notice.hash), out);
    }
}

/// The hash at the end of a message.
fn hash_of(message: &[u8]) -> Option<&str> {
    let hash = message.strip_suffix(b"\"}")?;
    let start = hash.iter().rposition(|byte| *byte == b'"')? + 1;
    std::str::from_utf8(hash.get(start..)?).ok()
}

impl Exchange for LogBeaconClient {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let bodies: Vec<_> = batch.iter().map(|message| message.body.as_slice()).collect();
        self.post(&bodies).into()
    }

    fn start(&mut self, stop: &Stop) {
        let interrupted = self.clone();
        stop.at_deadline(move || interrupted.shutdown());
    }
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

    #[test]
    fn the_hash_is_found_where_it_stands_and_nowhere_else() {
        assert_eq!(hash_of(br#"{"a":"b","hash":"9f2c"}"#), Some("9f2c"));
        for odd in [&b""[..], b"{}", b"\"}", b"9f2c\"}", b"\xff"] {
            assert!(hash_of(odd).is_none_or(str::is_empty), "{odd:?}");
        }
    }
}
