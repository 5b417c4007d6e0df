//! The index of traces: it answers as the parts do, costs less, and can be lost.

#![expect(clippy::unwrap_used, reason = "tests")]

use logbeacon_store::{Embedded, Found, Options, Record, SearchRequest, Store as _, Summary};
use logwell_query::Query;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const DAY_NS: i64 = 86_400_000_000_000;

fn open(dir: &Path) -> Embedded {
    let options = Options { group_rows: 10, background: false, ..Options::default() };
    Embedded::open(dir, options).unwrap().0
}

/// A record of one of fifty traces; each row group has ten records.
fn record(number: u64) -> Record {
    Record {
        time_ns: DAY_NS + number as i64,
        hash: u128::from(number),
        message: format!("record {number}"),
        trace_id: Some(format!("{:032x}", number % 50)),
        ..Record::default()
    }
}

fn append(store: &Embedded, numbers: std::ops::Range<u64>) {
    for number in numbers.step_by(10) {
        store.append((number..number + 10).map(record).collect()).unwrap();
        store.maintain(true).unwrap();
    }
}

fn found(store: &Embedded, trace: u64) -> (usize, Summary) {
    let query = Query::parse(&format!("trace_id:{trace:032x}")).unwrap();
    let mut count = 0;
    let summary = store.search(&SearchRequest::new(query), &mut |row| {
        assert!(matches!(row, Found::Record(_)));
        count += 1;
        ControlFlow::Continue(())
    });
    (count, summary.unwrap())
}

fn index(dir: &Path) -> PathBuf {
    dir.join("traces").join("1970-01-02.traces")
}

#[test]
fn a_trace_is_found_in_the_row_groups_that_have_it_and_no_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, 0..400);
    assert!(index(dir.path()).exists());
    for trace in 0..50 {
        let (count, summary) = found(&store, trace);
        assert_eq!((count, summary.complete), (8, true));
        // Eight of the forty row groups.
        assert_eq!(summary.scanned_rows, 80);
    }
    assert_eq!(found(&store, 77).1.scanned_rows, 0);
    // What comes afterwards is found, too, whether the index has it yet or not.
    append(&store, 400..450);
    assert_eq!(found(&store, 7).0, 9);
    store.append(vec![record(1_007)]).unwrap();
    assert_eq!(found(&store, 7).0, 10);
}

#[test]
fn an_index_that_is_damaged_or_lost_costs_nothing_but_time() {
    let dir = tempfile::tempdir().unwrap();
    append(&open(dir.path()), 0..400);
    let whole = fs::read(index(dir.path())).unwrap();
    for at in [0, 20, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(index(dir.path()), flipped).unwrap();
        let store = open(dir.path());
        assert_eq!(found(&store, 7).0, 8, "byte {at}");
        store.maintain(true).unwrap();
        assert_eq!(found(&store, 7).0, 8);
        assert_eq!(fs::read(index(dir.path())).unwrap(), whole, "it is made again");
    }
    fs::remove_file(index(dir.path())).unwrap();
    let store = open(dir.path());
    assert_eq!(found(&store, 7).0, 8);
}

#[test]
fn the_index_of_a_day_goes_with_its_records() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, 0..400);
    let rule = logbeacon_store::RetentionRule {
        age: Some(std::time::Duration::from_secs(86_400)),
        ..Default::default()
    };
    store.set_retention(&[rule]).unwrap();
    store.maintain(true).unwrap();
    assert_eq!(found(&store, 7).0, 0);
    assert!(!index(dir.path()).exists());
}
