//! What Grafana sends, and what becomes of it.

use super::*;
use logbeacon_store::Record;
use logwell_query::{Level, Value};
use proptest::prelude::*;

fn record(message: &str) -> Record {
    Record {
        level: Level::Error,
        service: "shop".to_owned(),
        message: message.to_owned(),
        fields: vec![
            ("count".to_owned(), Value::Int(7)),
            ("zone".to_owned(), Value::Text("a1".to_owned())),
        ],
        ..Record::default()
    }
}

fn finds(query: &str, message: &str) -> bool {
    match LogQl::parse(query) {
        Ok(LogQl::Lines(filter)) => filter.matches(&record(message)),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn selectors_compare_whole_values_and_a_missing_label_is_empty() {
    for (query, found) in [
        (r#"{service="shop"}"#, true),
        (r#"{service_name="shop", zone="a1"}"#, true),
        (r#"{service="sho"}"#, false),
        (r#"{service!="shop"}"#, false),
        (r#"{zone=~"a.*"}"#, true),
        (r#"{zone=~"1"}"#, false),
        (r#"{zone!~"b.+"}"#, true),
        (r#"{absent=""}"#, true),
        (r#"{absent=~".*"}"#, true),
        (r#"{absent=~".+"}"#, false),
        (r#"{zone=""}"#, false),
        (r#"{level="error"}"#, true),
        (r#"{detected_level=~"error|fatal"}"#, true),
        (r#"{level=~"warn|info"}"#, false),
        ("{}", true),
    ] {
        assert_eq!(finds(query, "m"), found, "{query}");
    }
}

#[test]
fn lines_are_searched_as_they_are() {
    for (stages, found) in [
        (r#"|= "a.b(c""#, true),
        (r#"|= "A.b""#, false),
        (r#"|= "axb""#, false),
        (r#"|~ "a.b""#, true),
        (r#"|~ "(?i)A\\.B""#, true),
        (r#"!= "zz" !~ "q+""#, true),
        (r#"!= "a.b""#, false),
        (r#"|= "zz" or "a.b""#, true),
        (r#"|= """#, true),
        ("|= `a.b`", true),
    ] {
        assert_eq!(finds(&format!("{{}} {stages}"), "x a.b(c) y1"), found, "{stages}");
    }
}

#[test]
fn stages_test_fields_and_parsers_do_nothing() {
    for (stages, found) in [
        ("| json | logfmt | drop __error__", true),
        (r#"| count > 5 and zone="a1""#, true),
        (r#"| count > 5, zone="b""#, false),
        (r#"| (zone="b" or count>=7) and level="error""#, true),
        ("| count == 7", true),
        ("| count != 7", false),
    ] {
        assert_eq!(finds(&format!("{{}} {stages}"), "m"), found, "{stages}");
    }
}

#[test]
fn metrics_have_a_window_and_labels() {
    let parsed = |query: &str| match LogQl::parse(query) {
        Ok(LogQl::Metric(metric)) => (metric.window_ns, metric.is_rate, metric.by),
        other => panic!("{query}: {other:?}"),
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let volume =
        r#"sum by (level, detected_level) (count_over_time({a="b"} |= "c" | drop __error__[1m]))"#;
    assert_eq!(parsed(volume), (60_000_000_000, false, names(&["level", "detected_level"])));
    assert_eq!(parsed("sum(rate({}[5s])) by (host)"), (5_000_000_000, true, names(&["host"])));
    assert_eq!(parsed("sum(rate({}[5s]))"), (5_000_000_000, true, names(&[])));
    assert_eq!(parsed("count_over_time({}[1h])"), (3_600_000_000_000, false, None));
    assert_eq!(LogQl::parse("vector(1)+vector(1)"), Ok(LogQl::Constant(2.0)));
}

#[test]
fn what_is_not_translated_is_an_error_that_names_it() {
    for (query, named) in [
        (r#"{} | line_format "{{.a}}""#, "line_format"),
        ("topk(5, rate({}[1m]))", "topk"),
        ("sum without (a) (rate({}[1m]))", "without"),
        (r#"{a="b""#, "end"),
        (r#"{a=b}"#, "quoted"),
        (r#"{a=~"("}"#, "regular expression"),
        ("", "selector"),
        (r#"{a="b"} ?"#, "?"),
        ("rate({}[soon])", "soon"),
        (r#"{a="b"} {"#, "after the end"),
    ] {
        let error = LogQl::parse(query).unwrap_err().to_string();
        assert!(error.contains(named), "{query}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[{}()\\[\\]|=~!<>\"`, a-z0-9._:é-]{0,60}") {
        let _any = LogQl::parse(&text);
    }
}
