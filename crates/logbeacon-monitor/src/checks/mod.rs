//! Checks: what is looked at, when, and what was found.
//!
//! Knows: targets and the ways to look at them. Must not know: rules or messages. In: checks; out:
//! reports, and readings for rules.

mod address;
mod board;
mod check;
mod probe;
mod report;
mod timetable;

pub use address::permit;
pub use board::Board;
pub use check::{Check, Header, Http, Kind, Protocol};
pub use probe::Prober;
pub use report::{Certificate, CheckReport, Status, Times};
pub use timetable::{Start, Timetable};
