//! Forward: delivers records to log servers and to people, at least once and never in the way.
//!
//! Switched on in the section `forward` of the configuration; nothing else is needed.
//! [`_documentation::forwarding`](crate::_documentation::forwarding) is its manual. Public here are
//! the traits of a [`Destination`] of your own, with parts to make one of, and what other programs
//! need to deliver the same messages.
//!
//! `open.rs` joins the parts; `cargo x map src/forward` prints the other files.

mod adopt;
#[cfg(feature = "rabbitmq")]
pub mod amqp;
mod answer;
mod backoff;
mod batches;
mod blame;
mod bucket;
mod check;
pub(crate) mod conflicts;
mod counters;
mod dead_letters;
mod delivery;
pub(crate) mod destination;
mod digest;
mod doubt;
pub(crate) mod elasticsearch;
pub(crate) mod email;
mod endpoint;
mod exchange;
mod fingerprint;
mod forwarder;
mod hashed;
pub(crate) mod headers;
pub(crate) mod hours;
mod http;
mod inbox;
pub(crate) mod level;
pub(crate) mod logbeacon;
pub(crate) mod loki;
mod message;
mod native;
mod open;
pub(crate) mod options;
pub(crate) mod otlp;
mod outcome;
mod post;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(not(feature = "rabbitmq"))]
#[path = "rabbitmq/disabled.rs"]
mod rabbitmq;
mod retry_after;
mod running;
pub(crate) mod sentry;
mod setup;
pub(crate) mod sink;
pub(crate) mod slack;
mod status;
pub mod telegram;
mod transport;
pub(crate) mod webhook;

pub use crate::setup::check::check;
pub use backoff::Backoff;
pub use batches::{BatchSize, Batches};
pub use blame::{Blame, Patience, Refusals};
pub use bucket::TokenBucket;
pub use check::Checked;
pub(crate) use check::check_all;
pub use destination::{Compose, Destination, Notice, Render, Taken};
pub use exchange::{Exchange, InBatches, Verdict};
pub use hashed::Hashed;
pub use http::{Answer, HttpClient, HttpError, HttpOptions, MAX_ANSWER_BYTES, Post, classify};
pub use logbeacon::LogBeaconClient;
pub use logwell_options::secret::{Secret, SecretUrl};
pub use message::Message;
pub(crate) use open::{Opened, Own, names, open};
pub use outcome::Outcome;
pub(crate) use running::Forwarders;
pub(crate) use setup::ForwardSetup;
pub use transport::{Stop, Transport};
