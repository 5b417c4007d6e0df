//! The embedded store beside the simple one: whatever is asked, both answer alike.

use crate::embedded::{Embedded, Options};
use crate::store::{DeleteRequest, Found, Order, SearchRequest, Store, Verdict};
use crate::testing::record;
use crate::{Memory, Record};
use logwell_query::{Fields, Query, TimeRange, Value};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;

/// Queries of all kinds over what [`record`] draws.
const QUERIES: &[&str] = &[
    "*",
    "payment",
    "failed payment",
    "\"payment failed\"",
    "refused",
    "user7",
    "absent",
    "支付",
    "支付失败",
    "付失",
    "été",
    "a-b_c",
    "*ayme*",
    "*0.40*",
    "message:payment",
    "message:pay*",
    "message:*fus*",
    "message~\"(refused|user).*:80\"",
    "message~\"^Failed\"",
    "-payment",
    "level>=warn payment",
    "level:error or level:debug",
    "service:checkout",
    "service:=checkout host:node1",
    "-service:*",
    "stream:a",
    "trace_id:4bf92f3577b34da6a3ce929d0e0e4736",
    "trace_id:\"not hex\"",
    "trace_id:=00f067aa0ba902b7",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "00f067aa0ba902b7",
    "*f067a*",
    "span_id:*",
    "status:*",
    "status>0",
    "status:=7",
    "status:7",
    "status:-3..300",
    "status:true",
    "latency_ms<100",
    "latency_ms>100 or status:refused",
    "http.*:payment",
    "user:in(payment, user7, 7)",
    "user:*[1*",
    "time>=1970-01-03 payment",
    "time<1970-01-02",
    "* | stats count() by level",
    "* | stats count() by time:1h, level",
    "payment | stats count(), p99(status), min(time) by service",
    "* | stats uniq(service), uniq(host, service), sum(status), avg(latency_ms), max(user)",
    "* | stats count() by status",
    "* | stats count() if (level:error) by user, stream",
    "* | top 3 by service",
    "* | top 5 by http.path, level",
    "* | facets 4 by service, level, status, user",
    "* | histogram time:1d by level",
    "* | patterns 5",
    "payment | fields message, time | limit 3",
    "* | sort by latency_ms desc, message, time | limit 7",
    "refused | context 1 by service",
    "* | dedup by service | fields service",
    "* | where status:* | stats count()",
];

