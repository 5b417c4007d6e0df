//! The progress of a search: what it has cost, what it left out, and when it must stop.
//!
//! Knows: budgets and counters, which threads share. Must not know: units, rows.

use super::unit::Scan;
use crate::store::{SearchRequest, Skipped, Summary};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What threads of one search share.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    time: Duration,
    cancel: crate::store::Cancel,
    threads: usize,
    limit: Option<u64>,
    given: AtomicU64,
    is_cut: AtomicBool,
    rows: AtomicU64,
    bytes: AtomicU64,
    units: AtomicU64,
    matched: AtomicU64,
    skipped: Mutex<BTreeMap<String, String>>,
}

impl Progress {
    pub(crate) fn new(request: &SearchRequest, threads: usize) -> Self {
        Self {
            started: Instant::now(),
            time: request.budget.time,
            cancel: request.cancel.clone(),
            threads,
            limit: request.limit,
            given: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            units: AtomicU64::new(0),
            matched: AtomicU64::new(0),
            skipped: Mutex::default(),
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// How many rows may still be given; `None` is no limit.
    pub(crate) fn rows_left(&self) -> Option<usize> {
        let given = self.given.load(Ordering::Relaxed);
        self.limit.map(|limit| usize::try_from(limit.saturating_sub(given)).unwrap_or(usize::MAX))
    }

    /// Says that a row was given.
    pub(crate) fn give(&self) {
        self.given.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, scan: Scan, matched: u64) {
        self.rows.fetch_add(scan.rows, Ordering::Relaxed);
        self.bytes.fetch_add(scan.bytes, Ordering::Relaxed);
        self.matched.fetch_add(matched, Ordering::Relaxed);
        self.units.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn skip(&self, what: &str, error: &io::Error) {
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        skipped.insert(what.to_owned(), error.to_string());
    }

    /// Whether the time is used up or nobody waits for the answer any more. The answer is
    /// incomplete then.
    pub(crate) fn must_stop(&self) -> bool {
        let must = self.cancel.is_cancelled() || self.started.elapsed() >= self.time;
        if must {
            self.is_cut.store(true, Ordering::Relaxed);
        }
        must
    }

    pub(crate) fn finish(self, generation: u64) -> Summary {
        let skipped = self.skipped.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut skipped: Vec<Skipped> =
            skipped.into_iter().map(|(what, reason)| Skipped { what, reason }).collect();
        if self.is_cut.load(Ordering::Relaxed) {
            let reason = match self.cancel.is_cancelled() {
                true => "the search was cancelled".to_owned(),
                false => format!("the budget of {} ms was used up", self.time.as_millis()),
            };
            skipped.push(Skipped { what: "rest".to_owned(), reason });
        }
        Summary {
            complete: skipped.is_empty(),
            approximate: false,
            matched: self.matched.load(Ordering::Relaxed),
            scanned_rows: self.rows.load(Ordering::Relaxed),
            scanned_bytes: self.bytes.load(Ordering::Relaxed),
            scanned_parts: self.units.load(Ordering::Relaxed),
            skipped,
            generation,
        }
    }
}
