//! Tasks: jobs that run on a schedule elsewhere and report by pings.
//!
//! Knows: schedules, runs, slots and verdicts. Must not know: HTTP, rules or messages.
//! In: definitions, pings and the time; out: verdicts, readings for rules, statistics.

mod state;

pub use state::TaskState;
