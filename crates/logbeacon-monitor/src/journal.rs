//! Journal: commits as frames of a file.
//!
//! Knows: when a frame is written, what damage means, and when the file is begun anew. Must not
//! know: what a row means. In: changes; out: changes. The bytes are described in
//! `docs/monitor-format.md`.

use crate::disk::Disk;
use crate::frame::{self, OpenReport, OtherVersion, VERSION, encode};
use crate::tables::{Change, Tables};
use std::error::Error;
use std::fmt;
use std::io;

/// The journal of one monitor.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Box<dyn Disk>,
    /// Bytes in the file.
    length: usize,
    /// From which length on it is begun anew.
    rewrite_at: usize,
    /// Whether an append failed: the file may end in the middle of a frame.
    is_torn: bool,
}

/// Why a journal could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The disk does not work.
    Io(io::Error),
    /// Another program wrote it, or a newer version of this one.
    Version {
        /// The version it has; this program knows version 1.
        found: u8,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock => {
                f.write_str("another monitor uses the directory: stop it or use another directory")
            }
            Self::Io(error) => write!(f, "monitor.journal cannot be used: {error}"),
            Self::Version { found } => write!(
                f,
                "monitor.journal has version {found}, this program knows version {VERSION}: \
                 use the program that wrote it, or move the file away"
            ),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Version { .. } => None,
        }
    }
}

impl Journal {
    /// Reads what there is and begins the journal anew. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// The disk does not work, or the journal is of another version. Damage is no error: it is
    /// reported.
    pub(crate) fn open(mut disk: Box<dyn Disk>) -> Result<(Self, Tables, OpenReport), OpenError> {
        let bytes = disk.read().map_err(OpenError::Io)?;
        let (tables, report) = decode(&bytes)?;
        if report.damaged_bytes > 0 {
            disk.keep_damaged(&bytes).map_err(OpenError::Io)?;
        }
        let mut journal = Self { disk, length: 0, rewrite_at: 0, is_torn: false };
        journal.rewrite(&tables).map_err(OpenError::Io)?;
        Ok((journal, tables, report))
    }

    /// Writes what was touched as one frame. It is on disk when this returns `Ok`, or nothing of it
    /// is. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// What the disk reports. The rows stay touched; the next commit writes everything anew.
    pub(crate) fn commit(&mut self, tables: &mut Tables) -> io::Result<()> {
        if !tables.is_touched() {
            return Ok(());
        }
        let frame = encode(&tables.changes())?;
        if self.is_torn || self.length.saturating_add(frame.len()) > self.rewrite_at {
            self.rewrite(tables)?;
        } else if let Err(error) = self.disk.append(&frame) {
            self.is_torn = true;
            return Err(error);
        } else {
            self.length += frame.len();
        }
        tables.committed();
        Ok(())
    }

    fn rewrite(&mut self, tables: &Tables) -> io::Result<()> {
        // Whether the new file is in place is unknown if this fails.
        self.is_torn = true;
        let mut bytes = Vec::new();
        // Small frames: damage costs the rows of one frame.
        for rows in tables.all().chunks(ROWS_PER_FRAME) {
            bytes.extend(encode(rows)?);
        }
        self.disk.replace(&bytes)?;
        self.length = bytes.len();
        self.rewrite_at = (2 * bytes.len()).max(REWRITE_MIN_BYTES);
        self.is_torn = false;
        Ok(())
    }
}

/// The rows of all frames that are intact.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Tables, OpenReport), OpenError> {
    let mut tables = Tables::default();
    let replay = |changes: Vec<Change>| changes.into_iter().for_each(|it| tables.replay(it));
    let report =
        frame::decode(bytes, replay).map_err(|OtherVersion(found)| OpenError::Version { found })?;
    Ok((tables, report))
}

