//! Pipeline: runs the pipes of a query over the records that passed its filter.
//!
//! Knows which pipes work row by row and which need all rows. Does not know the filter, nor where
//! records come from: whoever has them pushes them, in any order, from several pipelines if there
//! are several threads, merges these and finishes one.

mod facets;
mod ordered;
mod pattern;
mod step;

pub use facets::FacetCounts;
pub use pattern::pattern_of;

use crate::filter::{Filter, Names, Test};
use crate::limits::{Limits, Note};
use crate::query::{Aggregate, Function, Group, Pipe, SortKey, Stats};
use crate::row::{Fields, MESSAGE, Row};
use crate::stats::Statistics;
use ordered::{Ordered, Wanted};
use std::ops::ControlFlow;
use step::Step;

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// In their order.
    pub rows: Vec<Fields>,
    /// What is estimated and what is missing; usually nothing.
    pub notes: Vec<Note>,
}

impl Output {
    /// Whether nothing is estimated.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.notes.iter().all(Note::is_about_missing)
    }

    /// Whether nothing was left out for want of memory.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.notes.iter().any(Note::is_about_missing)
    }
}

/// Runs pipes. It has the first of them that needs all rows; those behind it run when it finishes.
///
/// ```
/// use logwell_query::{Fields, Limits, Pipeline, Query};
///
/// let query = Query::parse("level>=warn | top 1 by service")?;
/// let mut pipeline = Pipeline::new(&query.pipes, Limits::default());
/// for line in [r#"{"level":"ERROR","service":"a"}"#, r#"{"level":"INFO","service":"b"}"#] {
///     let record = Fields::from_json(line)?;
///     if query.filter.matches(&record) {
///         pipeline.push(&record);
///     }
/// }
/// assert_eq!(pipeline.finish().rows[0].to_json(), r#"{"service":"a","count":1}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    steps: Vec<Step>,
    gather: Gather,
    /// What is done with the rows that `gather` yields.
    rest: Vec<Pipe>,
    limits: Limits,
    notes: Vec<Note>,
    input: Input,
    pushed: i64,
}

/// What needs all rows.
#[derive(Debug)]
enum Gather {
    /// The first rows in some order.
    Ordered(Ordered),
    Statistics(Box<Statistics>),
    Facets(FacetCounts),
    /// The rows as they come: behind another gathering pipe they have their order already.
    List(Vec<Fields>),
}

/// What a pipeline is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Records in any order.
    Records,
    /// Rows in the order in which they belong.
    List,
}

impl Pipeline {
    /// A pipeline for records, which are newest first unless a pipe says otherwise.
    ///
    /// A pipe `context` does nothing here: see [`Surroundings`](crate::Surroundings).
    #[must_use]
    pub fn new(pipes: &[Pipe], limits: Limits) -> Self {
        Self::plan(pipes, limits, Input::Records)
    }

    fn plan(pipes: &[Pipe], limits: Limits, input: Input) -> Self {
        let mut steps = Vec::new();
        let mut pipes = pipes;
        while let Some((pipe, behind)) = pipes.split_first() {
            let step = Step::row_by_row(pipe).or_else(|| match input {
                Input::List => Step::by_position(pipe),
                Input::Records => None,
            });
            match (step, pipe) {
                (Some(step), _) => steps.push(step),
                (None, Pipe::Context(_)) => {}
                (None, _) => break,
            }
            pipes = behind;
        }
        if let Some(Pipe::Patterns(_)) = pipes.first() {
            steps.push(Step::Pattern);
        }
        let (gather, rest) = gather(pipes, limits, input);
        Self { steps, gather, rest, limits, notes: Vec::new(), input, pushed: 0 }
    }

    /// Takes a record that has passed the filter. [`ControlFlow::Break`] says that no further
    /// record changes the answer.
    pub fn push(&mut self, row: &dyn Row) -> ControlFlow<()> {
        self.pushed += 1;
        let place = match self.input {
            Input::Records => row.time_ns(),
            Input::List => -self.pushed,
        };
        step::run(&mut self.steps, row, |row| match &mut self.gather {
            Gather::Ordered(ordered) => ordered.push(place, row),
            Gather::Statistics(statistics) => statistics.push(row),
            Gather::Facets(facets) => facets.push(row),
            Gather::List(rows) => rows.push(row.to_fields()),
        })
    }

    /// Older records than this do not change the answer any more: a source that goes from the
    /// newest to the oldest may stop there. Nothing while every record may.
    #[must_use]
    pub fn oldest_useful_ns(&self) -> Option<i64> {
        match &self.gather {
            Gather::Ordered(ordered) => ordered.oldest_useful_ns(),
            _ => None,
        }
    }

    /// The statistics, if the records go into them as they are: to be fed by columns.
    pub fn statistics_mut(&mut self) -> Option<&mut Statistics> {
        match (&mut self.gather, self.steps.is_empty()) {
            (Gather::Statistics(statistics), true) => Some(statistics),
            _ => None,
        }
    }

    /// The facets, if the records go into them as they are: to be fed by columns.
    pub fn facets_mut(&mut self) -> Option<&mut FacetCounts> {
        match (&mut self.gather, self.steps.is_empty()) {
            (Gather::Facets(facets), true) => Some(facets),
            _ => None,
        }
    }

