//! Model: any acts in any order, against a list in memory.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::Duration;

#[derive(Debug, Clone)]
enum Act {
    Append {
        is_urgent: bool,
        bytes: usize,
    },
    Flush,
    Sync,
    Read {
        entries: usize,
    },
    /// Acknowledges some of what is in flight.
    Acknowledge {
        part: usize,
    },
    Rewind,
    Pass(Duration),
    /// Sets the time of day.
    SetTime(u64),
    /// Ends in order and starts again.
    Restart,
    /// Dies and starts again.
    Kill,
    /// The machine loses power and starts again; the bits say what the disk had written by itself.
    PowerLoss(u64),
    /// The disk has so many bytes left.
    Full(usize),
    HasRoom,
    /// One of the next calls fails.
    Fault {
        calls: u64,
        kind: ErrorKind,
    },
}

/// What is known of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Taken, and perhaps written.
    Taken,
    Flushed,
    Synced,
    /// Nobody can know: it was taken or flushed, and something ended before it was safe.
    Unsure,
    Acknowledged,
}

struct Model {
    place: Place,
    spool: Option<(SpoolWriter, SpoolReader, SpoolStatus)>,
    entries: BTreeMap<usize, (Urgency, Known)>,
    /// Ids and numbers in flight.
    in_flight: Vec<(u64, usize)>,
    /// What came out last, by urgency and in all.
    last: Last,
    /// Acknowledged entries may come again: their cursor may be lost.
    may_repeat: bool,
    /// Entries of one urgency may overtake those of the other: a write has failed.
    may_overtake: bool,
    /// What former lives have lost, and may have lost without counting it.
    lost_before: u64,
}

#[derive(Debug, Default)]
struct Last {
    each: BTreeMap<&'static str, usize>,
    all: Option<usize>,
}

impl Model {
    fn new(segments: u64) -> Self {
        let place = Place::new(segments);
        let spool = Some(place.open().unwrap());
        Self {
            place,
            spool,
            entries: BTreeMap::new(),
            in_flight: Vec::new(),
            last: Last::default(),
            may_repeat: false,
            may_overtake: false,
            lost_before: 0,
        }
    }

    fn do_it(&mut self, act: &Act) {
        let (writer, reader, _) = self.spool.as_mut().unwrap();
        match act {
            Act::Append { is_urgent, bytes } => {
                let number = self.entries.len();
                let urgency = if *is_urgent { Urgency::Urgent } else { Urgency::Ordinary };
                // One that is refused is known to the model as one that never was.
                let known = match writer.append(&content(number, *bytes), urgency) {
                    Ok(()) => Known::Taken,
                    Err(_) => Known::Acknowledged,
                };
                self.entries.insert(number, (urgency, known));
            }
            Act::Flush => match writer.flush() {
                Ok(()) => self.learn(Known::Taken, Known::Flushed),
                Err(_) => self.may_overtake = true,
            },
            Act::Sync => match writer.sync() {
                Ok(()) => {
                    self.learn(Known::Taken, Known::Synced);
                    self.learn(Known::Flushed, Known::Synced);
                }
                Err(_) => self.may_overtake = true,
            },
            Act::Read { entries } => {
                let limits = BatchLimits { entries: *entries, bytes: 3_000 };
                if let Ok(batch) = reader.next_batch(limits) {
                    self.came(&batch);
                }
            }
            Act::Acknowledge { part } => {
                let count = self.in_flight.len() * part / 4;
                if let Some((id, _)) = self.in_flight.get(count.wrapping_sub(1)) {
                    // A failure is one of the cursor, whose position will be written later.
                    self.may_repeat |= reader.acknowledge(*id).is_err();
                    for (_, number) in self.in_flight.drain(..count) {
                        self.entries.get_mut(&number).unwrap().1 = Known::Acknowledged;
                    }
                }
            }
            Act::Rewind => {
                reader.rewind();
                self.in_flight.clear();
                self.last = Last::default();
            }
            Act::Pass(time) => self.place.clock.advance(*time),
            Act::SetTime(unix_ms) => self.place.clock.set_unix_ms(*unix_ms),
            Act::Restart => {
                let had_fault = self.may_overtake;
                self.end();
                self.learn(Known::Taken, if had_fault { Known::Unsure } else { Known::Flushed });
                self.start();
            }
            Act::Kill => {
                self.place.disk = self.place.disk.after_kill();
                self.end();
                self.learn(Known::Taken, Known::Unsure);
                self.start();
            }
            Act::PowerLoss(bits) => {
                let mut bits = *bits;
                self.place.disk = self.place.disk.after_power_loss(|| {
                    bits = bits.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    bits >> 63 == 1
                });
                self.end();
                self.learn(Known::Taken, Known::Unsure);
                self.learn(Known::Flushed, Known::Unsure);
                self.may_repeat = true;
                self.start();
            }
            Act::Full(bytes) => {
                self.place.disk.set_room(Some(*bytes));
                self.may_overtake = true;
            }
            Act::HasRoom => self.place.disk.set_room(None),
            Act::Fault { calls, kind } => {
                let at = self.place.disk.calls() + calls;
                self.place.disk.fail_at(at, *kind);
                self.may_overtake = true;
            }
        }
        let (.., status) = self.spool.as_ref().unwrap_or_else(|| panic!("{act:?}"));
        assert_adds_up(status);
        let max_bytes = self.place.options.max_bytes as usize;
        assert!(self.place.disk.segment_bytes() <= max_bytes, "more than the limit after {act:?}");
    }

