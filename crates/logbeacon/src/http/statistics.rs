//! Statistics: histogram, facets, counts, devices and completeness.
//!
//! Knows the store's trait and its figures. Each answer is one JSON object, with `_summary` where
//! something was searched.

use super::answer::{Problem, json_response, typed};
use super::auth::Caller;
use super::query::{Params, asked};
use super::search::{cached, summary_json};
use crate::lanes::Lane;
use crate::server::Server;
use crate::stream_name::AUDIT;
use crate::token::{Grant, Streams};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use logbeacon_store::{Bucket, Device, Found, MinuteCount, Producer};
use logwell_query::{Facets, Level, Names, Pipe, Value as Cell, time_text};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Steps of a histogram, if the request does not say how long one is.
const STEPS: i64 = 60;
/// More steps than this are refused.
const MAX_STEPS: i64 = 20_000;

/// `GET /api/v1/histogram`: counts by time and level. `step` is a length of time.
pub(super) async fn histogram(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let mut asked = asked(&server, &grant, &params)?;
    let range = &mut asked.search.range;
    let now_ns = server.now_ns();
    if range.last_ns == i64::MAX {
        range.last_ns = now_ns;
    }
    if range.first_ns == i64::MIN {
        range.first_ns = range.last_ns.saturating_sub(3_600_000_000_000);
    }
    let length = range.last_ns.saturating_sub(range.first_ns).max(1);
    let step = params.length("step")?.unwrap_or_else(|| nice_step(length / STEPS));
    if length / step > MAX_STEPS {
        return Err(Problem::bad(format!("more than {MAX_STEPS} steps: use a longer step")));
    }
    asked.key = format!("{step}\0{:?}\0{}", asked.search.range, asked.key);
    let body = cached(server, "histogram", asked, move |server, request| {
        let step_ns = u64::try_from(step).unwrap_or(1);
        let (buckets, summary) = server.ingest.store.histogram(request, step_ns)?;
        let buckets: Vec<Value> = buckets.iter().map(bucket_json).collect();
        let body = json!({
            "step_ns": step,
            "buckets": buckets,
            "_summary": summary_json(&summary),
        });
        Ok((body.to_string(), summary))
    });
    Ok(typed(StatusCode::OK, "application/json", body.await?))
}

/// The shortest of the usual steps that is not shorter.
fn nice_step(wanted_ns: i64) -> i64 {
    const SECONDS: [i64; 14] =
        [1, 2, 5, 10, 15, 30, 60, 300, 600, 1800, 3600, 10_800, 43_200, 86_400];
    let steps = SECONDS.iter().map(|seconds| seconds * 1_000_000_000);
    steps.into_iter().find(|step| *step >= wanted_ns).unwrap_or(7 * 86_400_000_000_000)
}

fn bucket_json(bucket: &Bucket) -> Value {
    let counts: Map<String, Value> = Level::ALL
        .iter()
        .zip(bucket.counts)
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| (level.name().to_owned(), count.into()))
        .collect();
    let total: u64 = bucket.counts.iter().sum();
    json!({"time": time_text(bucket.start_ns), "counts": counts, "total": total})
}

/// `GET /api/v1/facets`: the most frequent values of each field, or of each `field`.
pub(super) async fn facets(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let mut asked = asked(&server, &grant, &params)?;
    if !asked.search.query.pipes.is_empty() {
        return Err(Problem::bad("facets are of a filter: leave the pipes out"));
    }
    let count = params.number("count")?.unwrap_or(10).min(1000);
    let fields: Vec<Names> = params.all("field").map(|name| Names::One(name.to_owned())).collect();
    asked.key = format!("{count}\0{fields:?}\0{}", asked.key);
    asked.search.query.pipes.push(Pipe::Facets(Facets { count, fields }));
    asked.search.limit = None;
    let body = cached(server, "facets", asked, |server, request| {
        let mut facets: Vec<(String, Vec<Value>)> = Vec::new();
        let summary = server.ingest.store.search(request, &mut |found| {
            if let Found::Output(row) = found {
                push_facet(row.as_slice(), &mut facets);
            }
            ControlFlow::Continue(())
        })?;
        let facets: Vec<Value> = facets
            .into_iter()
            .map(|(field, values)| json!({"field": field, "values": values}))
            .collect();
        let body = json!({"facets": facets, "_summary": summary_json(&summary)});
        Ok((body.to_string(), summary))
    });
    Ok(typed(StatusCode::OK, "application/json", body.await?))
}

/// A row of the pipe has `field`, `value` and `count`; rows of one field follow each other.
fn push_facet(row: &[(String, Cell)], facets: &mut Vec<(String, Vec<Value>)>) {
    let cell = |name: &str| row.iter().find(|(other, _)| other == name).map(|(_, cell)| cell);
    let Some(field) = cell("field").map(ToString::to_string) else { return };
    let value = json!({
        "value": cell("value").map_or(Value::Null, cell_json),
        "count": cell("count").map_or(Value::Null, cell_json),
    });
    match facets.last_mut() {
        Some((last, values)) if *last == field => values.push(value),
        _ => facets.push((field, vec![value])),
    }
}

