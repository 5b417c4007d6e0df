//! Boot: the records of one start of a process, as they are found, what its own records say, and
//! what its black box holds.
//!
//! Knows `seq`, logwell's own records and their numbers. Does not know files or other boots.

use super::boxes::BlackBox;
use super::gaps::{Gap, Gaps, Place, push_in_order};
use super::sent::Sent;
use crate::line::Line;
use std::collections::BTreeMap;

/// One record as the verifier sees it.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) seq: u64,
    pub(super) unix_ns: i64,
    pub(super) place: Place,
    /// Whether it was there before the other files were looked at, and so must be in them.
    pub(super) is_settled: bool,
    /// Whether another process wrote it, which had it from the black box.
    pub(super) is_recovered: bool,
    pub(super) line: &'a Line<'a>,
}

/// The records of one start of a process.
#[derive(Debug, Default)]
pub(super) struct Boot {
    pub(super) process: u64,
    pub(super) id: Option<String>,
    /// Whether its first record, `logwell.started`, is there.
    pub(super) is_begun: bool,
    /// Where its first record is that is there.
    pub(super) first: Place,
    pub(super) first_ns: i64,
    /// The highest number, and the latest moment.
    pub(super) last_seq: u64,
    pub(super) last_ns: i64,
    /// The first number that was found; lower ones may have been rotated away.
    pub(super) base: u64,
    /// How many different records are there.
    pub(super) records: u64,
    /// How many of them are logwell's own.
    pub(super) own: u64,
    pub(super) gaps: Gaps,
    pub(super) duplicates: Runs,
    pub(super) late: Runs,
    pub(super) checkpoints: Vec<Checkpoint>,
    /// When a record last said that others were filtered.
    pub(super) filtered_ns: Vec<i64>,
    /// Dropped before the queue, by level and reason, as reported so far.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Lost by a sink in an outage, as reported so far.
    pub(super) outages: Vec<Outage>,
    pub(super) receipt: Option<Receipt>,
    /// What the process that recovered its black box says.
    pub(super) recovery: Option<Recovery>,
    /// What its black box still holds.
    pub(super) left: Option<Left>,
    /// Whether its black box could not be read and was put aside, and so was not recovered.
    pub(super) is_box_put_aside: bool,
    /// Its black box cannot be read: what is in one file may wait in it for another.
    pub(super) is_box_open: bool,
    /// The number with which it begins, if only the black box has it; 0 if the files did.
    pub(super) begun_by_box: u64,
    /// The latest number that was recovered, and the latest of those before that are in another
    /// file.
    last_recovered: u64,
    before_box: u64,
    /// Numbers of records that must be in `errors.log` and in `ai_responses.log`.
    pub(super) errors: Vec<u64>,
    pub(super) ai: Vec<u64>,
    /// The numbers of the records that a log server should have, if that is asked.
    pub(super) sent: Sent,
}

/// Among the records before number `before`, so many were kept out of the file by its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checkpoint {
    pub(super) before: u64,
    pub(super) filtered: u64,
}

/// That a sink failed and works again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) sink: String,
    pub(super) problem: String,
    pub(super) failed_ms: u64,
    pub(super) dropped: u64,
}

/// What `logwell.stopped` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) seq: u64,
    pub(super) received: u64,
    pub(super) dropped: BTreeMap<String, u64>,
    pub(super) sinks: BTreeMap<String, SinkCounts>,
}

/// What the receipt says of one sink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SinkCounts {
    pub(super) routed: u64,
    pub(super) written: u64,
    pub(super) dropped: u64,
}

/// What `logwell.black_box` says of a boot that was killed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Recovery {
    /// Everything before this number was in the files.
    pub(super) first_seq: u64,
    /// The highest number of the boot.
    pub(super) last_seq: u64,
    pub(super) lost: u64,
    pub(super) damaged: u64,
    /// Of the numbers from the first to the last, so many are kept out of the file by its level.
    pub(super) filtered: u64,
}

/// What the black box of a boot holds that is not in the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Whether the box is in use: then all of it is on its way.
    pub(super) is_in_use: bool,
    /// The highest number in the files; 0 if there is none.
    pub(super) last_in_files: u64,
    /// Numbers that are not in the file, as ranges.
    pub(super) waiting: Vec<(u64, u64)>,
    /// Records that have no copy and are not in the file either.
    pub(super) lost: u64,
    pub(super) damaged: u64,
    /// All numbers in the box: what is in one file may wait for another.
    numbers: Vec<u64>,
}

