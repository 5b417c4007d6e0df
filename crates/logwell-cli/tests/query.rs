//! `logwell query`, and `--query` of `show`, over files.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

#[path = "../../logwell-query/tests/golden/mod.rs"]
mod golden;
mod support;

use flate2::{Compression, write::GzEncoder};
use golden::{Golden, lines, queries};
use logwell::config::Schema;
use logwell_cli::filter::{Filter, Wishes};
use logwell_cli::line::Line;
use logwell_query::{Fields, Query};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use support::{boot, config, fine, logwell, stderr, stdout};

/// The golden records as logwell leaves them: two backups, one of them packed, and the current
/// file.
fn golden_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let lines: Vec<String> = lines().into_iter().map(|line| line + "\n").collect();
    let packed = File::create(path("app.log.2.gz")).unwrap();
    let mut packed = GzEncoder::new(packed, Compression::fast());
    packed.write_all(lines[..17].concat().as_bytes()).unwrap();
    packed.finish().unwrap();
    fs::write(path("app.log.1"), lines[17..40].concat()).unwrap();
    fs::write(path("app.log"), lines[40..].concat()).unwrap();
    directory
}

fn query(directory: &Path, arguments: &[&str]) -> String {
    fine("query", directory, arguments)
}

#[test]
fn files_answer_the_golden_queries_as_rows_in_memory_do() {
    let directory = golden_directory();
    let path = directory.path().to_str().unwrap();
    for Golden { text, rows } in queries() {
        // The program knows no other now than the present one.
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let arguments = ["logwell", "query", "--json", path, &text].map(Into::into);
        let code = logwell_cli::run(arguments, &mut out, &mut errors);
        let said = String::from_utf8(errors).unwrap();
        assert_eq!((code, said.as_str()), (0, ""), "{text}");
        let found: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(found, rows, "{text}");
    }
}

#[test]
fn a_line_gives_the_same_answers_whether_its_fields_are_read_one_by_one_or_at_once() {
    let strange = [
        r#"{"timestamp":"2026-11-30T09:00:00.5+00:00","level":"fatal","message":"caf\u00e9 \"x\""}"#,
        r#"{"time":"2026-11-30T09:00:00Z","level":30,"http":{"status":5e2},"http.status":7}"#,
        r#"{"level":"WARN","n":5e2,"a":[ 1, "X y" ],"b":-0,"message":null}"#,
    ];
    let lines: Vec<String> = lines().into_iter().chain(strange.map(str::to_owned)).collect();
    let more = ["café", "n:500", "http.status:=7", "a:\"x y\"", "b:=0", "time:2026-11-30 x"];
    let texts = queries().into_iter().map(|golden| golden.text).chain(more.map(str::to_owned));
    for text in texts {
        let wanted = Query::parse_at(&text, golden::NOW_NS).unwrap().filter;
        let filter = Filter::new(Wishes { query: Some(wanted.clone()), ..Wishes::default() });
        for line in &lines {
            let expected = wanted.matches(&Fields::from_json(line).unwrap());
            let parsed = Line::parse(line.as_bytes()).unwrap();
            let found = !filter.rejects(line.as_bytes()) && filter.wants(&parsed);
            assert_eq!(found, expected, "{text}\n{line}");
        }
    }
}

#[test]
fn records_without_pipes_are_printed_as_they_are_the_oldest_first() {
    let directory = golden_directory();
    let expected: Vec<String> =
        lines().into_iter().filter(|line| line.contains("Payment failed")).collect();
    let found = query(directory.path(), &["--json", "\"payment failed\""]);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    let text = query(directory.path(), &["--utc", "--color", "never", "order_id:=A-4202"]);
    assert!(text.starts_with("2026-11-30 09:00:58.274"), "{text}");
    assert!(text.contains("auth::http: Payment failed for order 4202: card declined"), "{text}");
}

#[test]
fn surroundings_are_printed_with_what_matches() {
    let directory = golden_directory();
    let found = query(directory.path(), &["--json", "order_id:=A-4214 | context before 2 after 1"]);
    assert_eq!(found.lines().collect::<Vec<_>>(), lines()[12..16]);
}

