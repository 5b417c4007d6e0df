//! LogRecords: how many records each logger has logged, by level.
//!
//! Counts by callsite, on the listener's thread; what was dropped before the queue is counted where
//! it was dropped. So a log call pays nothing, and the numbers add up to `Stats::captured` but for
//! what waits in the queue. Knows callsites; does not know families. Records go in, samples of
//! `log_records_total` come out.

use crate::metrics::callsite_table::CallsiteTable;
use crate::metrics::exposition::Exposition;
use crate::metrics::format::Kind as MetricKind;
use crate::metrics::guard::{Guard, OTHER, Overflow};
use crate::record::Record;
use crate::record::callsite::{Callsite, Kind};
use crate::record::level::Level;
use crate::record::stats::add;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const NAME: &str = "log_records_total";
/// Targets of the `log` crate are texts of the program's: more than these are counted as one.
const MAX_TARGETS: usize = 4_096;

/// Counts records by callsite. Clones count together; one that is off counts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogRecords(Option<Arc<Counts>>);

#[derive(Debug)]
struct Counts {
    by_callsite: CallsiteTable<Cell>,
    /// Of callsites beyond the table.
    rest: [AtomicU64; Level::COUNT],
    /// Records of the `log` crate, by level and target: their callsites are the same for all.
    by_target: [Mutex<HashMap<SmolStr, u64>>; Level::COUNT],
    max_loggers: usize,
    /// Loggers that have their own series: once it is there it stays.
    shown: Mutex<BTreeSet<SmolStr>>,
}

#[derive(Debug, Default)]
struct Cell {
    callsite: OnceLock<&'static Callsite>,
    /// Written by the listener alone.
    received: AtomicU64,
    refused: AtomicU64,
}

impl LogRecords {
    pub(crate) fn new(max_loggers: usize) -> Self {
        Self(Some(Arc::new(Counts {
            by_callsite: CallsiteTable::default(),
            rest: Default::default(),
            by_target: Default::default(),
            max_loggers,
            shown: Mutex::default(),
        })))
    }

    /// The listener has taken the record from the queue. Called by one thread.
    #[inline]
    pub(crate) fn received(&self, record: &Record) {
        let Some(counts) = &self.0 else { return };
        let callsite = record.callsite();
        if callsite.kind() == Kind::LogCrate {
            return counts.count_target(callsite.level(), record.target());
        }
        match counts.cell(callsite) {
            Some(cell) => add(&cell.received, 1),
            None => counts.count_rest(callsite.level()),
        }
    }

    /// A record of that callsite was dropped before the queue, by any thread.
    #[cold]
    pub(crate) fn refused(&self, callsite: &'static Callsite) {
        let Some(counts) = &self.0 else { return };
        match counts.cell(callsite) {
            Some(cell) => drop(cell.refused.fetch_add(1, Ordering::Relaxed)),
            None => counts.count_rest(callsite.level()),
        }
    }

    /// Whether anything is counted.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Writes the family.
    pub(crate) fn write(&self, page: &mut Exposition, guard: &Guard) {
        let Some(counts) = &self.0 else { return };
        let mut family =
            page.family(MetricKind::Counter, NAME, "Records logged, by level and logger.");
        for ((logger, level), count) in counts.sums(guard) {
            family = family.sample(&[("level", level.as_str()), ("logger", &logger)], count);
        }
    }
}

impl Counts {
    fn cell(&self, callsite: &'static Callsite) -> Option<&Cell> {
        let cell = self.by_callsite.get(callsite.index())?;
        cell.callsite.get_or_init(|| callsite);
        Some(cell)
    }

