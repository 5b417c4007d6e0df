//! Records are kept as long as the rules say, by age, level, stream and bytes; and a full store
//! says so.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use logbeacon_store::{
    AppendError, Clock, Embedded, Found, Options, Record, RetentionRule, SearchRequest, Store,
};
use logwell_query::{Level, Query};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const DAY_NS: i64 = 86_400_000_000_000;

#[derive(Clone, Debug, Default)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now_ns(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn open(dir: &Path, clock: &Hands, head_bytes_max: usize) -> Embedded {
    let options = Options {
        group_rows: 100,
        head_bytes_max,
        background: false,
        free_bytes_min: 0,
        clock: Arc::new(clock.clone()),
        ..Options::default()
    };
    Embedded::open(dir, options).unwrap().0
}

fn record(day: i64, stream: &str, level: Level) -> Record {
    Record {
        time_ns: day * DAY_NS,
        hash: (day as u128) << 8 | u128::from(level.rank()) << 4 | stream.len() as u128,
        stream: stream.to_owned(),
        level,
        message: format!("{stream} {day}"),
        ..Record::default()
    }
}

/// The messages with their levels, oldest first.
fn kept(store: &Embedded) -> Vec<String> {
    let mut kept = Vec::new();
    let request = SearchRequest::new(Query::parse("*").unwrap());
    let summary = store.search(&request, &mut |row| {
        if let Found::Record(row) = row {
            let text = |name| row.get(name).unwrap().text().into_owned();
            kept.push(format!("{} {}", text("message"), text("level")));
        }
        ControlFlow::Continue(())
    });
    assert!(summary.unwrap().complete);
    kept.sort();
    kept
}

#[test]
fn the_first_rule_that_fits_a_record_says_how_long_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hands::default();
    let store = open(dir.path(), &clock, 1 << 20);
    for day in 0..3 {
        let of = |stream, level| record(day, stream, level);
        let batch =
            vec![of("audit", Level::Info), of("shop", Level::Info), of("shop", Level::Error)];
        store.append(batch).unwrap();
    }
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    let rules = [
        RetentionRule {
            stream: Some("audit".to_owned()),
            age: days(100),
            ..RetentionRule::default()
        },
        RetentionRule { level_max: Some(Level::Warn), age: days(2), ..RetentionRule::default() },
        RetentionRule { age: days(10), ..RetentionRule::default() },
    ];
    store.set_retention(&rules).unwrap();
    store.maintain(true).unwrap();
    assert_eq!(kept(&store).len(), 9);

    clock.0.store(3 * DAY_NS + 1, Ordering::Relaxed);
    store.maintain(true).unwrap();
    let infos_of_shop: Vec<String> = kept(&store)
        .into_iter()
        .filter(|text| text.starts_with("shop") && text.ends_with("INFO"))
        .collect();
    assert_eq!(infos_of_shop, ["shop 2 INFO"], "of day 1 everything is older than two days");
    assert_eq!(kept(&store).len(), 7);
    drop(store);

    let store = open(dir.path(), &clock, 1 << 20);
    assert_eq!(store.retention(), rules, "the rules survive a restart");
    clock.0.store(20 * DAY_NS, Ordering::Relaxed);
    store.maintain(true).unwrap();
    assert_eq!(kept(&store), ["audit 0 INFO", "audit 1 INFO", "audit 2 INFO"]);
    clock.0.store(200 * DAY_NS, Ordering::Relaxed);
    store.maintain(true).unwrap();
    assert_eq!(kept(&store), [] as [&str; 0]);
    assert_eq!(store.health().parts, 0);
}

#[test]
fn beyond_its_bytes_a_store_lets_go_of_the_oldest_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hands::default(), 1 << 20);
    for day in 0..6 {
        store.append(vec![record(day, "shop", Level::Info)]).unwrap();
    }
    store.maintain(true).unwrap();
    let bytes = store.health().part_bytes;
    let bound = RetentionRule { bytes: Some(bytes * 11 / 20), ..RetentionRule::default() };
    store.set_retention(&[bound]).unwrap();
    store.maintain(true).unwrap();
    assert!(store.health().part_bytes <= bytes * 11 / 20);
    assert_eq!(kept(&store), ["shop 3 INFO", "shop 4 INFO", "shop 5 INFO"]);
}

#[test]
fn a_full_head_refuses_a_batch_until_it_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hands::default(), 2_000);
    let batch = |first: i64| -> Vec<Record> {
        (first..first + 10).map(|day| record(day, "shop", Level::Info)).collect()
    };
    store.append(batch(0)).unwrap();
    store.append(batch(10)).unwrap();
    let refused = store.append(batch(20));
    assert!(matches!(refused, Err(AppendError::Full { .. })), "{refused:?}");
    assert_eq!(store.health().full, 1);
    store.maintain(true).unwrap();
    store.append(batch(20)).unwrap();
    assert_eq!(kept(&store).len(), 30);
}
