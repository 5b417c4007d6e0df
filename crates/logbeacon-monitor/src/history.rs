//! History: metrics over time, thinner with age, in a space that does not grow.
//!
//! Knows: four resolutions with least, greatest, sum and count of each step. Must not know: where a
//! value comes from. In: values with their times; out: steps, and a file that a new process reads.

use crate::disk::Disk;
use crate::frame::{self, OpenReport, OtherVersion};
use crate::identity::Labels;
use crate::rule::{Sample, Seen};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// The values of many series.
///
/// A series keeps an hour of 30 s, twelve hours of minutes, 30 days of hours and 400 days, about
/// 80 KiB at most. Each resolution is made of the values themselves and never of another
/// resolution's means.
#[derive(Debug)]
pub struct History {
    series: BTreeMap<SeriesKey, Series>,
    series_max: usize,
    refused: u64,
}

/// Which series: a metric and its labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeriesKey {
    /// The metric.
    pub metric: String,
    /// Its labels.
    pub labels: Labels,
}

/// Values of one step of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its begin, in milliseconds since 1970.
    pub start_ms: i64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// Their sum.
    pub sum: f64,
    /// How many there were.
    pub count: u64,
}

/// A series' steps for each resolution, the oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Series([VecDeque<Step>; 4]);

impl Step {
    /// The mean of its values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    fn add(&mut self, value: f64) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
        self.count += 1;
    }
}

impl History {
    /// An empty one of at most so many series.
    #[must_use]
    pub fn new(series_max: usize) -> Self {
        Self { series: BTreeMap::new(), series_max, refused: 0 }
    }

    /// Reads what was saved. Blocks on the disk. What is damaged is left out and reported.
    ///
    /// # Errors
    ///
    /// The disk does not work, or the file is of another version.
    pub fn load(series_max: usize, disk: &mut dyn Disk) -> io::Result<(Self, OpenReport)> {
        let bytes = disk.read()?;
        let mut history = Self::new(series_max);
        let each = |(key, series): (SeriesKey, Series)| {
            if history.series.len() < series_max {
                history.series.insert(key, series);
            }
        };
        let report = frame::decode(&bytes, each).map_err(|OtherVersion(found)| {
            io::Error::other(format!("monitor.history has version {found}: move it away"))
        })?;
        if report.damaged_bytes > 0 {
            disk.keep_damaged(&bytes)?;
        }
        Ok((history, report))
    }

    /// Writes everything in place of what was saved before. Blocks on the disk. To be called every
    /// few minutes: a crash costs what came since.
    ///
    /// # Errors
    ///
    /// What the disk reports: the file is the old one or the new one.
    pub fn save(&self, disk: &mut dyn Disk) -> io::Result<()> {
        let mut bytes = Vec::new();
        for entry in &self.series {
            bytes.extend(frame::encode(&entry)?);
        }
        disk.replace(&bytes)
    }

    /// Takes the values of a metric at that time, in milliseconds since 1970. What is no value
    /// leaves a hole.
    pub fn add(&mut self, metric: &str, samples: &[Sample], at_ms: i64) {
        for sample in samples {
            let Seen::Value(value) = sample.reading else { continue };
            if !value.is_finite() {
                continue;
            }
            let key = SeriesKey { metric: metric.to_owned(), labels: sample.labels.clone() };
            let is_full = self.series.len() >= self.series_max;
            if is_full && !self.series.contains_key(&key) {
                self.refused += 1;
                continue;
            }
            self.series.entry(key).or_default().add(value, at_ms);
        }
    }

    /// The steps of a series from one time to before another, by the finest resolution that goes
    /// back so far and has at most so many steps; and the length of a step in milliseconds.
    #[must_use]
    pub fn read(&self, key: &SeriesKey, wanted: Wanted) -> Option<(i64, Vec<Step>)> {
        let series = self.series.get(key)?;
        let length_ms = wanted.to_ms.saturating_sub(wanted.from_ms);
        let fits = |(tier, steps): &(&Tier, &VecDeque<Step>)| {
            let goes_back = tier.keep_ms() >= wanted.now_ms.saturating_sub(wanted.from_ms);
            let is_short = length_ms / tier.step_ms <= wanted.steps_max;
            goes_back && is_short && !steps.is_empty()
        };
        let mut tiers = TIERS.iter().zip(&series.0);
        let (tier, steps) = tiers.clone().find(fits).or_else(|| tiers.next_back())?;
        let wanted = |step: &&Step| (wanted.from_ms..wanted.to_ms).contains(&step.start_ms);
        Some((tier.step_ms, steps.iter().filter(wanted).copied().collect()))
    }

    /// All series there are.
    pub fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.series.keys()
    }

    /// How many values were not kept, for there are as many series as may be.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Forgets series without a value since that time.
    pub fn forget_before(&mut self, time_ms: i64) {
        let is_new = |series: &Series| {
            let newest = series.0.iter().filter_map(|steps| steps.back()).map(|it| it.start_ms);
            newest.max().is_some_and(|newest| newest >= time_ms)
        };
        self.series.retain(|_, series| is_new(series));
    }
}

/// What is to be read of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// From when, in milliseconds since 1970.
    pub from_ms: i64,
    /// Until before when.
    pub to_ms: i64,
    /// What time it is: by it the age of a resolution is counted.
    pub now_ms: i64,
    /// How many steps at most, if a resolution allows.
    pub steps_max: i64,
}

