//! Classify: which of a boot's missing records were filtered, which are lost, and which are
//! unknown.
//!
//! Pure: decides over a [`Boot`]. A record that `files.level` keeps out of `app.log` has a number
//! too, so a gap alone proves nothing. But `logwell.filtered` is written right after the first
//! record that was kept out, and then at most once an hour, each time with the sum; and the receipt
//! has the final sum. So between two checkpoints the number of filtered records is known exactly.

use super::boot::{Boot, Checkpoint, LEDGER};
use super::gaps::Gap;

/// What is known about the missing records of a boot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Each of these records is lost.
    pub(super) lost: Vec<Gap>,
    /// So many records are lost; each is in one of these gaps, the others there were filtered.
    pub(super) among: Vec<(u64, Vec<Gap>)>,
    /// Nothing that is kept says whether these were filtered or lost.
    pub(super) unknown: Vec<Gap>,
    /// How many records were filtered, where that is known.
    pub(super) filtered: u64,
    /// The beginning that was rotated away: up to this number; 0 if nothing was.
    pub(super) rotated_through: u64,
    /// What the log says of itself that cannot be.
    pub(super) contradictions: Vec<String>,
}

/// A window of numbers between two checkpoints, and how many were filtered in it.
struct Window {
    from: u64,
    to: u64,
    filtered: u64,
    is_exact: bool,
}

impl Judgement {
    /// How many records are certainly lost.
    pub(super) fn lost_count(&self) -> u64 {
        let among: u64 = self.among.iter().map(|(count, _)| count).sum();
        self.lost.iter().map(Gap::count).sum::<u64>() + among
    }
}

/// Judges a boot; `is_cut` says whether its beginning may have been rotated away.
pub(super) fn classify(boot: &Boot, is_cut: bool) -> Judgement {
    let mut judgement = Judgement::default();
    let mut from = 1;
    if is_cut && boot.base > 1 {
        judgement.rotated_through = boot.base - 1;
        from = boot.base;
    }
    let checkpoints = ordered(boot, from, &mut judgement);
    for window in windows(&checkpoints, from) {
        judge_window(boot, &window, &mut judgement);
    }
    let told_through = checkpoints.last().map_or(from, |last| last.before.max(from));
    let recovered_from = judge_recovered(boot, told_through, &mut judgement);
    judge_tail(boot, told_through..recovered_from, &mut judgement);
    check_receipt(boot, &mut judgement);
    judgement
}

/// The checkpoints from a number on, which may only rise; a beginning that is all there is one.
fn ordered(boot: &Boot, from: u64, judgement: &mut Judgement) -> Vec<Checkpoint> {
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    if from == 1 {
        checkpoints.push(Checkpoint { before: 1, filtered: 0 });
    }
    for &next in &boot.checkpoints {
        let last = checkpoints.last().copied().unwrap_or(Checkpoint { before: 0, filtered: 0 });
        let more = next.filtered.saturating_sub(last.filtered);
        if next.filtered < last.filtered || more > next.before.saturating_sub(last.before) {
            judgement.contradictions.push(format!(
                "before seq {} there can not be {} filtered records: before seq {} there were {}",
                next.before, next.filtered, last.before, last.filtered
            ));
        } else {
            checkpoints.push(next);
        }
    }
    checkpoints
}

fn windows(checkpoints: &[Checkpoint], from: u64) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut last: Option<Checkpoint> = None;
    for &next in checkpoints {
        let before = last.map_or(0, |last| last.filtered);
        // Of a window that begins before what is kept, some may have been filtered there.
        let is_exact = last.is_some_and(|last| last.before >= from);
        let start = last.map_or(from, |last| last.before.max(from));
        let filtered = next.filtered - before;
        if next.before > start {
            let is_exact = is_exact || filtered == 0;
            windows.push(Window { from: start, to: next.before, filtered, is_exact });
        }
        last = Some(next);
    }
    windows
}

