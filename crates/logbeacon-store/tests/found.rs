//! What was acknowledged is found by the next search, while others write, seal and merge.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use logbeacon_store::{AppendError, Embedded, Options, Record, SearchRequest, Store};
use logwell_query::{Query, Value};
use std::ops::ControlFlow;

fn count(store: &Embedded, query: &str) -> u64 {
    let request = SearchRequest::new(Query::parse(query).unwrap());
    let mut rows = 0;
    let summary = store.search(&request, &mut |_| {
        rows += 1;
        ControlFlow::Continue(())
    });
    assert!(summary.unwrap().complete);
    rows
}

fn append(store: &Embedded, batch: &[Record]) {
    loop {
        match store.append(batch.to_vec()) {
            Ok(_) => return,
            Err(AppendError::Full { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn every_search_after_an_answer_finds_the_record_once_while_parts_are_made() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { group_rows: 50, free_bytes_min: 0, ..Options::default() };
    let (store, _) = Embedded::open(dir.path(), options).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                for turn in 0..40 {
                    let id = |n: u64| (writer * 40 + turn) * 5 + n;
                    let record = |n| Record {
                        time_ns: (id(n) % 3 * 86_400_000_000_000 + id(n)) as i64,
                        hash: u128::from(id(n)) + 1,
                        message: format!("order{} of writer{writer}", id(n)),
                        fields: vec![("turn".to_owned(), Value::Int(turn as i64))],
                        ..Record::default()
                    };
                    append(store, &(0..5).map(record).collect::<Vec<_>>());
                    assert_eq!(count(store, &format!("order{}", id(turn % 5))), 1);
                    assert_eq!(count(store, &format!("writer{writer} turn:={turn}")), 5);
                }
            });
        }
    });
    assert_eq!(count(&store, "*"), 800);
    store.maintain(true).unwrap();
    assert_eq!(count(&store, "*"), 800);
    assert!(store.health().faults.is_empty(), "{:?}", store.health().faults);
}
