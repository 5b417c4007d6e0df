//! Rollup: counts that are kept with the data: per minute, stream and level, per host, per
//! producer.
//!
//! Knows: how they add up and merge. Must not know: where they are kept. In: members of records,
//! or other counts. Out: the lists that the trait returns.

use crate::store::{Bucket, Device, MinuteCount, Producer};
use logwell_query::{Level, Row, TimeRange, ValueRef};
use std::collections::BTreeMap;

/// A minute, in nanoseconds.
pub(crate) const MINUTE_NS: i64 = 60_000_000_000;

/// Counts per minute, stream and level.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Minutes {
    streams: Vec<String>,
    /// By the number of the minute since the epoch, the place in `streams`, and the rank.
    counts: BTreeMap<(i64, usize, u8), u64>,
}

impl Minutes {
    pub(crate) fn add(&mut self, time_ns: i64, stream: &str, level: Level) {
        self.add_count((time_ns.div_euclid(MINUTE_NS), level.rank()), stream, 1);
    }

    /// Adds a count to a minute and a rank.
    pub(crate) fn add_count(&mut self, (minute, rank): (i64, u8), stream: &str, count: u64) {
        let place = self.streams.iter().position(|known| known == stream).unwrap_or_else(|| {
            self.streams.push(stream.to_owned());
            self.streams.len() - 1
        });
        *self.counts.entry((minute, place, rank)).or_default() += count;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, stream, count) in other.iter() {
            self.add_count(key, stream, count);
        }
    }

    /// Minute since the epoch and rank, stream, count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ((i64, u8), &str, u64)> {
        self.counts.iter().filter_map(|((minute, place, rank), count)| {
            Some(((*minute, *rank), self.streams.get(*place)?.as_str(), *count))
        })
    }

    /// The counts of the minutes that begin within the range, by minute, stream and level.
    pub(crate) fn within(&self, range: TimeRange) -> Vec<MinuteCount> {
        let count = |((minute, rank), stream, count): ((i64, u8), &str, u64)| {
            let minute_ns = minute.saturating_mul(MINUTE_NS);
            let level = Level::ALL.get(usize::from(rank)).copied()?;
            let within = range.contains(minute_ns);
            within.then(|| MinuteCount { minute_ns, stream: stream.to_owned(), level, count })
        };
        let mut list: Vec<MinuteCount> = self.iter().filter_map(count).collect();
        list.sort();
        list
    }
}

/// Hosts, and when they were last heard of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Devices(BTreeMap<String, Device>);

impl Devices {
    pub(crate) fn add(&mut self, host: &str, time_ns: i64, arrived_ns: i64) {
        if host.is_empty() {
            return;
        }
        self.add_device(Device {
            host: host.to_owned(),
            last_event_ns: time_ns,
            last_arrived_ns: arrived_ns,
            count: 1,
        });
    }

