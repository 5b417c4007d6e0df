//! The requests of Grafana's built-in data source for Loki, one after another as its Explore page
//! and its backend make them: Grafana itself is not among the packages that tests may install.

use super::support::{Running, encoded};
use serde_json::{Value, json};
use std::net::TcpStream;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};

/// The backend of the data source sends this with every query.
const FLAGS: (&str, &str) = ("x-loki-response-encoding-flags", "categorize-labels");

fn filled() -> (Running, i64) {
    let server = Running::start();
    let now_ns = server.server.now_ns();
    let line = |number: i64| {
        json!({
            "timestamp": logwell_query::time_text(now_ns - number * 1_000_000_000),
            "level": if number % 4 == 0 { "error" } else { "info" },
            "service": "shop", "host": format!("node{}", number % 2),
            "message": format!("order {number} paid"), "latency_ms": number,
        })
    };
    let lines: Vec<Value> = (0..40).map(line).collect();
    assert_eq!(server.logs(&Value::from(lines).to_string())["accepted"], 40);
    (server, now_ns)
}

fn ask(server: &Running, path: &str) -> Value {
    let user = ("authorization", "Basic Z3JhZmFuYTpzZWNyZXQ="); // grafana:secret
    let answer = server.request("GET", path, &[user, FLAGS], b"");
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

#[test]
fn the_button_save_and_test_gets_its_two() {
    let (server, now_ns) = filled();
    let query = encoded("vector(1)+vector(1)");
    let path = format!("/loki/api/v1/query?direction=backward&limit=1&query={query}&time={now_ns}");
    let answer = ask(&server, &path);
    assert_eq!(answer["data"]["result"][0]["value"][1], "2");
}

#[test]
fn explore_shows_labels_volume_lines_and_their_context() {
    let (server, now_ns) = filled();
    let (start, end) = (now_ns - 3_600_000_000_000, now_ns + 1);
    let range = format!("start={start}&end={end}");
    let selector = encoded(r#"{service="shop"}"#);
    // The label browser and the builder.
    let labels = ask(&server, &format!("/loki/api/v1/labels?{range}&query={selector}"));
    assert!(labels["data"].as_array().unwrap().contains(&json!("service")));
    let path = format!("/loki/api/v1/label/host/values?{range}&query={selector}");
    assert_eq!(ask(&server, &path)["data"], json!(["node0", "node1"]));
    let path = format!("/loki/api/v1/series?{range}&match%5B%5D={selector}");
    assert_eq!(ask(&server, &path)["data"].as_array().unwrap().len(), 3);
    let path = format!("/loki/api/v1/detected_fields?{range}&limit=1000&query={selector}");
    let fields = ask(&server, &path);
    assert!(
        fields["fields"].as_array().unwrap().contains(
            &json!({"label": "latency_ms", "type": "int", "cardinality": 40, "parsers": null})
        ),
        "{fields}"
    );
    let path =
        format!("/loki/api/v1/detected_field/latency_ms/values?{range}&limit=3&query={selector}");
    assert_eq!(ask(&server, &path)["values"].as_array().unwrap().len(), 3);
    // What the query will cost, shown below it.
    let stats = ask(&server, &format!("/loki/api/v1/index/stats?{range}&query={selector}"));
    assert_eq!((&stats["entries"], &stats["streams"]), (&json!(40), &json!(3)));
    assert!(stats["bytes"].as_u64().unwrap() >= 40 * 12, "{stats}");
    // The log volume above the lines.
    let volume = encoded(
        "sum by (level, detected_level) (count_over_time({service=\"shop\"} |= `order`[1m]))",
    );
    let path =
        format!("/loki/api/v1/query_range?direction=backward&{range}&query={volume}&step=60000ms");
    let answer = ask(&server, &path);
    assert_eq!(answer["data"]["resultType"], "matrix");
    let sum: u64 = answer["data"]["result"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|line| line["values"].as_array().unwrap())
        .map(|point| point[1].as_str().unwrap().parse::<u64>().unwrap())
        .sum();
    // The last, unfinished step is not among the points.
    assert!(sum <= 40, "{answer}");
    // The lines.
    let lines = encoded("{service=\"shop\"} |= `order`");
    let path = format!(
        "/loki/api/v1/query_range?direction=backward&{range}&limit=1000&query={lines}&step=2000ms"
    );
    let answer = ask(&server, &path);
    let entries = answer["data"]["result"].as_array().unwrap().iter();
    assert_eq!(entries.map(|stream| stream["values"].as_array().unwrap().len()).sum::<usize>(), 40);
    // The lines before one of them.
    let path = format!(
        "/loki/api/v1/query_range?direction=backward&start={start}&end={now_ns}&limit=10\
         &query={selector}&step=1ms"
    );
    assert_eq!(ask(&server, &path)["status"], "success");
    let path =
        format!("/loki/api/v1/index/volume?{range}&limit=100&targetLabels=host&query={selector}");
    let volume = ask(&server, &path);
    assert_eq!(volume["data"]["result"].as_array().unwrap().len(), 2, "{volume}");
    let path = format!("/loki/api/v1/index/volume_range?{range}&step=60s&query={selector}");
    assert_eq!(ask(&server, &path)["data"]["resultType"], "matrix");
}

#[test]
fn an_error_has_the_member_that_grafana_shows() {
    let (server, _) = filled();
    let query = encoded("topk(3, rate({service=\"shop\"}[1m]))");
    let answer = server.get(&format!("/loki/api/v1/query_range?query={query}"));
    assert_eq!(answer.status, 400);
    assert!(answer.json()["message"].as_str().unwrap().contains("topk"), "{}", answer.body);
}

fn socket(server: &Running, query: &str) -> WebSocket<TcpStream> {
    let address = server.url.strip_prefix("http://").unwrap();
    let url = format!("ws://{address}/loki/api/v1/tail?query={}", encoded(query));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Basic Z3JhZmFuYTpzZWNyZXQ=".parse().unwrap());
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    tungstenite::client(request, stream).unwrap().0
}

/// The lines of the next message.
fn next(socket: &mut WebSocket<TcpStream>) -> Vec<String> {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            let message: Value = serde_json::from_str(&text).unwrap();
            let streams = message["streams"].as_array().unwrap().iter();
            let values = streams.flat_map(|stream| stream["values"].as_array().unwrap().clone());
            return values.map(|value| value[1].as_str().unwrap().to_owned()).collect();
        }
    }
}