    fn learn(&mut self, from: Known, to: Known) {
        for (_, known) in self.entries.values_mut().filter(|(_, known)| *known == from) {
            *known = to;
        }
    }

    fn came(&mut self, batch: &[SpoolEntry]) {
        for entry in batch {
            let number = number(&entry.bytes);
            let (urgency, known) = self.entries[&number];
            assert_eq!(urgency, entry.urgency);
            assert!(known != Known::Acknowledged || self.may_repeat, "{number} came again");
            let before = self.last.each.insert(urgency.name(), number);
            assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
            let before = self.last.all.replace(number);
            let in_order = before.is_none_or(|before| before < number);
            assert!(in_order || self.may_overtake, "{number} after {before:?}");
            self.in_flight.push((entry.id, number));
        }
    }

    /// The end of a life.
    fn end(&mut self) {
        let (writer, reader, status) = self.spool.take().unwrap();
        drop((writer, reader));
        let counts = status.counts();
        self.lost_before += counts.evicted_bytes + counts.evicted_age + counts.damaged;
        self.lost_before += self.in_flight.len() as u64;
        self.in_flight.clear();
        self.last = Last::default();
    }

    fn start(&mut self) {
        self.place.disk.heal();
        self.spool = Some(self.place.open().unwrap());
    }

    /// Everything that must be there comes out, and new entries come through.
    fn finish(mut self) -> Finished {
        self.place.disk.heal();
        self.place.clock.advance(Duration::from_secs(1));
        self.do_it(&Act::Flush);
        self.do_it(&Act::Rewind);
        let must = |(_, (_, known)): &(&usize, &(Urgency, Known))| {
            matches!(known, Known::Flushed | Known::Synced)
        };
        let must: BTreeSet<usize> = self.entries.iter().filter(must).map(|(n, _)| *n).collect();
        let mut out = BTreeSet::new();
        loop {
            let (_, reader, _) = self.spool.as_mut().unwrap();
            let batch = reader.next_batch(BatchLimits { entries: 9, bytes: 5_000 }).unwrap();
            let Some(last) = batch.last() else { break };
            reader.acknowledge(last.id).unwrap();
            out.extend(numbers(&batch));
            self.came(&batch);
        }
        let missing: Vec<usize> = must.difference(&out).copied().collect();
        let (mut writer, mut reader, status) = self.spool.take().unwrap();
        let counts = status.counts();
        assert_eq!(counts.waiting, 0);
        let lost = counts.evicted_bytes + counts.evicted_age + counts.damaged + self.lost_before;
        assert!(missing.len() as u64 <= lost, "{missing:?} are missing and only {lost} counted");
        let urgent = |number: &usize| self.entries[number].0 == Urgency::Urgent;
        let missing_urgent = missing.iter().filter(|number| urgent(number)).count();
        assert_lives(&self.place, &mut writer, &mut reader);
        Finished { missing: missing.len(), missing_urgent, counts }
    }
}

