//! The query language of logwell for log records: one language for log files (`logwell query`) and
//! for the LogBeacon server.
//!
//! This crate reads a query and evaluates it over anything that implements [`Row`]. It knows no
//! files, no store and no network. The language is documented in `docs/query.md`.
//!
//! ```
//! use logwell_query::{Fields, Limits, Pipeline, Query};
//!
//! let query = Query::parse("level:error | stats count() by service")?;
//! let mut pipeline = Pipeline::new(&query.pipes, Limits::default());
//! let record = Fields::from_json(r#"{"level":"ERROR","service":"shop","message":"no stock"}"#)?;
//! if query.filter.matches(&record) {
//!     let _ = pipeline.push(&record);
//! }
//! let output = pipeline.finish();
//! assert_eq!(output.rows[0].to_json(), r#"{"service":"shop","count":1}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A store answers faster than row by row:
//!
//! | question | answer |
//! |---|---|
//! | which parts may match? | [`Filter::time_range`], [`Filter::levels`], [`Filter::needs`] |
//! | which columns must be read? | [`Filter::fields`], [`Query::piped_fields`] |
//! | which entries of a dictionary match? | [`Test::matches`], once for each entry |
//! | may the search stop? | [`Pipeline::oldest_useful_ns`] |
//! | can columns be counted directly? | [`Pipeline::statistics_mut`], [`Pipeline::facets_mut`] |
//! | how do threads work together? | one [`Pipeline`] each, then [`Pipeline::merge`] |
//! | which pipes work on a stream? | those of [`RowByRow`] |

mod error;
mod extract;
mod filter;
mod json;
mod level;
mod limits;
mod literal;
mod moment;
mod needs;
mod number;
mod parse;
mod pattern;
mod pipeline;
mod query;
mod row;
mod stats;
mod surroundings;
mod value;
mod words;
mod write;

pub use error::QueryError;
pub use filter::{Comparison, Filter, Names, Test};
pub use level::{Level, LevelSet};
pub use limits::{Limits, Note};
pub use literal::{Literal, Meaning};
pub use moment::{TimeRange, parse as parse_time, text as time_text};
pub use needs::{Clue, Need};
pub use number::{Dimension, Number, Quantity};
pub use parse::{MAX_DEPTH, MAX_PHRASE_BYTES, MAX_QUERY_BYTES};
pub use pattern::Pattern;
pub use pipeline::{FacetCounts, Output, Pipeline, RowByRow, pattern_of};
pub use query::{
    Aggregate, Bucket, Context, Extract, Facets, Function, Group, Histogram, Pipe, Query, SortKey,
    Stats, Top,
};
pub use row::{Fields, LEVEL, MESSAGE, NO_TIME, Row, TIME};
pub use stats::{EXACT_VALUES, GroupId, LEAST_EXACT_VALUES, Statistics};
pub use surroundings::Surroundings;
pub use value::{Value, ValueRef};
pub use words::{Part, Phrase, columns, fold, folded, is_ideograph, words};