/// What a store finds, each row as text.
fn found(store: &dyn Store, request: &SearchRequest) -> Vec<String> {
    let mut rows = Vec::new();
    let summary = store
        .search(request, &mut |found| {
            rows.push(match found {
                Found::Record(row) => text(&row.to_fields()),
                Found::Output(row) => text(row),
            });
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(summary.complete, "{:?}: {:?}", request.query, summary.skipped);
    rows
}

fn text(row: &Fields) -> String {
    let field = |(name, value): &(String, Value)| format!("{name}={value:?}");
    row.as_slice().iter().map(field).collect::<Vec<_>>().join(" ")
}

fn same(embedded: &Embedded, memory: &Memory, when: &str) {
    for text in QUERIES {
        let query = match Query::parse(text) {
            Ok(query) => query,
            Err(error) => panic!("{text}: {error}"),
        };
        let request = SearchRequest::new(query);
        let (mut left, mut right) = (found(embedded, &request), found(memory, &request));
        if !text.contains('|') {
            // Records of equal times have no order among them.
            left.sort();
            right.sort();
        }
        assert_eq!(left, right, "{text} {when}");
    }
    let range = TimeRange { first_ns: 86_400_000_000_000, last_ns: 3 * 86_400_000_000_000 };
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let query = Query::parse("payment or refused").unwrap();
        let streams = Some(vec!["a".to_owned(), String::new()]);
        let request =
            SearchRequest { order, range, streams, limit: Some(5), ..SearchRequest::new(query) };
        assert_eq!(found(embedded, &request), found(memory, &request), "{order:?} {when}");
        let request = SearchRequest { limit: None, ..request };
        assert_eq!(found(embedded, &request), found(memory, &request), "{order:?} {when}");
    }
    for (text, step_ns) in [
        ("*", 60_000_000_000),
        ("payment", 3_600_000_000_000),
        ("*", 7),
        ("level>=warn -stream:=a", 60_000_000_000),
        ("stream:* or level:info", 3_600_000_000_000),
        ("-stream:a", 120_000_000_000),
    ] {
        let request = SearchRequest::new(Query::parse(text).unwrap());
        let counts = |store: &dyn Store| store.histogram(&request, step_ns).unwrap().0;
        assert_eq!(counts(embedded), counts(memory), "{text} {when}");
    }
}

fn same_overviews(embedded: &Embedded, memory: &Memory) {
    assert_eq!(embedded.statistics(TimeRange::ALL), memory.statistics(TimeRange::ALL));
    assert_eq!(embedded.devices(), memory.devices());
    assert_eq!(embedded.field_names(), memory.field_names());
    let producers = |store: &dyn Store| store.producers(TimeRange::ALL).unwrap().0;
    assert_eq!(producers(embedded), producers(memory));
    assert_eq!(embedded.health().rows, memory.health().rows);
}

fn open(dir: &Path, columns_max: usize) -> Embedded {
    let options = Options {
        group_rows: 16,
        columns_max,
        free_bytes_min: 0,
        background: false,
        ..Options::default()
    };
    Embedded::open(dir, options).unwrap().0
}

/// Batches of records whose times and hashes differ, but for some that are sent twice.
fn batches() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let batches = prop::collection::vec(prop::collection::vec(record(), 1..12), 1..8);
    (batches, any::<prop::sample::Index>()).prop_map(|(mut batches, again)| {
        for (number, record) in batches.iter_mut().flatten().enumerate() {
            // The order of records of one time is nobody's promise.
            record.time_ns += number as i64;
        }
        let again = again.get(&batches).clone();
        batches.push(again);
        batches
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 8,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_stores_find_the_same_in_head_and_parts_and_after_a_restart(
        batches in batches(),
        seals in prop::collection::vec(any::<bool>(), 9),
        columns_max in 0_usize..5,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let embedded = open(dir.path(), columns_max);
        let memory = Memory::default();
        for (batch, seal) in batches.into_iter().zip(seals) {
            let verdicts = embedded.append(batch.clone()).unwrap();
            prop_assert_eq!(verdicts, memory.append(batch).unwrap());
            if seal {
                embedded.maintain(true).unwrap();
            }
        }
        same(&embedded, &memory, "while it runs");
        same_overviews(&embedded, &memory);
        drop(embedded);
        let embedded = open(dir.path(), columns_max);
        same(&embedded, &memory, "after a restart");
        embedded.maintain(true).unwrap();
        same(&embedded, &memory, "after all is sealed");
        same_overviews(&embedded, &memory);
        prop_assert_eq!(embedded.check().unwrap(), []);
    }

    #[test]
    fn what_is_deleted_is_hidden_at_once_and_erased_by_upkeep(
        batches in batches(), seal: bool, query in prop::sample::select(QUERIES),
    ) {
        prop_assume!(!query.contains('|'));
        let dir = tempfile::tempdir().unwrap();
        let embedded = open(dir.path(), 3);
        let memory = Memory::default();
        let (before, after) = batches.split_at(batches.len() / 2);
        for batch in before {
            embedded.append(batch.clone()).unwrap();
            memory.append(batch.clone()).unwrap();
        }
        if seal {
            embedded.maintain(true).unwrap();
        }
        let request = DeleteRequest {
            query: query.to_owned(),
            range: TimeRange { last_ns: 3 * 86_400_000_000_000, ..TimeRange::ALL },
            requested_by: "test".to_owned(),
        };
        let hidden = embedded.delete(&request).unwrap().hidden;
        prop_assert_eq!(hidden, memory.delete(&request).unwrap().hidden);
        for batch in after {
            let verdicts = embedded.append(batch.clone()).unwrap();
            prop_assert_eq!(verdicts, memory.append(batch.clone()).unwrap());
        }
        same(&embedded, &memory, "while it is hidden");
        drop(embedded);
        let embedded = open(dir.path(), 3);
        same(&embedded, &memory, "after a restart");
        embedded.maintain(true).unwrap();
        same(&embedded, &memory, "once it is erased");
        same_overviews(&embedded, &memory);
        let certificate = embedded.certificates().pop().unwrap();
        prop_assert_eq!(certificate.erased, hidden);
        prop_assert!(certificate.erased_ns.is_some());
    }
}

#[test]
fn a_record_sent_again_is_a_duplicate_wherever_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 3);
    let record = |hash| Record { hash, ..Record::default() };
    assert_eq!(
        store.append(vec![record(1), record(1)]).unwrap(),
        [Verdict::Accepted, Verdict::Duplicate]
    );
    store.maintain(true).unwrap();
    assert_eq!(
        store.append(vec![record(1), record(2)]).unwrap(),
        [Verdict::Duplicate, Verdict::Accepted]
    );
    drop(store);
    let store = open(dir.path(), 3);
    assert_eq!(store.append(vec![record(1), record(2)]).unwrap(), [Verdict::Duplicate; 2]);
    assert_eq!(store.health().rows, 2);
}
