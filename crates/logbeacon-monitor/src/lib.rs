//! LogBeacon's monitor: what is watched, what is an incident, and who is told of it.
//!
//! The crate is pure: files and clocks are arguments, and it serves no HTTP. [`Engine`] takes
//! [`Evaluation`]s and gives [`Dispatch`]es; every change of a state and the messages that follow
//! from it are one write to the journal before anything is sent. `docs/monitor.md` is the manual,
//! `docs/monitor-format.md` describes the journal.
//!
//! | module | knows |
//! |---|---|
//! | `identity`, `severity`, `rule` | which alert is which, thresholds, what a rule says |
//! | `phase`, `flapping`, `instance` | ok, pending, firing, recovering; missing data |
//! | `incident`, `silence`, `maintenance`, `matcher` | one outage, and what holds messages about it |
//! | `group`, `message`, `outbox` | who was told what, and what is on its way |
//! | `time` | observed time and gaps |
//! | `tables`, `journal`, `frame`, `disk` | what must not be forgotten, and where it is kept |
//! | `tasks` | jobs that run elsewhere: when they are due, what their pings say |
//! | `checks` | when checks start, how they are done, what they found |
//! | [`host`], `history` | the own machine; metrics over time |
//! | [`config`] | `monitor.yaml` |
//! | `setup`, `engine` | everything joined |

mod checks;
pub mod config;
mod disk;
mod engine;
mod flapping;
mod frame;
mod group;
mod history;
pub mod host;
mod identity;
mod incident;
mod instance;
mod journal;
mod maintenance;
mod matcher;
mod message;
mod outbox;
mod phase;
mod rule;
mod setup;
mod severity;
mod silence;
mod tables;
mod tasks;
#[cfg(test)]
mod testing;
mod time;

pub use checks::{
    Board, Certificate, Check, CheckReport, Header, Http, Kind, Prober, Protocol, Start, Status,
    Times, Timetable, permit,
};
pub use disk::{Disk, SystemDisk};
pub use engine::{Dispatch, Engine};
pub use flapping::Flapping;
pub use frame::OpenReport;
pub use group::{Group, GroupKey, Told};
pub use history::{History, SeriesKey, Step, Wanted};
pub use identity::{Identity, IncidentId, Labels};
pub use incident::{Ack, End, EndCause, Event, Incident};
pub use instance::{Data, Instance};
pub use journal::OpenError;
pub use maintenance::Window;
pub use matcher::Matcher;
pub use message::{Line, Message, Reason};
pub use outbox::{Ending, Entry, Outcome};
pub use phase::{Delays, Phase};
pub use rule::{Evaluation, Missing, MissingPolicy, Rule, Sample, Seen, Share};
pub use setup::{Channel, DELIVERY_RULE, EVALUATION_RULE, OWN_PREFIX, Setup, Waits};
pub use severity::{Direction, Scale, Severity, Threshold};
pub use silence::Silence;
pub use tables::{ChannelCounts, Counts, Tables};
pub use tasks::{
    Cron, Dst, Finished, Ping, PingKind, Problem, Run, Schedule, Slot, Statistics, Tally, Task,
    TaskState, Unobserved, Verdict,
};
pub use time::{Gap, GapCause, Now, ObservedClock, Reading};
