//! DeliveryCounters: what a forwarder counts, and what its destination's trouble is.

use crate::record::stats::{DestinationStats, add};
use crate::spool::SpoolStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of one destination. Only its forwarder writes them.
#[derive(Debug, Default)]
pub(crate) struct DeliveryCounters {
    delivered: AtomicU64,
    refused: AtomicU64,
    failed_attempts: AtomicU64,
    problem: Mutex<Option<String>>,
    has_problem: AtomicBool,
}

impl DeliveryCounters {
    pub(super) fn delivered(&self, records: u64) {
        add(&self.delivered, records);
    }

    pub(super) fn refused(&self, records: u64, why: &str) {
        add(&self.refused, records);
        self.set_problem(Some(why));
    }

    pub(super) fn failed(&self, why: &str) {
        add(&self.failed_attempts, 1);
        self.set_problem(Some(why));
    }

    /// The last attempt went well.
    pub(super) fn works(&self) {
        if self.has_problem.load(Ordering::Relaxed) {
            self.set_problem(None);
        }
    }

    fn set_problem(&self, problem: Option<&str>) {
        self.has_problem.store(problem.is_some(), Ordering::Relaxed);
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem.map(str::to_owned);
    }

    /// All of them, and what the spool has counted.
    pub(super) fn snapshot(&self, name: &str, spool: &SpoolStatus) -> DestinationStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let (counts, waiting) = (spool.counts(), spool.waiting());
        DestinationStats {
            name: name.to_owned(),
            found: counts.found,
            delivered: read(&self.delivered),
            refused: read(&self.refused),
            failed_attempts: read(&self.failed_attempts),
            evicted: counts.evicted_bytes + counts.evicted_age,
            damaged: counts.damaged,
            waiting: waiting.entries,
            waiting_bytes: waiting.bytes,
            oldest_unix_ms: waiting.oldest_unix_ms,
            problem: self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
