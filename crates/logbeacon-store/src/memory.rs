//! Memory: the simplest store that is right: a list in memory.
//!
//! Knows: the trait, and the query language's own evaluator. Must not know: files, columns.
//! Tests hold it against every other store, and the server's tests run on it.

use crate::error::{AppendError, DeleteError, SearchError};
use crate::record::{Record, WELL_KNOWN};
use crate::rollup::{Devices, Histogram, Minutes, ProducerRanges};
use crate::search;
use crate::store::{
    Bucket, Certificate, DeleteRequest, Device, Found, Health, MinuteCount, Order, Producer,
    RetentionRule, SearchRequest, Store, Summary, Verdict,
};
use crate::world::{Clock, SystemClock};
use logwell_query::{Filter, Output, Pipeline, Query, Row, Surroundings, TimeRange};
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A store that forgets everything when it is dropped, and reads every record for every search.
///
/// It applies no retention: it keeps the rules and nothing more.
///
/// ```
/// use logbeacon_store::{Memory, Record, SearchRequest, Store, Verdict};
/// use logwell_query::Query;
/// use std::ops::ControlFlow;
///
/// let store = Memory::default();
/// let record = Record { message: "payment failed".to_owned(), hash: 7, ..Record::default() };
/// assert_eq!(store.append(vec![record.clone()]), Ok(vec![Verdict::Accepted]));
/// assert_eq!(store.append(vec![record]), Ok(vec![Verdict::Duplicate]));
///
/// let mut found = 0;
/// let query = Query::parse("payment").unwrap();
/// store
///     .search(&SearchRequest::new(query), &mut |_| {
///         found += 1;
///         ControlFlow::Continue(())
///     })
///     .unwrap();
/// assert_eq!(found, 1);
/// ```
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In the order of their event times; equal times in the order of arrival.
    records: Vec<Record>,
    hashes: HashSet<u128>,
    certificates: Vec<Certificate>,
    retention: Vec<RetentionRule>,
    duplicates: u64,
    accepted: u64,
    generation: u64,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn append(&self, batch: Vec<Record>) -> Result<Vec<Verdict>, AppendError> {
        let mut state = self.state();
        let verdicts = batch.into_iter().map(|record| state.keep(record)).collect();
        state.generation += 1;
        Ok(verdicts)
    }

    fn search(
        &self,
        request: &SearchRequest,
        sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Summary, SearchError> {
        let state = self.state();
        let wanted = state.wanted(request);
        let mut summary = Summary { matched: wanted.len() as u64, ..state.summary() };
        if request.query.pipes.is_empty() {
            give(wanted, request, sink);
        } else {
            let output = state.piped(request);
            summary.approximate = !output.is_exact();
            summary.complete = output.is_complete();
            search::give(&output.rows, request, sink);
        }
        Ok(summary)
    }

    fn histogram(
        &self,
        request: &SearchRequest,
        step_ns: u64,
    ) -> Result<(Vec<Bucket>, Summary), SearchError> {
        let state = self.state();
        let wanted = state.wanted(request);
        let mut histogram = Histogram::new(step_ns);
        for record in &wanted {
            histogram.add(record.time_ns, record.level, 1);
        }
        Ok((histogram.finish(), Summary { matched: wanted.len() as u64, ..state.summary() }))
    }

    fn statistics(&self, range: TimeRange) -> Vec<MinuteCount> {
        let state = self.state();
        let mut minutes = Minutes::default();
        for record in &state.records {
            minutes.add(record.time_ns, &record.stream, record.level);
        }
        minutes.within(range)
    }

    fn devices(&self) -> Vec<Device> {
        let mut devices = Devices::default();
        for record in &self.state().records {
            devices.add(&record.host, record.time_ns, record.arrived_ns);
        }
        devices.list()
    }

    fn field_names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = WELL_KNOWN.map(str::to_owned).into();
        for record in &self.state().records {
            record.for_each(&mut |name, _| {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            });
        }
        names.into_iter().collect()
    }

    fn producers(&self, range: TimeRange) -> Result<(Vec<Producer>, Summary), SearchError> {
        let mut producers = ProducerRanges::default();
        for record in self.state().records.iter().filter(|record| range.contains(record.time_ns)) {
            producers.add(record);
        }
        Ok((producers.finish(), Summary { complete: true, ..Summary::default() }))
    }

    fn delete(&self, request: &DeleteRequest) -> Result<Certificate, DeleteError> {
        let now_ns = SystemClock.now_ns();
        let query = Query::parse_at(&request.query, now_ns)
            .map_err(|error| DeleteError::Query(error.to_string()))?;
        if !query.pipes.is_empty() {
            return Err(DeleteError::Query("a deletion has no pipes".to_owned()));
        }
        let mut state = self.state();
        let before = state.records.len();
        state.records.retain(|record| {
            !(request.range.contains(record.time_ns) && query.filter.matches(record))
        });
        let gone = (before - state.records.len()) as u64;
        let certificate = Certificate {
            number: state.certificates.len() as u64 + 1,
            query: request.query.clone(),
            range: request.range,
            requested_by: request.requested_by.clone(),
            requested_ns: now_ns,
            hidden: gone,
            erased: gone,
            erased_ns: Some(now_ns),
            erase_within: Duration::ZERO,
        };
        state.certificates.push(certificate.clone());
        state.generation += 1;
        Ok(certificate)
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.state().certificates.clone()
    }

    fn set_retention(&self, rules: &[RetentionRule]) -> Result<(), DeleteError> {
        self.state().retention = rules.to_vec();
        Ok(())
    }

    fn retention(&self) -> Vec<RetentionRule> {
        self.state().retention.clone()
    }

    fn health(&self) -> Health {
        let state = self.state();
        let rows = state.records.len() as u64;
        Health {
            rows,
            head_rows: rows,
            accepted: state.accepted,
            duplicates: state.duplicates,
            ..Health::default()
        }
    }

    fn generation(&self) -> u64 {
        self.state().generation
    }
}