fn cell_json(cell: &Cell) -> Value {
    let mut text = String::new();
    crate::render::push_value(cell.as_ref(), &mut text);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// `GET /api/v1/statistics`: counts that are kept, not counted again, summed up `by` any of
/// `minute`, `stream` and `level`.
pub(super) async fn statistics(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request).await?;
    let range = params.range(server.now_ns())?;
    let by = params.get("by").unwrap_or_else(|| "stream,level".to_owned());
    let by: Vec<String> = by.split(',').map(|name| name.trim().to_owned()).collect();
    if let Some(unknown) =
        by.iter().find(|name| !["minute", "stream", "level"].contains(&name.as_str()))
    {
        return Err(Problem::bad(format!("by={unknown}: use minute, stream and level")));
    }
    let lanes = Arc::clone(&server);
    let body = lanes.lanes.run(Lane::Search, move || {
        let counts = server.ingest.store.statistics(range);
        let seen = counts.iter().filter(|count| visible(&grant, &count.stream));
        sums(seen, &by)
    });
    Ok(json_response(StatusCode::OK, &json!({"statistics": body.await?})))
}

fn visible(grant: &Grant, stream: &str) -> bool {
    grant.streams.contain(stream) && (stream != AUDIT || grant.sees_audit())
}

fn sums<'a>(counts: impl Iterator<Item = &'a MinuteCount>, by: &[String]) -> Vec<Value> {
    let mut sums: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for count in counts {
        let key = by.iter().map(|name| match name.as_str() {
            "minute" => time_text(count.minute_ns),
            "stream" => count.stream.clone(),
            _ => count.level.name().to_owned(),
        });
        *sums.entry(key.collect()).or_default() += count.count;
    }
    let row = |(key, count): (Vec<String>, u64)| {
        let names = by.iter().cloned().zip(key.into_iter().map(Value::from));
        let mut row: Map<String, Value> = names.collect();
        row.insert("count".to_owned(), count.into());
        Value::Object(row)
    };
    sums.into_iter().map(row).collect()
}

/// `GET /api/v1/devices`: every host, and whether it is silent: it has sent nothing for
/// `silent_after`, or without that, it was active and has raised an alarm.
pub(super) async fn devices(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    every_stream(&grant)?;
    let params = Params::read(request).await?;
    let silent_after = params.length("silent_after")?;
    let now_ns = server.now_ns();
    let lanes = Arc::clone(&server);
    let run = move || (server.ingest.store.devices(), server.silence.silent());
    let (devices, silent) = lanes.lanes.run(Lane::Search, run).await?;
    let is_silent = |device: &Device| match silent_after {
        Some(after_ns) => silent_ns(device, now_ns) > after_ns,
        None => silent.contains(&device.host),
    };
    let devices: Vec<Value> =
        devices.iter().map(|one| device_json(one, now_ns, is_silent(one))).collect();
    Ok(json_response(StatusCode::OK, &json!({"devices": devices})))
}

fn silent_ns(device: &Device, now_ns: i64) -> i64 {
    now_ns.saturating_sub(device.last_arrived_ns).max(0)
}

fn device_json(device: &Device, now_ns: i64, is_silent: bool) -> Value {
    json!({
        "host": device.host,
        "records": device.count,
        "last_event": time_text(device.last_event_ns),
        "last_arrived": time_text(device.last_arrived_ns),
        "silent_s": silent_ns(device, now_ns) / 1_000_000_000,
        "silent": is_silent,
    })
}

/// `GET /api/v1/completeness`: which of its numbered records each process has delivered, and how
/// many are missing between the first and the last.
pub(super) async fn completeness(
    State(server): State<Arc<Server>>,
    Extension(Caller(grant)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    every_stream(&grant)?;
    let params = Params::read(request).await?;
    let range = params.range(server.now_ns())?;
    let lanes = Arc::clone(&server);
    let producers = lanes.lanes.run(Lane::Search, move || server.ingest.store.producers(range));
    let (producers, summary) = producers.await??;
    let producers: Vec<Value> = producers.iter().map(producer_json).collect();
    let body = json!({"producers": producers, "_summary": summary_json(&summary)});
    Ok(json_response(StatusCode::OK, &body))
}

fn producer_json(producer: &Producer) -> Value {
    let missing: u64 = producer
        .ranges
        .windows(2)
        .map(|pair| match pair {
            [(_, last), (first, _)] => first.saturating_sub(*last).saturating_sub(1),
            _ => 0,
        })
        .sum();
    json!({
        "host": producer.host,
        "service": producer.service,
        "process": producer.process,
        "boot_id": producer.boot_id,
        "ranges": producer.ranges,
        "missing": missing,
    })
}

/// Figures of everything are for those who may see everything.
pub(super) fn every_stream(grant: &Grant) -> Result<(), Problem> {
    match grant.streams {
        Streams::All => Ok(()),
        Streams::Some(_) => {
            let reason = "this is about all streams: it needs a token for all of them";
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_between_ranges_are_missing_records() {
        let producer = Producer {
            host: String::new(),
            service: String::new(),
            process: "7".to_owned(),
            boot_id: String::new(),
            ranges: vec![(1, 5), (7, 7), (10, 12)],
        };
        assert_eq!(producer_json(&producer)["missing"], 3);
    }

    #[test]
    fn a_step_is_one_of_the_usual_ones() {
        assert_eq!(nice_step(1), 1_000_000_000);
        assert_eq!(nice_step(61_000_000_000), 300_000_000_000);
        assert!(nice_step(i64::MAX) > nice_step(0));
    }
}