impl Series {
    fn add(&mut self, value: f64, at_ms: i64) {
        for (tier, steps) in TIERS.iter().zip(&mut self.0) {
            let start_ms = at_ms - at_ms.rem_euclid(tier.step_ms);
            // A clock that was set back adds to what is there, as far back as it is kept.
            let at = steps.partition_point(|step| step.start_ms < start_ms);
            match steps.get_mut(at).filter(|step| step.start_ms == start_ms) {
                Some(step) => step.add(value),
                None => {
                    let (min, max, sum) = (value, value, value);
                    steps.insert(at, Step { start_ms, min, max, sum, count: 1 });
                }
            }
            if steps.len() > tier.keep {
                steps.pop_front();
            }
        }
    }
}

/// A resolution.
struct Tier {
    step_ms: i64,
    /// How many steps are kept.
    keep: usize,
}

impl Tier {
    fn keep_ms(&self) -> i64 {
        self.step_ms.saturating_mul(i64::try_from(self.keep).unwrap_or(i64::MAX))
    }
}

const TIERS: [Tier; 4] = [
    Tier { step_ms: 30_000, keep: 120 },
    Tier { step_ms: 60_000, keep: 720 },
    Tier { step_ms: 3_600_000, keep: 720 },
    Tier { step_ms: 86_400_000, keep: 400 },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDisk, target};

    fn key(name: &str) -> SeriesKey {
        SeriesKey { metric: "m".into(), labels: target(name) }
    }

    fn add(history: &mut History, name: &str, value: f64, at_ms: i64) {
        let sample = Sample { labels: target(name), reading: Seen::Value(value) };
        history.add("m", &[sample], at_ms);
    }

    fn read(history: &History, from_ms: i64, to_ms: i64, steps_max: i64) -> (i64, Vec<Step>) {
        let wanted = Wanted { from_ms, to_ms, now_ms: to_ms, steps_max };
        history.read(&key("a"), wanted).unwrap()
    }

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn every_resolution_has_the_values_themselves() {
        let mut history = History::new(10);
        // Two hours, a value each ten seconds, from 0 to 719.
        (0..720).for_each(|at| add(&mut history, "a", at as f64, at * 10_000));
        let (step_ms, minutes) = read(&history, 0, 7_200_000, 1_000);
        assert_eq!((step_ms, minutes.len()), (60_000, 120));
        assert_eq!((minutes[1].min, minutes[1].max, minutes[1].mean()), (6.0, 11.0, 8.5));
        let (step_ms, hours) = read(&history, 0, 7_200_000, 10);
        assert_eq!((step_ms, hours.len()), (3_600_000, 2));
        assert_eq!((hours[1].count, hours[1].mean()), (360, 539.5));
        let (step_ms, newest) = read(&history, 7_200_000 - 1_800_000, 7_200_000, 1_000);
        assert_eq!((step_ms, newest.len()), (30_000, 60));
    }

    #[test]
    fn space_is_bounded_whatever_the_time_and_the_number_of_series() {
        let mut history = History::new(2);
        // Three years, an hour at a time.
        (0..26_000).for_each(|at| add(&mut history, "a", 1.0, at * 3_600_000));
        for (tier, steps) in TIERS.iter().zip(&history.series[&key("a")].0) {
            assert_eq!(steps.len(), tier.keep);
        }
        ["b", "c", "d"].iter().for_each(|name| add(&mut history, name, 1.0, 0));
        assert_eq!((history.keys().count(), history.refused()), (2, 2));
        history.forget_before(26_000 * 3_600_000 - DAY_MS);
        assert_eq!(history.keys().count(), 1, "`b` is old");
    }

    #[test]
    fn a_clock_that_is_set_back_adds_and_what_is_no_value_leaves_a_hole() {
        let mut history = History::new(1);
        for at_ms in [DAY_MS, DAY_MS - 90_000, DAY_MS - 90_001, DAY_MS] {
            add(&mut history, "a", 1.0, at_ms);
        }
        let none = Sample { labels: target("a"), reading: Seen::NoData };
        history.add("m", &[none], DAY_MS + 60_000);
        add(&mut history, "a", f64::NAN, DAY_MS + 60_000);
        let (_, steps) = read(&history, 0, 2 * DAY_MS, 1);
        let counts: Vec<_> =
            steps.iter().map(|step| (step.start_ms / DAY_MS, step.count)).collect();
        assert_eq!(counts, [(0, 2), (1, 2)]);
    }

    #[test]
    fn a_new_process_reads_what_was_saved_and_damage_costs_one_series() {
        let mut history = History::new(10);
        (0..50).for_each(|at| add(&mut history, "a", 0.1 * at as f64, at * 10_000));
        (0..50).for_each(|at| add(&mut history, "b", 1.0, at * 10_000));
        let mut disk = TestDisk::default();
        history.save(&mut disk).unwrap();
        let (read, report) = History::load(10, &mut disk).unwrap();
        assert_eq!((read.series == history.series, report.frames), (true, 2));
        let mut bytes = disk.read().unwrap();
        bytes[20] ^= 0x55;
        disk.replace(&bytes).unwrap();
        let (read, report) = History::load(10, &mut disk).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), [&key("b")]);
        assert!(report.damaged_bytes > 0);
    }
}