impl State {
    fn keep(&mut self, mut record: Record) -> Verdict {
        if !self.hashes.insert(record.hash) {
            self.duplicates += 1;
            return Verdict::Duplicate;
        }
        record.tidy();
        let place = self.records.partition_point(|other| other.time_ns <= record.time_ns);
        self.records.insert(place, record);
        self.accepted += 1;
        Verdict::Accepted
    }

    /// What the filter, the range and the streams of the request let through, oldest first.
    fn wanted(&self, request: &SearchRequest) -> Vec<&Record> {
        let filter: &Filter = &request.query.filter;
        self.records
            .iter()
            .filter(|record| request.range.contains(record.time_ns))
            .filter(|record| request.may_see(&record.stream) && filter.matches(*record))
            .collect()
    }

    /// The output of the pipes.
    fn piped(&self, request: &SearchRequest) -> Output {
        let mut pipeline = Pipeline::new(&request.query.pipes, search::limits(request, 1));
        let visible = |record: &&Record| {
            request.range.contains(record.time_ns) && request.may_see(&record.stream)
        };
        let mut shown: Vec<&Record> = Vec::new();
        match request.query.context() {
            None => shown = self.wanted(request),
            Some(context) => {
                let mut surroundings = Surroundings::new(context);
                for record in self.records.iter().filter(visible) {
                    let matches = request.query.filter.matches(record);
                    surroundings.push(record, record, matches, &mut shown);
                }
            }
        }
        for record in shown.into_iter().rev() {
            if pipeline.push(record).is_break() {
                break;
            }
        }
        pipeline.finish()
    }

    fn summary(&self) -> Summary {
        Summary {
            complete: true,
            scanned_rows: self.records.len() as u64,
            scanned_parts: 1,
            generation: self.generation,
            ..Summary::default()
        }
    }
}

fn give(
    mut records: Vec<&Record>,
    request: &SearchRequest,
    sink: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) {
    if request.order == Order::NewestFirst {
        records.reverse();
    }
    let limit =
        request.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    for record in records.into_iter().take(limit) {
        if sink(Found::Record(record)).is_break() {
            return;
        }
    }
}
