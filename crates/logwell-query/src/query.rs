//! Query: a filter and the pipes behind it, as data.
//!
//! Knows what can be asked. Does not know how it is written or computed. Everything is public, so
//! that a store can answer a part by its own means.

use crate::error::QueryError;
use crate::filter::{Filter, Names};
use crate::parse;
use std::time::{SystemTime, UNIX_EPOCH};

/// A question about records: which ones, and what becomes of them.
///
/// ```
/// use logwell_query::{Pipe, Query};
///
/// let query = Query::parse("level>=warn service:checkout | stats count() by endpoint")?;
/// assert!(matches!(query.pipes[..], [Pipe::Stats(_)]));
/// # Ok::<(), logwell_query::QueryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which records are wanted.
    pub filter: Filter,
    /// What is done with them, one after the other.
    pub pipes: Vec<Pipe>,
}

impl Query {
    /// Reads a query. Relative times such as `time:5m` are counted back from the system's clock.
    ///
    /// # Errors
    ///
    /// It is no query; the error points at the place and suggests what may be meant. Queries are at
    /// most [`MAX_QUERY_BYTES`](crate::MAX_QUERY_BYTES) long.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::parse_at(text, i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The same, with the present moment as an argument: nanoseconds since 1970.
    ///
    /// # Errors
    ///
    /// As for [`parse`](Self::parse).
    pub fn parse_at(text: &str, now_ns: i64) -> Result<Self, QueryError> {
        parse::query(text, now_ns)
    }

    /// The surroundings that are asked for. Who feeds the pipeline adds them to the records that
    /// match, see [`Surroundings`](crate::Surroundings).
    #[must_use]
    pub fn context(&self) -> Option<&Context> {
        match self.pipes.first() {
            Some(Pipe::Context(context)) => Some(context),
            _ => None,
        }
    }
}

/// One step of what is done with records.
///
/// Records come in the order of their times, the newest first, until a pipe changes that.
#[derive(Debug, Clone, PartialEq)]
pub enum Pipe {
    /// `where FILTER`: lets through what matches.
    Where(Filter),
    /// `fields a, b.*`: keeps these fields only.
    Fields(Vec<Names>),
    /// `drop a, b.*`: takes these fields away.
    Drop(Vec<Names>),
    /// `rename a as b`: gives fields other names.
    Rename(Vec<(String, String)>),
    /// `extract "text <name> text" from field`: takes fields out of a text.
    Extract(Extract),
    /// `stats count(), p99(x) by a, time:5m`: one row for each group.
    Stats(Stats),
    /// `top 10 by a, b`: the most frequent values, with their `count`.
    Top(Top),
    /// `histogram latency_ms:100 by level`: how many records are in each bucket.
    Histogram(Histogram),
    /// `facets 10 by a, b`: the most frequent values of each field.
    Facets(Facets),
    /// `sort by a desc, b`: orders by these fields. A row without the field comes last.
    Sort(Vec<SortKey>),
    /// `limit 10`: the first rows only.
    Limit(u64),
    /// `offset 10`: without the first rows.
    Offset(u64),
    /// `dedup by a, b`: of rows with equal values of these fields the first only.
    Dedup(Vec<String>),
    /// `context 3`: with the records around those that match.
    Context(Context),
    /// `patterns 20`: messages without what varies in them, with count and an example.
    Patterns(u64),
}

/// Statistics of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// What is computed, at least one; the names differ.
    pub aggregates: Vec<Aggregate>,
    /// By what records are grouped; one group of all if it is empty.
    pub by: Vec<Group>,
}

/// One number of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// How it is computed.
    pub function: Function,
    /// Of which records of the group; of all if it is [`Filter::All`].
    pub only: Filter,
    /// The field of the result.
    pub name: String,
}

/// How a number of a group is computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// How many records there are.
    Count,
    /// How many records have the field.
    CountOf(String),
    /// The sum of the field's numbers.
    Sum(String),
    /// Their mean.
    Avg(String),
    /// The least number; the first moment if there is no number; or else the first text.
    Min(String),
    /// The greatest number; the last moment if there is no number; or else the last text.
    Max(String),
    /// The quantile of the field's numbers, from 0 to 1: the least number that is not less than
    /// this share of them.
    Quantile(f64, String),
    /// How many different values the field has, or how many different tuples the fields have.
    Uniq(Vec<String>),
}

impl Function {
    /// The fields it reads.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        match self {
            Self::Count => &[],
            Self::CountOf(field)
            | Self::Sum(field)
            | Self::Avg(field)
            | Self::Min(field)
            | Self::Max(field)
            | Self::Quantile(_, field) => std::slice::from_ref(field),
            Self::Uniq(fields) => fields,
        }
    }
}

/// By what records are grouped.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The field whose value makes the group. Records without it are a group too.
    pub field: String,
    /// How values are put together, if not by equality.
    pub bucket: Option<Bucket>,
}

/// Which values are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bucket {
    /// Moments: so many nanoseconds in a bucket, counted from 1970-01-01T00:00:00Z. Positive.
    Time(i64),
    /// Numbers: so wide, counted from zero. Positive. The bucket is named by its lower end.
    Width(f64),
    /// Numbers: from one to the next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, …, and the same below zero.
    Series,
}

/// The most frequent values.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// How many.
    pub count: u64,
    /// Of which fields, at least one; several make tuples.
    pub fields: Vec<String>,
}

/// How many records are in each bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The field and its buckets.
    pub group: Group,
    /// A histogram for each value of these.
    pub by: Vec<String>,
}

/// The most frequent values of each field.
#[derive(Debug, Clone, PartialEq)]
pub struct Facets {
    /// How many values of a field.
    pub count: u64,
    /// Of which fields; of all but `time` if it is empty.
    pub fields: Vec<Names>,
}

/// By what rows are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The field.
    pub field: String,
    /// The greatest value first.
    pub descending: bool,
}

/// The records around those that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// How many before each, by time.
    pub before: u64,
    /// How many after each.
    pub after: u64,
    /// Only records that have the same values of these fields are neighbours.
    pub by: Vec<String>,
}

/// Fields taken out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// The text's parts in order: what is between two fields, beginning with what is before the
    /// first one. One more than there are names.
    pub between: Vec<String>,
    /// The names of the fields; an empty one is passed over.
    pub names: Vec<String>,
    /// The field whose text it is.
    pub from: String,
}
