//! Search: answers requests from a snapshot of head and parts.
//!
//! Knows: what a snapshot has, deletions that hide rows. Must not know: how either came about.
//! In: a snapshot and a request. Out: rows, counts, and a summary.

mod columnar;
mod eval;
mod facets;
mod mask;
mod minutes;
mod ordered;
mod piped;
mod progress;
mod prune;
mod unit;

use crate::embedded::{Deletion, HeadBatch, LivePart};
use crate::part::Part;
use crate::rollup::Histogram;
use crate::store::{Bucket, Found, SearchRequest, Summary};
use crate::traces::Traces;
use eval::GroupReader;
use logwell_query::{Fields, Filter, LEVEL, Level, LevelSet, Literal, Names, Row, Test, TimeRange};
use mask::Mask;
use minutes::Counted;
pub(crate) use piped::limits;
use progress::Progress;
use prune::trace_needed;
use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use unit::{Source, Unit, Wanted};

/// What there is to search at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) head: Vec<Arc<HeadBatch>>,
    pub(crate) parts: Arc<Vec<LivePart>>,
    pub(crate) deletions: Arc<Vec<Arc<Deletion>>>,
    pub(crate) traces: Arc<Vec<Arc<Traces>>>,
    pub(crate) generation: u64,
}

/// Gives what the request finds to `sink`.
pub(crate) fn search(
    snapshot: &Snapshot,
    request: &SearchRequest,
    sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Summary {
    let progress = Progress::new(request, threads());
    if request.query.pipes.is_empty() {
        let units = snapshot.units(request, &request.query.filter);
        if request.limit == Some(0) {
            return progress.finish(snapshot.generation);
        }
        ordered::run(units, request.order, &progress, &mut |row| {
            progress.give();
            let goes_on = sink(Found::Record(row)).is_continue();
            match goes_on && progress.rows_left() != Some(0) && !progress.must_stop() {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        return progress.finish(snapshot.generation);
    }
    // A context needs the records that do not match, too.
    let filter = match request.query.context() {
        Some(_) => &Filter::All,
        None => &request.query.filter,
    };
    let output = piped::run(snapshot.units(request, filter), request, &progress);
    let mut summary = progress.finish(snapshot.generation);
    summary.approximate = !output.is_exact();
    summary.complete &= output.is_complete();
    summary.skipped.extend(
        output.notes.iter().filter(|note| note.is_about_missing()).map(|note| {
            crate::store::Skipped { what: "rest".to_owned(), reason: note.to_string() }
        }),
    );
    give(&output.rows, request, sink);
    summary
}

/// Gives rows of the last pipe.
pub(crate) fn give(
    rows: &[Fields],
    request: &SearchRequest,
    sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) {
    let limit = request.limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
    for row in rows.iter().take(limit) {
        if sink(Found::Output(row)).is_break() {
            return;
        }
    }
}

/// Counts what the request finds by step and level. Parts that are wholly wanted are not read.
pub(crate) fn histogram(
    snapshot: &Snapshot,
    request: &SearchRequest,
    step_ns: u64,
) -> (Vec<Bucket>, Summary) {
    let progress = Progress::new(request, threads());
    let mut histogram = Histogram::new(step_ns);
    let mut counted = Vec::new();
    let filter = &request.query.filter;
    let by_minutes = histogram.takes_minutes() && minutes::can_tell(filter);
    for live in snapshot.parts.iter().filter(|_| by_minutes) {
        let part = &live.part;
        let is_inside =
            request.range.contains(part.first_ns) && request.range.contains(part.last_ns);
        if is_inside && snapshot.deletions_of(live.clean).next().is_none() {
            let mut matched = 0;
            for ((minute, rank), stream, count) in part.minutes.iter() {
                let level = Level::ALL.get(usize::from(rank));
                let is_wanted = |level: &&Level| {
                    request.may_see(stream) && filter.matches(&Counted { stream, level: **level })
                };
                if let Some(level) = level.filter(is_wanted) {
                    let minute_ns = minute.saturating_mul(crate::rollup::MINUTE_NS);
                    histogram.add(minute_ns, *level, count);
                    matched += count;
                }
            }
            progress.count(unit::Scan::default(), matched);
            counted.push(part.number);
        }
    }
    let mut units = snapshot.units(request, &request.query.filter);
    units.retain(|unit| match &unit.source {
        Source::Group(part, _) => !counted.contains(&part.number),
        Source::Head(_) => true,
    });
    for unit in units {
        if progress.must_stop() {
            break;
        }
        if let Err(error) = add_rows(&unit, &mut histogram, &progress) {
            progress.skip(&unit.name(), &error);
        }
    }
    (histogram.finish(), progress.finish(snapshot.generation))
}

/// What looks at a row.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&dyn Row);

/// Visits some fields of what the request finds, in no order.
pub(crate) fn visit(
    snapshot: &Snapshot,
    request: &SearchRequest,
    (fields, visit): (&[String], Visit<'_>),
) -> Summary {
    let progress = Progress::new(request, threads());
    for unit in snapshot.units(request, &request.query.filter) {
        if progress.must_stop() {
            break;
        }
        let visited = unit.matches().and_then(|found| {
            progress.count(found.scan, found.rows.len() as u64);
            match found.rows.is_empty() {
                true => Ok(()),
                false => unit.visit(&found.rows, Some(fields), &mut |_, row| visit(row)),
            }
        });
        if let Err(error) = visited {
            progress.skip(&unit.name(), &error);
        }
    }
    progress.finish(snapshot.generation)
}

/// How many records the request finds, without any budget.
pub(crate) fn count(snapshot: &Snapshot, request: &SearchRequest) -> u64 {
    let units = snapshot.units(request, &request.query.filter);
    // A unit that cannot be read has nothing that could be erased.
    units.iter().filter_map(|unit| unit.matches().ok()).map(|found| found.rows.len() as u64).sum()
}

/// The rows of a row group that a filter matches, ascending.
pub(crate) fn matching(part: &Part, group: usize, filter: &Filter) -> io::Result<Vec<u32>> {
    let reader = GroupReader::new(part, group);
    let mask = reader.matching(filter, Mask::all(reader.rows()))?;
    Ok(mask.iter().map(|row| row as u32).collect())
}

/// The records of a stream and of the level of a rank.
pub(crate) fn of_stream_and_level(stream: &str, rank: u8) -> Filter {
    let levels = LevelSet::of(|level| level.rank() == rank);
    Filter::And(vec![in_streams(&[stream.to_owned()]), Filter::Level(levels)])
}

/// Adds the matching rows of a unit to a histogram.
fn add_rows(unit: &Unit, histogram: &mut Histogram, progress: &Progress) -> io::Result<()> {
    let matches = unit.matches()?;
    progress.count(matches.scan, matches.rows.len() as u64);
    if matches.rows.is_empty() {
        return Ok(());
    }
    unit.visit(&matches.rows, Some(&[LEVEL.to_owned()]), &mut |_, row| {
        let level = row.get(LEVEL).and_then(|level| Level::parse(&level.text()));
        histogram.add(row.time_ns(), level.unwrap_or(Level::Info), 1);
    })
}

impl Snapshot {
    /// The units that may have rows that the filter finds and the request may see.
    fn units(&self, request: &SearchRequest, filter: &Filter) -> Vec<Unit> {
        let mut wanted = WantedByAge::new(self, request, filter);
        let mut units = Vec::new();
        for live in self.parts.iter() {
            let filter = wanted.of(live.clean);
            for (at, group) in live.part.groups.iter().enumerate() {
                units.push(Unit {
                    source: Source::Group(Arc::clone(&live.part), at),
                    first_ns: group.first_ns,
                    last_ns: group.last_ns,
                    filter: Arc::clone(&filter),
                });
            }
        }
        for batch in &self.head {
            units.push(Unit {
                source: Source::Head(Arc::clone(batch)),
                first_ns: batch.first_ns,
                last_ns: batch.last_ns,
                filter: wanted.of(batch.place.epoch),
            });
        }
        units.retain(|unit| {
            let range = unit.filter.range;
            unit.first_ns <= range.last_ns && unit.last_ns >= range.first_ns
        });
        if let Some(trace_id) = trace_needed(&filter.needs()) {
            self.keep_those_with_trace(&trace_id, &mut units);
        }
        units
    }

    /// Lets go of row groups of which an index knows that they do not have the trace.
    fn keep_those_with_trace(&self, trace_id: &[u8], units: &mut Vec<Unit>) {
        let (mut indexed, mut found) = (HashSet::new(), HashSet::new());
        for traces in self.traces.iter() {
            // Without an answer, the parts' own filters are asked.
            if let Ok(groups) = traces.groups_of(trace_id) {
                let parts = self.parts.iter().map(|live| &live.part);
                indexed.extend(parts.filter(|part| traces.covers(part)).map(|part| part.number));
                found.extend(groups);
            }
        }
        units.retain(|unit| match &unit.source {
            Source::Group(part, group) => {
                !indexed.contains(&part.number) || found.contains(&(part.number, *group))
            }
            Source::Head(_) => true,
        });
    }

    /// The deletions that concern rows of which those up to `clean` have been erased.
    pub(crate) fn deletions_of(&self, clean: u64) -> impl Iterator<Item = &Arc<Deletion>> {
        self.deletions.iter().filter(move |deletion| deletion.number > clean)
    }
}

/// What is wanted of rows, by the last deletion that does not concern them.
struct WantedByAge<'a> {
    snapshot: &'a Snapshot,
    base: Vec<Filter>,
    range: TimeRange,
    known: HashMap<u64, Arc<Wanted>>,
}

impl<'a> WantedByAge<'a> {
    fn new(snapshot: &'a Snapshot, request: &SearchRequest, filter: &Filter) -> Self {
        let range = request.range.intersect(filter.time_range());
        let mut base = vec![filter.clone()];
        if request.range != TimeRange::ALL {
            base.push(Filter::Time(request.range));
        }
        base.extend(request.streams.as_deref().map(in_streams));
        Self { snapshot, base, range, known: HashMap::new() }
    }

    fn of(&mut self, clean: u64) -> Arc<Wanted> {
        let last = self.snapshot.deletions.last().map_or(0, |deletion| deletion.number);
        let wanted = || {
            let hidden = self.snapshot.deletions_of(clean);
            let visible = hidden.map(|deletion| Filter::Not(Box::new(deletion.filter())));
            let filter = Filter::And(self.base.iter().cloned().chain(visible).collect());
            Arc::new(Wanted { need: filter.needs(), range: self.range, filter })
        };
        Arc::clone(self.known.entry(clean.min(last)).or_insert_with(wanted))
    }
}

/// Records of one of the streams; the empty name is that of records without one.
fn in_streams(streams: &[String]) -> Filter {
    let stream = |test| Filter::Field(Names::One("stream".to_owned()), test);
    let one = |name: &String| match name.is_empty() {
        true => Filter::Not(Box::new(stream(Test::Exists))),
        false => stream(Test::Equals(Literal::text(name))),
    };
    Filter::Or(streams.iter().map(one).collect())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
