//! Forward: delivers records to LogBeacon and to people, at least once and never in the way.
//!
//! Switched on in the section `forward` of the configuration; nothing else is needed. How it is used
//! is in [`_documentation::forwarding`](crate::_documentation::forwarding). What is public here are
//! the parts that other programs use which deliver the same messages.
//!
//! | file | is |
//! |---|---|
//! | `open.rs` | from the configuration to spools and forwarders |
//! | `adopt.rs` | what killed processes have left behind |
//! | `running.rs` | the forwarders' threads: to be asked, and to be stopped |
//! | `forwarder.rs` | takes entries out of a spool and has them delivered |
//! | `doubt.rs` | who is to blame for a refusal |
//! | `destination.rs` | what is particular about a destination: the traits |
//! | `logbeacon.rs` | one destination |
//! | `telegram.rs`, `telegram/` | a destination for each group of people |
//! | `message.rs`, `outcome.rs`, `transport.rs` | what goes out, what became of it, the way it takes |
//! | `rabbitmq.rs`, `rabbitmq/` | the way through a broker, or past it; alone names `lapin` |
//! | `no_rabbitmq.rs` | that in a build without the feature |
//! | `http.rs` | POST with deadlines and bounds; alone names `ureq` |
//! | `backoff.rs`, `bucket.rs` | when to try again, how much at once; pure |
//! | `dead.rs`, `inbox.rs` | what was refused for good; what of it is sent again |
//! | `counters.rs` | what is counted |
//! | `check.rs` | a test message to each destination |
//! | `absent.rs` | all of this in a build without the feature |

mod adopt;
mod backoff;
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
