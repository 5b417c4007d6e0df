//! Upkeep: lets go of what is too old, makes few parts of many.
//!
//! Knows: which part is due, and how it is replaced. Must not know: how a part is encoded. In:
//! the parts, rules of retention. Out: other parts.

use super::manifest::Manifest;
use super::open::{entry_of, list_path, part_path};
use super::seal::day_of;
use super::{LivePart, PARTS, Shared, lock};
use crate::identities::List;
use crate::packed::Packed;
use crate::part::view::records;
use crate::part::{Part, write};
use crate::record::Record;
use crate::search;
use crate::store::RetentionRule;
use logwell_query::Filter;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

impl Shared {
    /// What the upkeep thread does until the store is closed.
    pub(super) fn run_upkeep(&self) {
        while self.rest(IDLE) {
            loop {
                match self.keep_up() {
                    Ok(true) if !self.is_closed() => {}
                    Ok(_) => break,
                    Err(error) => {
                        self.fault("upkeep", &error);
                        break;
                    }
                }
            }
        }
    }

    /// Does the next thing that is due. Returns whether there was one.
    pub(super) fn keep_up(&self) -> io::Result<bool> {
        let _upkeep = lock(&self.upkeep);
        Ok(self.erase()?
            || self.retain()?
            || self.merge()?
            || self.keep_lists()?
            || self.index_traces()?
            || self.let_go()?)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(std::sync::atomic::Ordering::SeqCst)
    }

    pub(super) fn write_records(
        &self,
        records: &[Record],
        replaces: Vec<u64>,
        clean: u64,
    ) -> io::Result<LivePart> {
        let packed = Packed::of(records);
        let mut rows: Vec<_> = packed.rows().collect();
        rows.sort_by_key(|row| row.time_ns);
        Ok(LivePart { part: Arc::new(self.write_part(&rows, replaces)?), clean })
    }

    /// Puts parts in the place of others, in one step for whoever searches.
    pub(super) fn replace(&self, old: &[u64], new: Vec<LivePart>) -> io::Result<()> {
        let entries: Vec<_> = new.iter().map(entry_of).collect();
        let stays = |number: u64| new.iter().any(|live| live.part.number == number);
        let parts = self.snapshot().parts;
        let leaving: Vec<PathBuf> = parts
            .iter()
            .filter(|live| old.contains(&live.part.number) && !stays(live.part.number))
            .map(|live| part_path(&self.dir, live.part.number, live.part.first_ns))
            .collect();
        let change = |manifest: &mut Manifest| {
            manifest.parts.retain(|part| !old.contains(&part.number));
            manifest.parts.extend(&entries);
        };
        self.write_manifest(&mut self.books(), change, leaving)?;
        self.change_state(|state| {
            let mut all = Vec::clone(&state.parts);
            all.retain(|live| !old.contains(&live.part.number));
            all.extend(new);
            state.parts = Arc::new(all);
        });
        Ok(())
    }

