//! What pipelines hold and promise while they run; what they answer is in `tests/`.

use super::*;
use crate::query::Query;
use crate::value::{Value, ValueRef};

fn record(ns: i64, fields: &[(&str, Value)]) -> Fields {
    let time = std::iter::once(("time".to_owned(), Value::Time(ns)));
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Fields::new(time.chain(fields).collect())
}

fn pipes(text: &str) -> Vec<Pipe> {
    Query::parse_at(text, 0).unwrap().pipes
}

fn pushed(text: &str, limits: Limits, rows: impl IntoIterator<Item = Fields>) -> Pipeline {
    let mut pipeline = Pipeline::new(&pipes(text), limits);
    for row in rows {
        assert!(pipeline.push(&row).is_continue());
    }
    pipeline
}

#[test]
fn the_newest_rows_are_kept_in_little_memory_and_older_ones_are_useless() {
    let mut pipeline = Pipeline::new(&pipes("* | offset 2 | limit 3"), Limits::default());
    for ns in 0..10_000 {
        let _goes_on = pipeline.push(&record(ns * 7919 % 10_000, &[]));
        let Gather::Ordered(ordered) = &pipeline.gather else { panic!() };
        assert!(ordered.len() < 100);
    }
    assert!(pipeline.oldest_useful_ns().unwrap() >= 9_900);
    let times: Vec<i64> = pipeline.finish().rows.iter().map(Row::time_ns).collect();
    assert_eq!(times, [9_997, 9_996, 9_995]);
}

