//! Lines: the answer to a query for lines, grouped by their labels.
//!
//! Knows the form of Loki's streams. Does not know LogQL.

use super::super::answer::Problem;
use super::{Ask, LABELS, success};
use crate::lanes::Lane;
use axum::response::Response;
use logbeacon_store::{Found, Order, SearchRequest};
use logwell_query::{Filter, Query, Row};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 5000;

/// Lines by their labels.
pub(super) async fn lines(ask: Ask, filter: Filter) -> Result<Response, Problem> {
    let limit = ask.params.number("limit")?.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let order = match ask.params.get("direction").as_deref() {
        Some("forward" | "FORWARD") => Order::OldestFirst,
        _ => Order::NewestFirst,
    };
    let query = Query { filter, pipes: Vec::new() };
    let search = ask.search(query, ask.range);
    let search = SearchRequest { limit: Some(limit), order, ..search };
    let (server, has_metadata) = (Arc::clone(&ask.server), ask.has_metadata);
    let run = move || {
        let mut streams = Streams::default();
        server.ingest.store.search(&search, &mut |found| {
            if let Found::Record(row) = found {
                streams.push(row, has_metadata);
            }
            ControlFlow::Continue(())
        })?;
        Ok::<_, Problem>(streams)
    };
    let result = ask.server.lanes.run(Lane::Search, run).await??.finish();
    let mut data = json!({"resultType": "streams", "result": result, "stats": {}});
    if let (true, Value::Object(data)) = (has_metadata, &mut data) {
        data.insert("encodingFlags".to_owned(), json!(["categorize-labels"]));
    }
    Ok(success(&data))
}

/// Rows as Loki's streams.
pub(super) fn by_labels<'a>(
    rows: impl Iterator<Item = &'a dyn Row>,
    has_metadata: bool,
) -> Vec<Value> {
    let mut streams = Streams::default();
    rows.for_each(|row| streams.push(row, has_metadata));
    streams.finish()
}

/// Entries by their labels.
#[derive(Default)]
struct Streams(BTreeMap<String, (Value, Vec<Value>)>);

impl Streams {
    fn push(&mut self, row: &dyn Row, has_metadata: bool) {
        let (labels, entry) = entry(row, has_metadata);
        let stream = self.0.entry(labels.to_string());
        stream.or_insert_with(|| (labels, Vec::new())).1.push(entry);
    }

    fn finish(self) -> Vec<Value> {
        let stream = |(labels, values)| json!({"stream": labels, "values": values});
        self.0.into_values().map(stream).collect()
    }
}

/// The labels of a row, and its entry: time, line, and what else there is.
fn entry(row: &dyn Row, has_metadata: bool) -> (Value, Value) {
    let (mut labels, mut metadata, mut line) = (Map::new(), Map::new(), String::new());
    row.for_each(&mut |name, value| {
        let text = value.text().into_owned();
        match name {
            "message" => line = text,
            "level" => _ = labels.insert(name.to_owned(), text.to_lowercase().into()),
            name if LABELS.contains(&name) => _ = labels.insert(name.to_owned(), text.into()),
            name => _ = metadata.insert(label_name(name), text.into()),
        }
    });
    let time = row.time_ns().to_string();
    match has_metadata {
        true => (labels.into(), json!([time, line, {"structuredMetadata": metadata}])),
        false => {
            labels.append(&mut metadata);
            (labels.into(), json!([time, line]))
        }
    }
}

/// A label has letters, digits and `_` only.
fn label_name(field: &str) -> String {
    field.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
