//! What Grafana's data source for Loki asks.

use super::support::{Answer, Running, encoded};
use serde_json::{Value, json};

const BASE_NS: i64 = 1_771_497_000_000_000_000; // 2026-02-19T10:30:00Z

fn filled() -> Running {
    let server = Running::start();
    let values: Vec<Value> = (0..6_i64)
        .map(|number| {
            let time = (BASE_NS + number * 60_000_000_000).to_string();
            json!([time, format!("line {number}"), {"n": number.to_string()}])
        })
        .collect();
    let push =
        json!({"streams": [{"stream": {"service": "shop", "level": "error"}, "values": values}]});
    assert_eq!(server.post("/loki/api/v1/push", "application/json", push.to_string()).status, 204);
    server
}

fn ask(server: &Running, route: &str, params: &[(&str, &str)]) -> Answer {
    let params: Vec<String> =
        params.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let (start, end) = (BASE_NS, BASE_NS + 600_000_000_000);
    let path = format!("/loki/api/v1/{route}?start={start}&end={end}&{}", params.join("&"));
    server.get(&path)
}

#[test]
fn lines_come_by_their_labels() {
    let server = filled();
    let query =
        [("query", r#"{service="shop"} |= "line""#), ("direction", "forward"), ("limit", "2")];
    let answer = ask(&server, "query_range", &query).json();
    assert_eq!(answer["data"]["resultType"], "streams");
    // What is no label comes with the labels, as Loki has it for clients that do not ask otherwise.
    assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 2);
    let (start, end) = (BASE_NS, BASE_NS + 600_000_000_000);
    let path = format!(
        "/loki/api/v1/query_range?start={start}&end={end}&query={}",
        encoded("{service=\"shop\"}")
    );
    let headers = [
        ("authorization", "Bearer secret"),
        ("x-loki-response-encoding-flags", "categorize-labels"),
    ];
    let answer = server.request("GET", &path, &headers, b"").json();
    let stream = &answer["data"]["result"][0];
    assert_eq!(stream["stream"], json!({"service": "shop", "level": "error", "stream": "default"}));
    let newest = &stream["values"][0];
    assert_eq!(newest[1], "line 5");
    assert_eq!(newest[2]["structuredMetadata"], json!({"n": "5"}));
}

#[test]
fn counts_over_time_are_lines_of_points() {
    let server = filled();
    let query = r#"sum by (level) (count_over_time({service="shop"} | drop __error__[2m]))"#;
    let answer = ask(&server, "query_range", &[("query", query), ("step", "120s")]).json();
    let line = &answer["data"]["result"][0];
    assert_eq!(line["metric"], json!({"level": "error"}));
    let counts: Vec<&str> =
        line["values"].as_array().unwrap().iter().map(|value| value[1].as_str().unwrap()).collect();
    let sum: u64 = counts.iter().map(|count| count.parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 6, "every line is in one window: {counts:?}");
}

#[test]
fn labels_values_series_and_the_check_of_the_data_source_are_answered() {
    let server = filled();
    let labels = ask(&server, "labels", &[]).json();
    assert!(labels["data"].as_array().unwrap().contains(&json!("service")));
    assert_eq!(ask(&server, "label/service_name/values", &[]).json()["data"], json!(["shop"]));
    assert_eq!(ask(&server, "label/level/values", &[]).json()["data"], json!(["error"]));
    let series = ask(&server, "series", &[("match[]", "{service=~\"s.*\"}")]).json();
    assert_eq!(series["data"], json!([{"service": "shop", "level": "error", "stream": "default"}]));
    let check = ask(&server, "query", &[("query", "vector(1)+vector(1)")]).json();
    assert_eq!(check["data"]["result"][0]["value"][1], "2");
    let wrong = ask(&server, "query_range", &[("query", "topk(1, rate({}[1m]))")]);
    assert_eq!(wrong.status, 400);
}
