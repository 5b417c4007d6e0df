//! Parse: from a text to a query, in one pass without looking back.
//!
//! `parse/scan.rs` knows characters, `parse/filter.rs` and `parse/pipe.rs` the two halves of the
//! grammar. It evaluates nothing.

mod filter;
mod pipe;
mod scan;
mod stats;
mod test;

use crate::error::QueryError;
use crate::filter::Filter;
use crate::query::{Pipe, Query};
use scan::Scan;

/// A longer query is refused.
pub const MAX_QUERY_BYTES: usize = 16 << 10;
/// Parentheses and negations inside one another; more are refused.
pub const MAX_DEPTH: usize = 64;
/// A longer word, phrase or part is refused, so that a search takes time linear in the text.
pub const MAX_PHRASE_BYTES: usize = 1 << 10;

pub(crate) fn query(text: &str, now_ns: i64) -> Result<Query, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        let what = format!("the query has {} bytes, {MAX_QUERY_BYTES} are allowed", text.len());
        return Err(QueryError::at("", 0..0, what));
    }
    let mut scan = Scan::new(text, now_ns);
    scan.skip_space();
    let filter = match scan.peek() {
        None | Some('|') => Filter::All,
        Some(_) => filter::filter(&mut scan)?,
    };
    let mut pipes = Vec::new();
    while scan.eat('|') {
        pipes.push(pipe::pipe(&mut scan, pipes.is_empty())?);
        scan.skip_space();
    }
    match scan.peek() {
        None => Ok(Query { filter, pipes }),
        Some(')') => Err(scan.error_here("a ) without a (".to_owned())),
        Some(_) => Err(unexpected(&scan, pipes.last())),
    }
}

fn unexpected(scan: &Scan<'_>, last: Option<&Pipe>) -> QueryError {
    let error = scan.error_here("this is not expected here".to_owned());
    match last {
        Some(_) => error.suggest("does a | belong before it?"),
        None => error.suggest("a text with such characters goes in quotes"),
    }
}

#[cfg(test)]
mod tests;
