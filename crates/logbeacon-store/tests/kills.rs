//! A process that stores records is killed, again and again: what it had an answer for is found
//! once, and what is sent again is known.
//!
//! `LOGBEACON_KILLS=10000 cargo test -p logbeacon-store --test kills` kills as often as that.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, and what it tells its parent"
)]

use logbeacon_store::{
    AppendError, Embedded, Found, Options, Record, SearchRequest, Store, Verdict,
};
use logwell_query::{Query, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};

const DIR: &str = "LOGBEACON_KILLS_DIR";
const FIRST: &str = "LOGBEACON_KILLS_FIRST";
const BATCH: u64 = 10;

fn open(dir: &Path) -> Embedded {
    let options = Options { group_rows: 200, free_bytes_min: 0, ..Options::default() };
    let (store, report) = Embedded::open(dir, options).unwrap();
    assert_eq!(report.damaged, [], "a kill damages nothing");
    store
}

fn batch(first: u64) -> Vec<Record> {
    let record = |id: u64| Record {
        time_ns: (id * 7_000_000_000_000) as i64 % 200_000_000_000_000,
        hash: u128::from(id) + 1,
        message: format!("record {id} of a process that will be killed"),
        fields: vec![("id".to_owned(), Value::Int(id as i64))],
        ..Record::default()
    };
    (first..first + BATCH).map(record).collect()
}

/// The process that is killed: it stores batch after batch, and says which have an answer.
#[test]
fn the_sender_stores_batches_until_it_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let mut first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = open(Path::new(&dir));
    loop {
        match store.append(batch(first)) {
            Ok(_) => {
                println!("stored {first}");
                std::io::stdout().flush().unwrap();
                first += BATCH;
            }
            Err(AppendError::Full { retry_after }) => std::thread::sleep(retry_after),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn what_a_killed_process_had_an_answer_for_is_found_once() {
    if std::env::var(DIR).is_ok() {
        return;
    }
    let kills = std::env::var("LOGBEACON_KILLS").map_or(12, |kills| kills.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut first = 0;
    for kill in 0..kills {
        // From one answer to many, so that kills meet sealing and merging too.
        let answers = 1 + kill * 7 % 61;
        let stored = run_and_kill(dir.path(), first, answers);
        let store = open(dir.path());
        // The batch after the last answer may be stored or not: sent again, it is there once.
        let verdicts = store.append(batch(stored)).unwrap();
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "a batch is whole");
        assert_eq!(store.append(batch(stored)).unwrap(), [Verdict::Duplicate; BATCH as usize]);
        first = stored + BATCH;
        let expected: BTreeMap<u64, u64> = (0..first).map(|id| (id, 1)).collect();
        assert!(found(&store) == expected, "kill {kill}: something is lost or found twice");
    }
}

/// Lets a process store from a record on, kills it after so many answers, and returns what would
/// be next.
fn run_and_kill(dir: &Path, first: u64, answers: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_sender_stores_batches_until_it_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stored = lines.map_while(Result::ok).filter_map(|line| {
        // The test harness may write before the first one on the same line.
        line.rsplit_once("stored ").and_then(|(_, id)| id.parse::<u64>().ok())
    });
    let mut next = first;
    for _ in 0..answers {
        let id = stored.next().unwrap();
        assert_eq!(id, next);
        next = id + BATCH;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Answers that it gave before it died.
    stored.last().map_or(next, |id| id + BATCH)
}

/// How often each record is found.
fn found(store: &Embedded) -> BTreeMap<u64, u64> {
    let mut found = BTreeMap::new();
    let request = SearchRequest::new(Query::parse("killed").unwrap());
    let summary = store.search(&request, &mut |row| {
        if let Found::Record(row) = row {
            let id = row.get("id").unwrap().text().parse().unwrap();
            *found.entry(id).or_default() += 1;
        }
        ControlFlow::Continue(())
    });
    assert!(summary.unwrap().complete);
    // The store is being sealed and merged meanwhile, so give that a chance to go wrong, too.
    assert!(store.health().faults.is_empty(), "{:?}", store.health().faults);
    found
}
