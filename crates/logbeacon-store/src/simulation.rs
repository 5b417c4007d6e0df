//! The store played from a seed: batches, kills, power cuts, full disks, failing syncs, clocks
//! that jump, deletions, restarts. Whatever happens, what was acknowledged is found exactly once.
//!
//! `LOGBEACON_SIM_SEEDS=100000 cargo test -p logbeacon-store simulation` plays more seeds,
//! `LOGBEACON_SIM_SEED=7` one again, and says every act.

use crate::embedded::{Embedded, Options};
use crate::error::AppendError;
use crate::store::{Certificate, DeleteRequest, Found, SearchRequest, Store};
use crate::testing::world::TestWorld;
use crate::{Record, Verdict};
use logwell_query::{Query, TimeRange, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const DIR: &str = "/store";

/// What the sender knows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was sent, and the answer was an error, or the power went before one came.
    Open,
    Acknowledged,
    Deleted,
}

struct Play {
    world: TestWorld,
    store: Option<Embedded>,
    random: u64,
    fates: BTreeMap<i64, Fate>,
    says: bool,
}

impl Play {
    fn new(seed: u64, says: bool) -> Self {
        let world = TestWorld::default();
        let mut play = Self { world, store: None, random: seed, fates: BTreeMap::new(), says };
        play.start();
        play
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    #[expect(clippy::print_stderr, reason = "whoever plays a seed again reads it")]
    fn say(&self, what: &str) {
        if self.says {
            eprintln!("{what}");
        }
    }

    fn start(&mut self) {
        self.world.fail_sync_after(None);
        self.world.set_room(None);
        let options = Options {
            group_rows: 20,
            columns_max: 2,
            free_bytes_min: 2_000,
            head_bytes_max: 60_000,
            dedup_window: Duration::from_secs(1 << 33),
            background: false,
            fs: Arc::new(self.world.clone()),
            clock: Arc::new(self.world.clone()),
            ..Options::default()
        };
        self.store = None;
        let (store, report) = Embedded::open(DIR, options).unwrap();
        assert_eq!(report.damaged, [], "a crash damages nothing");
        self.store = Some(store);
    }

    fn store(&self) -> &Embedded {
        self.store.as_ref().unwrap()
    }

    fn act(&mut self) {
        match self.below(20) {
            0..8 => self.send(),
            8..10 => {
                self.say("maintain");
                let _ = self.store().maintain(false);
            }
            10 => {
                self.say("maintain everything");
                let _ = self.store().maintain(true);
            }
            11 => {
                let bytes = self.below(12_000);
                self.say(&format!("room for {bytes} bytes"));
                self.world.set_room(Some(bytes));
            }
            12 => {
                self.say("room enough");
                self.world.set_room(None);
            }
            13 => {
                let syncs = self.below(6) as u32;
                self.say(&format!("{syncs} good syncs"));
                self.world.fail_sync_after(Some(syncs));
            }
            14 => self.world.fail_sync_after(None),
            15 => {
                let hours = self.below(100) as i64 - 50;
                self.say(&format!("the clock jumps {hours} hours"));
                self.world.pass(hours * 3_600_000_000_000);
            }
            16 => self.delete(),
            17 => {
                self.say("restart");
                self.start();
            }
            18 => self.cut_power(),
            _ => self.check(),
        }
    }

    /// Sends new records and some old ones again.
    fn send(&mut self) {
        let first = self.fates.len() as i64;
        let mut ids: Vec<i64> = (first..first + 1 + self.below(9) as i64).collect();
        for id in &ids {
            self.fates.insert(*id, Fate::Open);
        }
        for _ in 0..self.below(4) {
            ids.push(self.below(first as u64 + 1) as i64);
        }
        let batch: Vec<Record> = ids.iter().map(|id| self.record(*id)).collect();
        let answer = self.store().append(batch);
        self.say(&format!("send {ids:?}: {answer:?}"));
        match answer {
            Ok(verdicts) => {
                for (id, verdict) in ids.iter().zip(verdicts) {
                    let fate = self.fates.get_mut(id).unwrap();
                    if *fate == Fate::Open {
                        *fate = Fate::Acknowledged;
                    } else {
                        assert_eq!(verdict, Verdict::Duplicate, "record {id}");
                    }
                }
            }
            Err(AppendError::Closed) => panic!("it is open"),
            Err(_) => {}
        }
    }

    fn record(&self, id: i64) -> Record {
        let day = id % 3;
        Record {
            time_ns: day * 86_400_000_000_000 + id,
            arrived_ns: id,
            hash: (id as u128 + 1) << 70,
            message: format!("record number {id} says something"),
            fields: vec![
                ("group".to_owned(), Value::Int(id % 7)),
                ("id".to_owned(), Value::Int(id)),
                (format!("rare{}", id % 5), Value::Bool(true)),
            ],
            ..Record::default()
        }
    }

    fn delete(&mut self) {
        let group = self.below(7) as i64;
        // What may or may not be there would have an unknown fate.
        let open = |(id, fate): (&i64, &Fate)| *fate == Fate::Open && id % 7 == group;
        if self.fates.iter().any(open) {
            return;
        }
        let request = DeleteRequest {
            query: format!("group:={group}"),
            range: TimeRange::ALL,
            requested_by: format!("attempt {}", self.random),
        };
        let answer = self.store().delete(&request);
        self.say(&format!("delete {group}: {answer:?}"));
        // After an error it may be written down or not: a start would show.
        if answer.is_err() {
            self.start();
        }
        let by = |one: &Certificate| one.requested_by == request.requested_by;
        if answer.is_ok() || self.store().certificates().iter().any(by) {
            for (id, fate) in &mut self.fates {
                if id % 7 == group {
                    *fate = Fate::Deleted;
                }
            }
        }
    }

    fn cut_power(&mut self) {
        let mut draws: Vec<u64> = (0..64).map(|_| self.below(1000)).collect();
        self.world.cut_power(|bytes| {
            let draw = draws.pop().unwrap_or(500);
            if draw < 400 { 0 } else { (bytes as u64 * (draw - 400) / 600) as usize }
        });
        self.say("the power was cut");
        self.start();
        self.check();
    }

    /// What is found is what was acknowledged and not deleted, once each; what has no answer may
    /// be there, once.
    fn check(&mut self) {
        let mut found: BTreeMap<i64, u32> = BTreeMap::new();
        let request = SearchRequest::new(Query::parse("record").unwrap());
        let summary = self.store().search(&request, &mut |row| {
            let Found::Record(row) = row else { panic!("no pipes") };
            let id = row.get("id").unwrap().text().parse().unwrap();
            *found.entry(id).or_default() += 1;
            ControlFlow::Continue(())
        });
        let summary = summary.unwrap();
        assert!(summary.complete, "{:?}", summary.skipped);
        let counts = |query: &str| {
            let request = SearchRequest::new(Query::parse(query).unwrap());
            self.store().search(&request, &mut |_| ControlFlow::Continue(())).unwrap().matched
        };
        assert_eq!(counts("* | stats count() by group"), found.len() as u64);
        let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "found twice: {twice:?}");
        let found: BTreeSet<i64> = found.into_keys().collect();
        for (id, fate) in &self.fates {
            match fate {
                Fate::Open => {}
                Fate::Acknowledged => assert!(found.contains(id), "{id} is lost"),
                Fate::Deleted => assert!(!found.contains(id), "{id} is back"),
            }
        }
        self.say(&format!("{} found of {}", found.len(), self.fates.len()));
    }
}

