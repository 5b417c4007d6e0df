//! Loki's read routes, for Grafana's own data source.
//!
//! Knows the answers of Loki's HTTP API and LogQL's translation. Labels are the fields that records
//! have in common; all others come as structured metadata.

use super::answer::{Problem, json_response, typed};
use super::auth::Caller;
use super::query::{Params, within};
use crate::decode::time::from_text;
use crate::lanes::Lane;
use crate::logql::{LogQl, LogQlError, Metric, field_of};
use crate::server::Server;
use crate::token::Grant;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use logbeacon_store::{Budget, Found, Order, SearchRequest};
use logwell_query::{
    Aggregate, Bucket, Fields, Filter, Function, Group, Pipe, Query, Row, Stats, TimeRange, Top,
    Value as Cell,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The fields that are labels.
const LABELS: [&str; 5] = ["service", "host", "level", "logger", "stream"];
const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 5000;
/// Points of a line at most, as in Loki.
const MAX_POINTS: i64 = 11_000;
/// Values of a label at most.
const MAX_VALUES: u64 = 1000;
const HOUR_NS: i64 = 3_600_000_000_000;

/// What a request asks about: the caller's rights and the range.
struct Ask {
    server: Arc<Server>,
    grant: Arc<Grant>,
    params: Params,
    range: TimeRange,
    /// Whether fields that are no labels come beside the line.
    has_metadata: bool,
}

impl Ask {
    async fn of(
        State(server): State<Arc<Server>>,
        Extension(Caller(grant)): Extension<Caller>,
        request: Request,
    ) -> Result<Self, Problem> {
        let flags = request.headers().get("x-loki-response-encoding-flags");
        let has_metadata = flags
            .and_then(|value| value.to_str().ok())
            .is_some_and(|flags| flags.contains("categorize-labels"));
        let params = Params::read(request).await?;
        let now_ns = server.now_ns();
        let moment = |name: &str| match params.get(name) {
            None => Ok(None),
            Some(text) => match from_text(&text) {
                Some(ns) => Ok(Some(ns)),
                None => Err(Problem::bad(format!("{name}={text} is no moment"))),
            },
        };
        let end = moment("end")?.unwrap_or(now_ns);
        let since = params.length("since")?.unwrap_or(HOUR_NS);
        let start = moment("start")?.unwrap_or(end.saturating_sub(since));
        let range = TimeRange { first_ns: start, last_ns: end };
        Ok(Self { server, grant, params, range, has_metadata })
    }

    fn search(&self, query: Query, range: TimeRange) -> SearchRequest {
        let settings = &self.server.settings;
        let memory_bytes = settings.search_memory_bytes;
        let budget = Budget { time: settings.search_time, memory_bytes };
        within(SearchRequest { range, budget, ..SearchRequest::new(query) }, &self.grant)
    }

    /// The rows of a search with pipes.
    async fn rows(&self, query: Query, range: TimeRange) -> Result<Vec<Fields>, Problem> {
        let search = self.search(query, range);
        let server = Arc::clone(&self.server);
        let run = move || {
            let mut rows = Vec::new();
            server.ingest.store.search(&search, &mut |found| {
                if let Found::Output(row) = found {
                    rows.push(row.clone());
                }
                ControlFlow::Continue(())
            })?;
            Ok::<_, Problem>(rows)
        };
        self.server.lanes.run(Lane::Search, run).await?
    }
}

/// `/loki/api/v1/query_range`.
pub(super) async fn range(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    match parsed(&ask)? {
        LogQl::Lines(filter) => lines(ask, filter).await,
        LogQl::Metric(metric) => matrix(ask, metric).await,
        LogQl::Constant(number) => Ok(constant(&ask, number)),
    }
}

/// `/loki/api/v1/query`: the same at one moment.
pub(super) async fn instant(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let mut ask = Ask::of(server, caller, request).await?;
    let at = ask.params.get("time").and_then(|text| from_text(&text));
    let at = at.unwrap_or_else(|| ask.server.now_ns());
    match parsed(&ask)? {
        LogQl::Lines(filter) => {
            ask.range = TimeRange { first_ns: at.saturating_sub(HOUR_NS), last_ns: at };
            lines(ask, filter).await
        }
        LogQl::Constant(number) => Ok(constant(&ask, number)),
        LogQl::Metric(metric) => {
            let window = TimeRange {
                first_ns: at.saturating_sub(metric.window_ns).saturating_add(1),
                last_ns: at,
            };
            let rows = ask.rows(counted(&metric, None), window).await?;
            let result: Vec<Value> = rows
                .iter()
                .map(|row| {
                    let point = (seconds(at), number(&metric, count_of(row)));
                    json!({"metric": labels_of(row, &metric), "value": [point.0, point.1]})
                })
                .collect();
            Ok(success(&json!({"resultType": "vector", "result": result, "stats": {}})))
        }
    }
}

fn parsed(ask: &Ask) -> Result<LogQl, Problem> {
    LogQl::parse(&ask.params.get("query").unwrap_or_default()).map_err(Problem::from)
}

impl From<LogQlError> for Problem {
    fn from(error: LogQlError) -> Self {
        Self { kind: "bad_query", ..Self::bad(error.0) }
    }
}

/// Grafana asks for the sum of two ones to see whether anybody answers.
fn constant(ask: &Ask, number: f64) -> Response {
    let point = json!([seconds(ask.server.now_ns()), number.to_string()]);
    let result = json!([{"metric": {}, "value": point}]);
    success(&json!({"resultType": "vector", "result": result, "stats": {}}))
}

/// Lines by their labels.
async fn lines(ask: Ask, filter: Filter) -> Result<Response, Problem> {
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
        let mut streams: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
        server.ingest.store.search(&search, &mut |found| {
            if let Found::Record(row) = found {
                let (labels, entry) = entry(row, has_metadata);
                let stream = streams.entry(labels.to_string());
                stream.or_insert_with(|| (labels, Vec::new())).1.push(entry);
            }
            ControlFlow::Continue(())
        })?;
        Ok::<_, Problem>(streams)
    };
    let streams = ask.server.lanes.run(Lane::Search, run).await??;
    let result: Vec<Value> = streams
        .into_values()
        .map(|(labels, values)| json!({"stream": labels, "values": values}))
        .collect();
    let mut data = json!({"resultType": "streams", "result": result, "stats": {}});
    if let (true, Value::Object(data)) = (has_metadata, &mut data) {
        data.insert("encodingFlags".to_owned(), json!(["categorize-labels"]));
    }
    Ok(success(&data))
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

/// Counts over time: a line of points for each set of labels.
async fn matrix(ask: Ask, metric: Metric) -> Result<Response, Problem> {
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
fn counted(metric: &Metric, bucket_ns: Option<i64>) -> Query {
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

fn labels_of(row: &Fields, metric: &Metric) -> Value {
    let label = |(name, field): (String, String)| {
        let text = row.get(&field)?.present()?.text().into_owned();
        let text = if field == "level" { text.to_lowercase() } else { text };
        Some((name, Value::from(text)))
    };
    Value::Object(names(metric).into_iter().filter_map(label).collect())
}

fn count_of(row: &Fields) -> u64 {
    match row.as_slice().iter().find(|(name, _)| name == "count") {
        Some((_, Cell::UInt(count))) => *count,
        Some((_, Cell::Int(count))) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines and of seconds, for a graph")]
fn number(metric: &Metric, count: u64) -> String {
    match metric.is_rate {
        true => (count as f64 / (metric.window_ns as f64 / 1e9)).to_string(),
        false => count.to_string(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "Loki writes moments as seconds with a fraction")]
fn seconds(at_ns: i64) -> Value {
    match at_ns % 1_000_000_000 {
        0 => json!(at_ns / 1_000_000_000),
        _ => json!((at_ns / 1_000_000) as f64 / 1e3),
    }
}

/// `/loki/api/v1/labels`.
pub(super) async fn labels(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    Ask::of(server, caller, request).await?;
    Ok(success(&json!(LABELS)))
}

/// `/loki/api/v1/label/{name}/values`.
pub(super) async fn label_values(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let filter = match ask.params.get("query") {
        None => Filter::All,
        Some(text) => selector(&text)?,
    };
    let field = field_of(&name).to_owned();
    let pipes = vec![Pipe::Top(Top { count: MAX_VALUES, fields: vec![field.clone()] })];
    let rows = ask.rows(Query { filter, pipes }, ask.range).await?;
    let mut values: Vec<String> = rows
        .iter()
        .filter_map(|row| row.get(&field)?.present())
        .map(|value| value.text().into_owned())
        .map(|text| if field == "level" { text.to_lowercase() } else { text })
        .collect();
    values.sort();
    Ok(success(&json!(values)))
}

/// `/loki/api/v1/series`: the sets of labels of what `match[]` finds.
pub(super) async fn series(
    server: State<Arc<Server>>,
    caller: Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::of(server, caller, request).await?;
    let asked = ask.params.all("match[]").chain(ask.params.all("match"));
    let filters = asked.map(selector).collect::<Result<Vec<_>, _>>()?;
    let filter = if filters.is_empty() { Filter::All } else { Filter::Or(filters) };
    let metric = Metric { filter, window_ns: 1, is_rate: false, by: None };
    let rows = ask.rows(counted(&metric, None), ask.range).await?;
    let sets: Vec<Value> = rows.iter().map(|row| labels_of(row, &metric)).collect();
    Ok(success(&json!(sets)))
}

fn selector(text: &str) -> Result<Filter, Problem> {
    match LogQl::parse(text)? {
        LogQl::Lines(filter) => Ok(filter),
        _ => Err(Problem::bad("expected a selector such as {service=\"shop\"}")),
    }
}

/// `/loki/api/v1/status/buildinfo`: what Grafana decides its features by.
pub(super) async fn build() -> Response {
    let info = json!({"version": "2.9.0", "revision": "logbeacon", "branch": "", "goVersion": ""});
    typed(StatusCode::OK, "application/json", info.to_string())
}

fn success(data: &Value) -> Response {
    json_response(StatusCode::OK, &json!({"status": "success", "data": data}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_sums_of_buckets_that_end_with_them() {
        let metric =
            Metric { filter: Filter::All, window_ns: 20, is_rate: false, by: Some(Vec::new()) };
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
        let metric = Metric { filter: Filter::All, window_ns: 1, is_rate: false, by: Some(by) };
        assert_eq!(names(&metric), [("level".to_owned(), "level".to_owned())]);
    }
}
