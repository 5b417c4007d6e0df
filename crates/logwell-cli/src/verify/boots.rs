//! Boots: which record belongs to which start of which process.
//!
//! A record belongs to the latest boot of its process, but for lines in a wrong place, and for
//! those that another process wrote, which had them from the black box of one that was killed:
//! these are among the records of later boots. A process number may come again, even at once (in a
//! container it is always 1), so it takes moments, numbers and ids together. Does not know files.

use super::boot::{Boot, Found, Recovery, Turn};
use super::boxes::{BlackBox, Unreadable};
use super::sent::Sent;
use std::collections::HashMap;

/// So many boots are kept: no directory has more, unless somebody wants to fill our memory.
const MAX_BOOTS: usize = 10_000;

/// The boots of all families, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Boots {
    pub(super) all: Vec<Boot>,
    /// Those of each process, oldest first.
    by_process: HashMap<u64, Vec<usize>>,
    /// What the log says of boots that were recovered: by boot, with its process.
    recoveries: HashMap<String, (u64, Recovery)>,
    /// Records of more boots than are kept.
    pub(super) not_judged: u64,
    /// From which level on a log server should have the records, if that is asked.
    pub(super) sent_from: Option<logwell::Level>,
    /// For each family where its boots begin, and whether its beginning may have been rotated away.
    families: Vec<(usize, bool)>,
}

impl Boots {
    pub(super) fn begin_family(&mut self, is_cut: bool) {
        self.families.push((self.all.len(), is_cut));
    }

    /// The boots of that process, oldest first.
    pub(super) fn of_process(&self, process: u64) -> &[usize] {
        self.by_process.get(&process).map_or(&[], Vec::as_slice)
    }

    pub(super) fn take(&mut self, found: &Found<'_>) {
        let process = found.line.number("process").unwrap_or(0);
        if found.line.own_kind().is_some_and(|kind| kind == "logwell.black_box") {
            self.note_recovery(found);
        }
        match found.is_recovered {
            true => self.take_recovered(process, found),
            false => self.take_written(process, found),
        }
    }

    /// Takes a record that its own process has written.
    fn take_written(&mut self, process: u64, found: &Found<'_>) {
        let known = self.of_process(process);
        if let Some(at) = earlier(&self.all, known, found) {
            if let Some(boot) = self.all.get_mut(at) {
                boot.take_stray(found);
            }
            return;
        }
        let last = known.last().copied().and_then(|at| self.all.get_mut(at));
        let is_here = last
            .is_some_and(|boot| !boot.is_begun_anew_by(found) && boot.take(found) == Turn::Here);
        if !is_here {
            self.begin(process, found);
        }
    }

    /// Takes a record that another process has written, which had it from a black box.
    fn take_recovered(&mut self, process: u64, found: &Found<'_>) {
        let at = self.boot_of_recovered(process, found);
        let boot = at.and_then(|at| self.all.get_mut(at));
        let is_here = boot.is_some_and(|boot| boot.take(found) == Turn::Here);
        if !is_here {
            self.begin(process, found);
        }
    }

    fn begin(&mut self, process: u64, found: &Found<'_>) {
        match self.all.len() < MAX_BOOTS {
            true => {
                let sent = Sent { from: self.sent_from, ..Sent::default() };
                self.add(Boot::begin(process, found, sent));
            }
            false => self.not_judged += 1,
        }
    }

    fn add(&mut self, boot: Boot) {
        let known = self.by_process.entry(boot.process).or_default();
        // A boot that a black box has reported comes after the boot that reported it.
        let place = match boot.begun_by_box {
            0 => known.len(),
            _ => known.partition_point(|at| {
                self.all.get(*at).is_some_and(|known| known.first_ns <= boot.first_ns)
            }),
        };
        known.insert(place, self.all.len());
        self.all.push(boot);
    }

