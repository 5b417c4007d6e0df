//! Tracing: indexes of traces, made of a day's parts when enough of them are in none.
//!
//! Knows: when an index pays, and its files. Must not know: what is in one. In: parts. Out: an
//! index that searches ask before the parts' own filters.
//!
//! No manifest names an index. It names the parts it covers, by number and checksum; what it says
//! of parts that are no more does not matter.

use super::open::traces_path;
use super::seal::{BESIDE, day_of};
use super::{LivePart, Shared, TRACES};
use crate::part::{Part, TRACE_ID};
use crate::traces::{Covered, ORDINAL_MASK, Traces, entry, merged};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

impl Shared {
    /// Makes the index of a day whose parts are many and in none.
    pub(super) fn index_traces(&self) -> io::Result<bool> {
        let snapshot = self.snapshot();
        let mut days: BTreeMap<i64, Vec<&LivePart>> = BTreeMap::new();
        for live in snapshot.parts.iter().filter(|live| has_ids_only(&live.part)) {
            days.entry(day_of(live.part.first_ns)).or_default().push(live);
        }
        let today = day_of(self.options.clock.now_ns());
        for (day, parts) in &days {
            let known = snapshot.traces.iter().find(|traces| traces.day == *day);
            let known = known.filter(|traces| !traces.is_damaged());
            let is_new = |live: &&&LivePart| known.is_none_or(|known| !known.covers(&live.part));
            let groups = |parts: &mut dyn Iterator<Item = &&LivePart>| -> usize {
                parts.map(|live| live.part.groups.len()).sum()
            };
            let all = groups(&mut parts.iter());
            let new = groups(&mut parts.iter().filter(is_new));
            // Twice as many each time, so that a day is read a few times only.
            let pays = new * 2 >= all || *day < today;
            let rows: u64 = parts.iter().map(|live| live.part.rows).sum();
            let fits = all as u64 <= ORDINAL_MASK && self.has_room_to_spare(rows * 8)?;
            if new > 0 && all >= INDEXED_GROUPS && pays && fits {
                self.index_day(*day, parts, known.map(Arc::as_ref))?;
                return Ok(true);
            }
        }
        // Of days that are no more.
        let is_left = |traces: &Arc<Traces>| days.contains_key(&traces.day);
        if !snapshot.traces.iter().all(is_left) {
            let gone: Vec<i64> =
                { snapshot.traces.iter() }.filter(|one| !is_left(one)).map(|one| one.day).collect();
            self.replace_traces(&gone, None);
            gone.iter().try_for_each(|day| self.fs().remove(&traces_path(&self.dir, *day)))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn index_day(&self, day: i64, parts: &[&LivePart], known: Option<&Traces>) -> io::Result<()> {
        // Parts that are known come first and in their order: their entries stay in theirs.
        let live: HashMap<(u64, u32), &LivePart> =
            parts.iter().map(|live| (key(&live.part), *live)).collect();
        let known_parts = known.map(Traces::parts).unwrap_or_default();
        let kept = known_parts
            .iter()
            .filter(|part| live.contains_key(&(part.number, part.footer_checksum)));
        let mut covered: Vec<Covered> = kept.copied().collect();
        let kept = covered.len();
        let is_new = |live: &&&LivePart| {
            !covered.iter().any(|part| key(&live.part) == (part.number, part.footer_checksum))
        };
        let new: Vec<&&LivePart> = parts.iter().filter(is_new).collect();
        covered.extend(new.iter().map(|live| Covered::of(&live.part)));
        let mut ordinal: u32 = covered.iter().take(kept).map(|part| part.groups).sum();
        let mut entries = Vec::new();
        for live in new {
            for group in 0..live.part.groups.len() {
                add_group(&live.part, group, ordinal, &mut entries)?;
                ordinal += 1;
            }
        }
        entries.sort_unstable();
        let places = new_places(known_parts, &starts_of(&covered));
        let old = known.into_iter().flat_map(Traces::entries).filter_map(|entry| match entry {
            Ok(entry) => {
                let place = places.get((entry & ORDINAL_MASK) as usize).copied().flatten()?;
                Some(Ok(entry & !ORDINAL_MASK | u64::from(place)))
            }
            Err(error) => Some(Err(error)),
        });
        let path = traces_path(&self.dir, day);
        let mut beside = path.clone().into_os_string();
        beside.push(BESIDE);
        let beside = PathBuf::from(beside);
        let mut output = self.fs().create(&beside)?;
        let written =
            Traces::write((day, &covered), merged(old, entries.into_iter()), &mut *output);
        written.inspect_err(|_| {
            // The space is needed elsewhere. A start removes it otherwise.
            let _ = self.fs().remove(&beside);
        })?;
        drop(output);
        self.fs().rename(&beside, &path)?;
        self.fs().sync_dir(&self.dir.join(TRACES))?;
        let traces = Traces::open(self.fs().open(&path)?)?;
        self.replace_traces(&[day], Some(traces));
        Ok(())
    }

    /// No search finds more or less by it.
    fn replace_traces(&self, days: &[i64], new: Option<Traces>) {
        let mut state = self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut all = Vec::clone(&state.traces);
        all.retain(|traces| !days.contains(&traces.day));
        all.extend(new.map(Arc::new));
        state.traces = Arc::new(all);
    }
}

/// For each row group that an index covers, its number where the parts begin at those numbers.
fn new_places(known: &[Covered], starts: &HashMap<(u64, u32), u32>) -> Vec<Option<u32>> {
    let place = |part: &Covered| {
        let start = starts.get(&(part.number, part.footer_checksum)).copied();
        (0..part.groups).map(move |group| Some(start? + group))
    };
    known.iter().flat_map(place).collect()
}

/// The number of the first row group of each part.
fn starts_of(covered: &[Covered]) -> HashMap<(u64, u32), u32> {
    let mut next = 0;
    let start = |part: &Covered| {
        let start = next;
        next += part.groups;
        ((part.number, part.footer_checksum), start)
    };
    covered.iter().map(start).collect()
}

fn key(part: &Part) -> (u64, u32) {
    (part.number, part.footer_checksum)
}

/// Whether all ids of traces in the part are bytes: others are not indexed.
fn has_ids_only(part: &Part) -> bool {
    part.columns_of(TRACE_ID).iter().all(|(column, _)| Some(*column) == part.column(TRACE_ID))
        && part.column(TRACE_ID).is_some()
}

fn add_group(part: &Part, group: usize, ordinal: u32, entries: &mut Vec<u64>) -> io::Result<()> {
    let Some(column) = part.column(TRACE_ID) else { return Ok(()) };
    let batch = part.read(group, &[column], None)?;
    let ids = batch.columns().first().and_then(|array| array.as_fixed_size_binary_opt());
    let ids = ids.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the ids of traces are of another type")
    })?;
    let start = entries.len();
    entries.extend(
        (0..ids.len()).filter(|row| ids.is_valid(*row)).map(|row| entry(ids.value(row), ordinal)),
    );
    // A trace has several records in a row group.
    let mut new = entries.split_off(start);
    new.sort_unstable();
    new.dedup();
    entries.extend(new);
    Ok(())
}

/// With fewer row groups in a day their own filters are quick enough.
const INDEXED_GROUPS: usize = 16;
