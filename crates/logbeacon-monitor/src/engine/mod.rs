//! Engine: everything joined: what was seen becomes states, incidents, groups and messages.
//!
//! Knows: the order of one step, and that it is committed before any effect. Must not know: how
//! anything is measured, sent or shown. In: evaluations, outcomes, acts of people, readings of the
//! clocks; out: messages that are due, and the tables to show.

use crate::disk::Disk;
use crate::frame::OpenReport;
use crate::identity::IncidentId;
use crate::incident::Ack;
use crate::journal::{Journal, OpenError};
use crate::phase::Phase;
use crate::rule::Evaluation;
use crate::setup::Setup;
use crate::silence::Silence;
use crate::tables::{Counts, Key, Row, Tables};
use crate::time::{Gap, Now, ObservedClock, Reading};
use std::collections::BTreeSet;
use std::io;

mod deliver;
mod evaluate;
mod flush;
mod hold;
mod prune;
mod reload;
mod tasks;

pub use deliver::Dispatch;

/// The alert engine of one monitor.
///
/// Every method that changes something commits before it returns, as one write: either all of it
/// is on disk or nothing. It blocks on the disk for that long and never on a network. If the disk
/// does not take a commit, the engine goes on in memory, counts it and writes everything with the
/// next commit that works; messages are sent meanwhile, since a lost alert is worse than one told
/// twice.
///
/// ```
/// use logbeacon_monitor::{Engine, Reading, Setup, SystemDisk};
///
/// let dir = tempfile::tempdir()?;
/// let disk = Box::new(SystemDisk::open(dir.path())?);
/// let start = Reading { wall_ms: 1_700_000_000_000, mono_ms: 0 };
/// let (mut engine, report) = Engine::open(disk, Setup::default(), start)?;
/// assert_eq!(report.damaged_bytes, 0);
/// engine.observe(Reading { wall_ms: 1_700_000_030_000, mono_ms: 30_000 }, Vec::new());
/// assert_eq!(engine.now().observed_ms, 30_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    setup: Setup,
    tables: Tables,
    journal: Journal,
    clock: ObservedClock,
    /// Rules that were evaluated since the start.
    evaluated: BTreeSet<String>,
    /// Observed time at the start.
    started_ms: u64,
    /// Entries whose attempt is running.
    in_flight: BTreeSet<u64>,
    /// Why the last commit failed, until one works.
    disk_trouble: Option<String>,
}

impl Engine {
    /// Opens the journal and goes on from where it ended. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// The disk does not work, or the journal is of another version.
    pub fn open(
        disk: Box<dyn Disk>,
        setup: Setup,
        reading: Reading,
    ) -> Result<(Self, OpenReport), OpenError> {
        let (journal, tables, report) = Journal::open(disk)?;
        let clock = ObservedClock::resume(tables.clock, setup.waits.step_max_ms);
        let mut engine = Self {
            setup: Setup::default(),
            started_ms: tables.clock.observed_ms,
            tables,
            journal,
            clock,
            evaluated: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            disk_trouble: None,
        };
        engine.pass(reading);
        engine.install(setup.with_own_rules());
        engine.commit();
        Ok((engine, report))
    }

    /// Takes what was evaluated since the last call, and makes the messages that are due. To be
    /// called at least every 30 s, with no evaluations too, for a longer pause is a gap.
    ///
    /// Returns the gap since the last call, if there was one.
    pub fn observe(&mut self, reading: Reading, evaluations: Vec<Evaluation>) -> Option<Gap> {
        let gap = self.pass(reading);
        self.judge_tasks();
        if self.clock.is_offline() {
            let ignored = evaluations.len() as u64;
            if ignored > 0 {
                let ignored_offline = self.tables.counts.ignored_offline + ignored;
                self.count(Counts { ignored_offline, ..self.tables.counts });
            }
        } else {
            evaluations.into_iter().for_each(|evaluation| self.evaluate(evaluation));
            self.watch_channels();
            self.flush();
        }
        self.prune();
        self.commit();
        gap
    }

