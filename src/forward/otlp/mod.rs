//! Otlp: records to a collector, or whoever takes logs over OTLP/HTTP.
//!
//! Knows the protocol's answers. How records become protobuf is in `protobuf.rs`. Does not know
//! HTTP, nor which attributes a record has: that is the preset `otel`, whose lines are the entries.

pub(crate) mod options;
mod partial;
mod protobuf;

use super::batches::{BatchSize, Batches};
use super::destination::Destination;
use super::endpoint::{Endpoint, http_options, with_path};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::{Answer, HttpOptions, classify, shorten};
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::encode::schema::otel::OtelEncoder;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use partial::PartialSuccess;

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "otlp";

const PROTOBUF: &str = "application/x-protobuf";

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.otlp;
    let delivery = config.delivery();
    let http = HttpOptions { gzip: config.gzip, ..http_options(setup, &delivery) };
    let endpoint = Endpoint::new(with_path(&config.url, "/v1/logs"), &http)?
        .headers("forward.otlp.headers", &config.headers)?
        .bearer(&config.token);
    let address = endpoint.address();
    let (records, bytes) = (config.batch_records, config.batch_bytes);
    let size = BatchSize { records, bytes, wait: config.batch_wait };
    let render = Hashed::new(OtelEncoder::new(setup.schema(delivery.max_bytes)));
    let transport = InBatches::new(Export { endpoint }, size);
    let destination = Destination::new(NAME, render, Batches::new(size), transport);
    Ok(destination.address(address).at_once(records).bounded(&delivery))
}

/// Exports records.
struct Export {
    endpoint: Endpoint,
}

impl Exchange for Export {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let lines = batch.iter().map(|message| (message.id.as_str(), message.body.as_slice()));
        let Some(request) = protobuf::request(lines) else {
            return Outcome::refused("it is no OTLP/JSON").into();
        };
        match self.endpoint.post(PROTOBUF, &request) {
            Ok(answer) => self.judge(&answer, batch.len()),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

impl Export {
    /// What the answer means for all records.
    ///
    /// Of a partial success nothing may be sent again, and the server does not say which records it
    /// has rejected: all of the request are kept as dead letters.
    fn judge(&self, answer: &Answer, records: usize) -> Verdict {
        match (answer.status, classify(answer)) {
            (_, Outcome::Delivered) => match PartialSuccess::read(answer.body()) {
                PartialSuccess { rejected: 0, .. } => Outcome::Delivered.into(),
                PartialSuccess { rejected, message } => {
                    let said = self.endpoint.scrub(&shorten(&message));
                    let which = if records > 1 { " and does not say which" } else { "" };
                    let of = format!("{rejected} of {records} records sent together{which}");
                    let refused = Outcome::refused(format!("the server has rejected {of}: {said}"));
                    Verdict::Each(vec![refused; records])
                }
            },
            // Only 429, 502, 503 and 504 may be tried again: other statuses of a server's speak of
            // this request.
            (500 | 501 | 505..=599, Outcome::Retry { why, .. }) => Outcome::Doubtful { why }.into(),
            (_, outcome) => outcome.into(),
        }
    }
}
