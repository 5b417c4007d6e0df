//! Forward: delivers records to LogBeacon and to people, at least once and never in the way.
//!
//! Switched on in the section `forward` of the configuration; nothing else is needed.
//! [`_documentation::forwarding`](crate::_documentation::forwarding) is its manual. Public here are
//! the parts that other programs need to deliver the same messages.
//!
//! `open.rs` joins the parts; `cargo x map src/forward` prints the other files.

mod adopt;
#[cfg(feature = "rabbitmq")]
pub mod amqp;
mod backoff;
mod blame;
mod bucket;
mod check;
pub(crate) mod conflicts;
mod counters;
mod dead_letters;
pub(crate) mod destination;
mod doubt;
mod forwarder;
pub(crate) mod headers;
pub(crate) mod hours;
mod http;
mod inbox;
pub(crate) mod level;
pub(crate) mod logbeacon;
mod message;
mod open;
pub(crate) mod options;
mod outcome;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(not(feature = "rabbitmq"))]
#[path = "rabbitmq/disabled.rs"]
mod rabbitmq;
mod running;
mod setup;
pub(crate) mod sink;
pub mod telegram;
mod transport;

pub use crate::setup::check::check;
pub use backoff::Backoff;
pub use blame::{Blame, Patience, Refusals};
pub use bucket::TokenBucket;
pub use check::Checked;
pub(crate) use check::check_all;
pub use http::{Answer, HttpClient, HttpError, HttpOptions, MAX_ANSWER_BYTES, classify};
pub use logbeacon::LogBeaconClient;
pub use logwell_options::secret::{Secret, SecretUrl};
pub(crate) use open::{Opened, names, open};
pub use outcome::Outcome;
pub(crate) use running::Forwarders;
pub(crate) use setup::ForwardSetup;
