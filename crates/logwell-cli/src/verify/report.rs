//! Report: what was found, and whether all of it together is complete.
//!
//! `report_text.rs` and `json.rs` print it.

use super::boot::{Boot, LEDGER, Left, Outage, Recovery, Runs};
use super::boxes::Unreadable;
use super::classify::Judgement;
use super::companions::SideReport;
use super::gaps::{Gap, Place};
use super::scan::Scan;
use super::sent::Sent;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was found in a directory.
#[derive(Debug)]
pub struct Report {
    pub(super) directory: PathBuf,
    pub(super) scan: Scan,
    pub(super) boots: Vec<BootReport>,
    /// Black boxes that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// Records in side files of processes that `app.log` does not know.
    pub(super) strangers: u64,
    /// Records of more boots than are kept.
    pub(super) not_judged: u64,
}

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing, damaged or out of order. What is in a black box is not missing.
    Complete,
    /// Something is.
    Incomplete,
    /// Nothing is known to be missing, but a black box cannot be read that may have something in
    /// it.
    Unknown,
}

/// What was found of one start of a process.
#[derive(Debug)]
pub(super) struct BootReport {
    pub(super) process: u64,
    pub(super) id: Option<String>,
    pub(super) is_begun: bool,
    pub(super) first: Place,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
    pub(super) base: u64,
    pub(super) last_seq: u64,
    pub(super) records: u64,
    pub(super) has_receipt: bool,
    pub(super) recovery: Option<Recovery>,
    pub(super) left: Option<Left>,
    pub(super) damaged_in_box: u64,
    pub(super) is_box_put_aside: bool,
    pub(super) is_box_open: bool,
    pub(super) is_last: bool,
    pub(super) judgement: Judgement,
    pub(super) duplicates: Runs,
    pub(super) late: Runs,
    /// Dropped before the queue: such records never had a number.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Records with a number that the log says `app.log` has lost.
    pub(super) declared: u64,
    pub(super) outages: Vec<Outage>,
    /// Gaps of which too many were there to keep them.
    pub(super) forgotten: u64,
    pub(super) sides: Vec<SideReport>,
    pub(super) sent: Sent,
}

/// The records of one start of a process that a log server should have.
#[derive(Debug, Clone, Copy)]
pub struct SentByBoot<'r> {
    /// The number of the process.
    pub process: u64,
    /// What tells its starts apart, if the files say it.
    pub boot_id: Option<&'r str>,
    /// When its first and last record happened, in nanoseconds since 1970.
    pub times: (i64, i64),
    /// Numbers of records, as inclusive ranges in the order of the files.
    pub ranges: &'r [(u64, u64)],
    /// Whether there were more ranges than are kept.
    pub is_cut: bool,
}

impl BootReport {
    pub(super) fn new(
        boot: &Boot,
        judgement: Judgement,
        is_last: bool,
        sides: Vec<SideReport>,
    ) -> Self {
        Self {
            process: boot.process,
            id: boot.id.clone(),
            is_begun: boot.is_begun,
            first: boot.first,
            first_ns: boot.first_ns,
            last_ns: boot.last_ns,
            base: boot.base,
            last_seq: boot.left.as_ref().map_or(boot.last_seq, |left| left.last_in_files),
            records: boot.records,
            has_receipt: boot.receipt.is_some(),
            recovery: boot.recovery,
            left: boot.left.clone(),
            damaged_in_box: boot.damaged_in_box(),
            is_box_put_aside: boot.is_box_put_aside,
            is_box_open: boot.is_box_open,
            is_last,
            judgement,
            duplicates: boot.duplicates.clone(),
            late: boot.late.clone(),
            dropped: boot.declared_dropped().clone(),
            declared: boot.declared_lost(LEDGER) + boot.lost_by_box(),
            outages: boot.outages.clone(),
            forgotten: boot.gaps.forgotten,
            sides,
            sent: boot.sent.clone(),
        }
    }

    /// Records that are in a side file only and are not known to be lost otherwise.
    pub(super) fn proven(&self) -> Vec<(u64, &SideReport, Place)> {
        let judgement = &self.judgement;
        let is_known = |seq: u64| {
            let has = |gap: &Gap| (gap.from..=gap.to).contains(&seq);
            seq <= judgement.rotated_through
                || judgement.lost.iter().any(has)
                || judgement.among.iter().any(|(_, gaps)| gaps.iter().any(has))
        };
        let all = self
            .sides
            .iter()
            .flat_map(|side| side.only_here.iter().map(move |(seq, place)| (*seq, side, *place)));
        let mut proven: Vec<_> = all.filter(|(seq, ..)| !is_known(*seq)).collect();
        proven.sort_by_key(|(seq, ..)| *seq);
        proven.dedup_by_key(|(seq, ..)| *seq);
        proven
    }