impl Left {
    pub(super) fn count(&self) -> u64 {
        self.waiting.iter().map(|(from, to)| to - from + 1).sum()
    }

    fn wait(&mut self, number: u64) {
        match self.waiting.last_mut() {
            Some((_, to)) if *to + 1 == number => *to = number,
            _ => self.waiting.push((number, number)),
        }
    }
}

impl Recovery {
    /// The boot that it is about, its process, and what is said.
    pub(super) fn read(line: &Line<'_>) -> Option<(String, u64, Self)> {
        let number = |key: &str| line.number(key).map_or(0, |number| number.min(MAX_NUMBER));
        let recovery = Self {
            first_seq: number("first_seq"),
            last_seq: number("last_seq"),
            lost: number("lost"),
            damaged: number("damaged"),
            filtered: number("filtered"),
        };
        Some((line.text("boot_id")?.into_owned(), line.number("of_process")?, recovery))
    }
}

/// What a record turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It belongs to this boot.
    Here,
    /// It belongs to another boot of the process, whose beginning is missing.
    NextBoot,
}

/// No counter of a boot comes near it: more than a year at ten million records a second. What
/// claims more is wrong, and would make sums overflow.
pub(super) const MAX_NUMBER: u64 = 1 << 48;
/// Keeps at most so many of what a hostile file could have without end.
const MAX_KEPT: usize = 100_000;

impl Boot {
    pub(super) fn begin(process: u64, found: &Found<'_>, sent: Sent) -> Self {
        let mut boot = Self {
            process,
            first: found.place,
            first_ns: found.unix_ns,
            last_ns: found.unix_ns,
            base: found.seq,
            sent,
            ..Self::default()
        };
        if found.is_recovered {
            boot.begun_by_box = found.seq;
        }
        boot.take_new(found);
        boot
    }

    /// A boot of which nothing is in the files.
    pub(super) fn in_box_only(black_box: &BlackBox) -> Self {
        let [first_ns, last_ns] = black_box.times;
        Self {
            process: black_box.process,
            id: Some(black_box.boot_id.clone()),
            first_ns,
            last_ns,
            base: black_box.handed_on + 1,
            begun_by_box: black_box.handed_on + 1,
            ..Self::default()
        }
    }

    /// Takes the next record of the process.
    pub(super) fn take(&mut self, found: &Found<'_>) -> Turn {
        if found.seq > self.last_seq {
            self.take_new(found);
            return Turn::Here;
        }
        let is_later = found.unix_ns > self.last_ns;
        let is_missing = self.gaps.find(found.seq).is_some();
        // What comes again, or is before all there is, and has happened after all of it, is not
        // a line in the wrong place: the process has begun to count again.
        if is_later && (!is_missing || found.seq < self.base) {
            return Turn::NextBoot;
        }
        if self.gaps.fill(found.seq) {
            let is_in_place = match found.is_recovered {
                true => found.seq > self.last_recovered,
                // What was not in the box is in a file that is read later.
                false => found.seq < self.begun_by_box && found.seq > self.before_box,
            };
            if is_in_place {
                self.base = self.base.min(found.seq);
                self.before_box = self.before_box.max(found.seq);
            } else {
                self.late.push(found.seq, found.place);
            }
            self.note(found);
        } else {
            self.duplicates.push(found.seq, found.place);
        }
        Turn::Here
    }

    /// Takes a record that is among those of a later boot.
    pub(super) fn take_stray(&mut self, found: &Found<'_>) {
        if found.seq > self.last_seq {
            self.late.push(found.seq, found.place);
            self.take_new(found);
        } else {
            self.take(found);
        }
    }

    fn take_new(&mut self, found: &Found<'_>) {
        if !found.is_recovered && self.last_seq > 0 {
            // So it goes on by itself.
            self.begun_by_box = 0;
        }
        let is_beginning = || found.line.own_kind().is_some_and(|kind| kind == "logwell.started");
        if found.is_recovered || is_beginning() {
            // What was found in a black box is reported before the beginning, and happens after it.
            self.first_ns = self.first_ns.min(found.unix_ns);
        }
        self.extend(found.seq, found.place);
        self.note(found);
    }