#[test]
fn results_are_a_table_with_numbers_on_the_right() {
    let directory = golden_directory();
    let text = "level:* | stats count(), max(latency_ms) by level | sort count desc | limit 3";
    let expected = "\
level  count        max_latency_ms
INFO      22                  1170
WARN      19                  1005
DEBUG      7  18446744073709551615
";
    let found = query(directory.path(), &[text]);
    let shape =
        |text: &str| text.lines().map(|line| line.split_whitespace().count()).collect::<Vec<_>>();
    assert_eq!(shape(&found), shape(expected), "{found}");
    let widths: Vec<usize> = found.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{found}");
}

#[test]
fn a_query_that_is_none_is_shown_with_its_mistake() {
    let directory = golden_directory();
    let output = logwell(&["query", directory.path().to_str().unwrap(), "level>=warm | limit 1"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "logwell: no query: \"warm\" is no level\n  level>=warm | limit 1\n         ^^^^\n  did \
         you mean warn?\n"
    );
}

#[test]
fn a_query_may_begin_with_a_minus_and_options_may_come_anywhere() {
    let directory = golden_directory();
    let path = directory.path().to_str().unwrap();
    for arguments in [
        ["query", "--json", path, "-host:* | stats count()"],
        ["query", path, "--json", "-host:* | stats count()"],
        ["query", path, "-host:* | stats count()", "--json"],
    ] {
        assert_eq!(stdout(&logwell(&arguments)), "{\"count\":0}\n", "{arguments:?}");
    }
    let show = logwell(&["show", "--json", "-q", "-message:*", path]);
    assert_eq!((stdout(&show), show.status.code()), (String::new(), Some(0)));
}

#[test]
fn show_and_tail_take_a_filter_of_the_language() {
    let directory = golden_directory();
    let path = directory.path().to_str().unwrap();
    let show = logwell(&["show", "--json", "-q", "10.0.0.7 or order_id:=A-4214", path]);
    assert_eq!(stdout(&show).lines().count(), 2);
    let tail = logwell(&["tail", "--json", "-n", "2", "--query", "支付失败", path]);
    let expected: Vec<String> =
        lines().into_iter().filter(|line| line.contains("支付失败")).collect();
    assert_eq!(stdout(&tail).lines().collect::<Vec<_>>(), expected[expected.len() - 2..]);
    let pipes = logwell(&["show", "-q", "a | limit 1", path]);
    assert_eq!(pipes.status.code(), Some(2));
    assert_eq!(
        stderr(&pipes),
        "logwell: --query takes a filter; for pipes there is logwell query\n"
    );
}

#[test]
fn every_schema_is_asked_in_the_same_words() {
    for schema in [Schema::Native, Schema::Ecs, Schema::Gcp, Schema::Otel] {
        let directory = tempfile::tempdir().unwrap();
        boot(config(directory.path()).schema(schema), |_| {
            for latency_ms in [50, 700, 1900] {
                tracing::warn!(target: "shop::cart", latency_ms, path = "/api", "slow answer");
            }
            tracing::info!(latency_ms = 5000, "unrelated");
        });
        let text = "level:warn slow path:=/api latency_ms>0.5s | stats count(), sum(latency_ms)";
        assert_eq!(
            query(directory.path(), &["--json", text]),
            "{\"count\":2,\"sum_latency_ms\":2600}\n",
            "{schema:?}"
        );
    }
}

#[test]
fn a_line_that_is_no_record_is_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, "no json\n{\"a\":1}\n[1]\n{\"a\":\"x\\ty\"}\n{\"a\":2").unwrap();
    let path = path.to_str().unwrap();
    let rows = |text: &str| stdout(&logwell(&["query", "--json", path, text]));
    assert_eq!(rows("a:* | sort a"), "{\"a\":1}\n{\"a\":\"x\\ty\"}\n");
    assert_eq!(rows("\"x y\""), "{\"a\":\"x\\ty\"}\n");
}
