//! Cursor: how far the entries are acknowledged, in a file of two places that are written in turn.
//!
//! A crash in the middle of a write leaves the other place whole. A cursor that is lost costs no
//! entry: what is still there comes out again.

use super::disk::{Disk, DiskFile, as_u64, read_full, write_full};
use super::entry::{NUMBER_LIMIT, u32_at, u64_at};
use super::names::CURSOR;
use super::options::Each;
use crc32c::crc32c;
use std::io::{self, ErrorKind};

/// What each place begins with; the last byte is the version of the layout.
const MARKER: [u8; 4] = [0xF5, b'L', b'C', 1];

/// The places are so far apart that no sector of a disk has bytes of both.
const PLACE_BYTES: usize = 4096;

const TURN_AT: usize = 8;
const ORDINARY_AT: usize = 16;
const URGENT_AT: usize = 24;
const ID_AT: usize = 32;
const CRC_AT: usize = 40;

/// How far everything is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The first entry of each urgency that is not.
    pub(super) acked_n: Each<u64>,
    /// Entries to come have this id or a greater one.
    pub(super) next_id: u64,
}

/// The file.
#[derive(Debug)]
pub(super) struct Cursor {
    file: Option<Box<dyn DiskFile>>,
    /// Counts the writes, and so tells which place is newer.
    turn: u64,
    written: Option<Position>,
    is_synced: bool,
    /// Its name is durable too.
    is_named: bool,
}

impl Cursor {
    /// Reads the cursor, if there is one that can be read.
    pub(super) fn open(disk: &dyn Disk) -> (Self, Option<Position>) {
        let mut cursor =
            Self { file: None, turn: 0, written: None, is_synced: false, is_named: false };
        let mut bytes = vec![0; 2 * PLACE_BYTES];
        if let Ok(mut file) = disk.open(CURSOR) {
            let read = read_full(&mut *file, 0, &mut bytes).unwrap_or(0);
            bytes.truncate(read);
            cursor.file = Some(file);
        }
        let (first, second) = bytes.split_at_checked(PLACE_BYTES).unwrap_or((&bytes, &[]));
        let newest = [decode(first), decode(second)].into_iter().flatten().max_by_key(|it| it.0);
        if let Some((turn, position)) = newest {
            cursor.turn = turn;
            cursor.written = Some(position);
        }
        (cursor, newest.map(|it| it.1))
    }

    /// Hands a position to the operating system.
    pub(super) fn write(&mut self, position: Position, disk: &dyn Disk) -> io::Result<()> {
        if self.written == Some(position) {
            return Ok(());
        }
        let turn = self.turn + 1;
        let mut place = encode(turn, position);
        let mut offset = as_u64(PLACE_BYTES) * (turn % 2);
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                // Both places at once, so that a full disk is met now and not later.
                place.resize(PLACE_BYTES, 0);
                place.extend_from_within(..);
                offset = 0;
                none.insert(make(disk)?)
            }
        };
        self.is_synced = false;
        write_full(&mut **file, offset, &place).1?;
        self.turn = turn;
        self.written = Some(position);
        Ok(())
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let is_gone = disk.bytes(CURSOR).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if let (Some(position), true) = (self.written, is_gone) {
            (self.file, self.written, self.is_named) = (None, None, false);
            self.write(position, disk)?;
        }
        if let (Some(file), false) = (&mut self.file, self.is_synced) {
            file.sync()?;
            if !self.is_named {
                disk.sync_names()?;
                self.is_named = true;
            }
            self.is_synced = true;
        }
        Ok(())
    }
}

fn make(disk: &dyn Disk) -> io::Result<Box<dyn DiskFile>> {
    match disk.create(CURSOR) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => disk.open(CURSOR),
        made => made,
    }
}

fn encode(turn: u64, position: Position) -> Vec<u8> {
    let mut place = Vec::with_capacity(PLACE_BYTES);
    place.extend_from_slice(&MARKER);
    place.extend_from_slice(&[0; 4]);
    for number in [turn, position.acked_n.ordinary, position.acked_n.urgent, position.next_id] {
        place.extend_from_slice(&number.to_le_bytes());
    }
    let crc = crc32c(&place);
    place.extend_from_slice(&crc.to_le_bytes());
    place
}

fn decode(place: &[u8]) -> Option<(u64, Position)> {
    let covered = place.get(..CRC_AT)?;
    if !covered.starts_with(&MARKER) || u32_at(place, CRC_AT)? != crc32c(covered) {
        return None;
    }
    let (ordinary, urgent) = (u64_at(place, ORDINARY_AT)?, u64_at(place, URGENT_AT)?);
    let (turn, next_id) = (u64_at(place, TURN_AT)?, u64_at(place, ID_AT)?);
    let is_possible =
        [turn, ordinary, urgent, next_id].iter().all(|number| *number <= NUMBER_LIMIT);
    is_possible.then_some((turn, Position { acked_n: Each { ordinary, urgent }, next_id }))
}