#[test]
fn the_live_mode_has_the_last_lines_and_each_new_one_once() {
    let (server, _) = filled();
    // Its backend asks whether there is an older way.
    assert_eq!(server.get("/loki/api/v2alpha/tail").status, 404);
    let mut live = socket(&server, "{service=\"shop\"} |= `order`");
    assert_eq!(next(&mut live).len(), 40);
    let send = |message: &str| {
        server.logs(&json!({"service": "shop", "message": message}).to_string());
    };
    for message in ["order a", "other", "order b"] {
        send(message);
    }
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(next(&mut live));
    }
    assert_eq!(seen, ["order a", "order b"]);
}

#[test]
fn the_live_mode_is_for_readers_and_our_own_page_only() {
    let (server, _) = filled();
    let path = format!("/loki/api/v1/tail?query={}", encoded("{service=\"shop\"}"));
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let status = |more: &[(&str, &str)]| {
        server.request("GET", &path, &[&upgrade[..], more].concat(), b"").status
    };
    assert_eq!(status(&[]), 401);
    let foreign = ("origin", "http://evil.example");
    assert_eq!(status(&[("authorization", "Bearer secret"), foreign]), 403);
    // Without an upgrade it is a mistake, and says so.
    assert_eq!(server.get(&path).status, 400);
}
