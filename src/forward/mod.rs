//! Forward: delivers records to LogBeacon and to people, at least once and never in the way.

mod backoff;
mod bucket;
mod destination;
mod fate;
mod http;
mod message;
mod transport;

pub use crate::secret::{Secret, SecretUrl};
pub use backoff::Backoff;
pub use bucket::TokenBucket;
pub use fate::Fate;
pub use http::{Answer, HttpClient, HttpError, HttpOptions, MAX_ANSWER_BYTES, fate_of};
