//! Testing: rules and readings that tests share.
//!
//! Knows: what most tests want. Must not know: any one test. In: what differs; out: the rest.

use crate::disk::Disk;
use crate::engine::{Dispatch, Engine};
use crate::identity::Labels;
use crate::message::Line;
use crate::outbox::Outcome;
use crate::rule::{Evaluation, Missing, MissingPolicy, Rule, Sample, Seen};
use crate::setup::{Channel, Setup};
use crate::severity::{Direction, Scale, Severity, Threshold};
use crate::time::Reading;
use std::io;
use std::sync::{Arc, Mutex};

/// A rule that fires at once above 90 as a warning and above 98 as critical, and clears at 80.
pub(crate) fn rule(id: &str) -> Rule {
    let at = |severity, raise, clear| Threshold { severity, raise, clear };
    let thresholds = vec![at(Severity::Warning, 90.0, 80.0), at(Severity::Critical, 98.0, 90.0)];
    Rule {
        id: id.to_owned(),
        scale: Scale { direction: Direction::Above, thresholds, valid: 0.0..=1e9 },
        for_ms: 0,
        keep_ms: 0,
        share: None,
        missing: Missing { policy: MissingPolicy::Keep, for_ms: 0 },
        interval_ms: 30_000,
        summary: "{target} is at {value}".to_owned(),
        runbook: String::new(),
        marks_down: false,
    }
}

/// A disk in memory that forgets nothing it said it has, and that can die in the middle of a write.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestDisk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    bytes: Vec<u8>,
    /// Writes so far.
    writes: usize,
    /// The write in which it dies, and how many of its bytes arrive, in percent.
    death: Option<(usize, usize)>,
    is_dead: bool,
    is_full: bool,
}

impl TestDisk {
    fn state(&self) -> std::sync::MutexGuard<'_, DiskState> {
        self.0.lock().unwrap()
    }

    /// Lets the write of that number be the last, with so many percent of its bytes.
    pub(crate) fn die_at(&self, write: usize, percent: usize) {
        self.state().death = Some((write, percent));
    }

    /// Whether it died.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> usize {
        self.state().writes
    }

    /// Lets every write fail, or work again.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// A new process finds what arrived.
    pub(crate) fn revive(&self) {
        let mut state = self.state();
        if state.is_dead {
            (state.is_dead, state.death) = (false, None);
        }
    }

    /// How much of a write arrives, or that nothing can be written at all.
    fn begin(&self) -> io::Result<Option<usize>> {
        let mut state = self.state();
        if state.is_dead || state.is_full {
            return Err(io::Error::other("no space"));
        }
        state.writes += 1;
        let percent = state.death.filter(|death| death.0 == state.writes).map(|death| death.1);
        state.is_dead = percent.is_some();
        Ok(percent)
    }
}

impl Disk for TestDisk {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.state().bytes.clone())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let percent = self.begin()?;
        let arrives = bytes.len() * percent.unwrap_or(100) / 100;
        self.state().bytes.extend_from_slice(&bytes[..arrives]);
        percent.map_or(Ok(()), |_| Err(io::Error::other("killed")))
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let percent = self.begin()?;
        if percent.is_none_or(|percent| percent == 100) {
            self.state().bytes = bytes.to_vec();
        }
        percent.map_or(Ok(()), |_| Err(io::Error::other("killed")))
    }

    fn keep_damaged(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A channel that is told of everything, grouped by rule.
pub(crate) fn channel(id: &str) -> Channel {
    Channel {
        id: id.to_owned(),
        severity_min: Severity::Info,
        matchers: Vec::new(),
        group_by: vec!["rule".to_owned()],
        wants_resolves: true,
    }
}

/// One rule and one channel.
pub(crate) fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.rules.insert("r".to_owned(), rule("r"));
    setup.channels.insert("mail".to_owned(), channel("mail"));
    setup
}

/// The labels of a target.
pub(crate) fn target(name: &str) -> Labels {
    Labels::from([("target".to_owned(), name.to_owned())])
}

/// An evaluation of a rule that sees a value for each target.
pub(crate) fn seen(rule: &str, values: &[(&str, f64)]) -> Evaluation {
    let sample =
        |(name, value): &(&str, f64)| Sample { labels: target(name), reading: Seen::Value(*value) };
    Evaluation { rule: rule.to_owned(), result: Ok(values.iter().map(sample).collect()) }
}

/// An engine with its disk, its clocks, and what arrived at its receivers.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) disk: TestDisk,
    pub(crate) setup: Setup,
    pub(crate) engine: Engine,
    pub(crate) time: Reading,
    pub(crate) arrived: Vec<Dispatch>,
}

impl Play {
    pub(crate) fn new(setup: Setup) -> Self {
        let time = Reading { wall_ms: 1_700_000_000_000, mono_ms: 5_000 };
        let disk = TestDisk::default();
        let engine = Engine::open(Box::new(disk.clone()), setup.clone(), time).unwrap().0;
        Self { disk, setup, engine, time, arrived: Vec::new() }
    }

    /// Lets both clocks go on.
    pub(crate) fn pass(&mut self, seconds: u32) {
        self.time.wall_ms += i64::from(seconds) * 1_000;
        self.time.mono_ms += u64::from(seconds) * 1_000;
    }

    /// Ten seconds later this is seen, and everything that is due arrives.
    pub(crate) fn step(&mut self, evaluations: Vec<Evaluation>) {
        self.pass(10);
        self.engine.observe(self.time, evaluations);
        self.deliver();
    }

    /// The same so often.
    pub(crate) fn steps(&mut self, count: usize, evaluation: &Evaluation) {
        (0..count).for_each(|_| self.step(vec![evaluation.clone()]));
    }

    /// Everything that is due arrives.
    pub(crate) fn deliver(&mut self) {
        for dispatch in self.engine.due() {
            let number = dispatch.number;
            self.arrived.push(dispatch);
            self.engine.finished(self.time, number, Outcome::Delivered);
        }
    }

    /// Everything that is due comes to this.
    pub(crate) fn answer(&mut self, outcome: &Outcome) -> usize {
        let due = self.engine.due();
        for dispatch in &due {
            self.engine.finished(self.time, dispatch.number, outcome.clone());
        }
        due.len()
    }

    /// The process ends and a new one starts, some seconds later.
    pub(crate) fn restart(&mut self, seconds: u32) {
        self.pass(seconds);
        self.time.mono_ms = 77;
        self.disk.revive();
        let open = || {
            let disk = Box::new(self.disk.clone());
            Engine::open(disk, self.setup.clone(), self.time).map(|(engine, _)| engine)
        };
        // It may be killed while it opens, once.
        self.engine = open()
            .or_else(|_| {
                self.disk.revive();
                open()
            })
            .unwrap();
    }

    /// Reasons of what arrived, with the targets that fire and those that ended.
    pub(crate) fn told(&self) -> Vec<String> {
        let names = |lines: &[Line]| {
            let names = lines.iter().map(|line| line.identity.labels.values().cloned().collect());
            names.collect::<Vec<String>>().join(" ")
        };
        let text = |it: &Dispatch| {
            let (firing, over) = (names(&it.message.firing), names(&it.message.resolved));
            format!("{:?}: {firing} | {over}", it.message.reason)
        };
        self.arrived.iter().map(text).collect()
    }
}
