//! The store of LogBeacon: log records on one machine's disk, found as soon as they are
//! acknowledged, kept once, readable by every tool that reads Parquet.
//!
//! [`Store`] is what a server needs of a store; [`Embedded`] is it. [`Memory`] is the simplest
//! implementation, for tests.
//! This crate knows no HTTP and no protocol. The files it writes are described in
//! `docs/store-format.md`.
//!
//! | module | knows |
//! |---|---|
//! | `record`, `store`, `error` | what goes in, what may be asked, why it was not done |
//! | `memory` | the simplest store that is right |
//! | `embedded` | the store on a disk: commits, sealing, upkeep, deletions, start, salvage |
//! | `journal`, `packed` | what is synced before an answer, and how records are packed in it |
//! | `identities`, `bloom` | which records were accepted lately |
//! | `traces` | which row groups have a trace, for a day |
//! | `part` | a Parquet file: its columns, filters, checksums, and what it says about itself |
//! | `search` | answers from a snapshot of head and parts |
//! | `rollup` | counts that are kept with the data |
//! | `world` | files and a clock, as arguments |

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
mod traces;
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
