//! Loki: lines to Loki, or whoever takes what is pushed to it.
//!
//! Knows Loki's streams and answers. Does not know HTTP, nor how a record becomes a line: that is
//! the native encoder.

mod entry;
pub(crate) mod options;

use super::batches::{BatchSize, Batches};
use super::destination::Destination;
use super::endpoint::{Endpoint, http_options, with_path};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::{Answer, HttpOptions, classify};
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::encode::escape::push_escaped;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use entry::{Entry, EntryEncoder};
use logwell_options::secret::Secret;

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "loki";

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.loki;
    let delivery = config.delivery();
    let url = with_path(&config.url, "/loki/api/v1/push");
    let http = HttpOptions { gzip: config.gzip, ..http_options(setup, &delivery) };
    let mut endpoint = Endpoint::new(url, &http)?
        .headers("forward.loki.headers", &config.headers)?
        .bearer(&config.token)
        .basic(&config.user, &config.password);
    if !config.tenant.is_empty() {
        endpoint = endpoint.header("x-scope-orgid", Secret::new(config.tenant.as_str()));
    }
    let address = endpoint.address();
    let (records, bytes) = (config.batch_records, config.batch_bytes);
    let size = BatchSize { records, bytes, wait: config.batch_wait };
    let render = Hashed::new(EntryEncoder::new(setup, config));
    let transport = InBatches::new(Push { endpoint }, size);
    let destination = Destination::new(NAME, render, Batches::new(size), transport);
    Ok(destination.address(address).at_once(records).bounded(&delivery))
}

/// Pushes entries.
struct Push {
    endpoint: Endpoint,
}

impl Exchange for Push {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let entries: Option<Vec<_>> = batch.iter().map(Entry::read).collect();
        let Some(entries) = entries else { return Outcome::refused("it is no entry").into() };
        match self.endpoint.post("application/json", &body(&entries)) {
            Ok(answer) => judge(&answer).into(),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

/// `{"streams":[{"stream":{…},"values":[["<ns>","<line>",{…}],…]},…]}`: entries with equal labels
/// are one stream, in their order.
fn body(entries: &[Entry]) -> Vec<u8> {
    let mut streams: Vec<(&str, Vec<u8>)> = Vec::new();
    for entry in entries {
        let at = streams.iter().position(|(labels, _)| *labels == entry.labels.as_str());
        let at = at.unwrap_or_else(|| {
            streams.push((&entry.labels, Vec::new()));
            streams.len() - 1
        });
        let Some((_, values)) = streams.get_mut(at) else { continue };
        values.extend_from_slice(if values.is_empty() { b"[\"" } else { b",[\"" });
        values.extend_from_slice(entry.unix_ns.as_bytes());
        values.extend_from_slice(b"\",\"");
        push_escaped(values, &entry.line);
        values.extend_from_slice(b"\"");
        if let Some(metadata) = &entry.metadata {
            values.push(b',');
            values.extend_from_slice(metadata.as_bytes());
        }
        values.push(b']');
    }
    let mut body = b"{\"streams\":[".to_vec();
    for (at, (labels, values)) in streams.iter().enumerate() {
        body.extend_from_slice(if at > 0 { b",{\"stream\":" } else { b"{\"stream\":" });
        body.extend_from_slice(labels.as_bytes());
        body.extend_from_slice(b",\"values\":[");
        body.extend_from_slice(values);
        body.extend_from_slice(b"]}");
    }
    body.extend_from_slice(b"]}");
    body
}

/// What the answer means for all entries.
///
/// 400 is said when one of them is refused, and the others are stored. So the batch is halved: Loki
/// keeps one of equal entries, and in the end the one that is to blame is alone.
fn judge(answer: &Answer) -> Outcome {
    const OWN: [&str; 6] = [
        "too far behind",
        "timestamp too old",
        "timestamp too new",
        "greater than max",
        "max entry size",
        "exceeds limit",
    ];
    match (answer.status, classify(answer)) {
        (260, _) => Outcome::blocked(
            "HTTP status 260: the server's limits block all writing; ask who runs the server",
        ),
        (400, Outcome::Doubtful { why }) if OWN.iter().any(|own| why.contains(own)) => {
            Outcome::refused(why)
        }
        (_, outcome) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_with_equal_labels_are_one_stream_in_their_order() {
        let entry = |labels: &str, unix_ns: &str, line: &str| Entry {
            labels: labels.to_owned(),
            unix_ns: unix_ns.to_owned(),
            line: line.to_owned(),
            metadata: None,
        };
        let (a, b) = ("{\"level\":\"info\"}", "{\"level\":\"warn\"}");
        let entries = [entry(a, "1", "x\"\n"), entry(b, "2", "y"), entry(a, "3", "z")];
        let body: serde_json::Value = serde_json::from_slice(&body(&entries)).unwrap();
        let expected = serde_json::json!({"streams": [
            {"stream": {"level": "info"}, "values": [["1", "x\"\n"], ["3", "z"]]},
            {"stream": {"level": "warn"}, "values": [["2", "y"]]},
        ]});
        assert_eq!(body, expected);
    }

    #[test]
    fn only_an_answer_about_the_entry_itself_refuses_it() {
        assert!(judge(&Answer::of(204, "")).is_delivered());
        assert!(matches!(judge(&Answer::of(260, "")), Outcome::Blocked { .. }));
        let far = Answer::of(400, "entry with timestamp x ignored, reason: 'entry too far behind'");
        assert!(matches!(judge(&far), Outcome::Refused { .. }));
        assert!(matches!(judge(&Answer::of(400, "no org id")), Outcome::Doubtful { .. }));
        for status in [429, 500, 503] {
            assert!(matches!(judge(&Answer::of(status, "")), Outcome::Retry { .. }));
        }
    }
}
