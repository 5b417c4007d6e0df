//! The golden queries: `records.ndjson`, and in `queries.txt` what each query answers.
//!
//! Every way to evaluate a query must give these answers: this crate over rows, `logwell query`
//! over files, a store over its parts. Another crate includes this file by its path.
//!
//! In `queries.txt` a line that begins with `>` is a row of the answer to the query above it, one
//! with `#` a comment. `LOGWELL_GOLDEN=write cargo test -p logwell-query --test golden` writes the
//! answers again; check the difference before you commit it.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use logwell_query::{Fields, Query};
use std::path::{Path, PathBuf};

/// The moment that queries take for now: 2026-11-30T10:00:00Z.
pub(crate) const NOW_NS: i64 = 1_796_032_800_000_000_000;

/// A query and its answer.
#[derive(Debug)]
pub(crate) struct Golden {
    pub(crate) text: String,
    /// Each row as JSON.
    pub(crate) rows: Vec<String>,
}

impl Golden {
    pub(crate) fn query(&self) -> Query {
        Query::parse_at(&self.text, NOW_NS).unwrap_or_else(|error| panic!("{error}"))
    }
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../logwell-query/tests/golden")
}

/// The records as lines of JSON, the oldest first.
pub(crate) fn lines() -> Vec<String> {
    let text = std::fs::read_to_string(directory().join("records.ndjson")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The records as rows.
pub(crate) fn records() -> Vec<Fields> {
    lines().iter().map(|line| Fields::from_json(line).unwrap()).collect()
}

/// All queries.
pub(crate) fn queries() -> Vec<Golden> {
    let text = std::fs::read_to_string(directory().join("queries.txt")).unwrap();
    let mut queries: Vec<Golden> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('>') {
            Some(row) => queries.last_mut().unwrap().rows.push(row.trim().to_owned()),
            None if line.is_empty() || line.starts_with('#') => {}
            None => queries.push(Golden { text: line.to_owned(), rows: Vec::new() }),
        }
    }
    queries
}