    /// The number is there, and all before it that are not are missing.
    fn extend(&mut self, number: u64, place: Place) {
        if number > self.last_seq + 1 {
            self.gaps.push(Gap {
                from: self.last_seq + 1,
                to: number - 1,
                after_ns: self.last_ns,
                before: place,
            });
        }
        self.last_seq = number;
    }

    /// There were numbers up to this one, so those that are not here are missing.
    fn lacks_through(&mut self, number: u64) {
        if number > self.last_seq {
            self.extend(number + 1, Place::END);
            self.last_seq = number;
        }
    }

    /// Takes what the one who has recovered the boot says. What it had is in the files now.
    pub(super) fn recovered(&mut self, recovery: Recovery) {
        self.lacks_through(recovery.last_seq);
        self.recovery = Some(recovery);
    }

    /// Takes what is in the black box: that is not missing.
    pub(super) fn take_box(&mut self, black_box: &BlackBox) {
        let numbers = black_box.numbers.clone();
        let mut left = Left {
            is_in_use: black_box.is_in_use,
            last_in_files: self.last_seq,
            damaged: black_box.damaged,
            ..Left::default()
        };
        self.lacks_through(black_box.handed_on);
        for &number in &numbers {
            if number > self.last_seq {
                // Of one in use, what was not there a moment ago is no loss.
                if !left.is_in_use {
                    self.extend(number, Place::END);
                }
                left.wait(number);
            } else if self.gaps.fill(number) {
                left.wait(number);
            }
        }
        left.numbers = numbers;
        if left.is_in_use {
            left.damaged = 0;
        } else {
            self.lacks_through(black_box.without_copy.last().copied().unwrap_or(0));
            let is_lost = |number: &&u64| self.gaps.find(**number).is_some();
            left.lost = black_box.without_copy.iter().filter(is_lost).count() as u64;
            for (name, count) in &black_box.dropped {
                let sum = self.dropped.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*count).min(MAX_NUMBER);
            }
        }
        self.left = Some(left);
    }

    /// Whether some of its records came out of a black box.
    pub(super) fn has_recovered(&self) -> bool {
        self.last_recovered > 0
    }

    /// Whether the record is in the black box: then it is missing nowhere.
    pub(super) fn waits(&self, number: u64) -> bool {
        self.left.as_ref().is_some_and(|left| left.numbers.binary_search(&number).is_ok())
    }

    /// How many records the log or the black box tells to be lost of those it had.
    pub(super) fn lost_by_box(&self) -> u64 {
        let recovered = self.recovery.map_or(0, |recovery| recovery.lost);
        recovered.max(self.left.as_ref().map_or(0, |left| left.lost))
    }

    /// How many entries of the black box could not be read.
    pub(super) fn damaged_in_box(&self) -> u64 {
        let recovered = self.recovery.map_or(0, |recovery| recovery.damaged);
        recovered.max(self.left.as_ref().map_or(0, |left| left.damaged))
    }

    /// Notes what a record says that was not there before.
    fn note(&mut self, found: &Found<'_>) {
        self.records += 1;
        if found.is_recovered {
            self.last_recovered = self.last_recovered.max(found.seq);
        }
        self.last_ns = self.last_ns.max(found.unix_ns);
        if let Some(kind) = found.line.own_kind() {
            self.own += 1;
            self.note_own(&kind, found);
            return;
        }
        self.sent.note(found.seq, found.line.level());
        if !found.is_settled {
            return;
        }
        // logwell's own are in `app.log` whatever `files.level` says, and not so elsewhere.
        if found.line.level().is_some_and(|level| level >= logwell::Level::Error) {
            push_in_order(&mut self.errors, found.seq);
        }
        if found.line.raw("logger") == Some("\"ai_responses\"") {
            push_in_order(&mut self.ai, found.seq);
        }
    }

    fn note_own(&mut self, kind: &str, found: &Found<'_>) {
        let line = found.line;
        let number = |key: &str| line.number(key).map(|number| number.min(MAX_NUMBER));
        match kind {
            "logwell.started" => {
                self.is_begun = true;
                self.id = line.text("boot_id").map(|id| id.into_owned());
                self.add_checkpoint(found.seq, 0);
            }
            "logwell.filtered" => {
                let (Some(total), Some(new), Some(first)) =
                    (number("total"), number("filtered"), number("first_seq"))
                else {
                    return;
                };
                self.add_checkpoint(first, total.saturating_sub(new));
                self.add_checkpoint(found.seq, total);
                if self.filtered_ns.len() < MAX_KEPT {
                    self.filtered_ns.push(found.unix_ns);
                }
            }
            "logwell.dropped" => add_dropped(&mut self.dropped, line),
            "logwell.recovered" if self.outages.len() < MAX_KEPT => {
                let text = |key: &str| line.text(key).unwrap_or_default().into_owned();
                self.outages.push(Outage {
                    sink: text("sink"),
                    problem: text("problem"),
                    failed_ms: number("failed_ms").unwrap_or(0),
                    dropped: number("dropped").unwrap_or(0),
                });
            }
            "logwell.stopped" => {
                let receipt = Receipt::read(found.seq, line);
                self.id = self.id.take().or_else(|| line.text("boot_id").map(|id| id.into_owned()));
                if let Some(ledger) = receipt.sinks.get(LEDGER) {
                    let filtered = (found.seq - 1).saturating_sub(ledger.routed);
                    self.add_checkpoint(found.seq, filtered);
                }
                self.receipt = Some(receipt);
            }
            _ => {}
        }
    }

    fn add_checkpoint(&mut self, before: u64, filtered: u64) {
        if self.checkpoints.len() < MAX_KEPT {
            let at = self.checkpoints.partition_point(|known| known.before <= before);
            self.checkpoints.insert(at, Checkpoint { before, filtered });
        }
    }

    /// What the log says was lost by that sink.
    pub(super) fn declared_lost(&self, sink: &str) -> u64 {
        let told = self.outages.iter().filter(|outage| outage.sink == sink);
        let told = told.map(|outage| outage.dropped).sum();
        let receipt = self.receipt.as_ref().and_then(|receipt| receipt.sinks.get(sink));
        receipt.map_or(told, |counts| counts.dropped.max(told))
    }

    /// What the log says was dropped before the queue, by level and reason.
    pub(super) fn declared_dropped(&self) -> &BTreeMap<String, u64> {
        self.receipt.as_ref().map_or(&self.dropped, |receipt| &receipt.dropped)
    }
}

