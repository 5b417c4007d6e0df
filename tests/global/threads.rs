//! Many threads at once: nothing of one is seen in another, nothing is lost, nothing hangs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::support;

use logwell::LoggingContext;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use support::{elsewhere, global, logged};
use tracing::{Span, info, info_span};

const THREADS: u64 = 8;
const ROUNDS: u64 = 100;

/// Runs `work` on several threads whose records count as this one's.
fn on_many_threads(work: impl Fn(u64) + Sync) {
    let (name, start) = (thread::current().name().unwrap().to_owned(), Barrier::new(8));
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (work, start) = (&work, &start);
            let thread = thread::Builder::new().name(format!("{name}{n}"));
            let run = move || {
                start.wait();
                work(n);
            };
            thread.spawn_scoped(scope, run).unwrap();
        }
    });
}

#[test]
fn spans_and_contexts_of_threads_do_not_mix() {
    let records = logged(|| {
        on_many_threads(|n| {
            for round in 0..ROUNDS {
                let context = LoggingContext::new().trace_id(n.to_string()).with("context", n);
                let _context = context.enter();
                let span = info_span!("span", n, late = tracing::field::Empty).entered();
                span.record("late", round);
                info!(n, round, "inside");
            }
        });
    });
    assert_eq!(records.len() as u64, THREADS * ROUNDS);
    for record in &records {
        let n = &record["n"];
        assert_eq!((&record["spans"][0]["n"], &record["context"]), (n, n));
        assert_eq!(record["trace_id"], n.to_string());
        assert_eq!(record["spans"][0]["late"], record["round"]);
        assert_eq!(record["spans"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn records_of_one_thread_keep_their_order() {
    let records = logged(|| on_many_threads(|n| (0..ROUNDS).for_each(|round| info!(n, round))));
    for n in 0..THREADS {
        let of_one = records.iter().filter(|record| record["n"] == n);
        let rounds: Vec<_> = of_one.map(|record| record["round"].as_u64().unwrap()).collect();
        assert_eq!(rounds, (0..ROUNDS).collect::<Vec<_>>());
    }
    let seqs: Vec<_> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted());
}

#[test]
fn values_recorded_by_many_threads_on_one_span_all_arrive() {
    let records = logged(|| {
        use tracing::field::Empty;
        let span = info_span!(
            "shared",
            f0 = Empty,
            f1 = Empty,
            f2 = Empty,
            f3 = Empty,
            f4 = Empty,
            f5 = Empty,
            f6 = Empty,
            f7 = Empty
        );
        let names = ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"];
        let child = span.in_scope(|| info_span!("child"));
        on_many_threads(|n| {
            let _child = child.enter();
            for round in 1..=ROUNDS {
                span.record(names[n as usize], round);
                info!(n, round, "its own value is there");
            }
        });
        child.in_scope(|| info!("at last"));
    });
    assert_eq!(records.len() as u64, THREADS * ROUNDS + 1);
    let (last, rest) = records.split_last().unwrap();
    for record in rest {
        let name = format!("f{}", record["n"]);
        assert_eq!(record["spans"][0][&name], record["round"]);
    }
    assert!((0..THREADS).all(|n| last["spans"][0][format!("f{n}")] == ROUNDS), "{last}");
}

#[test]
fn spans_made_here_can_be_dropped_there_in_any_order() {
    let records = logged(|| {
        for _ in 0..ROUNDS {
            let parent = info_span!("parent");
            let children: Vec<Span> =
                (0..4).map(|n| info_span!(parent: &parent, "child", n)).collect();
            elsewhere(move || drop(parent));
            elsewhere(move || {
                for child in children {
                    child.in_scope(|| info!("inside"));
                }
            });
        }
    });
    assert_eq!(records.len() as u64, ROUNDS * 4);
    assert!(records.iter().all(|record| record["spans"][0]["name"] == "parent"));
}

#[test]
fn the_level_can_change_while_threads_log() {
    let done = AtomicBool::new(false);
    let records = logged(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for level in ["trace,[never{x=1}]=trace", "trace"] {
                        global().handle.set_level(level).unwrap();
                    }
                }
            });
            on_many_threads(|n| {
                for round in 0..ROUNDS {
                    let _span = info_span!("span", n).entered();
                    info!(n, round);
                }
            });
            done.store(true, Ordering::Relaxed);
        });
    });
    assert_eq!(records.len() as u64, THREADS * ROUNDS);
    assert!(records.iter().all(|record| record["spans"][0]["n"] == record["n"]));
}
