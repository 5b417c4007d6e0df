//! A damaged part costs what is damaged, and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use logbeacon_store::{DeleteRequest, Embedded, Found, Options, Record, SearchRequest, Store};
use logwell_query::{Query, TimeRange, Value};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn open(dir: &Path) -> Embedded {
    let options =
        Options { group_rows: 8, background: false, free_bytes_min: 0, ..Options::default() };
    Embedded::open(dir, options).unwrap().0
}

/// A record of four kilobytes that hardly compress.
fn record(id: u64) -> Record {
    let mut random = id + 1;
    let mut letter = || {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (random >> 59) as u8 % 26)
    };
    Record {
        time_ns: id as i64,
        hash: u128::from(id),
        message: (0..4096).map(|_| letter()).collect(),
        fields: vec![("id".to_owned(), Value::Int(id as i64))],
        ..Record::default()
    }
}

fn found(store: &Embedded) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    let request = SearchRequest::new(Query::parse("*").unwrap());
    store
        .search(&request, &mut |row| {
            let Found::Record(row) = row else { panic!("no pipes") };
            assert!(found.insert(row.get("id").unwrap().text().parse().unwrap()), "found twice");
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// Changes a bit of the largest part.
fn damage_a_part(dir: &Path) {
    let parts = std::fs::read_dir(dir.join("parts")).unwrap();
    let bytes_of = |path: &PathBuf| path.metadata().unwrap().len();
    let path = parts.map(|part| part.unwrap().path()).max_by_key(bytes_of).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
}

#[test]
fn a_check_puts_a_damaged_part_aside_and_salvage_gets_its_whole_row_groups_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for first in (0..128).step_by(8) {
        store.append((first..first + 8).map(record).collect()).unwrap();
    }
    store.maintain(true).unwrap();
    assert_eq!(store.health().parts, 1, "sixteen row groups are joined");
    drop(store);

    damage_a_part(dir.path());

    let store = open(dir.path());
    let damaged = store.check().unwrap();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].rows, Some(128));
    assert!(damaged[0].reason.contains("from byte 0 on are damaged"), "{}", damaged[0].reason);
    assert_eq!(store.health().damaged, damaged);
    assert_eq!(found(&store).len(), 0);

    let report = store.salvage().unwrap();
    let back = found(&store);
    assert_eq!(report.records, back.len() as u64);
    let lost: u64 = report.lost.iter().filter_map(|damage| damage.rows).sum();
    assert_eq!(lost + report.records, 128);
    assert!((96..128).contains(&report.records), "{} are back", report.records);
    assert_eq!(store.salvage().unwrap().records, 0, "nothing is got back twice");
    drop(store);
    assert_eq!(found(&open(dir.path())), back);
}

#[test]
fn a_search_goes_on_without_a_damaged_row_group_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append((0..8).map(record).collect()).unwrap();
    store.append((8..16).map(record).collect()).unwrap();
    store.maintain(true).unwrap();
    drop(store);
    damage_a_part(dir.path());
    let store = open(dir.path());
    let mut rows = 0;
    let request = SearchRequest::new(Query::parse("*").unwrap());
    let summary = store.search(&request, &mut |_| {
        rows += 1;
        ControlFlow::Continue(())
    });
    let summary = summary.unwrap();
    assert!(!summary.complete);
    assert_eq!(summary.skipped.len(), 1);
    assert_eq!(rows, 8);
}

#[test]
fn upkeep_goes_on_without_a_damaged_part() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.append((0..8).map(record).collect()).unwrap();
    store.append((8..16).map(record).collect()).unwrap();
    store.maintain(true).unwrap();
    drop(store);
    damage_a_part(dir.path());
    let store = open(dir.path());
    let request = DeleteRequest {
        query: "id<4 or id>=12".to_owned(),
        range: TimeRange::ALL,
        requested_by: "test".to_owned(),
    };
    store.delete(&request).unwrap();
    store.maintain(true).unwrap();
    // Four of the eight in the part that is not damaged.
    let left = found(&store);
    assert!(left.len() == 4 && left.iter().all(|id| (4..12).contains(id)), "{left:?}");
    assert_eq!(store.health().damaged.len(), 1);
    assert!(store.certificates()[0].erased_ns.is_some());
}
