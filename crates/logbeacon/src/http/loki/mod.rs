//! Loki: loki's read routes, for Grafana's built-in data source.
//!
//! Knows the answers of Loki's HTTP API and LogQL's translation. Labels are the fields that records
//! have in common; all others come as structured metadata.

mod detected;
mod index;
mod lines;
mod metric;
mod tail;

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
pub(super) use detected::{field_values, fields as detected_fields};
pub(super) use index::{stats, volume, volume_range};
use lines::lines;
use logbeacon_store::{Budget, Found, SearchRequest};
use logwell_query::{Fields, Filter, Pipe, Query, Row as _, TimeRange, Top};
use metric::{counted, labels_of, matrix, vector};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::Arc;
pub(super) use tail::tail;

/// The fields that are labels.
const LABELS: [&str; 5] = ["service", "host", "level", "logger", "stream"];
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
        LogQl::Metric(metric) => vector(ask, metric, at).await,
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
    let metric = Metric { filter, window_ns: 1, is_rate: false, factor: 1, by: None };
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
