//! Guard: how many series a family may have, and who is informed when one would have more.
//!
//! Knows limits and counts. Does not know series, the queue or a file. Families report what they
//! have no room for; the self-log and a function of the set-up's are told once for each family.

use crate::base::selflog;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The value of every label of the series in which the rest is counted.
pub(crate) const OTHER: &str = "_other";
/// Series of a family, unless `metrics.max_series` says otherwise.
pub(crate) const MAX_SERIES: usize = 2_000;

/// That a family has as many series as it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) metric: String,
    pub(crate) max_series: usize,
    /// The label with most values, and how many it has.
    pub(crate) widest: Option<(String, usize)>,
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, max_series, widest } = self;
        write!(f, "the metric {metric} has {max_series} series, the most it may have; ")?;
        write!(f, "further ones are counted as {OTHER:?}")?;
        if let Some((label, values)) = widest {
            write!(f, "; its label {label:?} has {values} values: is it an id?")?;
        }
        Ok(())
    }
}

type OnOverflow = Box<dyn Fn(&Overflow) + Send + Sync>;

/// What all families of a registry have in common.
pub(crate) struct Guard {
    max_series: AtomicUsize,
    expire_after: Mutex<Option<Duration>>,
    /// By metric, how often a series was asked for that there is no room for.
    refused: Mutex<BTreeMap<String, u64>>,
    /// What is wrong with names, for people.
    problems: Mutex<Vec<String>>,
    on_overflow: OnceLock<OnOverflow>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            max_series: AtomicUsize::new(MAX_SERIES),
            expire_after: Mutex::default(),
            refused: Mutex::default(),
            problems: Mutex::default(),
            on_overflow: OnceLock::new(),
        }
    }
}

impl Guard {
    pub(crate) fn limit(&self, max_series: usize, expire_after: Option<Duration>) {
        self.max_series.store(max_series, Ordering::Relaxed);
        *self.expire_after.lock().unwrap_or_else(PoisonError::into_inner) = expire_after;
    }

    pub(crate) fn max_series(&self) -> usize {
        self.max_series.load(Ordering::Relaxed)
    }

    pub(crate) fn expire_after(&self) -> Option<Duration> {
        *self.expire_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `tell` for each family that overflows from now on. Only the first one is taken.
    pub(crate) fn on_overflow(&self, tell: impl Fn(&Overflow) + Send + Sync + 'static) {
        let _there_is_one = self.on_overflow.set(Box::new(tell));
    }

    /// Counts a series there was no room for. `overflow` is asked for the first one of a metric.
    pub(crate) fn refuse(&self, metric: &str, overflow: impl FnOnce() -> Overflow) {
        {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = refused.get_mut(metric) {
                *count += 1;
                return;
            }
            refused.insert(metric.to_owned(), 1);
        }
        let overflow = overflow();
        selflog::tell_each(&format!("metrics: {overflow}"));
        if let Some(tell) = self.on_overflow.get() {
            tell(&overflow);
        }
    }

    /// Notes that a family is not what the program asks for, and says so on the self-log.
    pub(crate) fn blame(&self, problem: String) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if !problems.contains(&problem) && problems.len() < MAX_PROBLEMS {
            selflog::tell_each(&format!("metrics: {problem}"));
            problems.push(problem);
        }
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// By metric, how often a series was asked for that there is no room for.
    pub(crate) fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Further problems are counted as known.
const MAX_PROBLEMS: usize = 64;

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("refused", &self.refused()).finish_non_exhaustive()
    }
}
