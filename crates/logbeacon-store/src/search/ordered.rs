//! Ordered: records in the order of their times, out of units whose times overlap.
//!
//! Knows: units, threads that filter ahead, where to stop. Must not know: pipes, what a unit is.
//! In: units and an order. Out: rows, one after the other, until enough.

use super::progress::Progress;
use super::unit::{Matches, Unit};
use crate::store::Order;
use logwell_query::{Fields, Row};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Gives the matching rows of units to `sink` in order, until it breaks, all are given, or the
/// search must stop. Threads filter a few units ahead of what is given.
pub(crate) fn run(
    mut units: Vec<Unit>,
    order: Order,
    progress: &Progress,
    sink: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
) {
    match order {
        Order::NewestFirst => units.sort_by_key(|unit| std::cmp::Reverse(unit.last_ns)),
        Order::OldestFirst => units.sort_by_key(|unit| unit.first_ns),
    }
    let ahead = Ahead { units: &units, state: Mutex::default(), changed: Condvar::new() };
    // One or two small units are not worth a thread.
    let threads = if units.len() <= 2 { 0 } else { progress.threads().min(units.len()) };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| ahead.filter_units(progress));
        }
        give(&ahead, (order, threads > 0), progress, sink);
        ahead.stop();
    });
}

/// Takes units in order, and gives the rows of those whose times have come.
fn give(
    ahead: &Ahead<'_>,
    (order, has_threads): (Order, bool),
    progress: &Progress,
    sink: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
) {
    let mut active: Vec<Cursor<'_>> = Vec::new();
    let mut next = 0;
    loop {
        // The best row so far is given once no unit that is not open yet can have a better one.
        let best = (0..active.len()).min_by_key(|at| {
            active.get(*at).and_then(Cursor::time).map_or(i64::MAX, |time| rank(order, time))
        });
        let best_rank = best.and_then(|at| active.get(at)).and_then(Cursor::time);
        let unopened = ahead.units.get(next).map(|unit| match order {
            Order::NewestFirst => rank(order, unit.last_ns),
            Order::OldestFirst => rank(order, unit.first_ns),
        });
        match (best, best_rank.map(|time| rank(order, time)), unopened) {
            (Some(at), Some(best), unopened) if unopened.is_none_or(|other| best <= other) => {
                let Some(cursor) = active.get_mut(at) else { return };
                let given = cursor.give(order, progress, sink);
                if cursor.time().is_none() {
                    active.swap_remove(at);
                }
                if given.is_break() {
                    return;
                }
            }
            (_, _, Some(_)) => {
                if progress.must_stop() {
                    return;
                }
                let matches = match has_threads {
                    true => ahead.take(next),
                    false => ahead.units.get(next).map(|unit| filter_unit(unit, progress)),
                };
                if let (Some(Some(matches)), Some(unit)) = (matches, ahead.units.get(next)) {
                    active.push(Cursor::new(unit, matches, order));
                    active.retain(|cursor| cursor.time().is_some());
                }
                next += 1;
            }
            (_, _, None) => return,
        }
    }
}

/// Small for what comes first.
fn rank(order: Order, time_ns: i64) -> i64 {
    match order {
        Order::NewestFirst => !time_ns,
        Order::OldestFirst => time_ns,
    }
}

/// The matches of one unit, and how far they were given.
struct Cursor<'a> {
    unit: &'a Unit,
    /// In the order in which they are given.
    rows: Vec<u32>,
    times: Vec<i64>,
    given: usize,
    /// The next rows, in full.
    loaded: std::vec::IntoIter<(i64, Fields)>,
    chunk: usize,
}

impl<'a> Cursor<'a> {
    fn new(unit: &'a Unit, mut matches: Matches, order: Order) -> Self {
        if order == Order::NewestFirst {
            matches.rows.reverse();
            matches.times.reverse();
        }
        let Matches { rows, times, .. } = matches;
        let loaded = Vec::new().into_iter();
        Self { unit, rows, times, given: 0, loaded, chunk: FIRST_CHUNK_ROWS }
    }

    /// The time of the next row.
    fn time(&self) -> Option<i64> {
        self.times.get(self.given).copied()
    }

    fn give(
        &mut self,
        order: Order,
        progress: &Progress,
        sink: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.loaded.len() == 0 {
            self.load(order, progress);
        }
        self.given += 1;
        match self.loaded.next() {
            Some((_, row)) => sink(&row),
            None => ControlFlow::Continue(()),
        }
    }

    /// Reads the next rows in full.
    fn load(&mut self, order: Order, progress: &Progress) {
        let wanted = progress.rows_left().map_or(self.chunk, |left| left.clamp(1, self.chunk));
        let end = self.rows.len().min(self.given + wanted);
        let mut places: Vec<u32> = self.rows.get(self.given..end).unwrap_or_default().to_vec();
        if order == Order::NewestFirst {
            places.reverse();
        }
        let mut loaded = Vec::with_capacity(places.len());
        let mut keep = |_, row: &dyn Row| loaded.push((row.time_ns(), row.to_fields()));
        if let Err(error) = self.unit.visit(&places, None, &mut keep) {
            // Without these rows the answer goes on, and says so.
            progress.skip(&self.unit.name(), &error);
            self.given = self.rows.len();
        }
        if order == Order::NewestFirst {
            loaded.reverse();
        }
        self.loaded = loaded.into_iter();
        self.chunk = CHUNK_ROWS;
    }
}

/// Units that are filtered before they are asked for.
struct Ahead<'a> {
    units: &'a [Unit],
    state: Mutex<AheadState>,
    changed: Condvar,
}

#[derive(Default)]
struct AheadState {
    /// The next unit that no thread has.
    next: usize,
    /// How many units were asked for.
    taken: usize,
    is_stopped: bool,
    done: BTreeMap<usize, Option<Matches>>,
}

impl Ahead<'_> {
    fn lock(&self) -> MutexGuard<'_, AheadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Filters units, not too far ahead, until there are none or the search stops.
    fn filter_units(&self, progress: &Progress) {
        let mut state = self.lock();
        loop {
            while state.next >= state.taken + AHEAD_UNITS && !state.is_stopped {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let at = state.next;
            let Some(unit) = self.units.get(at).filter(|_| !state.is_stopped) else { return };
            state.next += 1;
            drop(state);
            let matches = if progress.must_stop() { None } else { filter_unit(unit, progress) };
            state = self.lock();
            state.done.insert(at, matches);
            self.changed.notify_all();
        }
    }

    /// What a unit has that matches; blocks until a thread has filtered it.
    fn take(&self, at: usize) -> Option<Option<Matches>> {
        let mut state = self.lock();
        state.taken = at + 1;
        self.changed.notify_all();
        loop {
            match state.done.remove(&at) {
                Some(matches) => return Some(matches),
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }
}

/// The matches of a unit; `None` if it cannot be read, which the summary says then.
fn filter_unit(unit: &Unit, progress: &Progress) -> Option<Matches> {
    match unit.matches() {
        Ok(matches) => {
            progress.count(matches.scan, matches.rows.len() as u64);
            Some(matches)
        }
        Err(error) => {
            progress.skip(&unit.name(), &error);
            None
        }
    }
}

/// How many units are filtered before they are asked for.
const AHEAD_UNITS: usize = 4;

/// How many rows of a unit are read in full at one go: few at first, as many want no more.
const FIRST_CHUNK_ROWS: usize = 128;
const CHUNK_ROWS: usize = 2048;
