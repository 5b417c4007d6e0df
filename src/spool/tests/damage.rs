//! Damage: bytes that are not what was written.

use super::super::entry::{self, HEAD_BYTES, MARKER, NUMBER_LIMIT, Stub};
use super::super::names;
use super::super::reader::PATIENCE;
use super::super::shared::MAX_ASIDE;
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Files of a spool by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// A spool of 24 ordinary entries in two segments, and 4 urgent ones in one.
fn written() -> Files {
    let place = Place::new(16);
    let (mut writer, _reader, _) = place.open().unwrap();
    for n in 0..28 {
        let urgency = if n % 7 == 0 { Urgency::Urgent } else { Urgency::Ordinary };
        writer.append(&content(n, 200), urgency).unwrap();
    }
    writer.flush().unwrap();
    let names = place.disk.files().into_keys();
    let files: Files = names.map(|name| (name.clone(), place.disk.content(&name))).collect();
    assert_eq!(files.len(), 3);
    files
}

fn place_with(files: &Files) -> Place {
    let place = Place::new(16);
    files.iter().for_each(|(name, bytes)| place.disk.put(name, bytes));
    place
}

/// The numbers of the entries in a file, each with the place of its bytes.
fn places(bytes: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let mut places = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + entry::first_bytes(&bytes[at..]).unwrap();
        places.push((number(&bytes[at + HEAD_BYTES..end]), at..end));
        at = end;
    }
    places
}

