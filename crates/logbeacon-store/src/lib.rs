//! The store of LogBeacon: log records on one machine's disk, found as soon as they are
//! acknowledged, kept once, readable by every tool that reads Parquet.
//!
//! [`Store`] is what a server needs of a store; [`Embedded`] is it. [`Memory`] is the simplest
//! implementation, for tests.
//! This crate knows no HTTP and no protocol.

mod bloom;
mod embedded;
mod error;
#[cfg(fuzzing)]
mod fuzz;
mod identities;
mod journal;
mod memory;
#[cfg(test)]
mod oracle;
mod packed;
mod part;
mod record;
mod rollup;
mod search;
#[cfg(test)]
mod simulation;
mod store;
#[cfg(test)]
mod testing;
mod world;

pub use embedded::{Embedded, OpenError, OpenReport, Options, SalvageReport};
pub use error::{AppendError, DeleteError, SearchError};
pub use memory::Memory;
pub use record::Record;
pub use store::{
    Bucket, Budget, Cancel, Certificate, Damage, DeleteRequest, Device, Found, Health, MinuteCount,
    Order, Producer, RetentionRule, SearchRequest, Skipped, Store, Summary, Verdict,
};
pub use world::{Clock, Fs, Input, Output, SystemClock, SystemFs};

/// See `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod __private {
    pub use crate::fuzz::fuzz;
}