    pub(crate) fn add_device(&mut self, device: Device) {
        match self.0.get_mut(&device.host) {
            Some(known) => {
                known.last_event_ns = known.last_event_ns.max(device.last_event_ns);
                known.last_arrived_ns = known.last_arrived_ns.max(device.last_arrived_ns);
                known.count += device.count;
            }
            None => drop(self.0.insert(device.host.clone(), device)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for device in other.0.values() {
            self.add_device(device.clone());
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Device> {
        self.0.values()
    }

    pub(crate) fn list(&self) -> Vec<Device> {
        self.0.values().cloned().collect()
    }
}

/// The numbers that producers gave their records.
#[derive(Debug, Default)]
pub(crate) struct ProducerRanges(BTreeMap<[String; 4], Ranges>);

impl ProducerRanges {
    /// Takes the number of a record that has `seq`, and `process` or `boot_id`.
    pub(crate) fn add(&mut self, row: &dyn Row) {
        let text =
            |field| row.get(field).map_or_else(String::new, |value| value.text().into_owned());
        let seq = match row.get("seq") {
            Some(ValueRef::Int(seq)) => u64::try_from(seq).ok(),
            Some(ValueRef::UInt(seq)) => Some(seq),
            _ => None,
        };
        let Some(seq) = seq else { return };
        let key = [text("host"), text("service"), text("process"), text("boot_id")];
        let [.., process, boot_id] = &key;
        if process.is_empty() && boot_id.is_empty() {
            return;
        }
        self.0.entry(key).or_default().add(seq);
    }

    pub(crate) fn finish(self) -> Vec<Producer> {
        let producer = |(key, ranges): ([String; 4], Ranges)| {
            let [host, service, process, boot_id] = key;
            Producer { host, service, process, boot_id, ranges: ranges.finish() }
        };
        self.0.into_iter().map(producer).collect()
    }
}

/// Numbers as inclusive ranges, in as much memory as those take.
#[derive(Debug, Default)]
struct Ranges {
    list: Vec<(u64, u64)>,
    /// How many the list may become before it is put in order: twice what it had then.
    room: usize,
}

impl Ranges {
    fn add(&mut self, number: u64) {
        // Rows come newest first, so most numbers continue the last range on one side.
        match self.list.last_mut() {
            Some((first, _)) if number.checked_add(1) == Some(*first) => *first = number,
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => {
                if self.list.len() >= self.room.max(1024) {
                    self.put_in_order();
                    self.room = self.list.len() * 2;
                }
                self.list.push((number, number));
            }
        }
    }

    fn put_in_order(&mut self) {
        self.list.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for &(first, last) in &self.list {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        self.list = joined;
    }

    fn finish(mut self) -> Vec<(u64, u64)> {
        self.put_in_order();
        self.list
    }
}

/// Counts by step and level.
#[derive(Debug)]
pub(crate) struct Histogram {
    step_ns: i64,
    buckets: BTreeMap<i64, [u64; 6]>,
}

impl Histogram {
    /// Steps of that length, at least a nanosecond.
    pub(crate) fn new(step_ns: u64) -> Self {
        let step_ns = i64::try_from(step_ns).unwrap_or(i64::MAX).max(1);
        Self { step_ns, buckets: BTreeMap::new() }
    }

    /// Whether a minute never lies in two steps, so that counts per minute are enough.
    pub(crate) fn takes_minutes(&self) -> bool {
        self.step_ns % MINUTE_NS == 0
    }

    pub(crate) fn add(&mut self, time_ns: i64, level: Level, count: u64) {
        let start_ns = time_ns.div_euclid(self.step_ns).saturating_mul(self.step_ns);
        let counts = self.buckets.entry(start_ns).or_default();
        if let Some(of_level) = counts.get_mut(usize::from(level.rank())) {
            *of_level += count;
        }
    }

    /// The steps that have records, by time.
    pub(crate) fn finish(self) -> Vec<Bucket> {
        self.buckets.into_iter().map(|(start_ns, counts)| Bucket { start_ns, counts }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use logwell_query::Value;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn counts_of_minutes_merge_whatever_the_order_of_their_streams() {
        let (mut left, mut right, mut all) = <(Minutes, Minutes, Minutes)>::default();
        for (time_ns, stream) in [(0, "a"), (MINUTE_NS - 1, "b"), (MINUTE_NS, "a"), (-1, "b")] {
            left.add(time_ns, stream, Level::Warn);
            all.add(time_ns, stream, Level::Warn);
        }
        for (time_ns, stream) in [(5, "b"), (5, "a")] {
            right.add(time_ns, stream, Level::Warn);
            all.add(time_ns, stream, Level::Warn);
        }
        left.merge(&right);
        assert_eq!(left.within(TimeRange::ALL), all.within(TimeRange::ALL));
        let second_minute = TimeRange { first_ns: MINUTE_NS, last_ns: MINUTE_NS };
        assert_eq!(left.within(second_minute).len(), 1);
        assert_eq!(left.within(TimeRange::ALL)[0].minute_ns, -MINUTE_NS);
    }

    #[test]
    fn a_gap_in_the_numbers_of_a_producer_shows_as_two_ranges() {
        let mut producers = ProducerRanges::default();
        for seq in [3, 1, 2, 2, 7, 6] {
            let field = |name: &str, value| (name.to_owned(), Value::Int(value));
            let fields = vec![field("process", 42), field("seq", seq)];
            producers.add(&Record { fields, ..Record::default() });
        }
        producers.add(&Record::default());
        let found = producers.finish();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].process, "42");
        assert_eq!(found[0].ranges, [(1, 3), (6, 7)]);
    }

    #[test]
    fn two_starts_of_a_process_are_two_producers_if_they_say_so() {
        let mut producers = ProducerRanges::default();
        for (boot, seq) in [("a", 1), ("a", 2), ("b", 1)] {
            let id = ("boot_id".to_owned(), Value::Text(boot.to_owned()));
            let fields = vec![id, ("seq".to_owned(), Value::Int(seq))];
            producers.add(&Record { fields, ..Record::default() });
        }
        let found: Vec<_> =
            producers.finish().into_iter().map(|one| (one.boot_id, one.ranges)).collect();
        assert_eq!(found, [("a".to_owned(), vec![(1, 2)]), ("b".to_owned(), vec![(1, 1)])]);
    }

    proptest! {
        #[test]
        fn ranges_have_the_numbers_that_were_added(
            numbers in prop::collection::vec(0_u64..6000, 0..4000),
        ) {
            let mut ranges = Ranges::default();
            numbers.iter().for_each(|number| ranges.add(*number));
            let found: Vec<u64> =
                ranges.finish().into_iter().flat_map(|(first, last)| first..=last).collect();
            let wanted: BTreeSet<u64> = numbers.into_iter().collect();
            prop_assert_eq!(found, Vec::from_iter(wanted));
        }
    }

    #[test]
    fn a_histogram_counts_times_before_the_epoch_in_their_own_step() {
        let mut histogram = Histogram::new(10);
        for time_ns in [-1, 0, 9, 10] {
            histogram.add(time_ns, Level::Info, 1);
        }
        let counts: Vec<(i64, u64)> =
            histogram.finish().iter().map(|bucket| (bucket.start_ns, bucket.counts[2])).collect();
        assert_eq!(counts, [(-10, 1), (0, 2), (10, 1)]);
    }
}
