//! Reading: search, figures, tail, export, views, deletion and retention.

use super::support::{Running, encoded};
use serde_json::{Value, json};

fn filled() -> Running {
    let server = Running::start();
    let records: Vec<Value> = (0..20)
        .map(|number| {
            json!({
                "timestamp": format!("2026-11-30T10:{number:02}:00Z"),
                "level": if number % 5 == 0 { "ERROR" } else { "INFO" },
                "host": format!("web-{}", number % 2),
                "message": format!("record number{number}"),
                "latency_ms": number,
                "process": 7,
                "seq": number + 1 + i32::from(number > 9),
            })
        })
        .collect();
    let receipt = server.logs(&Value::from(records).to_string());
    assert_eq!(receipt["accepted"], 20, "{receipt}");
    server
}

#[test]
fn a_search_gives_records_by_line_and_a_summary_at_the_end() {
    let server = filled();
    let answer = server.get("/api/v1/search?query=level%3Aerror&limit=3");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let (rows, summary) = answer.rows();
    let messages: Vec<&str> = rows.iter().map(|row| row["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["record number15", "record number10", "record number5"]);
    assert_eq!(rows[0]["time"], "2026-11-30T10:15:00Z");
    assert_eq!((&summary["complete"], &summary["skipped"]), (&json!(true), &json!([])));
    let range = "start=2026-11-30T10:03:00Z&end=2026-11-30T10:05:00Z&order=asc";
    let (rows, _) = server.get(&format!("/api/v1/search?{range}")).rows();
    let minutes: Vec<&str> = rows.iter().map(|row| row["time"].as_str().unwrap()).collect();
    assert_eq!(minutes, ["2026-11-30T10:03:00Z", "2026-11-30T10:04:00Z"]);
}

#[test]
fn a_search_can_be_posted_as_a_form_or_json() {
    let server = filled();
    let form = "query=latency_ms%3E17&limit=5";
    let answer = server.post("/api/v1/search", "application/x-www-form-urlencoded", form);
    assert_eq!(answer.rows().0.len(), 2);
    let body = json!({"query": "latency_ms>17", "limit": 1}).to_string();
    assert_eq!(server.post("/api/v1/search", "application/json", body).rows().0.len(), 1);
}

#[test]
fn results_of_pipes_come_from_the_cache_until_something_changes() {
    let server = filled();
    let query = encoded("* | stats count() as n by level | sort by level");
    let ask = || server.get(&format!("/api/v1/search?query={query}")).rows().0;
    assert_eq!(ask(), [json!({"level": "ERROR", "n": 4}), json!({"level": "INFO", "n": 16})]);
    ask();
    let hits = |server: &Running| server.server.metrics.get(logbeacon::metrics::Event::CacheHit);
    assert_eq!(hits(&server), 1);
    server.logs("{\"level\":\"ERROR\"}");
    assert_eq!(ask()[0]["n"], 5, "an answer is never stale");
    assert_eq!(hits(&server), 1);
}

#[test]
fn the_records_around_a_moment_are_its_context() {
    let server = filled();
    let path = "/api/v1/context?time=2026-11-30T10:07:00Z&before=2&after=1&query=host%3A%3Dweb-1";
    let (rows, summary) = server.get(path).rows();
    let minutes: Vec<&str> =
        rows.iter().map(|row| row["time"].as_str().unwrap().get(14..16).unwrap()).collect();
    assert_eq!(minutes, ["03", "05", "07", "09"]);
    assert_eq!(summary["complete"], true);
}

#[test]
fn a_histogram_counts_by_time_and_level() {
    let server = filled();
    let range = "start=2026-11-30T10:00:00Z&end=2026-11-30T10:20:00Z";
    let answer = server.get(&format!("/api/v1/histogram?{range}&step=10m")).json();
    let totals: Vec<&Value> =
        answer["buckets"].as_array().unwrap().iter().map(|bucket| &bucket["total"]).collect();
    assert_eq!(totals, [10, 10]);
    assert_eq!(answer["buckets"][0]["counts"], json!({"INFO": 8, "ERROR": 2}));
    assert_eq!(server.get(&format!("/api/v1/histogram?{range}&step=1ms")).status, 400);
}

#[test]
fn facets_are_the_frequent_values_of_each_field() {
    let server = filled();
    let answer = server.get("/api/v1/facets?field=level&field=host").json();
    let facet = |name: &str| {
        let facets = answer["facets"].as_array().unwrap();
        facets.iter().find(|facet| facet["field"] == name).cloned().unwrap()
    };
    assert_eq!(facet("level")["values"][0], json!({"value": "INFO", "count": 16}));
    assert_eq!(facet("host")["values"].as_array().unwrap().len(), 2);
}

#[test]
fn statistics_devices_fields_and_completeness_tell_what_is_kept() {
    let server = filled();
    let statistics = server.get("/api/v1/statistics?by=stream,level").json();
    assert_eq!(
        statistics["statistics"],
        json!([
            {"stream": "default", "level": "ERROR", "count": 4},
            {"stream": "default", "level": "INFO", "count": 16},
        ])
    );
    let devices = server.get("/api/v1/devices?silent_after=1h").json();
    assert_eq!(devices["devices"][0]["host"], "web-0");
    assert_eq!(
        (&devices["devices"][0]["silent"], &devices["devices"][0]["records"]),
        (&json!(false), &json!(10))
    );
    let fields = server.get("/api/v1/fields").json();
    assert!(fields["fields"].as_array().unwrap().contains(&json!("latency_ms")));
    let producers = server.get("/api/v1/completeness").json();
    let missing: u64 = producers["producers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|producer| producer["missing"].as_u64().unwrap())
        .sum();
    assert!(missing > 0, "the number 11 is missing: {producers}");
}

#[test]
fn parameters_may_be_json_whatever_the_type_says() {
    let server = filled();
    let form = "application/x-www-form-urlencoded";
    let answer = server.post("/api/v1/search", form, r#"{"query":"level:error","limit":2}"#);
    assert_eq!(answer.rows().0.len(), 2);
}

#[test]
fn a_tail_shows_new_records_that_match_and_continues_where_it_broke_off() {
    let server = Running::start();
    let mut events = server.events("/api/v1/tail?query=level%3E%3Dwarn");
    server.logs("{\"message\":\"quiet\",\"level\":\"info\"}");
    server.logs("{\"message\":\"loud\",\"level\":\"error\"}");
    let event = events.next();
    assert_eq!(event[0], "event: record");
    assert!(event[2].contains("loud"), "{event:?}");
    let id = event[1].strip_prefix("id: ").unwrap().to_owned();
    drop(events);
    server.logs("{\"message\":\"missed\",\"level\":\"error\"}");
    let mut again = server.events(&format!("/api/v1/tail?query=level%3E%3Dwarn&after={id}"));
    assert!(again.next()[2].contains("missed"));
    let mut elsewhere = server.events("/api/v1/tail?query=other&after=1-1");
    assert_eq!(elsewhere.next()[0], "event: gap");
}

#[test]
fn an_export_has_everything_as_lines_or_columns() {
    let server = filled();
    let (rows, summary) = server.get("/api/v1/export?query=record").rows();
    assert_eq!((rows.len(), &summary["complete"]), (20, &json!(true)));
    let query = encoded("latency_ms<2");
    let path = format!("/api/v1/export?format=csv&columns=time,message,latency_ms&query={query}");
    let csv = server.get(&path);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        csv.body,
        "time,message,latency_ms\r\n2026-11-30T10:01:00Z,record number1,1\r\n\
         2026-11-30T10:00:00Z,record number0,0\r\n"
    );
    let parquet = server.get("/api/v1/export?format=parquet");
    assert_eq!(parquet.header("content-type"), Some("application/vnd.apache.parquet"));
    assert_eq!(
        parquet.header("content-disposition"),
        Some("attachment; filename=\"logs.parquet\"")
    );
    assert_eq!(server.get("/api/v1/export?format=xls").status, 400);
}

#[test]
fn views_are_saved_listed_and_deleted() {
    let server = Running::start();
    let headers = [("authorization", "Bearer secret")];
    let put = |name: &str, body: &[u8]| {
        server.request("PUT", &format!("/api/v1/views/{name}"), &headers, body).status
    };
    assert_eq!(put("errors", b"{\"query\":\"level:error\"}"), 200);
    assert_eq!(put("errors", b"no json"), 400);
    assert_eq!(put("large", &vec![b' '; 100_000]), 400);
    let views = server.get("/api/v1/views").json();
    assert_eq!(views["views"]["errors"]["view"]["query"], "level:error");
    assert_eq!(server.request("DELETE", "/api/v1/views/errors", &headers, b"").status, 200);
    assert_eq!(server.request("DELETE", "/api/v1/views/errors", &headers, b"").status, 404);
}

#[test]
fn a_deletion_hides_at_once_has_a_certificate_and_is_audited() {
    let server = filled();
    let body = json!({"query": "level:error"}).to_string();
    let certificate = server.post("/api/v1/delete", "application/json", body).json();
    assert_eq!(
        (&certificate["hidden"], &certificate["requested_by"]),
        (&json!(4), &json!("LOGBEACON_TOKEN"))
    );
    assert_eq!(server.search("level:error").len(), 0);
    let list = server.get("/api/v1/delete").json();
    assert_eq!(list["deletions"][0]["query"], "level:error");
    let audit = server.search("stream:=_audit message:deleted");
    assert_eq!(audit[0]["query"], "level:error");
    assert_eq!(server.post("/api/v1/delete", "application/json", "{}").status, 400);
}

#[test]
fn rules_of_retention_are_replaced_and_shown() {
    let server = Running::start();
    let headers = [("authorization", "Bearer secret")];
    let rules = br#"[{"stream":"web","level_max":"INFO","age":"30d"},{"bytes":1000000}]"#;
    assert_eq!(server.request("PUT", "/api/v1/retention", &headers, rules).status, 200);
    let shown = server.get("/api/v1/retention").json();
    assert_eq!(shown["rules"], serde_json::from_slice::<Value>(rules).unwrap());
    assert_eq!(server.request("PUT", "/api/v1/retention", &headers, b"[{}]").status, 400);
    assert_eq!(server.search("stream:=_audit message:retention").len(), 1);
}

#[test]
fn a_reader_who_goes_away_ends_the_search() {
    let server = Running::start();
    let line = json!({"message": "x".repeat(1000)}).to_string();
    let body = vec![line; 10_000].join("\n");
    let answer = server.post("/api/v1/ingest", "application/x-ndjson", body);
    assert_eq!(answer.json()["accepted"], 10_000);
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = "GET /api/v1/export HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    std::io::Read::read_exact(&mut stream, &mut [0; 100]).unwrap();
    drop(stream);
    let cancelled = || server.server.metrics.get(logbeacon::metrics::Event::SearchCancelled);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while cancelled() == 0 {
        assert!(std::time::Instant::now() < deadline, "the search goes on");
        std::thread::yield_now();
    }
}