/// Opens, takes everything out in order, and sees one new entry come through.
fn read(place: &Place) -> (BTreeSet<usize>, SpoolCounts) {
    let (mut writer, mut reader, status) = place.open().unwrap();
    let out = drain(&mut reader);
    assert!(out.is_sorted(), "{out:?}");
    let counts = status.counts();
    assert_adds_up(&status);
    assert_eq!(counts.waiting, 0);
    writer.append(&content(99, 100), Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    assert_eq!(drain(&mut reader), [99]);
    (out.into_iter().collect(), counts)
}

#[test]
fn any_byte_that_is_flipped_costs_the_entry_it_belongs_to_and_no_other() {
    let files = written();
    for (name, bytes) in &files {
        let last = bytes.len() < 3_000;
        for (victim, range) in places(bytes) {
            for at in range {
                for mask in [1 << (at % 8), 0xFF] {
                    let place = place_with(&files);
                    place.disk.damage(name, |bytes| bytes[at] ^= mask);
                    let (out, counts) = read(&place);
                    let rest = (0..28).filter(|n| *n != victim).collect();
                    assert_eq!(out, rest, "byte {at} of {name}, {mask}");
                    // What is at the end of the last segment may never have been whole.
                    assert!(counts.damaged == 1 || (last && counts.damaged == 0), "{counts:?}");
                }
            }
        }
    }
}

#[test]
fn at_whatever_length_a_segment_is_cut_all_entries_before_come_out() {
    let files = written();
    for (name, bytes) in &files {
        let places = places(bytes);
        for length in 0..bytes.len() {
            let place = place_with(&files);
            place.disk.damage(name, |bytes| bytes.truncate(length));
            let (out, counts) = read(&place);
            let lost = places.iter().filter(|(_, range)| range.end > length);
            let lost: BTreeSet<usize> = lost.map(|(number, _)| *number).collect();
            let rest = (0..28).filter(|n| !lost.contains(n)).collect();
            assert_eq!(out, rest, "{name} cut to {length}");
            let is_last = bytes.len() < 3_000;
            let expected = if is_last { 0 } else { lost.len() as u64 };
            assert_eq!(counts.damaged, expected, "{name} cut to {length}");
        }
    }
}

#[test]
fn any_part_of_a_segment_that_is_zeroed_costs_the_entries_it_touches() {
    let files = written();
    for (name, bytes) in &files {
        for from in (0..bytes.len()).step_by(97) {
            for length in [1, 40, 512, 4096] {
                let zeroed = from..(from + length).min(bytes.len());
                let place = place_with(&files);
                place.disk.damage(name, |bytes| bytes[zeroed.clone()].fill(0));
                let after = place.disk.content(name);
                let (out, _) = read(&place);
                let kept =
                    |range: &std::ops::Range<usize>| bytes[range.clone()] == after[range.clone()];
                let lost = places(bytes).into_iter().filter(|(_, range)| !kept(range));
                let lost: BTreeSet<usize> = lost.map(|(number, _)| number).collect();
                assert_eq!(
                    out,
                    (0..28).filter(|n| !lost.contains(n)).collect(),
                    "{name} {zeroed:?}"
                );
            }
        }
    }
}

#[test]
fn whatever_happens_to_the_cursor_no_entry_is_lost() {
    let mut files = written();
    {
        let place = place_with(&files);
        let (_writer, mut reader, _) = place.open().unwrap();
        for _ in 0..3 {
            let batch = reader.next_batch(BatchLimits { entries: 4, ..ALL }).unwrap();
            reader.acknowledge(batch[3].id).unwrap();
        }
        files.insert(names::CURSOR.to_owned(), place.disk.content(names::CURSOR));
    }
    let length = files[names::CURSOR].len();
    let read_from = |damage: &dyn Fn(&mut Vec<u8>)| {
        let place = place_with(&files);
        place.disk.damage(names::CURSOR, damage);
        let (out, counts) = read(&place);
        assert_eq!(counts.damaged, 0);
        let first = *out.first().unwrap();
        assert_eq!(out, (first..28).collect());
        first
    };
    assert_eq!(read_from(&|_| ()), 12);
    for at in 0..length {
        let first = read_from(&|bytes| bytes[at] ^= 0x10);
        assert!(first == 12 || first == 8, "{first}");
    }
    for to in (0..64).chain(4090..4150).chain([length - 1]) {
        let first = read_from(&|bytes| bytes.truncate(to));
        assert!([0, 8, 12].contains(&first), "{first}");
    }
    assert_eq!(read_from(&|bytes| bytes.fill(0xFF)), 0);
    files.remove(names::CURSOR);
    assert_eq!(read(&place_with(&files)).0, (0..28).collect());
}

#[test]
fn bytes_that_look_like_entries_do_not_come_out_of_a_damaged_one() {
    let files = written();
    let bytes = files.first_key_value().unwrap().1;
    let mut inner = Vec::new();
    for n in 5..9 {
        let at = inner.len();
        entry::push(&mut inner, Stub { id: n, n, at_unix_ms: 0 }, &content(77, 50));
        entry::seal(&mut inner[at..], entry::seed("some other name"));
    }
    inner.extend_from_slice(bytes);
    // The head is damaged, so that its length says nothing.
    for at in 0..HEAD_BYTES {
        let place = Place::new(16);
        let (mut writer, _reader, _) = place.open().unwrap();
        writer.append(&content(1, 60), Urgency::Urgent).unwrap();
        writer.append(&inner[..3_000], Urgency::Urgent).unwrap();
        writer.append(&content(2, 60), Urgency::Urgent).unwrap();
        writer.flush().unwrap();
        let (name, _) = place.disk.files().pop_first().unwrap();
        place.disk.damage(&name, |bytes| bytes[HEAD_BYTES + 60 + at] ^= 4);
        let place = Place { disk: place.disk.after_kill(), ..place };
        assert_eq!(read(&place).0, BTreeSet::from([1, 2]), "{name}");
    }
}

#[test]
fn a_segment_in_which_nothing_can_be_read_is_set_aside_and_the_newest_four_are_kept() {
    let mut place = Place::new(16);
    for round in 0..10 {
        let name = {
            let (mut writer, _reader, _) = place.open().unwrap();
            writer.append(&content(round, 100), Urgency::ALL[round % 2]).unwrap();
            writer.flush().unwrap();
            let mut names = place.disk.files().into_keys();
            names.find(|name| names::parse(name).is_some()).unwrap()
        };
        place.disk = place.disk.after_kill();
        // As another version would have written it.
        place.disk.damage(&name, |bytes| bytes[MARKER.len() - 1] += 1);
        let (mut writer, mut reader, status) = place.open().unwrap();
        assert_eq!(status.counts().quarantined, 1);
        assert!(drain(&mut reader).is_empty());
        // The next round has another number.
        writer.append(&content(round, 100), Urgency::ALL[round % 2]).unwrap();
        writer.flush().unwrap();
        assert_eq!(drain(&mut reader), [round]);
        reader.sync().unwrap();
        drop((writer, reader, status));
        for name in place.disk.files().into_keys().filter(|name| names::parse(name).is_some()) {
            place.disk.delete(&name);
        }
    }
    let aside = place.disk.files().into_keys().filter(|name| names::is_aside(name)).count();
    assert_eq!(aside, MAX_ASIDE);
}

#[test]
fn a_segment_in_the_middle_in_which_nothing_can_be_read_is_set_aside_when_it_is_passed() {
    let files = written();
    let (name, bytes) =
        files.iter().find(|(name, _)| name.contains("-00000000000000000001")).unwrap();
    let place = place_with(&files);
    place.disk.damage(name, |bytes| bytes.fill(7));
    let (_writer, mut reader, status) = place.open().unwrap();
    let out = drain(&mut reader);
    assert_eq!(out.len(), 28 - places(bytes).len());
    assert_eq!(status.counts().damaged, places(bytes).len() as u64);
    assert_eq!(status.counts().quarantined, 1);
    assert!(place.disk.files().contains_key(&names::aside(name)));
}

#[test]
fn a_segment_that_cannot_be_read_is_given_up_after_a_minute_and_not_before() {
    let files = written();
    let place = place_with(&files);
    let (_writer, mut reader, status) = place.open().unwrap();
    let (bad, _) = files.first_key_value().unwrap();
    place.disk.set_unreadable(bad);
    let begun = place.clock.now();
    let mut out = Vec::new();
    loop {
        match reader.next_batch(BatchLimits { entries: 1, ..ALL }) {
            Ok(batch) if batch.is_empty() => break,
            Ok(batch) => out.extend(numbers(&batch)),
            Err(_) => place.clock.advance(Duration::from_secs(10)),
        }
        assert!(place.clock.now() - begun < PATIENCE * 10, "no progress");
    }
    assert_eq!(place.clock.now() - begun, PATIENCE);
    reader.acknowledge(28).unwrap();
    let damaged = places(&files[bad]).len();
    assert_eq!((out.len(), status.counts().damaged), (28 - damaged, damaged as u64));
    assert_adds_up(&status);
}

#[test]
fn a_last_segment_that_cannot_be_read_at_the_start_is_neither_cut_nor_given_up() {
    let files = written();
    for name in files.keys() {
        let place = place_with(&files);
        place.disk.set_unreadable(name);
        let (mut writer, mut reader, status) = place.open().unwrap();
        for n in 28..40 {
            writer.append(&content(n, 200), Urgency::ALL[n % 2]).unwrap();
        }
        writer.flush().unwrap();
        place.disk.set_unreadable("");
        assert_eq!(drain(&mut reader), (0..40).collect::<Vec<_>>(), "{name}");
        assert_adds_up(&status);
    }
}

#[test]
fn a_head_whose_content_was_never_written_does_not_hide_what_is_written_later() {
    let name = names::segment(Urgency::Urgent, 1);
    let piece = |n: u64, length: usize| {
        let mut bytes = Vec::new();
        entry::push(&mut bytes, Stub { id: n, n, at_unix_ms: 0 }, &content(n as usize, length));
        entry::seal(&mut bytes, entry::seed(&name));
        bytes
    };
    // As two losses of power leave it: a sector of an entry, then one of what was written over it.
    let bytes = [piece(1, 100), piece(2, 600)[..300].to_vec(), piece(3, 50)].concat();
    let place = place_with(&Files::from([(name.clone(), bytes)]));
    let (mut writer, mut reader, status) = place.open().unwrap();
    for n in 4..12 {
        writer.append(&content(n, 100), Urgency::Urgent).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(drain(&mut reader), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(status.counts().damaged, 1);
}

#[test]
fn files_that_are_not_ours_stay_as_they_are() {
    let mut files = written();
    for name in ["notes.txt", "ordinary-7.spool", "urgent-00000000000000000001.spool.old"] {
        files.insert(name.to_owned(), b"mine".to_vec());
    }
    let place = place_with(&files);
    read(&place);
    for (name, bytes) in files.iter().filter(|(_, bytes)| *bytes == b"mine") {
        assert_eq!(&place.disk.content(name), bytes);
    }
}

#[test]
fn segments_that_somebody_deletes_are_counted_and_new_ones_are_made() {
    let place = Place::new(16);
    let (mut writer, mut reader, status) = place.open().unwrap();
    for n in 0..30 {
        writer.append(&content(n, 300), Urgency::Ordinary).unwrap();
    }
    writer.flush().unwrap();
    place.disk.files().keys().for_each(|name| place.disk.delete(name));
    place.clock.advance(Duration::from_secs(1));
    for n in 30..40 {
        writer.append(&content(n, 300), Urgency::Ordinary).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(drain(&mut reader), (30..40).collect::<Vec<_>>());
    assert_eq!(status.counts().damaged, 30);
    reader.sync().unwrap();
    assert!(place.disk.files().contains_key(names::CURSOR));
    assert_adds_up(&status);
}

#[test]
fn at_the_largest_numbers_there_are_entries_are_refused_and_nothing_overflows() {
    for lane in Urgency::ALL {
        let (id, n) = (NUMBER_LIMIT - 4, NUMBER_LIMIT - 4);
        let name = names::segment(lane, n);
        let mut bytes = Vec::new();
        entry::push(&mut bytes, Stub { id, n, at_unix_ms: u64::MAX }, &content(0, 50));
        entry::seal(&mut bytes, entry::seed(&name));
        let place = place_with(&Files::from([(name, bytes)]));
        let (mut writer, mut reader, status) = place.open().unwrap();
        let taken: Vec<bool> =
            (1..6).map(|n| writer.append(&content(n, 50), lane).is_ok()).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        writer.flush().unwrap();
        assert_eq!(drain(&mut reader), [0, 1, 2, 3]);
        drop((writer, reader));
        assert_eq!(status.counts().refused, 2);
        assert_adds_up(&status);
        let (mut writer, mut reader, _) = place.open().unwrap();
        assert_eq!(writer.append(b"x", lane), Err(Refused::NoRoom));
        assert!(drain(&mut reader).is_empty());
    }
}

#[test]
fn numbers_beyond_the_largest_are_damage() {
    let name = names::segment(Urgency::Ordinary, 1);
    for (id, n) in [(NUMBER_LIMIT, 2), (2, NUMBER_LIMIT), (u64::MAX, u64::MAX)] {
        let mut bytes = Vec::new();
        for (id, n) in [(1, 1), (id, n), (3, 3)] {
            let at = bytes.len();
            entry::push(&mut bytes, Stub { id, n, at_unix_ms: 0 }, &content(n as usize % 4, 50));
            entry::seal(&mut bytes[at..], entry::seed(&name));
        }
        let (out, counts) = read(&place_with(&Files::from([(name.clone(), bytes)])));
        assert_eq!((out, counts.damaged), (BTreeSet::from([1, 3]), 1));
    }
}

/// What a file may hold: anything, and pieces that are right.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        Just(MARKER.to_vec()),
        Just(vec![MARKER[0]; 50]),
        (1_u64..9, 1_u64..9, 0_usize..80, any::<bool>()).prop_map(|(id, n, length, whole)| {
            let mut bytes = Vec::new();
            entry::push(&mut bytes, Stub { id, n, at_unix_ms: id }, &content(n as usize, length));
            entry::seal(&mut bytes, entry::seed(&names::segment(Urgency::Ordinary, 1)));
            if !whole {
                bytes.truncate(bytes.len() / 2);
            }
            bytes
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_lies_in_the_directory_a_spool_opens_and_new_entries_come_through(
        first in prop::collection::vec(piece(), 0..12),
        second in prop::collection::vec(piece(), 0..6),
        cursor in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let files = Files::from([
            (names::segment(Urgency::Ordinary, 1), first.concat()),
            (names::segment(Urgency::Ordinary, 4), second.concat()),
            (names::segment(Urgency::Urgent, 0), first.concat()),
            (names::CURSOR.to_owned(), cursor),
        ]);
        let place = place_with(&files);
        let (mut writer, mut reader, status) = place.open().unwrap();
        let out = reader.next_batch(ALL).unwrap();
        let lane = out.iter().filter(|entry| entry.urgency == Urgency::Ordinary);
        prop_assert!(numbers(&lane.cloned().collect::<Vec<_>>()).is_sorted());
        assert_adds_up(&status);
        assert_lives(&place, &mut writer, &mut reader);
        assert_adds_up(&status);
    }
}