const ROWS_PER_FRAME: usize = 16;
/// A journal is begun anew when it is twice as long as what it would begin with, and not before.
const REWRITE_MIN_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Counts, Key, Row};
    use crate::time::{Gap, GapCause, Now};
    use proptest::prelude::*;

    fn gap(from_ms: i64) -> Row {
        Row::Gap(Gap { from_ms, to_ms: from_ms + 1, cause: GapCause::Sleep })
    }

    /// A journal of three commits, and what each of them left.
    fn three_commits() -> (Vec<Vec<u8>>, Vec<Tables>) {
        let mut tables = Tables::default();
        let (mut frames, mut states) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            tables.put(gap(number));
            tables.remove(Key::Gap(number - 1));
            tables.put(Row::Counts(Counts { entries: number as u64, ..Counts::default() }));
            frames.push(encode(&tables.changes()).unwrap());
            tables.committed();
            states.push(tables.clone());
        }
        (frames, states)
    }

    #[test]
    fn the_bytes_of_a_frame_are_those_of_the_format() {
        let now = Now { wall_ms: 1, observed_ms: 2 };
        let frame = encode(&[Change::Put(Box::new(Row::Clock(now)))]).unwrap();
        let content = br#"[{"put":{"clock":{"wall_ms":1,"observed_ms":2}}}]"#;
        assert_eq!(frame[..8], [0xF5, 0x4C, 0x4D, 0x01, 49, 0, 0, 0]);
        assert_eq!(frame[12..], content[..]);
        let document = include_str!("../../../docs/monitor-format.md");
        let hex: Vec<_> = frame[..12].iter().map(|byte| format!("{byte:02X}")).collect();
        for line in [hex[..8].join(" "), hex[8..].join(" ")] {
            assert!(document.contains(&line), "{line} is not in the document");
        }
    }

    #[test]
    fn a_file_cut_anywhere_has_the_commits_before_the_cut() {
        let (frames, states) = three_commits();
        let bytes = frames.concat();
        for cut in 0..=bytes.len() {
            let (tables, report) = decode(&bytes[..cut]).unwrap();
            let mut ends = frames.iter().scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            });
            let whole = ends.by_ref().take_while(|&end| end <= cut).count();
            let expected =
                whole.checked_sub(1).map_or_else(Tables::default, |at| states[at].clone());
            assert_eq!(tables, expected, "cut at {cut}");
            assert_eq!((report.frames, report.damaged_bytes), (whole, 0));
            let intact: usize = frames[..whole].iter().map(Vec::len).sum();
            assert_eq!(report.torn_bytes, cut - intact);
        }
    }

    #[test]
    fn a_byte_that_changed_costs_its_own_frame_and_is_reported() {
        let (frames, states) = three_commits();
        let bytes = frames.concat();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                let (tables, report) = decode(&broken).unwrap();
                assert_eq!(report.frames, 2, "byte {at}");
                assert!(report.damaged_bytes + report.torn_bytes > 0);
                // Rows are written whole: the last commit has all that it has.
                if at < frames[0].len() + frames[1].len() {
                    assert_eq!(tables.counts, states[2].counts, "byte {at}");
                }
            }
        }
    }

    #[test]
    fn another_version_is_refused_with_what_to_do() {
        let (frames, _) = three_commits();
        let mut content = frames[0].clone();
        content[3] = 2;
        let summed = crc32c::crc32c_append(crc32c::crc32c(&content[..8]), &content[12..]);
        content[8..12].copy_from_slice(&summed.to_le_bytes());
        let error = decode(&content).unwrap_err().to_string();
        assert!(error.contains("has version 2") && error.contains("move the file away"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            cut in 0_usize..300,
        ) {
            let (frames, _) = three_commits();
            let whole = frames.concat();
            let mixed = [&whole[..cut.min(whole.len())], &bytes, &whole].concat();
            let (_, report) = decode(&mixed).unwrap();
            prop_assert!(report.frames >= 3);
        }
    }
}
