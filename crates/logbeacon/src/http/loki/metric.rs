//! Metric: the answer to a query for counts, over time or at one moment.
//!
//! Knows the form of Loki's matrices and vectors. Does not know LogQL's text.

use super::super::answer::Problem;
use super::{Ask, LABELS, seconds, success};
use crate::logql::{Metric, field_of};
use axum::response::Response;
use logwell_query::{
    Aggregate, Bucket, Fields, Filter, Function, Group, Pipe, Query, Row, Stats, TimeRange,
    Value as Cell,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Points of a line at most, as in Loki.
const MAX_POINTS: i64 = 11_000;

/// Counts at one moment.
pub(super) async fn vector(ask: Ask, metric: Metric, at: i64) -> Result<Response, Problem> {
    let first_ns = at.saturating_sub(metric.window_ns).saturating_add(1);
    let window = TimeRange { first_ns, last_ns: at };
    let rows = ask.rows(counted(&metric, None), window).await?;
    let point = |row: &Fields| json!([seconds(at), number(&metric, count_of(row))]);
    let result: Vec<Value> = rows
        .iter()
        .map(|row| json!({"metric": labels_of(row, &metric), "value": point(row)}))
        .collect();
    Ok(success(&json!({"resultType": "vector", "result": result, "stats": {}})))
}

/// Counts over time: a line of points for each set of labels.
pub(super) async fn matrix(ask: Ask, metric: Metric) -> Result<Response, Problem> {
    let TimeRange { first_ns: start, last_ns: end } = ask.range;
    let length = end.saturating_sub(start).max(1);
    let step = ask.params.length("step")?.unwrap_or_else(|| (length / 250).max(1_000_000_000));
    if length / step > MAX_POINTS {
        return Err(Problem::bad(format!("more than {MAX_POINTS} points: use a longer step")));
    }
    // Points are multiples of the step, as Grafana has them already; windows are made of buckets.
    let bucket = bucket_ns(step, metric.window_ns);
    let first = start.div_euclid(step) * step;
    let needed = TimeRange {
        first_ns: first.saturating_sub(metric.window_ns).saturating_add(1),
        last_ns: end,
    };
    let rows = ask.rows(counted(&metric, Some(bucket)), needed).await?;
    let mut lines: BTreeMap<String, (Value, BTreeMap<i64, u64>)> = BTreeMap::new();
    for row in &rows {
        let labels = labels_of(row, &metric);
        let line = lines.entry(labels.to_string()).or_insert_with(|| (labels, BTreeMap::new()));
        *line.1.entry(row.time_ns()).or_default() += count_of(row);
    }
    let points = Points { first, end, step, bucket };
    let result: Vec<Value> = lines
        .into_values()
        .map(
            |(labels, counts)| json!({"metric": labels, "values": points.values(&counts, &metric)}),
        )
        .collect();
    Ok(success(&json!({"resultType": "matrix", "result": result, "stats": {}})))
}

/// The longest bucket of which steps and windows are multiples; at least a hundredth of the step.
fn bucket_ns(step: i64, window: i64) -> i64 {
    let (mut a, mut b) = (step, window);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(step / 100).max(1)
}

/// Where the points of a line are.
struct Points {
    first: i64,
    end: i64,
    step: i64,
    bucket: i64,
}

impl Points {
    /// The points where anything was counted. A bucket belongs to the window at whose end it ends.
    fn values(&self, counts: &BTreeMap<i64, u64>, metric: &Metric) -> Vec<Value> {
        let mut values = Vec::new();
        let mut at = self.first;
        while at <= self.end {
            let from = at.saturating_sub(metric.window_ns);
            let until = at.saturating_sub(self.bucket);
            let count: u64 = match from <= until {
                true => counts.range(from..=until).map(|(_, count)| count).sum(),
                false => 0,
            };
            if count > 0 {
                values.push(json!([seconds(at), number(metric, count)]));
            }
            at = at.saturating_add(self.step);
        }
        values
    }
}

/// The query that counts: by time if there are buckets, and by labels.
pub(super) fn counted(metric: &Metric, bucket_ns: Option<i64>) -> Query {
    let time = bucket_ns.map(|ns| Group { field: "time".into(), bucket: Some(Bucket::Time(ns)) });
    let labels = names(metric).into_iter().map(|name| Group { field: name.1, bucket: None });
    let (function, only, name) = (Function::Count, Filter::All, "count".to_owned());
    let stats = Stats {
        aggregates: vec![Aggregate { function, only, name }],
        by: time.into_iter().chain(labels).collect(),
    };
    Query { filter: metric.filter.clone(), pipes: vec![Pipe::Stats(stats)] }
}

/// The labels by which is counted, and their fields; each field once.
fn names(metric: &Metric) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = match &metric.by {
        Some(names) => names.iter().map(|name| (name.clone(), field_of(name).to_owned())).collect(),
        None => LABELS.map(|name| (name.to_owned(), name.to_owned())).to_vec(),
    };
    let mut seen = Vec::new();
    names.retain(|(_, field)| {
        let is_new = !seen.contains(field);
        seen.push(field.clone());
        is_new
    });
    names
}

pub(super) fn labels_of(row: &Fields, metric: &Metric) -> Value {
    let label = |(name, field): (String, String)| {
        let text = row.get(&field)?.present()?.text().into_owned();
        let text = if field == "level" { text.to_lowercase() } else { text };
        Some((name, Value::from(text)))
    };
    Value::Object(names(metric).into_iter().filter_map(label).collect())
}

pub(super) fn count_of(row: &Fields) -> u64 {
    match row.as_slice().iter().find(|(name, _)| name == "count") {
        Some((_, Cell::UInt(count))) => *count,
        Some((_, Cell::Int(count))) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines and of seconds, for a graph")]
fn number(metric: &Metric, count: u64) -> String {
    let count = count.saturating_mul(metric.factor);
    match metric.is_rate {
        true => (count as f64 / (metric.window_ns as f64 / 1e9)).to_string(),
        false => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_sums_of_buckets_that_end_with_them() {
        let metric = Metric {
            filter: Filter::All,
            window_ns: 20,
            is_rate: false,
            factor: 1,
            by: Some(Vec::new()),
        };
        let points = Points { first: 100, end: 140, step: 10, bucket: 10 };
        let counts = BTreeMap::from([(90, 1), (100, 2), (120, 4)]);
        let values = points.values(&counts, &metric);
        let counts: Vec<&str> = values.iter().filter_map(|value| value[1].as_str()).collect();
        assert_eq!(counts, ["1", "3", "2", "4", "4"]);
    }

    #[test]
    fn a_bucket_divides_step_and_window() {
        assert_eq!(bucket_ns(60, 300), 60);
        assert_eq!(bucket_ns(60, 90), 30);
        assert_eq!(bucket_ns(1000, 999), 10);
    }

    #[test]
    fn two_labels_of_one_field_are_one() {
        let by = ["level", "detected_level"].map(str::to_owned).to_vec();
        let metric =
            Metric { filter: Filter::All, window_ns: 1, is_rate: false, factor: 1, by: Some(by) };
        assert_eq!(names(&metric), [("level".to_owned(), "level".to_owned())]);
    }
}
