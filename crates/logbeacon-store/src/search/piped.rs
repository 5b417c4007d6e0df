//! Searches with pipes: every matching row goes into a pipeline.
//!
//! Knows: units, pipelines, threads. Must not know: what a pipe computes. In: units and pipes.
//! Out: the rows of the last pipe.

use super::columnar;
use super::eval::GroupReader;
use super::facets::{self, FACET_VALUES, Integers};
use super::ordered;
use super::progress::Progress;
use super::unit::{Scan, Source, Unit, Wanted, head_scan};
use crate::store::{Order, SearchRequest};
use logwell_query::{Context, Filter, Limits, Output, Pipeline, Surroundings};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs the request's pipes over the matching rows of the units.
pub(crate) fn run(mut units: Vec<Unit>, request: &SearchRequest, progress: &Progress) -> Output {
    if let Some(context) = request.query.context() {
        return in_context(units, context, request, progress);
    }
    // Newest first, since a pipe may need no older rows at some time.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.last_ns));
    let fields: Option<Vec<String>> =
        request.query.piped_fields().map(|fields| fields.into_iter().collect());
    let threads = progress.threads().min(units.len()).max(1);
    let limits = limits(request, threads);
    let next = AtomicUsize::new(0);
    let merged: Mutex<Option<Pipeline>> = Mutex::new(None);
    let work = || {
        let mut pipeline = Pipeline::new(&request.query.pipes, limits);
        let mut integers = Integers::default();
        let mut filters = Filters::default();
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            let is_late = pipeline.oldest_useful_ns().is_some_and(|oldest| unit.last_ns < oldest);
            if progress.must_stop() {
                break;
            }
            if is_late {
                continue;
            }
            let into = (&mut pipeline, &mut integers);
            match feed(into, (unit, filters.of(unit)), fields.as_deref()) {
                Ok((scan, matched)) => progress.count(scan, matched),
                Err(error) => progress.skip(&unit.name(), &error),
            }
        }
        if let Some(facets) = pipeline.facets_mut() {
            integers.give(facets);
        }
        let mut merged = merged.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *merged {
            Some(merged) => merged.merge(pipeline),
            None => *merged = Some(pipeline),
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let merged = merged.into_inner().unwrap_or_else(PoisonError::into_inner);
    merged.map(Pipeline::finish).unwrap_or_default()
}

/// What pipes may hold, in each of so many threads.
pub(crate) fn limits(request: &SearchRequest, threads: usize) -> Limits {
    let memory_bytes = request.budget.memory_bytes / threads;
    // Facets of many values are bounded by memory, too.
    Limits { memory_bytes, facet_values: FACET_VALUES, ..Limits::default() }
}

/// A thread's own copies of the filters: regular expressions keep scratch space that threads would
/// have to take in turns.
#[derive(Default)]
struct Filters(Vec<(Arc<Wanted>, Filter)>);

impl Filters {
    fn of<'a>(&'a mut self, unit: &'a Unit) -> &'a Filter {
        let known = self.0.iter().position(|(wanted, _)| Arc::ptr_eq(wanted, &unit.filter));
        let place = known.unwrap_or_else(|| {
            self.0.push((Arc::clone(&unit.filter), unit.filter.filter.clone()));
            self.0.len() - 1
        });
        self.0.get(place).map_or(&unit.filter.filter, |(_, filter)| filter)
    }
}

/// Pushes the matching rows of a unit, by columns where the pipeline takes them so. Returns the
/// cost, and how many rows matched.
fn feed(
    (pipeline, integers): (&mut Pipeline, &mut Integers),
    (unit, filter): (&Unit, &Filter),
    fields: Option<&[String]>,
) -> io::Result<(Scan, u64)> {
    let (part, group) = match &unit.source {
        Source::Group(part, group) => (part, *group),
        Source::Head(batch) => {
            let mut matched = 0;
            for row in batch.packed.rows().filter(|row| filter.matches(row)) {
                matched += 1;
                // A pipeline that needs no more rows is not pushed the next unit.
                let _ = pipeline.push(&row);
            }
            return Ok((head_scan(batch), matched));
        }
    };
    let reader = GroupReader::new(part, group);
    let Some(mask) = unit.group_mask_by(filter, &reader)? else { return Ok((Scan::default(), 0)) };
    let matched = mask.count() as u64;
    let by_columns = if let Some(statistics) = pipeline.statistics_mut() {
        columnar::statistics(statistics, &reader, &mask)?
    } else if let Some(counts) = pipeline.facets_mut() {
        facets::facets((counts, integers), &reader, &mask)?
    } else {
        false
    };
    if !by_columns {
        let mut rows: Vec<u32> = mask.iter().map(|row| row as u32).collect();
        while !rows.is_empty() {
            // The newest first, a few thousand at a time.
            let chunk = rows.split_off(rows.len().saturating_sub(CHUNK_ROWS));
            let mut is_done = false;
            unit.visit(&chunk, fields, &mut |_, row| is_done |= pipeline.push(row).is_break())?;
            if is_done {
                break;
            }
        }
    }
    Ok((Scan { rows: reader.rows() as u64, bytes: reader.read_bytes() }, matched))
}

/// Runs the pipes over what matches and what is around it. Every visible record is looked at, in
/// the order of time.
fn in_context(
    units: Vec<Unit>,
    context: &Context,
    request: &SearchRequest,
    progress: &Progress,
) -> Output {
    let filter: &Filter = &request.query.filter;
    let mut surroundings = Surroundings::new(context);
    let mut pipeline = Pipeline::new(&request.query.pipes, limits(request, 1));
    let mut shown = Vec::new();
    ordered::run(units, Order::OldestFirst, progress, &mut |row| {
        if progress.must_stop() {
            return ControlFlow::Break(());
        }
        surroundings.push(row, row.to_fields(), filter.matches(row), &mut shown);
        // In the order of time, the newest come last: none may be the last that is needed.
        for row in shown.drain(..) {
            let _ = pipeline.push(&row);
        }
        ControlFlow::Continue(())
    });
    pipeline.finish()
}

/// How many rows are read in full at one go.
const CHUNK_ROWS: usize = 8192;