    /// The boot that a recovered record belongs to: the latest one that had begun by then, has not
    /// ended, and continues with it.
    fn boot_of_recovered(&self, process: u64, found: &Found<'_>) -> Option<usize> {
        let known = self.of_process(process).iter().rev().copied();
        let mut known = known.filter_map(|at| Some((at, self.all.get(at)?)));
        if found.line.own_kind().is_some_and(|kind| kind == "logwell.started") {
            let id = found.line.text("boot_id");
            let is_it = |(_, boot): &(usize, &Boot)| match boot.is_begun {
                true => boot.id.as_deref() == id.as_deref(),
                // Records of its own may be before its beginning.
                false => boot.last_seq + 1 == found.seq && !self.is_closed(boot),
            };
            return known.find(is_it).map(|(at, _)| at);
        }
        let mut open = known.filter(|(_, boot)| boot.receipt.is_none() && !self.is_closed(boot));
        let open: Vec<_> = open.by_ref().take(MAX_OPEN).collect();
        let goes_on = |boot: &Boot| {
            boot.first_ns <= found.unix_ns
                && (found.seq > boot.last_seq
                    || found.unix_ns <= boot.last_ns
                    || boot.gaps.find(found.seq).is_some())
        };
        let is_next = |boot: &Boot| boot.begun_by_box > 0 && boot.last_seq + 1 == found.seq;
        // What is learned of a boot is reported at once; and its first record may not be its
        // earliest.
        let it = open.iter().find(|(_, boot)| is_next(boot));
        let it = it.or_else(|| open.iter().find(|(_, boot)| goes_on(boot)));
        // A clock may have been set.
        let it = it.or_else(|| open.iter().find(|(_, boot)| boot.last_seq + 1 == found.seq));
        it.map(|(at, _)| *at)
    }

    /// Whether the log has said that all of it is recovered.
    fn is_closed(&self, boot: &Boot) -> bool {
        boot.id.as_ref().is_some_and(|id| self.recoveries.contains_key(id))
    }

    fn note_recovery(&mut self, found: &Found<'_>) {
        let Some((id, process, recovery)) = Recovery::read(found.line) else { return };
        if self.recoveries.len() >= MAX_BOOTS && !self.recoveries.contains_key(&id) {
            return;
        }
        if !self.recoveries.contains_key(&id) {
            self.name(&id, process);
        }
        // One that was killed in between has done it again.
        self.recoveries.insert(id, (process, recovery));
    }

    /// Gives the id to the boot of the process whose records were recovered last, if its beginning,
    /// which would tell its id, is not there.
    fn name(&mut self, id: &str, process: u64) {
        let known = self.of_process(process);
        let is_it =
            |at: &usize| self.all.get(*at).is_some_and(|boot| boot.id.as_deref() == Some(id));
        if known.iter().any(is_it) {
            return;
        }
        let nameless = |at: &&usize| {
            self.all.get(**at).is_some_and(|boot| boot.id.is_none() && boot.has_recovered())
        };
        let at = known.iter().rev().find(nameless).copied();
        if let Some(boot) = at.and_then(|at| self.all.get_mut(at)) {
            boot.id = Some(id.to_owned());
        }
    }

    /// Takes what the log says was recovered, once all files are read.
    pub(super) fn settle(&mut self) {
        let mut recoveries = std::mem::take(&mut self.recoveries);
        for boot in &mut self.all {
            let found = boot.id.as_ref().and_then(|id| recoveries.remove(id));
            if let Some((_, recovery)) = found {
                boot.recovered(recovery);
            }
        }
        // Boots whose beginning was rotated away, and of which nothing had to be written.
        for (id, (process, recovery)) in recoveries {
            if let Some(boot) = self.nameless(process, |boot| boot.last_seq <= recovery.last_seq) {
                boot.id = Some(id);
                boot.recovered(recovery);
            }
        }
    }

    /// The one boot of the process that has neither beginning nor end.
    fn nameless(&mut self, process: u64, is_it: impl Fn(&Boot) -> bool) -> Option<&mut Boot> {
        let is_open = |boot: &Boot| boot.id.is_none() && boot.recovery.is_none();
        let known = self.of_process(process).iter().copied();
        let mut known =
            known.filter(|at| self.all.get(*at).is_some_and(|b| is_open(b) && is_it(b)));
        let at = known.next().filter(|_| known.next().is_none())?;
        self.all.get_mut(at)
    }