    fn count_rest(&self, level: Level) {
        if let Some(count) = self.rest.get(level.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count_target(&self, level: Level, target: &str) {
        let Some(by_target) = self.by_target.get(level.index()) else { return };
        let mut by_target = by_target.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_target.get_mut(target) {
            *count += 1;
        } else {
            let target = if by_target.len() < MAX_TARGETS { target } else { OTHER };
            *by_target.entry(target.into()).or_default() += 1;
        }
    }

    /// By logger and level. A logger that has logged has all levels.
    fn sums(&self, guard: &Guard) -> BTreeMap<(SmolStr, Level), u64> {
        let mut all: Vec<(SmolStr, Level, u64)> = Vec::new();
        for cell in self.by_callsite.iter() {
            let Some(callsite) = cell.callsite.get() else { continue };
            let count =
                cell.received.load(Ordering::Acquire) + cell.refused.load(Ordering::Relaxed);
            all.push((callsite.target().into(), callsite.level(), count));
        }
        for (level, by_target) in Level::ALL.into_iter().zip(&self.by_target) {
            let by_target = by_target.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(by_target.iter().map(|(target, count)| (target.clone(), level, *count)));
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = BTreeMap::new();
        for (logger, level, count) in all.into_iter().filter(|(.., count)| *count > 0) {
            let has_series = shown.contains(&logger)
                || (shown.len() < self.max_loggers && shown.insert(logger.clone()));
            if !has_series {
                let metric = NAME.to_owned();
                let (max_series, widest) = (self.max_loggers * Level::COUNT, None);
                guard.refuse(NAME, || Overflow { metric, max_series, widest });
            }
            let logger = if has_series { logger } else { OTHER.into() };
            // A series that begins at 1 shows no increase: each begins at 0 with its logger.
            for level in Level::ALL {
                sums.entry((logger.clone(), level)).or_default();
            }
            *sums.entry((logger, level)).or_default() += count;
        }
        for (level, count) in Level::ALL.into_iter().zip(&self.rest) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                *sums.entry((OTHER.into(), level)).or_default() += count;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::format::Format;
    use crate::record::callsite::Place;
    use crate::record::fields::{Fields, Key, Value};
    use std::time::SystemTime;

    fn callsite(target: &'static str, level: Level) -> &'static Callsite {
        let kind = if target == "log" { Kind::LogCrate } else { Kind::Plain };
        let fields = Box::new(["log.target"]);
        let (module, file, line) = (None, None, None);
        Callsite::leak(Place { level, target, name: "n", module, file, line, fields, kind })
    }

    fn record(callsite: &'static Callsite, target: &str) -> Record {
        let mut fields = Fields::new();
        fields.push(Key::Index(0), Value::Str(target));
        Record::new(callsite, SystemTime::UNIX_EPOCH, fields)
    }

    fn page(records: &LogRecords, guard: &Guard) -> String {
        let mut page = Exposition::new(Format::Text);
        records.write(&mut page, guard);
        page.finish()
    }

    #[test]
    fn records_of_all_callsites_of_a_logger_are_one_number_for_each_level() {
        let (records, guard) = (LogRecords::new(100), Guard::default());
        let callsites = [
            callsite("shop", Level::Info),
            callsite("shop", Level::Info),
            callsite("shop", Level::Critical),
        ];
        for callsite in callsites {
            records.received(&record(callsite, ""));
        }
        records.refused(callsites[1]);
        let bridge = callsite("log", Level::Warn);
        records.received(&record(bridge, "hyper"));
        records.received(&record(bridge, "h2"));
        let page = page(&records, &guard);
        for line in [
            "log_records_total{level=\"INFO\",logger=\"shop\"} 3\n",
            "log_records_total{level=\"CRITICAL\",logger=\"shop\"} 1\n",
            "log_records_total{level=\"WARN\",logger=\"hyper\"} 1\n",
            "log_records_total{level=\"WARN\",logger=\"h2\"} 1\n",
        ] {
            assert!(page.contains(line), "{page}");
        }
        assert!(guard.refused().is_empty());
    }

    #[test]
    fn loggers_beyond_the_limit_are_one_and_those_with_a_series_keep_it() {
        let (records, guard) = (LogRecords::new(1), Guard::default());
        let late = callsite("late", Level::Info);
        let (first, second) = (callsite("first", Level::Info), callsite("second", Level::Info));
        records.received(&record(first, ""));
        assert!(page(&records, &guard).contains("logger=\"first\"} 1"));
        records.received(&record(second, ""));
        records.received(&record(late, "")); // its callsite comes before the others'
        let page = page(&records, &guard);
        assert!(
            page.contains("logger=\"first\"} 1") && page.contains("logger=\"_other\"} 2"),
            "{page}"
        );
        assert!(guard.refused().contains_key(NAME));
    }

    #[test]
    fn targets_of_the_log_crate_do_not_grow_without_end() {
        let (records, guard) = (LogRecords::new(1), Guard::default());
        let bridge = callsite("log", Level::Debug);
        for number in 0..2 * MAX_TARGETS {
            records.received(&record(bridge, &number.to_string()));
        }
        let known =
            records.0.as_ref().unwrap().by_target[Level::Debug.index()].lock().unwrap().len();
        assert_eq!(known, MAX_TARGETS + 1);
        let others = 2 * MAX_TARGETS - 1;
        assert!(page(&records, &guard).contains(&format!("logger=\"_other\"}} {others}\n")));
    }

    #[test]
    fn one_that_is_off_writes_nothing() {
        let records = LogRecords::default();
        records.received(&record(callsite("a", Level::Info), ""));
        assert_eq!(page(&records, &Guard::default()), "");
    }
}
