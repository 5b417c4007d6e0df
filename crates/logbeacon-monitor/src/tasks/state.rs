//! State: what is remembered of a task: the awaited slot, open runs, what is wrong, numbers.
//!
//! Knows: how pings and the passing of time change it. Must not know: rules or messages, nor what
//! time it is. In: pings and moments; out: verdicts, and readings for rules.

use super::run::{Finished, Ping, PingKind, Run, finish};
use super::schedule::Schedule;
use super::statistics::{Statistics, Tally};
use super::task::Task;
use crate::identity::Labels;
use crate::rule::{Sample, Seen};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is remembered of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    /// Its id.
    pub id: String,
    /// The schedule by which it is judged, in words.
    pub schedule: String,
    /// The slot that is awaited: when the task is due next, in milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// Whether a run of the awaited slot began, early or in its grace.
    pub has_run: bool,
    /// The last slots that were judged, the newest last, at most 100.
    pub slots: Vec<Slot>,
    /// Runs that have not ended, the newest last, at most 100.
    pub open: Vec<Run>,
    /// The last runs that ended, the newest last, at most 20.
    pub finished: Vec<Finished>,
    /// What is wrong, and since when, in milliseconds since 1970.
    pub problems: BTreeMap<Problem, i64>,
    /// Whether any ping ever came.
    pub was_seen: bool,
    /// When the last run began.
    pub started_ms: Option<i64>,
    /// Hours, days, weeks, durations.
    pub statistics: Statistics,
}

/// A slot that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// When the task was due, in milliseconds since 1970.
    pub due_ms: i64,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A run began, early or within the grace.
    OnTime,
    /// A run began after the grace, so many milliseconds after it was due.
    Late(i64),
    /// No run began.
    Missed,
    /// The monitor was away.
    UnknownGap,
    /// The clock changed, and not every scheduler would have run the job.
    UnknownClockChange,
}

/// What can be wrong with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A slot passed without a run, and none ever reported.
    NeverSeen,
    /// A slot passed without a run.
    Missed,
    /// A run takes too long.
    Overrun,
    /// The last run failed.
    Failed,
    /// Two runs at once.
    Overlap,
    /// The last run ended suspiciously soon.
    TooFast,
    /// A run began that no slot asked for.
    TooOften,
}

impl Problem {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NeverSeen,
        Self::Missed,
        Self::Overrun,
        Self::Failed,
        Self::Overlap,
        Self::TooFast,
        Self::TooOften,
    ];

    /// Its name, such as `missed`: the label `problem` of the rule's samples.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverSeen => "never_seen",
            Self::Missed => "missed",
            Self::Overrun => "overrun",
            Self::Failed => "failed",
            Self::Overlap => "overlap",
            Self::TooFast => "too_fast",
            Self::TooOften => "too_often",
        }
    }
}

/// Time that nobody observed, from and to, in milliseconds since 1970.
pub type Unobserved = (i64, i64);

impl TaskState {
    /// A task that nothing is known of, from that moment on.
    #[must_use]
    pub fn new(task: &Task, now_ms: i64) -> Self {
        Self {
            id: task.id.clone(),
            schedule: task.schedule.text(),
            due_ms: task.schedule.next(now_ms),
            has_run: false,
            slots: Vec::new(),
            open: Vec::new(),
            finished: Vec::new(),
            problems: BTreeMap::new(),
            was_seen: false,
            started_ms: None,
            statistics: Statistics::default(),
        }
    }

    /// Takes another schedule: what was judged stays, and the next slot is one of the new schedule.
    pub fn reschedule(&mut self, task: &Task, now_ms: i64) {
        if self.schedule != task.schedule.text() {
            self.schedule = task.schedule.text();
            (self.due_ms, self.has_run) = (task.schedule.next(now_ms), false);
        }
    }

    /// How many of the last 20 runs failed, in percent, with the label `task`. Fewer than five runs
    /// are no data.
    #[must_use]
    pub fn failed_percent(&self) -> Sample {
        let failed = self.finished.iter().filter(|run| !run.is_success).count();
        let reading = match self.finished.len() {
            runs @ FAILED_OF_MIN.. => Seen::Value(100.0 * failed as f64 / runs as f64),
            _ => Seen::NoData,
        };
        Sample { labels: Labels::from([("task".to_owned(), self.id.clone())]), reading }
    }