    pub(super) fn lost(&self) -> u64 {
        self.judgement.lost_count() + self.proven().len() as u64
    }

    /// Lost records of which the log says nothing.
    pub(super) fn undeclared(&self) -> u64 {
        self.lost().saturating_sub(self.declared)
    }

    pub(super) fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    pub(super) fn is_damaged(&self) -> bool {
        let side_is_damaged = |side: &SideReport| {
            (!self.is_box_open && side.missing.len() as u64 > side.declared)
                || side.duplicates.count + side.late.count > 0
                || side.contradiction.is_some()
        };
        self.undeclared() > 0
            || self.duplicates.count + self.late.count > 0
            || !self.judgement.contradictions.is_empty()
            || self.is_box_put_aside
            || !self.has_known_end()
            || self.sides.iter().any(side_is_damaged)
    }

    /// Whether it has ended in order, or its black box says how it went on (or is spoilt, which is
    /// reported as such), or it may be running.
    pub(super) fn has_known_end(&self) -> bool {
        self.has_receipt
            || self.recovery.is_some()
            || self.left.is_some()
            || self.is_box_put_aside
            || self.is_last
    }

    /// Whether nothing is against its running.
    pub(super) fn may_run(&self) -> bool {
        match &self.left {
            Some(left) => left.is_in_use,
            None => {
                let has_ended = self.has_receipt || self.recovery.is_some();
                self.is_last && !has_ended && !self.is_box_put_aside
            }
        }
    }

    /// Whether the log itself, or the black box, says that something was lost.
    pub(super) fn has_declared(&self) -> bool {
        self.dropped_total() + self.damaged_in_box > 0
            || (self.declared > 0 && self.lost() > 0)
            || self.sides.iter().any(|side| side.declared > 0 && !side.missing.is_empty())
    }
}

impl Report {
    pub(super) fn new(
        directory: &Path,
        scan: Scan,
        boots: Vec<BootReport>,
        unreadable: Vec<Unreadable>,
        [strangers, not_judged]: [u64; 2],
    ) -> Self {
        Self { directory: directory.to_owned(), scan, boots, unreadable, strangers, not_judged }
    }

    /// What it all comes to. What the log says it has lost counts as missing, unless
    /// `accept_declared`.
    #[must_use]
    pub fn verdict(&self, accept_declared: bool) -> Verdict {
        let is_whole =
            |boot: &BootReport| !boot.is_damaged() && (accept_declared || !boot.has_declared());
        if self.scan.damage_count + self.not_judged > 0 || !self.boots.iter().all(is_whole) {
            return Verdict::Incomplete;
        }
        match self.unreadable.iter().any(Unreadable::leaves_open) {
            true => Verdict::Unknown,
            false => Verdict::Complete,
        }
    }

    /// Whether nothing is missing, damaged or out of order. What the log says it has lost counts as
    /// missing, unless `accept_declared`.
    #[must_use]
    pub fn is_complete(&self, accept_declared: bool) -> bool {
        self.verdict(accept_declared) == Verdict::Complete
    }

    /// The records of each boot that a log server should have; see
    /// [`Options::sent_from`](super::Options::sent_from).
    pub fn sent(&self) -> impl Iterator<Item = SentByBoot<'_>> {
        self.boots.iter().map(|boot| SentByBoot {
            process: boot.process,
            boot_id: boot.id.as_deref(),
            times: (boot.first_ns, boot.last_ns),
            ranges: &boot.sent.ranges,
            is_cut: boot.sent.is_cut,
        })
    }

    pub(super) fn name(&self, place: Place) -> String {
        let name = self.scan.files.get(place.file).and_then(|file| file.file_name());
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn is_packed(&self, place: Place) -> bool {
        self.scan.is_packed.get(place.file) == Some(&true)
    }
}

pub(super) fn moment(unix_ns: i64) -> String {
    let moment = Timestamp::from_nanosecond(unix_ns.into()).unwrap_or_default();
    format!("{moment:.6}")
}