fn play(seed: u64, says: bool) {
    let mut play = Play::new(seed, says);
    for _ in 0..60 {
        play.act();
    }
    play.start();
    play.check();
    play.store().maintain(true).unwrap();
    play.check();
    play.cut_power();
    assert!(play.store().certificates().iter().all(|one| one.erased_ns.is_some()));
    assert_eq!(play.store().health().faults, []);
}

#[test]
fn what_is_acknowledged_is_found_once_whatever_happens() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = variable("LOGBEACON_SIM_SEED") {
        return play(seed, true);
    }
    for seed in 0..variable("LOGBEACON_SIM_SEEDS").unwrap_or(25) {
        let played = std::panic::catch_unwind(|| play(seed, false));
        assert!(played.is_ok(), "seed {seed}: LOGBEACON_SIM_SEED={seed} plays it again");
    }
}

#[test]
fn a_damaged_file_of_any_kind_never_keeps_the_store_from_starting() {
    let mut whole = Play::new(1, false);
    for _ in 0..12 {
        whole.send();
    }
    whole.store().maintain(true).unwrap();
    whole.send();
    let acknowledged = whole.fates.values().filter(|fate| **fate == Fate::Acknowledged).count();
    for (path, bytes) in whole.world.files(Path::new(DIR)) {
        for at in (0..bytes.len()).step_by(bytes.len() / 23 + 1) {
            for cut in [false, true] {
                let mut damaged = bytes.clone();
                if cut {
                    damaged.truncate(at)
                } else {
                    damaged[at] ^= 0x08
                }
                check_damaged(&whole, &path, &damaged, acknowledged);
            }
        }
    }
}

/// A store with one damaged file starts, says what is missing, and goes on.
fn check_damaged(whole: &Play, path: &Path, damaged: &[u8], acknowledged: usize) {
    let world = TestWorld::default();
    for (path, bytes) in whole.world.files(Path::new(DIR)) {
        let fs: &dyn crate::world::Fs = &world;
        drop(fs.create(&path).unwrap());
        world.put(&path, &bytes);
    }
    world.put(path, damaged);
    let options = Options {
        background: false,
        free_bytes_min: 0,
        fs: Arc::new(world.clone()),
        clock: Arc::new(world.clone()),
        ..Options::default()
    };
    let (store, _) = Embedded::open(DIR, options).unwrap();
    store.check().unwrap();
    let request = SearchRequest::new(Query::parse("*").unwrap());
    let mut found = BTreeSet::new();
    let summary = store
        .search(&request, &mut |row| {
            let Found::Record(row) = row else { panic!("no pipes") };
            let is_new = found.insert(row.get("id").map(|id| id.text().into_owned()));
            assert!(is_new, "{}: found twice", path.display());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(summary.complete, "{}: {:?}", path.display(), summary.skipped);
    let is_told = !store.health().damaged.is_empty();
    let is_journal_tail = path.starts_with("/store/journal");
    assert!(
        found.len() == acknowledged || is_told || is_journal_tail,
        "{}: {} of {acknowledged} without a word",
        path.display(),
        found.len(),
    );
    let record = Record { hash: 9, ..Record::default() };
    assert_eq!(store.append(vec![record]).unwrap(), [Verdict::Accepted]);
}

#[test]
fn a_store_on_a_full_disk_is_read_only_and_resumes_by_itself() {
    let mut play = Play::new(3, false);
    play.send();
    play.world.set_room(Some(1_999));
    let record = Record { hash: 5, ..Record::default() };
    let refused = play.store().append(vec![record.clone()]);
    assert!(matches!(refused, Err(AppendError::ReadOnly { .. })), "{refused:?}");
    assert!(play.store().health().read_only.is_some());
    play.check();
    play.world.set_room(None);
    assert_eq!(play.store().append(vec![record]).unwrap(), [Verdict::Accepted]);
    assert_eq!(play.store().health().read_only, None);
}