    /// Applies the rules of retention to one part.
    fn retain(&self) -> io::Result<bool> {
        let rules = self.books().manifest.retention.clone();
        let now_ns = self.options.clock.now_ns();
        let snapshot = self.snapshot();
        for live in snapshot.parts.iter() {
            match due(&live.part, &rules, now_ns) {
                Due::Nothing => {}
                Due::Everything => {
                    self.replace(&[live.part.number], Vec::new())?;
                    return Ok(true);
                }
                // It can wait until there is room for what stays.
                Due::Some(_) if !self.has_room_of_reserve(live.part.bytes)? => {}
                Due::Some(filter) => {
                    let rewritten = self.rewrite(live, &filter, live.clean).map(drop);
                    let done = rewritten.or_else(|error| self.without_damaged(&[live], error));
                    return done.map(|()| true);
                }
            }
        }
        let bytes: u64 = snapshot.parts.iter().map(|live| live.part.bytes).sum();
        let bound = rules.iter().filter_map(|rule| rule.bytes).min();
        let oldest = snapshot.parts.iter().min_by_key(|live| live.part.last_ns);
        match (bound, oldest) {
            (Some(bound), Some(oldest)) if bytes > bound => {
                self.replace(&[oldest.part.number], Vec::new())?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Makes one part of several of a day.
    fn merge(&self) -> io::Result<bool> {
        let snapshot = self.snapshot();
        let mut days: BTreeMap<(i64, u64), Vec<&LivePart>> = BTreeMap::new();
        for live in snapshot.parts.iter() {
            days.entry((day_of(live.part.first_ns), live.clean)).or_default().push(live);
        }
        for ((_, clean), mut parts) in days {
            parts.sort_by_key(|live| (live.part.first_ns, live.part.number));
            let bytes = |parts: &mut dyn Iterator<Item = &Part>| parts.map(|part| part.bytes).sum();
            let done = if let Some(small) = small(&parts, self.options.group_rows) {
                let bytes = bytes(&mut small.iter().map(|live| &*live.part));
                if !self.has_room_to_spare(bytes)? {
                    continue;
                }
                self.merge_rows(&small, clean)
            } else if let Some(single) = joinable(&parts, self.options.columns_max) {
                let bytes = bytes(&mut single.iter().map(|part| &**part));
                if !self.has_room_to_spare(bytes)? {
                    continue;
                }
                self.merge_groups(&single, clean)
            } else {
                continue;
            };
            let done = done.or_else(|error| self.without_damaged(&parts, error));
            return done.map(|()| true);
        }
        Ok(false)
    }

    /// Makes one row group of the rows of parts.
    fn merge_rows(&self, parts: &[&LivePart], clean: u64) -> io::Result<()> {
        let mut all = Vec::new();
        for live in parts {
            for group in 0..live.part.groups.len() {
                all.extend(records(&live.part, group, |_| true)?);
            }
        }
        let old: Vec<u64> = parts.iter().map(|live| live.part.number).collect();
        let merged = self.write_records(&all, old.clone(), clean)?;
        self.fs().sync_dir(&self.dir.join(PARTS))?;
        self.replace(&old, vec![merged])
    }

    /// Makes one file of the row groups of parts.
    fn merge_groups(&self, parts: &[Arc<Part>], clean: u64) -> io::Result<()> {
        let first_ns = parts.first().map_or(0, |part| part.first_ns);
        let part = self.create_part(first_ns, |output| write::joined(parts, output))?;
        self.fs().sync_dir(&self.dir.join(PARTS))?;
        let old: Vec<u64> = parts.iter().map(|part| part.number).collect();
        self.replace(&old, vec![LivePart { part: Arc::new(part), clean }])
    }

    /// Lets go of lists of identities that are out of the window, and merges small ones.
    fn keep_lists(&self) -> io::Result<bool> {
        let window_ns = i64::try_from(self.options.dedup_window.as_nanos()).unwrap_or(i64::MAX);
        let oldest_ns = self.options.clock.now_ns().saturating_sub(window_ns);
        let lists = lock(&self.committer).identities.lists().to_vec();
        let expired: Vec<u64> = lists
            .iter()
            .filter(|list| list.newest_ns < oldest_ns)
            .map(|list| list.number)
            .collect();
        if !expired.is_empty() {
            return self.replace_lists(&expired, None).map(|()| true);
        }
        let Some(merging) = mergeable(&lists) else { return Ok(false) };
        let count: u64 = merging.iter().map(|list| list.count).sum();
        if !self.has_room_to_spare(count * LIST_HASH_BYTES)? {
            return Ok(false);
        }
        let mut hashes = Vec::new();
        for list in &merging {
            hashes.extend(list.hashes()?);
        }
        hashes.sort_unstable();
        hashes.dedup();
        let newest_ns = merging.iter().map(|list| list.newest_ns).max().unwrap_or(0);
        let merged = self.create_list(&hashes, newest_ns)?;
        let old: Vec<u64> = merging.iter().map(|list| list.number).collect();
        self.replace_lists(&old, Some(merged)).map(|()| true)
    }

    fn replace_lists(&self, old: &[u64], new: Option<List>) -> io::Result<()> {
        let mut committer = lock(&self.committer);
        let leaving = old.iter().map(|number| list_path(&self.dir, *number)).collect();
        let change = |manifest: &mut Manifest| {
            manifest.lists.retain(|number| !old.contains(number));
            manifest.lists.extend(new.as_ref().map(|list| list.number));
        };
        self.write_manifest(&mut self.books(), change, leaving)?;
        let mut lists = committer.identities.lists().to_vec();
        lists.retain(|list| !old.contains(&list.number));
        lists.extend(new.map(Arc::new));
        committer.identities.set_lists(lists, std::iter::empty());
        Ok(())
    }
}

/// What of a part is too old.
#[derive(Debug, PartialEq)]
enum Due {
    Nothing,
    Everything,
    Some(Filter),
}

/// Applies the rules to a part: the first that fits a record decides. A part is rewritten once all
/// that a rule concerns in it is too old, not a little at a time.
fn due(part: &Part, rules: &[RetentionRule], now_ns: i64) -> Due {
    let is_old = |rule: &RetentionRule| {
        let age_ns = rule.age.map(|age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        age_ns.is_some_and(|age_ns| part.last_ns < now_ns.saturating_sub(age_ns))
    };
    let (mut gone, mut kept) = (Vec::new(), false);
    for ((_, rank), stream, _) in part.minutes.iter() {
        let fits = |rule: &&RetentionRule| {
            rule.stream.as_deref().is_none_or(|name| name == stream)
                && rule.level_max.is_none_or(|level| rank <= level.rank())
        };
        match rules.iter().filter(|rule| rule.age.is_some()).find(fits).is_some_and(is_old) {
            true => gone.push((stream, rank)),
            false => kept = true,
        }
    }
    gone.sort_unstable();
    gone.dedup();
    match (gone.is_empty(), kept) {
        (true, _) => Due::Nothing,
        (false, false) => Due::Everything,
        (false, true) => {
            let one = |(stream, rank): (&str, u8)| search::of_stream_and_level(stream, rank);
            Due::Some(Filter::Or(gone.into_iter().map(one).collect()))
        }
    }
}

/// Neighbouring parts with so few rows that together they fill a row group, or are many.
fn small<'a>(parts: &[&'a LivePart], group_rows: usize) -> Option<Vec<&'a LivePart>> {
    let mut small: Vec<&LivePart> = Vec::new();
    let mut rows = 0;
    for live in parts.iter().filter(|live| live.part.rows < group_rows as u64 / 2) {
        if rows + live.part.rows > group_rows as u64 {
            break;
        }
        rows += live.part.rows;
        small.push(live);
    }
    (small.len() >= MERGE_PARTS).then_some(small)
}

/// Parts of few row groups that can be put into one file as they are.
fn joinable(parts: &[&LivePart], columns_max: usize) -> Option<Vec<Arc<Part>>> {
    let single = parts.iter().filter(|live| live.part.groups.len() == 1);
    let mut run: Vec<Arc<Part>> = Vec::new();
    for live in single {
        run.push(Arc::clone(&live.part));
        // Beside fields' columns a part has some of its own.
        if !write::can_join(&run, columns_max + OWN_COLUMNS) {
            run = vec![Arc::clone(&live.part)];
        }
        if run.len() == JOIN_PARTS {
            return Some(run);
        }
    }
    None
}

/// Lists of about the same length, enough of them to be worth it.
fn mergeable(lists: &[Arc<List>]) -> Option<Vec<Arc<List>>> {
    let mut tiers: BTreeMap<u32, Vec<Arc<List>>> = BTreeMap::new();
    for list in lists.iter().filter(|list| list.count < LIST_HASHES_MAX) {
        tiers.entry(list.count.max(1).ilog2() / 3).or_default().push(Arc::clone(list));
    }
    tiers.into_values().find(|tier| tier.len() >= MERGE_LISTS).map(|mut tier| {
        tier.truncate(MERGE_LISTS);
        tier
    })
}

/// How many small parts are worth being encoded again.
const MERGE_PARTS: usize = 8;

/// How many row groups a file gets.
const JOIN_PARTS: usize = 16;

/// The columns a part has that are no field's own.
const OWN_COLUMNS: usize = 16;

/// How many lists of one length are merged, and above which length none is any more.
const MERGE_LISTS: usize = 8;
const LIST_HASHES_MAX: u64 = 1 << 20;

/// What a hash takes in a list, with its share of the filter, at most.
const LIST_HASH_BYTES: u64 = 20;

/// How long the thread sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);
