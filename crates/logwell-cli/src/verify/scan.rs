//! Scan: reads families of files from the oldest line to the newest, and says what is no record.
//!
//! Knows files and lines. Does not know what the numbers of records should be.

use super::boot::{Found, MAX_NUMBER};
use super::gaps::Place;
use crate::files::{Family, LogFile};
use crate::identity::Identity;
use crate::line::{Flaw, Line};
use crate::lines::Lines;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// All files that were read, and the lines in them that are no records.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Whether a black box waits for the next start: that cuts half a line at the end of a file. If
    /// its record is not in the box, its number is missing.
    pub(super) box_waits: bool,
    pub(super) files: Vec<PathBuf>,
    /// For each file whether it is compressed: offsets are then those of what it holds.
    pub(super) is_packed: Vec<bool>,
    pub(super) damages: Vec<Damage>,
    /// How many there are, those that are not kept too.
    pub(super) damage_count: u64,
    pub(super) lines: u64,
    pub(super) bytes: u64,
}

/// Something in a file that is no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) place: Place,
    pub(super) flaw: Flaw,
}

/// Why reading ended.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A file was deleted or packed meanwhile: read all of them again.
    Moved,
    /// A file cannot be read.
    Unreadable(PathBuf, io::Error),
}

const MAX_DAMAGES: usize = 100_000;

impl Scan {
    /// Reads a family; `take` gets each record. `settled` says up to which offset of a file records
    /// must be in other files, too.
    pub(super) fn family(
        &mut self,
        family: &Family,
        settled: impl Fn(&LogFile) -> u64,
        mut take: impl FnMut(&Found<'_>),
    ) -> Result<(), Trouble> {
        for file in &family.files {
            self.file(file, &family.current, settled(file), &mut take)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        file: &LogFile,
        current: &Path,
        settled: u64,
        take: &mut impl FnMut(&Found<'_>),
    ) -> Result<(), Trouble> {
        let unreadable = |error| Trouble::Unreadable(file.path.clone(), error);
        let source = match file.open(current) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Trouble::Moved),
            source => source.map_err(unreadable)?,
        };
        let number = self.files.len();
        self.files.push(file.path.clone());
        self.is_packed.push(!source.is_plain());
        self.bytes += file.bytes;
        // What is written from now on is not looked at: the files are compared with each other.
        let limit = if source.is_plain() { file.bytes } else { u64::MAX };
        let mut lines = Lines::new(source.take(limit));
        loop {
            let place = Place { file: number, offset: lines.offset() };
            match lines.next_line() {
                Ok(Some(line)) => {
                    self.lines += 1;
                    let flaw = line
                        .too_long
                        .map(Flaw::TooLong)
                        .or_else(|| record(line.bytes, place, settled, take));
                    self.note(place, flaw);
                }
                Ok(None) => break,
                // What was packed is damaged; what was plain has become unreadable.
                Err(error) if self.is_packed.last() == Some(&true) => {
                    self.note(place, Some(Flaw::NotPacked(error.to_string())));
                    break;
                }
                Err(error) => return Err(unreadable(error)),
            }
        }
        let place = Place { file: number, offset: lines.offset() };
        let is_torn = lines.rest().is_some();
        let is_cut_by_next_start = self.box_waits && file.number.is_none();
        if is_torn && !is_cut_by_next_start && !is_growing(file) {
            self.note(place, Some(Flaw::Torn));
        }
        Ok(())
    }

    fn note(&mut self, place: Place, flaw: Option<Flaw>) {
        let Some(flaw) = flaw else { return };
        self.damage_count += 1;
        if self.damages.len() < MAX_DAMAGES {
            self.damages.push(Damage { place, flaw });
        }
    }
}

/// Whether somebody writes to the file just now: then its end is not torn, but on its way.
fn is_growing(file: &LogFile) -> bool {
    file.number.is_none()
        && fs::metadata(&file.path).is_ok_and(|metadata| {
            metadata.len() > file.bytes || Identity::of(&metadata) != file.identity
        })
}

/// Gives the record to `take`; or says why it is none, or that something is wrong with it.
fn record(
    bytes: &[u8],
    place: Place,
    settled: u64,
    take: &mut impl FnMut(&Found<'_>),
) -> Option<Flaw> {
    let line = match Line::parse(bytes) {
        Ok(line) => line,
        Err(flaw) => return Some(flaw),
    };
    let seq = line.number("seq").filter(|seq| (1..=MAX_NUMBER).contains(seq));
    let (Some(seq), Some(_)) = (seq, line.number("process")) else {
        return Some(Flaw::NoNumber);
    };
    let unix_ns = line.unix_ns().unwrap_or(0);
    let is_settled = place.offset < settled;
    // In ECS all values of fields are texts.
    let is_recovered = line.raw("recovered").is_some_and(|it| it.trim_matches('"') == "true");
    take(&Found { seq, unix_ns, place, is_settled, is_recovered, line: &line });
    line.repeated_key().map(Flaw::RepeatedKey)
}