#[test]
fn a_pipe_that_drops_the_time_does_not_lose_the_order() {
    let rows = (0..5).map(|ns| record(ns, &[("n", Value::Int(ns))]));
    let output = pushed("* | fields n | limit 2", Limits::default(), rows).finish();
    let rows: Vec<String> = output.rows.iter().map(Fields::to_json).collect();
    assert_eq!(rows, [r#"{"n":4}"#, r#"{"n":3}"#]);
}

#[test]
fn more_rows_than_the_limit_are_left_out_and_said() {
    let limits = Limits { rows: 10, ..Limits::default() };
    let rows = || (0..100).map(|ns| record(ns, &[]));
    let output = pushed("*", limits, rows()).finish();
    assert_eq!((output.rows.len(), output.rows[9].time_ns()), (10, 90));
    assert_eq!(output.notes, [Note::Rows { limit: 10 }]);
    assert!(!output.is_complete() && output.is_exact());
    // A query that asks for no more misses nothing.
    assert_eq!(pushed("* | limit 10", limits, rows()).finish().notes, []);
    assert_eq!(pushed("* | limit 11", limits, rows()).finish().notes, [Note::Rows { limit: 10 }]);
}

#[test]
fn rows_that_need_more_memory_than_there_is_are_left_out_and_said() {
    let limits = Limits { memory_bytes: 20_000, ..Limits::default() };
    let rows = (0..1_000).map(|ns| record(ns, &[("text", Value::Text("x".repeat(100)))]));
    let output = pushed("*", limits, rows).finish();
    assert!(!output.rows.is_empty() && output.rows.len() < 100);
    assert_eq!(output.rows[0].time_ns(), 999);
    assert_eq!(output.notes, [Note::Memory { limit_bytes: 20_000 }]);
}

#[test]
fn more_groups_than_the_limit_are_left_out_and_said() {
    let limits = Limits { groups: 3, ..Limits::default() };
    let rows = (0..10).map(|ns| record(ns, &[("n", Value::Int(ns % 5))]));
    let output = pushed("* | stats count() by n", limits, rows).finish();
    assert_eq!(output.rows.len(), 3);
    assert_eq!(output.notes, [Note::Groups { limit: 3, records: 4 }]);
}

#[test]
fn a_field_with_too_many_values_has_no_facets_and_it_is_said() {
    let limits = Limits { facet_values: 3, ..Limits::default() };
    let few = |ns| ("few", Value::Int(ns % 2));
    let rows = (0..10).map(|ns| record(ns, &[("many", Value::Int(ns)), few(ns)]));
    let output = pushed("* | facets", limits, rows).finish();
    assert_eq!(output.rows[0].to_json(), r#"{"field":"few","value":0,"count":5}"#);
    assert_eq!(output.rows.len(), 2);
    assert_eq!(output.notes, [Note::Values { field: "many".to_owned(), limit: 3 }]);
}

#[test]
fn many_values_are_estimated_within_the_stated_error_and_it_is_said() {
    let count = 200_000;
    let rows = (0..count).map(|ns| record(ns, &[("n", Value::Int(ns + 1))]));
    let output = pushed("* | stats p99(n), uniq(n)", Limits::default(), rows).finish();
    let number = |name: &str| output.rows[0].get(name).unwrap().number().unwrap().to_f64();
    let (p99, uniq) = (number("p99_n"), number("uniq_n"));
    assert!((p99 - 198_000.0).abs() <= 198_000.0 * 0.005, "{p99}");
    assert!((uniq - 200_000.0).abs() <= 200_000.0 * 0.03, "{uniq}");
    assert!(output.is_complete() && !output.is_exact());
    let said: Vec<String> = output.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "p99_n is an estimate (a sketch, within 0.5 % of the value)",
            "uniq_n is an estimate (HyperLogLog, standard error 0.81 %)",
        ]
    );
}

#[test]
fn columns_give_the_same_statistics_as_rows() {
    let query = "* | stats count(), max(ms), uniq(a, b) by service";
    let row = |service: &str, ms: i64| {
        record(
            0,
            &[("service", Value::from(service)), ("ms", Value::Int(ms)), ("a", Value::Int(1))],
        )
    };
    let rows = [row("x", 1), row("y", 5), row("x", 3)];
    let by_rows = pushed(query, Limits::default(), rows).finish();
    let mut by_columns = Pipeline::new(&pipes(query), Limits::default());
    let statistics = by_columns.statistics_mut().unwrap();
    for (service, values) in [("y", [5].as_slice()), ("x", &[1, 3])] {
        let group = statistics.group(&[ValueRef::Text(service)]).unwrap();
        statistics.add(group, 0, ValueRef::Null, values.len() as u64);
        statistics.add_tuple(group, 2, &[ValueRef::Int(1), ValueRef::Null]);
        for ms in values {
            statistics.add(group, 1, ValueRef::Int(*ms), 1);
        }
    }
    assert_eq!(by_columns.finish(), by_rows);
}

#[test]
fn columns_give_the_same_facets_as_rows() {
    let rows = ["a", "b", "a"].map(|value| record(0, &[("x", Value::from(value))]));
    let by_rows = pushed("* | facets by x", Limits::default(), rows).finish();
    let mut by_columns = Pipeline::new(&pipes("* | facets by x"), Limits::default());
    let facets = by_columns.facets_mut().unwrap();
    assert!(facets.wants("x") && !facets.wants("y"));
    facets.add("x", ValueRef::Text("b"), 1);
    facets.add("x", ValueRef::Text("a"), 2);
    assert_eq!(by_columns.finish(), by_rows);
}

#[test]
fn statistics_behind_another_pipe_are_not_fed_by_columns() {
    let mut pipeline = Pipeline::new(&pipes("* | where a:1 | stats count()"), Limits::default());
    assert!(pipeline.statistics_mut().is_none());
}

#[test]
fn rows_go_one_by_one_unless_a_pipe_needs_their_order() {
    let mut steps = RowByRow::new(&pipes("* | where n>1 | fields n")).unwrap();
    assert_eq!(steps.apply(&record(0, &[("n", Value::Int(1))])), None);
    let kept = steps.apply(&record(0, &[("n", Value::Int(2)), ("m", Value::Null)])).unwrap();
    assert_eq!(kept.to_json(), r#"{"n":2}"#);
    assert!(RowByRow::new(&pipes("* | limit 1")).is_none());
    assert!(RowByRow::new(&[]).unwrap().is_empty());
}

#[test]
fn the_group_of_records_without_a_time_keeps_its_null() {
    let rows = [Fields::new(vec![("n".to_owned(), Value::Int(1))])];
    let output =
        pushed("* | stats count() by time:1m | fields t*, count", Limits::default(), rows).finish();
    assert_eq!(output.rows[0].to_json(), r#"{"time":null,"count":1}"#);
}
