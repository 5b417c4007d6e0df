//! Webhook: a POST for each record to a server of the user's own.
//!
//! Knows the headers of Standard Webhooks. The body is filled in by `template.rs`, and signed by
//! `signature.rs`. Does not know HTTP, nor what its server does with a record.

pub(crate) mod options;
mod signature;
mod template;

use super::batches::{BatchSize, Batches};
use super::destination::Destination;
use super::endpoint::{Endpoint, http_options};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::classify;
use super::message::Message;
use super::native::NativeRecord;
use super::transport::Stop;
use crate::base::clock;
use crate::base::error::Error;
use crate::encode::json::JsonEncoder;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use logwell_options::secret::{Secret, SecretUrl};
use signature::SigningKey;
use template::Template;
pub(super) use template::fault;

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "webhook";

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.webhook;
    let delivery = config.delivery();
    let http = http_options(setup, &delivery);
    let endpoint = Endpoint::new(SecretUrl::from(&config.url), &http)?
        .headers("forward.webhook.headers", &config.headers)?;
    let address = endpoint.address();
    let hook = Hook {
        endpoint,
        key: SigningKey::read(&config.secret),
        // The configuration has been checked.
        template: Template::parse(&config.body).unwrap_or_default(),
    };
    let render = Hashed::new(JsonEncoder::new(setup.json(delivery.max_bytes)));
    let (compose, transport) =
        (Batches::new(BatchSize::SINGLE), InBatches::new(hook, BatchSize::SINGLE));
    let destination = Destination::new(NAME, render, compose, transport);
    Ok(destination.address(address).bounded(&delivery))
}

/// Posts records.
struct Hook {
    endpoint: Endpoint,
    key: Option<SigningKey>,
    template: Template,
}

impl Exchange for Hook {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let [message] = batch else { return Outcome::Doubtful { why: String::new() }.into() };
        let Some(record) = NativeRecord::read(&message.body) else {
            return Outcome::refused("it is no record").into();
        };
        let body = self.template.fill(record, &message.id);
        let headers = self.headers(&message.id, body.as_bytes());
        match self.endpoint.post_with("application/json", &headers, body.as_bytes()) {
            Ok(answer) => classify(&answer).into(),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

impl Hook {
    /// The id is the same for each attempt: a server that keeps it has each record once.
    fn headers(&self, id: &str, body: &[u8]) -> Vec<(String, Secret)> {
        let seconds = clock::unix_ns() / 1_000_000_000;
        let mut headers = vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("idempotency-key", id.to_owned()),
        ];
        if let Some(key) = &self.key {
            headers.push(("webhook-signature", key.sign(id, seconds, body)));
        }
        let secret = |(name, value): (&str, String)| (name.to_owned(), Secret::new(value));
        headers.into_iter().map(secret).collect()
    }
}
