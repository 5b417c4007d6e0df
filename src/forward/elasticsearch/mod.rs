//! Elasticsearch: documents to Elasticsearch, OpenSearch, or whoever takes their `_bulk`.
//!
//! Knows the body of a bulk request. What its answer means is in `answer.rs`. Does not know HTTP,
//! nor how a record becomes a document: that is the preset `ecs`.

mod answer;
pub(crate) mod options;

use super::batches::{BatchSize, Batches};
use super::destination::Destination;
use super::endpoint::{Endpoint, http_options, with_path};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::HttpOptions;
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::encode::schema::ecs::EcsEncoder;
use crate::forward::ForwardSetup;
use logwell_options::secret::{Secret, SecretUrl};

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "elasticsearch";

/// What is asked of the answer: for 10 000 records that are refused some megabytes.
const WANTED: &str = "took,errors,items.*.status,items.*.error.type,items.*.error.reason";
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.elasticsearch;
    let delivery = config.delivery();
    let path = format!("/{}/_bulk", config.data_stream);
    let url = with_path(&config.url, &path);
    let mark = if url.reveal().contains('?') { '&' } else { '?' };
    let url = SecretUrl::new(format!("{}{mark}filter_path={WANTED}", url.reveal()));
    let http = HttpOptions { gzip: config.gzip, ..http_options(setup, &delivery) };
    let mut endpoint = Endpoint::new(url, &http)?.max_answer_bytes(MAX_ANSWER_BYTES);
    if !config.api_key.is_empty() {
        let key = Secret::new(format!("ApiKey {}", config.api_key.reveal()));
        endpoint = endpoint.header("authorization", key);
    }
    let endpoint = endpoint.basic(&config.user, &config.password);
    let address = endpoint.address();
    let (records, bytes) = (config.batch_records, config.batch_bytes);
    let size = BatchSize { records, bytes, wait: config.batch_wait };
    let render = Hashed::new(EcsEncoder::new(setup.schema(delivery.max_bytes)));
    let transport = InBatches::new(Bulk { endpoint }, size);
    let destination = Destination::new(NAME, render, Batches::new(size), transport);
    Ok(destination.address(address).at_once(records).bounded(&delivery))
}

/// Posts documents.
struct Bulk {
    endpoint: Endpoint,
}

impl Exchange for Bulk {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        match self.endpoint.post("application/x-ndjson", &body(batch)) {
            Ok(answer) => answer::verdict(&answer, batch.len()),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

/// Two lines for each document. Data streams take `create` only, and it makes a second attempt a
/// conflict instead of a second document.
fn body(batch: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    for message in batch {
        body.extend_from_slice(b"{\"create\":{\"_id\":\"");
        body.extend_from_slice(message.id.as_bytes());
        body.extend_from_slice(b"\"}}\n");
        body.extend_from_slice(&message.body);
        body.push(b'\n');
    }
    body
}
