//! Tasks: jobs that run on a schedule elsewhere and report by pings.
//!
//! Knows: schedules, runs, slots and verdicts. Must not know: HTTP, rules or messages.
//! In: definitions, pings and the time; out: verdicts, readings for rules, statistics.

mod cron;
mod run;
mod schedule;
mod state;
mod statistics;
mod task;

pub use cron::Cron;
pub use run::{Finished, Ping, PingKind, Run};
pub use schedule::{Dst, Schedule};
pub use state::{Problem, Slot, TaskState, Unobserved, Verdict};
pub use statistics::{Statistics, Tally};
pub use task::Task;

#[cfg(test)]
mod tests;
