//! What `docs/query.md` says is so: its examples are queries, and its numbers those of the code.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use logwell_query::{
    EXACT_VALUES, LEAST_EXACT_VALUES, Limits, MAX_DEPTH, MAX_PHRASE_BYTES, MAX_QUERY_BYTES,
    Pattern, Query,
};

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/query.md");
    std::fs::read_to_string(path).unwrap()
}

/// The text of a section.
fn section(heading: &str) -> String {
    let text = document();
    let start = text.split_once(&format!("\n## {heading}\n")).unwrap().1;
    start.split("\n## ").next().unwrap().to_owned()
}

/// What is between backticks in the first cell of each row.
fn first_cells(section: &str) -> Vec<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| format!("`{}", row.split(" |").next().unwrap()));
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_filter_of_the_document_is_one() {
    let filters = section("Filters");
    let (filters, times) = filters.split_once("### Times").unwrap();
    let filters = first_cells(filters);
    assert!(filters.len() > 25, "{filters:?}");
    for text in filters {
        // `>=`, `<`, `<=` stand for the same with another sign.
        let text = if text.starts_with(['<', '>']) { format!("x{text}1") } else { text };
        Query::parse(&text).unwrap_or_else(|error| unreadable(&error));
    }
    for text in first_cells(times) {
        Query::parse(&format!("time:{text}")).unwrap_or_else(|error| unreadable(&error));
    }
}

#[test]
fn every_pipe_of_the_document_is_one() {
    let pipes = first_cells(&section("Pipes"));
    assert!(pipes.len() > 20, "{pipes:?}");
    for text in pipes {
        // Names and placeholders are no examples.
        if !text.contains(' ') || text.contains('…') || text.contains("FILTER") {
            continue;
        }
        Query::parse(&format!("* | {text}")).unwrap_or_else(|error| unreadable(&error));
    }
    for text in document().split("```text\n").skip(1) {
        let block = text.split("```").next().unwrap();
        let query =
            if block.starts_with("stats") { format!("| {block}") } else { block.to_owned() };
        Query::parse(&query).unwrap_or_else(|error| unreadable(&error));
    }
}

#[expect(clippy::panic, reason = "the message has several lines")]
fn unreadable<T>(error: &logwell_query::QueryError) -> T {
    panic!("docs/query.md: {error}")
}

/// A number as the document writes it.
fn written(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_numbers_of_the_document_are_those_of_the_code() {
    let (limits, exact) = (section("Limits"), section("Exact or estimated"));
    let Limits { rows, groups, facet_values, memory_bytes } = Limits::default();
    let has = |row: &str, value: String| {
        let row = limits.lines().find(|line| line.starts_with(&format!("| {row}"))).unwrap();
        assert!(row.contains(&format!("| {value} |")), "{row}: {value}");
    };
    has("a query", format!("{} KiB", MAX_QUERY_BYTES >> 10));
    has("parentheses", written(MAX_DEPTH));
    has("a word", format!("{} KiB", MAX_PHRASE_BYTES >> 10));
    has("a regular expression", format!("{} MiB", Pattern::MAX_BYTES >> 20));
    has("rows", written(rows));
    has("groups", written(groups));
    has("different values", written(facet_values));
    has("memory", format!("{} MiB", memory_bytes >> 20));
    assert!(exact.contains(&format!("{} numbers", written(EXACT_VALUES))));
    assert!(exact.contains(&format!("{} in each", written(LEAST_EXACT_VALUES))));
}