    /// Takes what is in a black box, once all files are read.
    pub(super) fn take_box(&mut self, black_box: &BlackBox) {
        let is_it = |boot: &Boot| {
            boot.process == black_box.process && boot.id.as_ref() == Some(&black_box.boot_id)
        };
        if let Some(boot) = self.all.iter_mut().find(|boot| is_it(boot)) {
            if boot.recovery.is_none() {
                boot.take_box(black_box);
            }
            return;
        }
        let goes_on = |boot: &Boot| boot.last_seq >= black_box.handed_on;
        if let Some(boot) = self.nameless(black_box.process, goes_on) {
            boot.id = Some(black_box.boot_id.clone());
            boot.take_box(black_box);
            return;
        }
        if black_box.handed_on == 0 && black_box.is_empty() {
            return;
        }
        let mut boot = Boot::in_box_only(black_box);
        boot.take_box(black_box);
        match self.all.len() < MAX_BOOTS {
            true => self.add(boot),
            false => self.not_judged += boot.left.map_or(0, |left| left.count()),
        }
    }

    /// Notes whether the box leaves open what became of its boot.
    pub(super) fn note_unreadable(&mut self, unreadable: &mut Unreadable) {
        let id = &unreadable.boot_id;
        let is_it =
            |boot: &Boot| boot.process == unreadable.process && boot.id.as_ref() == Some(id);
        let Some(boot) = self.all.iter_mut().find(|boot| is_it(boot)) else { return };
        unreadable.is_open = boot.receipt.is_none() && boot.recovery.is_none();
        if unreadable.is_open && unreadable.is_put_aside() {
            boot.is_box_put_aside = true;
        }
        boot.is_box_open = unreadable.leaves_open() && !unreadable.is_put_aside();
    }

    /// Whether the beginning of the boot may have been rotated away: it is the first of its family,
    /// or all that is there of it came out of its black box, and it had begun before who else wrote
    /// there.
    pub(super) fn is_cut(&self, at: usize) -> bool {
        let Some(boot) = self.all.get(at) else { return false };
        if boot.records == 0 {
            return self.families.iter().any(|(_, is_cut)| *is_cut);
        }
        let family = self.families.iter().rfind(|(first, _)| *first <= at);
        let Some(&(first, true)) = family else { return false };
        let writers = self.all.get(first..).unwrap_or_default();
        let writer = writers.iter().find(|boot| boot.begun_by_box == 0);
        let had_begun = writer.is_none_or(|writer| boot.first_ns < writer.first_ns);
        first == at || boot.begun_by_box > 0 && had_begun
    }

    /// Whether no other boot begins after it in its family: it may be running.
    pub(super) fn is_last(&self, at: usize) -> bool {
        let family = self.families.iter().rposition(|(first, _)| *first <= at);
        let next = family.and_then(|family| self.families.get(family + 1));
        let end = next.map_or(self.all.len(), |(first, _)| *first);
        let mut others = self.all.get(at..end).unwrap_or_default().iter();
        others.next().is_some_and(|boot| boot.begun_by_box == 0)
            && others.all(|boot| boot.begun_by_box > 0)
    }
}

/// Among so many boots without an end a recovered record is looked for: there are never more boxes.
const MAX_OPEN: usize = 64;

/// The boot of the process that a line in the wrong place belongs to, if it is not the last one.
fn earlier(all: &[Boot], of_process: &[usize], found: &Found<'_>) -> Option<usize> {
    let (last, before) = of_process.split_last()?;
    let last = all.get(*last)?;
    if found.line.own_kind().is_some_and(|kind| kind == "logwell.started") {
        let id = found.line.text("boot_id");
        let is_it =
            |at: &&usize| all.get(**at).is_some_and(|boot| boot.id.as_deref() == id.as_deref());
        return before.iter().rev().find(is_it).copied();
    }
    if found.unix_ns >= last.first_ns || found.seq == last.last_seq + 1 {
        return None;
    }
    let had_begun = |at: &&usize| all.get(**at).is_some_and(|boot| boot.first_ns <= found.unix_ns);
    before.iter().rev().find(had_begun).copied()
}

impl Boot {
    /// Whether the record begins another boot than this one.
    fn is_begun_anew_by(&self, found: &Found<'_>) -> bool {
        let id = || found.line.text("boot_id");
        match found.line.own_kind().as_deref() {
            Some("logwell.started") if self.id.is_some() => self.id.as_deref() != id().as_deref(),
            // It may be behind records that it should precede.
            Some("logwell.started") => {
                found.unix_ns > self.first_ns && found.seq != self.last_seq + 1
            }
            // Nobody recovers himself.
            Some("logwell.black_box") => self.id.is_some() && self.id.as_deref() == id().as_deref(),
            _ => false,
        }
    }
}