    /// Takes what another pipeline of the same query has of other records.
    pub fn merge(&mut self, other: Self) {
        self.notes.extend(other.notes);
        match (&mut self.gather, other.gather) {
            (Gather::Ordered(mine), Gather::Ordered(other)) => mine.merge(other),
            (Gather::Statistics(mine), Gather::Statistics(other)) => mine.merge(*other),
            (Gather::Facets(mine), Gather::Facets(other)) => mine.merge(other),
            // Pipelines of one query gather alike.
            _ => {}
        }
    }

    /// The answer: what was gathered, through the pipes behind it.
    #[must_use]
    pub fn finish(self) -> Output {
        let mut output = match self.gather {
            Gather::Ordered(ordered) => ordered.finish(),
            Gather::Statistics(statistics) => statistics.finish(),
            Gather::Facets(facets) => facets.finish(),
            Gather::List(rows) => Output { rows, notes: Vec::new() },
        };
        output.notes.extend(self.notes);
        if !self.rest.is_empty() {
            let mut rest = Self::plan(&self.rest, self.limits, Input::List);
            rest.notes = output.notes;
            for row in &output.rows {
                if rest.push(row).is_break() {
                    break;
                }
            }
            return rest.finish();
        }
        output.notes.sort();
        output.notes.dedup();
        output
    }
}

/// What the first pipe that needs all rows gathers, and what is done behind it.
fn gather(pipes: &[Pipe], limits: Limits, input: Input) -> (Gather, Vec<Pipe>) {
    let Some((first, behind)) = pipes.split_first() else { return unchanged(limits, input) };
    let of_stats = |stats: &Stats, then: &[Pipe]| {
        let statistics = Box::new(Statistics::new(stats, limits));
        (Gather::Statistics(statistics), [then, behind].concat())
    };
    match first {
        Pipe::Stats(stats) => of_stats(stats, &[]),
        Pipe::Top(top) => {
            let (stats, then) = most_frequent(top.fields.clone(), Vec::new(), top.count);
            of_stats(&stats, &then)
        }
        Pipe::Patterns(count) => {
            let example = Function::Min(MESSAGE.to_owned());
            let example = vec![aggregate(example, "example")];
            let (stats, then) = most_frequent(vec![step::PATTERN.to_owned()], example, *count);
            of_stats(&stats, &then)
        }
        Pipe::Histogram(histogram) => {
            let field = histogram.group.field.clone();
            let by = histogram.by.iter().map(|field| plain(field.clone()));
            let by = std::iter::once(histogram.group.clone()).chain(by).collect();
            let stats = Stats { aggregates: vec![aggregate(Function::Count, "count")], by };
            let has_bucket = Filter::Field(Names::One(field), Test::Exists);
            of_stats(&stats, &[Pipe::Where(has_bucket)])
        }
        Pipe::Facets(facets) => (Gather::Facets(FacetCounts::new(facets, limits)), behind.to_vec()),
        _ => {
            let wanted = Wanted::of(pipes);
            let rest = pipes.get(wanted.pipes..).unwrap_or_default().to_vec();
            (Gather::Ordered(Ordered::new(wanted, limits)), rest)
        }
    }
}

fn unchanged(limits: Limits, input: Input) -> (Gather, Vec<Pipe>) {
    let gather = match input {
        Input::Records => Gather::Ordered(Ordered::new(Wanted::of(&[]), limits)),
        Input::List => Gather::List(Vec::new()),
    };
    (gather, Vec::new())
}

/// Counts by those fields, and what makes the greatest counts of them.
fn most_frequent(fields: Vec<String>, more: Vec<Aggregate>, limit: u64) -> (Stats, Vec<Pipe>) {
    let name = if fields.iter().any(|field| field == "count") { "hits" } else { "count" };
    let mut keys = vec![SortKey { field: name.to_owned(), descending: true }];
    keys.extend(fields.iter().map(|field| SortKey { field: field.clone(), descending: false }));
    let aggregates = std::iter::once(aggregate(Function::Count, name)).chain(more).collect();
    let stats = Stats { aggregates, by: fields.into_iter().map(plain).collect() };
    (stats, vec![Pipe::Sort(keys), Pipe::Limit(limit)])
}

fn aggregate(function: Function, name: &str) -> Aggregate {
    Aggregate { function, only: Filter::All, name: name.to_owned() }
}

fn plain(field: String) -> Group {
    Group { field, bucket: None }
}

/// Pipes that work row by row, for those who stream: a tail, an export.
#[derive(Debug)]
pub struct RowByRow(Vec<Step>);

impl RowByRow {
    /// Those pipes; nothing if one of them needs all rows or their order.
    #[must_use]
    pub fn new(pipes: &[Pipe]) -> Option<Self> {
        let pipes = pipes.iter().filter(|pipe| !matches!(pipe, Pipe::Context(_)));
        pipes.map(Step::row_by_row).collect::<Option<_>>().map(Self)
    }

    /// What becomes of the row; nothing if a `where` does not let it through.
    pub fn apply(&mut self, row: &dyn Row) -> Option<Fields> {
        let mut kept = None;
        // Only pipes by position ask to stop.
        let _goes_on = step::run(&mut self.0, row, |row| kept = Some(row.to_fields()));
        kept
    }

    /// Whether rows go through as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