    /// Says whether the monitor's own network is down. While it is, nothing is evaluated and time
    /// is a gap.
    pub fn set_offline(&mut self, is_offline: bool) {
        self.clock.set_offline(is_offline);
    }

    /// Adds a silence, in place of one with its id.
    ///
    /// # Errors
    ///
    /// It has no matcher, no author, or ends before it begins.
    pub fn silence(&mut self, silence: Silence) -> Result<(), String> {
        silence.check()?;
        self.tables.put(Row::Silence(silence));
        self.commit();
        Ok(())
    }

    /// Ends a silence. Returns whether there was one.
    pub fn unsilence(&mut self, id: &str) -> bool {
        let is_there = self.tables.silences.contains_key(id);
        if is_there {
            self.tables.remove(Key::Silence(id.to_owned()));
            self.commit();
        }
        is_there
    }

    /// Acknowledges an open incident: no reminders until the acknowledgement expires, the severity
    /// rises or the incident ends.
    ///
    /// # Errors
    ///
    /// There is no such incident, or it has ended.
    pub fn acknowledge(&mut self, id: &IncidentId, ack: Ack) -> Result<(), String> {
        let incident = self.tables.incidents.get(id).ok_or("there is no such incident")?;
        if !incident.is_open() {
            return Err("the incident has ended".to_owned());
        }
        let mut incident = incident.clone();
        incident.note(self.now(), format!("acknowledged by {}: {}", ack.by, ack.comment));
        incident.ack = Some(ack);
        self.tables.put(Row::Incident(incident));
        self.commit();
        Ok(())
    }

    /// What the engine works by, its own rules too.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Everything it knows.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The moment of the last reading.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Why the last commit failed, if it did: a crash now would lose what was not written.
    #[must_use]
    pub fn disk_trouble(&self) -> Option<&str> {
        self.disk_trouble.as_deref()
    }

    fn pass(&mut self, reading: Reading) -> Option<Gap> {
        let gap = self.clock.pass(reading);
        if let Some(gap) = &gap {
            self.note_gap(gap.clone());
        }
        // Not each step is worth a write: a start that goes on from some seconds ago counts `for`
        // and `keep` again for so long.
        let counts_time = |phase| matches!(phase, Phase::Pending { .. } | Phase::Recovering { .. });
        let is_counting = self.tables.instances.values().any(|it| counts_time(it.phase));
        let save_ms = if is_counting { COUNTING_SAVE_MS } else { CLOCK_SAVE_MS };
        let (now, saved) = (self.now(), self.tables.clock);
        if gap.is_some() || now.observed_ms.saturating_sub(saved.observed_ms) >= save_ms {
            self.tables.put(Row::Clock(now));
        }
        gap
    }

    /// Puts a gap, joined with the one before it if that has the same cause and touches it.
    fn note_gap(&mut self, mut gap: Gap) {
        let last = self.tables.gaps.values().next_back();
        if let Some(last) = last.filter(|last| last.cause == gap.cause && last.to_ms == gap.from_ms)
        {
            gap.from_ms = last.from_ms;
        }
        self.tables.put(Row::Gap(gap));
    }

    fn count(&mut self, counts: Counts) {
        self.tables.put(Row::Counts(counts));
    }

    fn commit(&mut self) {
        if self.tables.is_touched() && self.now() != self.tables.clock {
            self.tables.put(Row::Clock(self.now()));
        }
        match self.journal.commit(&mut self.tables) {
            Ok(()) => self.disk_trouble = None,
            Err(error) => self.fail_commit(&error),
        }
    }

    fn fail_commit(&mut self, error: &io::Error) {
        self.disk_trouble = Some(error.to_string());
        let failed_commits = self.tables.counts.failed_commits + 1;
        self.count(Counts { failed_commits, ..self.tables.counts });
    }
}

/// How much observed time is written at once when nothing else is.
const CLOCK_SAVE_MS: u64 = 60_000;
/// The same while an instance waits for `for` or `keep`.
const COUNTING_SAVE_MS: u64 = 10_000;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
