//! Any text is a query or is refused in its place; what is read is written so that it reads back;
//! and no record makes a query panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logwell_query::{Fields, Limits, Pipeline, Query};

const LIMITS: Limits = Limits { rows: 4, groups: 4, facet_values: 4, memory_bytes: 4 << 10 };

fuzz_target!(|input: (&str, Vec<&str>)| {
    let (text, lines) = input;
    let query = match Query::parse_at(text, 0) {
        Ok(query) => query,
        Err(error) => {
            assert!(error.offset + error.length <= text.len().max(error.offset));
            assert!(text.is_char_boundary(error.offset.min(text.len())));
            let _ = error.to_string();
            return;
        }
    };
    let written = query.to_string();
    // What is written is longer: names in quotes, times in full.
    if written.len() <= logwell_query::MAX_QUERY_BYTES {
        assert_eq!(Query::parse_at(&written, 0).as_ref(), Ok(&query), "{written}");
    }
    let mut pipeline = Pipeline::new(&query.pipes, LIMITS);
    for record in lines.iter().filter_map(|line| Fields::from_json(line).ok()) {
        if query.filter.matches(&record) && pipeline.push(&record).is_break() {
            break;
        }
    }
    for row in pipeline.finish().rows {
        let _ = row.to_json();
    }
});