fn judge_window(boot: &Boot, window: &Window, judgement: &mut Judgement) {
    let gaps: Vec<Gap> = boot.gaps.within(window.from, window.to).collect();
    let absent: u64 = gaps.iter().map(Gap::count).sum();
    if window.is_exact {
        judgement.filtered += window.filtered.min(absent);
        if absent < window.filtered {
            judgement.contradictions.push(format!(
                "of seq {} to {} the log says that {} were filtered, but only {absent} are missing",
                window.from,
                window.to - 1,
                window.filtered
            ));
        }
    }
    match absent.saturating_sub(window.filtered) {
        _ if window.filtered == 0 => judgement.lost.extend(gaps),
        0 if window.is_exact => {}
        0 => judgement.unknown.extend(gaps),
        lost => judgement.among.push((lost, gaps)),
    }
}

/// What was in a black box, as far as it is behind the last checkpoint: of these numbers it is
/// known how many were filtered. Says where it begins.
fn judge_recovered(boot: &Boot, told_through: u64, judgement: &mut Judgement) -> u64 {
    let Some(recovery) = boot.recovery.filter(|recovery| recovery.first_seq > 0) else {
        return u64::MAX;
    };
    let from = recovery.first_seq.max(told_through);
    let to = recovery.last_seq + 1;
    if from >= to {
        return u64::MAX;
    }
    let before: u64 = boot.gaps.within(recovery.first_seq, from).map(|gap| gap.count()).sum();
    let filtered = recovery.filtered.saturating_sub(before);
    judge_window(boot, &Window { from, to, filtered, is_exact: true }, judgement);
    from
}

/// A record that was kept out is reported within this time: an hour, and some for a busy machine.
const TOLD_WITHIN_NS: i64 = 61 * 60 * 1_000_000_000;

/// What is behind the last checkpoint.
fn judge_tail(boot: &Boot, numbers: std::ops::Range<u64>, judgement: &mut Judgement) {
    for gap in boot.gaps.within(numbers.start, numbers.end) {
        let told_before = boot.filtered_ns.iter().rev().find(|told| **told <= gap.after_ns);
        // It is reported at once if it was not reported in the hour before.
        let silent_since = match told_before {
            Some(told) => Some(*told),
            None if judgement.rotated_through == 0 => None,
            None => Some(boot.first_ns),
        };
        let is_told_at_once =
            silent_since.is_none_or(|since| gap.after_ns.saturating_sub(since) > TOLD_WITHIN_NS);
        let was_time_to_tell = boot.last_ns.saturating_sub(gap.after_ns) > TOLD_WITHIN_NS;
        match is_told_at_once || was_time_to_tell {
            true => judgement.lost.push(gap),
            false => judgement.unknown.push(gap),
        }
    }
}

fn check_receipt(boot: &Boot, judgement: &mut Judgement) {
    let Some(receipt) = &boot.receipt else { return };
    if boot.last_seq > receipt.seq {
        let after = boot.last_seq - receipt.seq;
        judgement.contradictions.push(format!("{after} records follow the receipt"));
    }
    let Some(ledger) = receipt.sinks.get(LEDGER) else { return };
    if ledger.routed > receipt.seq - 1 || ledger.written + ledger.dropped > ledger.routed {
        judgement.contradictions.push(format!(
            "the receipt's numbers for {LEDGER} do not fit together: routed {}, written {}, dropped {}",
            ledger.routed, ledger.written, ledger.dropped
        ));
        return;
    }
    if judgement.rotated_through > 0 {
        return;
    }
    let lost = judgement.lost_count();
    if lost < ledger.dropped {
        judgement.contradictions.push(format!(
            "the receipt says that {LEDGER} lost {} records, but only {lost} are missing",
            ledger.dropped
        ));
    }
    // Its own records do not count as received.
    let others = (receipt.seq - 1).saturating_sub(receipt.received);
    let own = boot.own.saturating_sub(1);
    if lost == 0 && boot.last_seq == receipt.seq && own != others {
        judgement.contradictions.push(format!(
            "the receipt says that {} records were received, but {} are there or were filtered",
            receipt.received,
            (receipt.seq - 1).saturating_sub(own)
        ));
    }
}
