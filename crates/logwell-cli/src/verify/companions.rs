//! Companions: what `errors.log` and `ai_responses.log` have, compared with `app.log`.
//!
//! Each of their records is in `app.log` too. So they are checked against it record by record; and
//! where `app.log` has a gap, they can prove that a record in it is lost and not filtered.

use super::boot::{Boot, Found, Runs};
use super::gaps::{Place, push_in_order};
use std::collections::HashMap;

/// The records of one boot in one side file.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Their numbers, in order.
    pub(super) seen: Vec<u64>,
    /// Those that stand here and not in `app.log`, and where.
    pub(super) only_here: Vec<(u64, Place)>,
    pub(super) duplicates: Runs,
    pub(super) late: Runs,
    /// The family and the number of the latest record.
    last: (usize, u64),
}

/// A side file: the records of each boot, by its place in the list.
#[derive(Debug)]
pub(super) struct SideFile {
    sink: &'static str,
    name: String,
    /// Whether its beginning may have been rotated away.
    is_cut: bool,
    boots: HashMap<usize, Side>,
    /// How many families have begun.
    families: usize,
    /// The first record of the oldest file: its boot and number.
    first: Option<(usize, u64)>,
    /// Records of processes that `app.log` does not know (any more).
    pub(super) strangers: u64,
}

/// What is wrong with the records of one boot in a side file.
#[derive(Debug)]
pub(super) struct SideReport {
    pub(super) name: String,
    pub(super) records: u64,
    /// Those that are in `app.log` and should be here.
    pub(super) missing: Vec<u64>,
    /// How many records the log says this file has lost.
    pub(super) declared: u64,
    pub(super) only_here: Vec<(u64, Place)>,
    pub(super) duplicates: Runs,
    pub(super) late: Runs,
    pub(super) contradiction: Option<String>,
}

impl SideFile {
    pub(super) fn new(sink: &'static str, name: &str, is_cut: bool) -> Self {
        let name = name.to_owned();
        Self { sink, name, is_cut, boots: HashMap::new(), families: 0, first: None, strangers: 0 }
    }

    /// The records of one boot may be in two families: its own, and what another process recovered.
    pub(super) fn begin_family(&mut self) {
        self.families += 1;
    }

    /// What there is to say about the boot at that place in the list.
    pub(super) fn report(&self, at: usize, boot: &Boot) -> SideReport {
        let none = Side::default();
        let side = self.boots.get(&at).unwrap_or(&none);
        let expected = if self.sink == "errors" { &boot.errors } else { &boot.ai };
        let mut missing = self.missing(at, &side.seen, expected);
        missing.retain(|seq| !boot.waits(*seq));
        let declared = boot.declared_lost(self.sink);
        SideReport {
            name: self.name.clone(),
            records: side.seen.len() as u64,
            contradiction: self.contradiction(at, boot, side, missing.len() as u64),
            missing,
            declared,
            only_here: side.only_here.clone(),
            duplicates: side.duplicates.clone(),
            late: side.late.clone(),
        }
    }

    /// The receipt counts also what `app.log` does not show.
    fn contradiction(&self, at: usize, boot: &Boot, side: &Side, missing: u64) -> Option<String> {
        let counts = boot.receipt.as_ref()?.sinks.get(self.sink)?;
        if self.is_cut && self.first.is_none_or(|(first, _)| first >= at) {
            return None;
        }
        let there = side.seen.len() as u64 + missing;
        (there + counts.dropped < counts.routed).then(|| {
            format!(
                "the receipt says that {} records were meant for {}, but only {there} are known: \
                 {} are missing, nothing says which",
                counts.routed,
                self.name,
                counts.routed - counts.dropped - there
            )
        })
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, found: &Found<'_>, boots: &[Boot], of_process: &[usize]) {
        let Some(at) = boot_of(found, boots, of_process) else {
            self.strangers += 1;
            return;
        };
        self.first.get_or_insert((at, found.seq));
        let side = self.boots.entry(at).or_default();
        if side.seen.binary_search(&found.seq).is_ok() {
            side.duplicates.push(found.seq, found.place);
            return;
        }
        match side.last {
            (family, last) if family == self.families && last > found.seq => {
                side.late.push(found.seq, found.place);
            }
            _ => side.last = (self.families, found.seq),
        }
        push_in_order(&mut side.seen, found.seq);
        if boots.get(at).is_some_and(|boot| !boot.has(found.seq)) {
            side.only_here.push((found.seq, found.place));
        }
    }

    /// The numbers of a boot that should stand here and do not.
    fn missing(&self, at: usize, seen: &[u64], expected: &[u64]) -> Vec<u64> {
        let is_kept = |seq: u64| !self.is_cut || self.first.is_some_and(|first| (at, seq) >= first);
        let is_missing = |seq: &u64| seen.binary_search(seq).is_err() && is_kept(*seq);
        expected.iter().copied().filter(is_missing).collect()
    }
}

impl Boot {
    /// Whether the record of that number is in `app.log`.
    pub(super) fn has(&self, seq: u64) -> bool {
        seq <= self.last_seq && self.gaps.find(seq).is_none()
    }
}

/// The boot of a record of that process: the last one that had begun by then.
fn boot_of(found: &Found<'_>, boots: &[Boot], of_process: &[usize]) -> Option<usize> {
    let had_begun =
        |at: &&usize| boots.get(**at).is_some_and(|boot| boot.first_ns <= found.unix_ns);
    of_process.iter().rev().find(had_begun).or(of_process.first()).copied()
}
