//! Write: whole lines into something that may refuse in the middle of one.
//!
//! Knows short writes, interruptions and how to take back half a line; knows no path, no rotation
//! and no clock.

use super::policy::whole_lines;
use crate::base::fs::calls;
use std::fs::File;
use std::io;

/// What lines are written to: a file opened for appending, or a fake that fails on purpose.
pub(super) trait Medium {
    /// Appends some of the bytes and says how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the end off, provided that nobody else has changed the length.
    fn cut(&mut self, from_bytes: u64, to_bytes: u64) -> io::Result<()>;
}

impl Medium for &File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        calls::write(self, bytes)
    }

    fn cut(&mut self, from_bytes: u64, to_bytes: u64) -> io::Result<()> {
        if calls::look_at(self)?.len() != from_bytes {
            return Err(io::Error::other("somebody else writes to the file"));
        }
        calls::cut(self, to_bytes)
    }
}

/// How far writing came.
#[derive(Debug)]
pub(super) struct Written {
    /// How many bytes, counted from the beginning of the first line, are in the file now.
    ///
    /// Ends inside a line only if the half line could not be taken back.
    pub(super) bytes: usize,
    /// Why not all of them are.
    pub(super) error: Option<io::Error>,
}

/// Appends `lines`, whose first `torn` bytes are already at the end of the file of `file_bytes`.
///
/// When it fails in the middle of a line, the half line is cut off again, so that the file ends
/// with a whole line for whoever reads it now. If even that fails, the rest of the line has to be
/// the next thing written.
pub(super) fn append(
    medium: &mut impl Medium,
    lines: &[u8],
    torn: usize,
    file_bytes: u64,
) -> Written {
    let mut bytes = torn;
    while let Some(rest) = lines.get(bytes..).filter(|rest| !rest.is_empty()) {
        let error = match medium.write(rest) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(written) => {
                bytes += written;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        let before = file_bytes.saturating_sub(as_u64(torn));
        let whole = whole_lines(lines, bytes);
        let end = before + as_u64(bytes);
        if bytes > whole && medium.cut(end, before + as_u64(whole)).is_ok() {
            bytes = whole;
        }
        return Written { bytes, error: Some(error) };
    }
    Written { bytes, error: None }
}

/// A length in memory as a length on disk.
pub(super) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::backlog::Backlog;
    use super::*;
    use proptest::prelude::*;

    /// A disk that does what it is told to do, then works.
    #[derive(Debug, Default)]
    struct Disk {
        content: Vec<u8>,
        writes: Vec<Act>,
        cuts: Vec<bool>,
    }

    #[derive(Debug, Clone)]
    enum Act {
        Take(usize),
        Fail(io::ErrorKind),
    }

    impl Medium for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.writes.pop() {
                Some(Act::Fail(kind)) => Err(kind.into()),
                Some(Act::Take(most)) => {
                    self.content.extend_from_slice(&bytes[..most.min(bytes.len())]);
                    Ok(most.min(bytes.len()))
                }
                None => {
                    self.content.extend_from_slice(bytes);
                    Ok(bytes.len())
                }
            }
        }

        fn cut(&mut self, from_bytes: u64, to_bytes: u64) -> io::Result<()> {
            assert_eq!(from_bytes, self.content.len() as u64);
            if self.cuts.pop().unwrap_or(true) {
                self.content.truncate(to_bytes as usize);
                return Ok(());
            }
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0usize..12).prop_map(Act::Take),
            1 => Just(Act::Fail(io::ErrorKind::Interrupted)),
            3 => Just(Act::Fail(io::ErrorKind::StorageFull)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_disk_refuses_each_line_arrives_whole_and_once(
            lengths in prop::collection::vec(0usize..9, 1..12),
            writes in prop::collection::vec(act(), 0..24),
            cuts in prop::collection::vec(any::<bool>(), 0..12),
        ) {
            let mut disk = Disk { content: b"before\n".to_vec(), writes, cuts };
            let mut backlog = Backlog::default();
            let mut expected = disk.content.clone();
            for (n, length) in lengths.iter().enumerate() {
                let line = format!("{n}{}\n", "x".repeat(*length));
                expected.extend_from_slice(line.as_bytes());
                backlog.push(line.as_bytes());
            }
            for _ in 0..32 {
                let size = disk.content.len() as u64;
                let torn = backlog.torn();
                let written = append(&mut disk, backlog.lines(), torn, size);
                prop_assert_eq!(written.error.is_none(), written.bytes == backlog.len());
                backlog.settle(written.bytes);
                prop_assert!(expected.starts_with(&disk.content));
                prop_assert!(backlog.torn() > 0 || disk.content.ends_with(b"\n"));
            }
            prop_assert!(backlog.is_empty());
            prop_assert_eq!(disk.content, expected);
        }
    }

    #[test]
    fn a_write_that_takes_nothing_is_an_error_and_not_an_endless_loop() {
        let mut disk = Disk { writes: vec![Act::Take(0)], ..Disk::default() };
        let written = append(&mut disk, b"line\n", 0, 0);
        assert_eq!(written.error.unwrap().kind(), io::ErrorKind::WriteZero);
        assert_eq!(written.bytes, 0);
    }

    #[test]
    fn a_half_line_is_not_cut_off_when_somebody_else_has_written_behind_it() {
        let mut file = &tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"half of ours, all of theirs\n").unwrap();
        assert!(file.cut(4, 0).is_err());
        assert_eq!(file.metadata().unwrap().len(), 28);
    }
}
