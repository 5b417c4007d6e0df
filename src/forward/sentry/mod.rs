//! Sentry: events to Sentry, or whoever takes its envelopes.
//!
//! Knows envelopes and rate limits. What an event is made of is in `event.rs`. Does not know HTTP.

mod dsn;
mod event;
pub(crate) mod options;

use super::batches::{BatchSize, Batches};
use super::destination::Destination;
use super::endpoint::{Endpoint, http_options};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::{Answer, HttpOptions, classify};
use super::message::Message;
use super::native::NativeRecord;
use super::transport::Stop;
use crate::base::clock;
use crate::base::error::Error;
use crate::encode::json::JsonEncoder;
use crate::encode::options::ServiceConfig;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use dsn::Dsn;
use logwell_options::secret::{Secret, SecretUrl};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "sentry";

/// Sentry refuses larger events; a record is cut before.
const MAX_EVENT_BYTES: u64 = 256 * 1024;
/// Longer rests are not obeyed.
const LONGEST_REST: Duration = Duration::from_secs(24 * 3600);

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.sentry;
    let delivery = config.delivery();
    // The configuration has been checked.
    let dsn = Dsn::read(config.dsn.reveal());
    let Dsn { url, key } = dsn.unwrap_or(Dsn { url: SecretUrl::default(), key: Secret::default() });
    let client = concat!("sentry_client=logwell/", env!("CARGO_PKG_VERSION"));
    let auth = format!("Sentry sentry_version=7, {client}, sentry_key={}", key.reveal());
    let http = HttpOptions { gzip: true, ..http_options(setup, &delivery) };
    let endpoint = Endpoint::new(url, &http)?.header("x-sentry-auth", Secret::new(auth));
    let address = endpoint.address();
    let (service, has_fields) = (setup.service(), config.fields);
    let events = Events { endpoint, service, has_fields, rests_until: None };
    let json = JsonEncoder::new(setup.json(delivery.max_bytes.min(4 * MAX_EVENT_BYTES)));
    let (compose, transport) =
        (Batches::new(BatchSize::SINGLE), InBatches::new(events, BatchSize::SINGLE));
    let destination = Destination::new(NAME, Hashed::new(json), compose, transport);
    Ok(destination.address(address).bounded(&delivery))
}

/// What is wrong with the URL that a DSN names, if it must not be used.
pub(super) fn is_private(dsn: &Secret) -> bool {
    Dsn::read(dsn.reveal()).is_none_or(|dsn| dsn.url.is_private())
}

/// Posts events.
struct Events {
    endpoint: Endpoint,
    service: ServiceConfig,
    has_fields: bool,
    /// The server wants to be left alone until then, though it has taken the last event.
    rests_until: Option<Instant>,
}

impl Exchange for Events {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let [message] = batch else { return Outcome::Doubtful { why: String::new() }.into() };
        let now = Instant::now();
        if let Some(rest) = self.rests_until.and_then(|until| until.checked_duration_since(now)) {
            let why = "the server has asked to wait before the next event".to_owned();
            return Outcome::Retry { after: Some(rest), why }.into();
        }
        let Some(record) = NativeRecord::read(&message.body) else {
            return Outcome::refused("it is no record").into();
        };
        let event = event::event(&record, &message.id, (&self.service, self.has_fields));
        let body = envelope(&message.id, &event);
        match self.endpoint.post("application/x-sentry-envelope", &body) {
            Ok(answer) => self.judge(&answer, now).into(),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

impl Events {
    fn judge(&mut self, answer: &Answer, now: Instant) -> Outcome {
        let limit = rest_for_errors(answer.header("x-sentry-rate-limits").unwrap_or_default());
        self.rests_until = limit.map(|rest| now + rest);
        match classify(answer) {
            Outcome::Retry { after, why } => Outcome::Retry { after: after.max(limit), why },
            outcome => outcome,
        }
    }
}

/// An envelope with one event: header, head of the item, item.
fn envelope(id: &str, event: &Value) -> Vec<u8> {
    let event = event.to_string();
    let sent_at = clock::utc_text(clock::unix_ns());
    let length = event.len();
    format!(
        "{{\"event_id\":\"{id}\",\"sent_at\":\"{sent_at}\"}}\n\
         {{\"type\":\"event\",\"length\":{length}}}\n{event}\n"
    )
    .into_bytes()
}

/// `60:error;transaction:org, 2700::org`: seconds, and for what; nothing means for everything.
fn rest_for_errors(limits: &str) -> Option<Duration> {
    let rest = |limit: &str| {
        let mut parts = limit.trim().split(':');
        let seconds: u64 = parts.next()?.trim().parse().ok()?;
        let categories = parts.next().unwrap_or_default();
        let is_ours = |category: &str| ["", "error", "default"].contains(&category.trim());
        let is_ours = categories.split(';').any(is_ours);
        is_ours.then(|| Duration::from_secs(seconds).min(LONGEST_REST))
    };
    limits.split(',').filter_map(rest).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_if_it_is_about_errors() {
        let seconds = |limits: &str| rest_for_errors(limits).map(|rest| rest.as_secs());
        assert_eq!(seconds("60:error;transaction:org, 2700:session:org"), Some(60));
        assert_eq!(seconds("30::organization"), Some(30));
        assert_eq!(seconds("30, 7:error"), Some(30));
        assert_eq!(seconds("60:transaction:org"), None);
        assert_eq!(seconds("soon:error"), None);
        assert_eq!(seconds("99999999999:error"), Some(24 * 3600));
    }

    #[test]
    fn an_envelope_is_three_lines() {
        let envelope = String::from_utf8(envelope("9f2c", &serde_json::json!({ "a": 1 }))).unwrap();
        let lines: Vec<_> = envelope.lines().collect();
        assert!(lines[0].starts_with("{\"event_id\":\"9f2c\",\"sent_at\":\"20"), "{envelope}");
        assert_eq!(lines[1..], ["{\"type\":\"event\",\"length\":7}", "{\"a\":1}"]);
    }
}