/// The sink of `app.log`.
pub(super) const LEDGER: &str = "app";

impl Receipt {
    fn read(seq: u64, line: &Line<'_>) -> Self {
        let received = line.number("received").unwrap_or(0).min(MAX_NUMBER);
        let mut receipt = Self { seq, received, ..Self::default() };
        add_dropped(&mut receipt.dropped, line);
        let mut sinks: BTreeMap<String, SinkCounts> = BTreeMap::new();
        for (key, value) in line.members() {
            // In ECS there is no `.` in the name of a label.
            let Some((sink, what)) = key.rsplit_once(['.', '_']) else { continue };
            let Ok(number) = value.trim_matches('"').parse::<u64>() else { continue };
            let number = number.min(MAX_NUMBER);
            let counts = sinks.entry(sink.to_owned()).or_default();
            match what {
                "routed" => counts.routed = number,
                "written" => counts.written = number,
                "dropped" => counts.dropped = number,
                _ => {}
            }
        }
        receipt.sinks = sinks
            .into_iter()
            .filter(|(_, counts)| counts.routed > 0 || counts.written > 0)
            .collect();
        receipt
    }
}

/// `dropped.INFO.full` and the like.
fn add_dropped(sums: &mut BTreeMap<String, u64>, line: &Line<'_>) {
    for (key, value) in line.members() {
        let rest = key.strip_prefix("dropped").filter(|rest| rest.starts_with(['.', '_']));
        let Some(name) = rest.and_then(|rest| rest.get(1..)) else { continue };
        if let Ok(number) = value.trim_matches('"').parse::<u64>() {
            let sum = sums.entry(name.replace(['.', '_'], " ")).or_default();
            *sum = sum.saturating_add(number).min(MAX_NUMBER);
        }
    }
}

/// Numbers in places where they should not be, as runs of consecutive ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    pub(super) list: Vec<Run>,
    /// How many numbers there are in all runs, those that are not kept too.
    pub(super) count: u64,
}

/// Consecutive numbers, and where the first one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) place: Place,
}

impl Runs {
    pub(super) fn push(&mut self, number: u64, place: Place) {
        self.count += 1;
        let has_room = self.list.len() < MAX_KEPT;
        match self.list.last_mut() {
            Some(run) if run.to + 1 == number => run.to = number,
            _ if has_room => self.list.push(Run { from: number, to: number, place }),
            _ => {}
        }
    }
}
