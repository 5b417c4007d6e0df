//! The query language of logwell for log records: one language for log files (`logwell query`) and
//! for the LogBeacon server.
//!
//! This crate reads a query and evaluates it over anything that implements [`Row`]. It knows no
//! files, no store and no network.

mod error;
mod filter;
mod level;
mod literal;
mod moment;
mod number;
mod pattern;
mod query;
mod row;
mod value;
mod words;

pub use error::QueryError;
pub use filter::{Comparison, Filter, Names, Test};
pub use level::{Level, LevelSet};
pub use literal::{Literal, Meaning};
pub use moment::{TimeRange, parse as parse_time, text as time_text};
pub use number::{Dimension, Number, Quantity};
pub use pattern::Pattern;
pub use query::{
    Aggregate, Bucket, Context, Extract, Facets, Function, Group, Histogram, Pipe, Query, SortKey,
    Stats, Top,
};
pub use row::{Fields, LEVEL, MESSAGE, NO_TIME, Row, TIME};
pub use value::{Value, ValueRef};
pub use words::{Part, Phrase, fold, folded, is_ideograph, words};