    /// What rules see of it: for each problem whether it has it, 1 or 0, with the labels `task` and
    /// `problem`.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let sample = |problem: Problem| Sample {
            labels: Labels::from([
                ("task".to_owned(), self.id.clone()),
                ("problem".to_owned(), problem.name().to_owned()),
            ]),
            reading: Seen::Value(f64::from(u8::from(self.problems.contains_key(&problem)))),
        };
        Problem::ALL.into_iter().map(sample).collect()
    }

    /// Whether it is due and its grace is running. This is shown and told to nobody.
    #[must_use]
    pub fn is_late(&self, now_ms: i64) -> bool {
        !self.has_run && self.due_ms.is_some_and(|due_ms| due_ms < now_ms)
    }

    /// Judges everything until that moment: slots whose grace is over, runs that take too long.
    /// `gaps` are the times in which the monitor was away.
    pub fn judge(&mut self, task: &Task, now_ms: i64, gaps: &[Unobserved]) {
        while let Some(due_ms) = self.due_ms.filter(|due_ms| due_ms + task.grace_ms < now_ms) {
            self.judge_slot(task, due_ms, gaps);
        }
        for run in &mut self.open {
            if !run.is_over && now_ms - run.started_ms > task.max_run_ms {
                run.is_over = true;
                self.problems.entry(Problem::Overrun).or_insert(now_ms);
            }
        }
    }

    /// Takes a ping. What was due before it is judged first, so that a ping and the end of a grace
    /// have one order: that in which they are given.
    pub fn ping(&mut self, task: &Task, ping: &Ping, gaps: &[Unobserved]) {
        self.judge(task, ping.received_ms, gaps);
        self.was_seen = true;
        self.problems.remove(&Problem::NeverSeen);
        match ping.kind {
            PingKind::Log => {}
            PingKind::Start => self.start(task, ping, gaps),
            PingKind::Success | PingKind::Fail(_) => self.end(task, ping, gaps),
        }
    }

    fn start(&mut self, task: &Task, ping: &Ping, gaps: &[Unobserved]) {
        let at_ms = ping.received_ms;
        // A repeated ping is the same run.
        if ping.run.is_some() && self.open.iter().any(|run| run.id == ping.run) {
            return;
        }
        let overlaps = !self.open.is_empty();
        if overlaps {
            self.problems.entry(Problem::Overlap).or_insert(at_ms);
        }
        self.open.push(Run { id: ping.run.clone(), started_ms: at_ms, overlaps, is_over: false });
        if self.open.len() > OPEN_MAX {
            self.open.remove(0);
        }
        self.attribute(task, ping, gaps);
    }

    fn end(&mut self, task: &Task, ping: &Ping, gaps: &[Unobserved]) {
        let had_start = match &ping.run {
            Some(id) => self.open.iter().any(|run| run.id.as_ref() == Some(id)),
            None => !self.open.is_empty(),
        };
        let Some(finished) = finish(&mut self.open, ping) else { return };
        if !had_start {
            self.attribute(task, ping, gaps);
        }
        self.tally(task, finished.ended_ms, finished_tally(&finished));
        if finished.is_success {
            self.problems.remove(&Problem::Failed);
            self.judge_duration(task, &finished);
        } else {
            self.problems.entry(Problem::Failed).or_insert(finished.ended_ms);
        }
        self.problems.remove(&Problem::Missed);
        if self.open.len() < 2 {
            self.problems.remove(&Problem::Overlap);
        }
        if !self.open.iter().any(|run| run.is_over) {
            self.problems.remove(&Problem::Overrun);
        }
        self.finished.push(finished);
        if self.finished.len() > FINISHED_MAX {
            self.finished.remove(0);
        }
    }

    /// Finds the slot that a run belongs to.
    fn attribute(&mut self, task: &Task, ping: &Ping, gaps: &[Unobserved]) {
        let at_ms = ping.received_ms;
        self.started_ms = Some(at_ms);
        self.tally(task, at_ms, Tally { started: 1, ..Tally::default() });
        if self.fill_unknown(task, ping, gaps) {
            return;
        }
        if let Schedule::Every { .. } = task.schedule {
            return self.restart_period(task, at_ms);
        }
        let Some(due_ms) = self.due_ms else { return };
        let gap_ms = self.slots.last().map_or(i64::MAX, |slot| due_ms - slot.due_ms);
        let gap_ms = gap_ms.min(task.schedule.next(due_ms).map_or(i64::MAX, |next| next - due_ms));
        if at_ms >= due_ms - task.early(gap_ms) {
            if self.has_run {
                self.too_often(task, at_ms);
            } else {
                self.has_run = true;
                self.problems.remove(&Problem::Missed);
                self.problems.remove(&Problem::TooOften);
            }
        } else if !self.correct_missed(task, at_ms) {
            self.too_often(task, at_ms);
        }
    }

    /// A ping that waited in a spool fills a slot of which nothing was known.
    fn fill_unknown(&mut self, task: &Task, ping: &Ping, gaps: &[Unobserved]) -> bool {
        let Some(sent_ms) = ping.sent_ms else { return false };
        if !gaps.iter().any(|(from, to)| (*from..=*to).contains(&sent_ms)) {
            return false;
        }
        let fits = |slot: &&mut Slot| {
            let window = slot.due_ms - task.early(i64::MAX)..=slot.due_ms + task.grace_ms;
            slot.verdict == Verdict::UnknownGap && window.contains(&sent_ms)
        };
        let slot = self.slots.iter_mut().find(fits);
        slot.map(|slot| slot.verdict = Verdict::OnTime).is_some()
    }

    /// A period begins anew with each start.
    fn restart_period(&mut self, task: &Task, at_ms: i64) {
        if let Some(due_ms) = self.due_ms {
            self.keep_slot(task, Slot { due_ms, verdict: Verdict::OnTime });
        }
        self.problems.remove(&Problem::Missed);
        self.due_ms = task.schedule.next(at_ms);
    }

    /// A run after the grace corrects the slot that was missed last. The problem ends with the run.
    fn correct_missed(&mut self, task: &Task, at_ms: i64) -> bool {
        let Some(slot) = self.slots.last_mut().filter(|slot| slot.verdict == Verdict::Missed)
        else {
            return false;
        };
        let due_ms = slot.due_ms;
        slot.verdict = Verdict::Late(at_ms - due_ms);
        self.tally(task, due_ms, Tally { late: 1, ..Tally::default() });
        true
    }

    /// Near a change of the clock a job's scheduler may run it twice.
    fn too_often(&mut self, task: &Task, at_ms: i64) {
        if !task.schedule.is_near_change(at_ms) {
            self.problems.entry(Problem::TooOften).or_insert(at_ms);
        }
    }

    fn judge_slot(&mut self, task: &Task, due_ms: i64, gaps: &[Unobserved]) {
        let until_ms = due_ms + task.grace_ms;
        let early_ms = task.early(task.schedule.next(due_ms).map_or(i64::MAX, |it| it - due_ms));
        let is_gap = gaps.iter().any(|(from, to)| *from <= until_ms && due_ms - early_ms <= *to);
        let verdict = if self.has_run {
            Verdict::OnTime
        } else if is_gap {
            Verdict::UnknownGap
        } else if !task.schedule.is_certain(due_ms) {
            Verdict::UnknownClockChange
        } else {
            Verdict::Missed
        };
        if verdict == Verdict::Missed {
            let problem = if self.was_seen { Problem::Missed } else { Problem::NeverSeen };
            self.problems.entry(problem).or_insert(until_ms);
        }
        self.keep_slot(task, Slot { due_ms, verdict });
        self.has_run = false;
        self.due_ms = task.schedule.next(due_ms);
    }

    fn keep_slot(&mut self, task: &Task, slot: Slot) {
        let mut tally = Tally { due: 1, ..Tally::default() };
        match slot.verdict {
            Verdict::Missed => tally.missed = 1,
            Verdict::UnknownGap | Verdict::UnknownClockChange => tally.unknown = 1,
            Verdict::OnTime | Verdict::Late(_) => {}
        }
        self.tally(task, slot.due_ms, tally);
        self.slots.push(slot);
        if self.slots.len() > SLOTS_MAX {
            self.slots.remove(0);
        }
    }

    fn judge_duration(&mut self, task: &Task, finished: &Finished) {
        let Some(duration_ms) = finished.duration_ms else { return };
        let median_ms = self.statistics.percentile_ms(50);
        let usual_ms = median_ms.filter(|_| self.statistics.timed() >= TIMED_MIN);
        let floor_ms = task.min_run_ms.or(usual_ms.map(|median_ms| median_ms / 10));
        if floor_ms.is_some_and(|floor_ms| duration_ms < floor_ms) {
            self.problems.entry(Problem::TooFast).or_insert(finished.ended_ms);
        } else {
            self.problems.remove(&Problem::TooFast);
            // What is suspicious is not what is usual.
            self.statistics.time(duration_ms);
        }
    }

    fn tally(&mut self, task: &Task, at_ms: i64, tally: Tally) {
        let zone = match &task.schedule {
            Schedule::Cron { zone, .. } => zone.clone(),
            Schedule::Every { .. } => TimeZone::UTC,
        };
        self.statistics.count(at_ms, &zone, tally);
    }
}

fn finished_tally(finished: &Finished) -> Tally {
    let timed_ms = finished.duration_ms.and_then(|ms| u64::try_from(ms).ok());
    Tally {
        succeeded: u64::from(finished.is_success),
        failed: u64::from(!finished.is_success),
        timed: u64::from(timed_ms.is_some()),
        duration_sum_ms: timed_ms.unwrap_or(0),
        ..Tally::default()
    }
}

const SLOTS_MAX: usize = 100;
const OPEN_MAX: usize = 100;
const FINISHED_MAX: usize = 20;
/// How many runs make a share of failures.
const FAILED_OF_MIN: usize = 5;
/// How many durations make a median.
const TIMED_MIN: usize = 10;
