//! The golden queries, over rows in memory.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

#[path = "golden/mod.rs"]
mod golden;
mod support;

use golden::{Golden, directory, queries, records};
use logwell_query::{Fields, Limits, Pipe, Pipeline, Query, Row as _, Surroundings};
use std::fmt::Write as _;

/// The records that a query shows, before its pipes.
fn matching(query: &Query, records: &[Fields]) -> Vec<Fields> {
    let matches = |record: &&Fields| query.filter.matches(*record);
    let Some(context) = query.context() else {
        return records.iter().filter(matches).cloned().collect();
    };
    let (mut surroundings, mut shown) = (Surroundings::new(context), Vec::new());
    for record in records {
        surroundings.push(record, record.clone(), matches(&record), &mut shown);
    }
    shown
}

fn answer(query: &Query, records: &[Fields]) -> Vec<String> {
    let mut pipeline = Pipeline::new(&query.pipes, Limits::default());
    for record in matching(query, records) {
        if pipeline.push(&record).is_break() {
            break;
        }
    }
    let output = pipeline.finish();
    assert!(output.is_exact() && output.is_complete(), "{query}: {:?}", output.notes);
    output.rows.iter().map(Fields::to_json).collect()
}

#[test]
fn every_golden_query_has_its_answer() {
    if std::env::var("LOGWELL_GOLDEN").is_ok_and(|wish| wish == "write") {
        return write();
    }
    let (records, queries) = (records(), queries());
    assert!(queries.len() > 80 && records.len() == 60);
    for Golden { text, rows } in &queries {
        let query = Query::parse_at(text, golden::NOW_NS).unwrap();
        assert_eq!(&answer(&query, &records), rows, "{text}");
    }
}

fn write() {
    let path = directory().join("queries.txt");
    let mut written = String::new();
    for line in
        std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.starts_with('>'))
    {
        writeln!(written, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            let query = Query::parse_at(line, golden::NOW_NS).unwrap_or_else(|e| panic!("{e}"));
            for row in answer(&query, &records()) {
                writeln!(written, "> {row}").unwrap();
            }
        }
    }
    std::fs::write(path, written).unwrap();
}

/// Two implementations that agree, so that the answers are not only what one of them said once.
#[test]
fn the_plain_implementation_gives_the_same_answers() {
    let records: Vec<_> = records().into_iter().map(Fields::into_vec).collect();
    let mut compared = 0;
    for golden in queries() {
        let query = golden.query();
        let is_known = |pipe: &Pipe| {
            !matches!(
                pipe,
                Pipe::Context(_)
                    | Pipe::Patterns(_)
                    | Pipe::Facets(_)
                    | Pipe::Histogram(_)
                    | Pipe::Extract(_)
                    | Pipe::Rename(_)
            )
        };
        if query.pipes.iter().all(is_known) {
            let rows = support::answer(&query, &records).into_iter().map(Fields::new);
            let rows: Vec<String> = rows.map(|row| row.to_json()).collect();
            assert_eq!(rows, golden.rows, "{}", golden.text);
            compared += 1;
        }
    }
    assert!(compared > 70);
}

#[test]
fn records_that_come_in_any_order_and_in_parts_have_the_same_answers() {
    let mut records = records();
    records.reverse();
    records.rotate_left(17);
    for golden in queries().iter().filter(|golden| golden.query().context().is_none()) {
        let query = golden.query();
        let part = |records: &[Fields]| {
            let mut pipeline = Pipeline::new(&query.pipes, Limits::default());
            for record in matching(&query, records) {
                if pipeline.push(&record).is_break() {
                    break;
                }
            }
            pipeline
        };
        let (one, rest) = records.split_at(23);
        let (two, three) = rest.split_at(1);
        let mut whole = part(one);
        whole.merge(part(two));
        whole.merge(part(three));
        let rows: Vec<String> = whole.finish().rows.iter().map(Fields::to_json).collect();
        assert_eq!(rows, golden.rows, "{}", golden.text);
    }
}

#[test]
fn a_filter_that_has_a_range_of_time_loses_nothing_outside_of_it() {
    for golden in queries() {
        let (filter, range) = (golden.query().filter, golden.query().filter.time_range());
        for record in records() {
            assert!(
                !filter.matches(&record) || range.contains(record.time_ns()),
                "{}",
                golden.text
            );
        }
    }
}