/// How it ended.
struct Finished {
    missing: usize,
    missing_urgent: usize,
    counts: SpoolCounts,
}

fn run(segments: u64, acts: &[Act]) -> Finished {
    let mut model = Model::new(segments);
    acts.iter().for_each(|act| model.do_it(act));
    model.finish()
}

/// Use, without anything that goes wrong.
fn use_it() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (any::<bool>(), 6_usize..900)
            .prop_map(|(is_urgent, bytes)| Act::Append { is_urgent, bytes }),
        5 => Just(Act::Flush),
        2 => Just(Act::Sync),
        5 => (1_usize..20).prop_map(|entries| Act::Read { entries }),
        4 => (0_usize..=4).prop_map(|part| Act::Acknowledge { part }),
        1 => Just(Act::Rewind),
        1 => (0_u64..3_000).prop_map(|ms| Act::Pass(Duration::from_millis(ms))),
    ]
}

fn kill() -> impl Strategy<Value = Act> {
    prop_oneof![Just(Act::Kill), Just(Act::Restart)]
}

fn fault() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(ErrorKind::Other), Just(ErrorKind::StorageFull)];
    prop_oneof![
        (0_usize..3_000).prop_map(Act::Full),
        Just(Act::HasRoom),
        (1_u64..9, kind).prop_map(|(calls, kind)| Act::Fault { calls, kind }),
    ]
}

proptest! {
    #[test]
    fn with_room_everything_comes_out_once_and_in_order_whenever_the_process_dies(
        acts in prop::collection::vec(prop_oneof![12 => use_it(), 1 => kill()], 1..150),
    ) {
        let end = run(64, &acts);
        prop_assert_eq!((end.missing, end.counts.damaged, end.counts.refused), (0, 0, 0));
    }

    #[test]
    fn what_was_synced_outlives_a_loss_of_power(
        acts in prop::collection::vec(
            prop_oneof![20 => use_it(), 1 => kill(), 1 => any::<u64>().prop_map(Act::PowerLoss)],
            1..150,
        ),
    ) {
        prop_assert_eq!(run(64, &acts).missing, 0);
    }

    #[test]
    fn a_disk_that_fails_now_and_then_costs_nothing_that_a_flush_has_confirmed(
        acts in prop::collection::vec(
            prop_oneof![9 => use_it(), 1 => kill(), 3 => fault()],
            1..150,
        ),
    ) {
        let end = run(64, &acts);
        prop_assert_eq!((end.missing, end.counts.damaged), (0, 0));
    }

    #[test]
    fn at_the_limit_what_is_lost_is_counted_and_no_urgent_entry_goes_for_an_ordinary_one(
        acts in prop::collection::vec(prop_oneof![25 => use_it(), 1 => kill()], 100..400),
    ) {
        let urgent: usize = acts.iter().map(|act| match act {
            Act::Append { is_urgent: true, bytes } => bytes + 40,
            _ => 0,
        }).sum();
        let end = run(6, &acts);
        prop_assert_eq!(end.counts.damaged, 0);
        // Without the one segment that acknowledged entries may still fill.
        if urgent < 5 * (4 << 10) {
            prop_assert_eq!(end.missing_urgent, 0);
        }
    }

    #[test]
    fn whatever_time_it_is_said_to_be_nothing_is_too_old_before_its_time_has_passed(
        acts in prop::collection::vec(
            prop_oneof![
                9 => use_it(),
                1 => (0_u64..5_000_000_000_000).prop_map(Act::SetTime),
                1 => Just(Act::Rewind),
            ],
            1..150,
        ),
    ) {
        let end = run(64, &acts);
        prop_assert_eq!((end.missing, end.counts.evicted_age), (0, 0));
    }

    #[test]
    fn all_at_once_breaks_no_promise(
        acts in prop::collection::vec(
            prop_oneof![
                20 => use_it(),
                1 => kill(),
                3 => fault(),
                1 => any::<u64>().prop_map(Act::PowerLoss),
                1 => (0_u64..100).prop_map(|hours| Act::Pass(Duration::from_secs(hours * 3600))),
            ],
            1..300,
        ),
        segments in 4_u64..20,
    ) {
        run(segments, &acts);
    }
}
