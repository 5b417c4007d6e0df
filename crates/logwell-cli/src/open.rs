//! Open: a log file as a stream of bytes, whether it is compressed or not.
//!
//! Knows gzip and zstd by their first bytes, and the crates that read them. Does not know lines.

use crate::identity::Identity;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

/// The bytes of a log file, unpacked.
pub enum Source {
    /// As they are in the file.
    Plain(File),
    /// What a compressed file holds.
    Packed(Box<dyn Read + Send>),
}

/// A file that was opened by its path.
#[derive(Debug)]
pub struct Opened {
    /// What is in it.
    pub source: Source,
    /// Which file it is: the path may lead to another one by now.
    pub identity: Identity,
}

impl Source {
    /// Opens the file; it is compressed if it begins like a compressed one, whatever its name.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or is no ordinary file: a named pipe would wait forever.
    pub fn open(path: &Path) -> io::Result<Opened> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an ordinary file"));
        }
        let file = File::open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Opened { source: Self::of(file)?, identity })
    }

    /// The bytes of a file that is open.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn of(mut file: File) -> io::Result<Self> {
        let mut first = Vec::new();
        (&mut file).take(MAGIC_BYTES).read_to_end(&mut first)?;
        file.seek(SeekFrom::Start(0))?;
        if first.starts_with(&GZIP) {
            return Ok(Self::Packed(Box::new(MultiGzDecoder::new(io::BufReader::new(file)))));
        }
        if first.starts_with(&ZSTD) {
            return Ok(Self::Packed(Box::new(Frames::new(io::BufReader::new(file)))));
        }
        Ok(Self::Plain(file))
    }

    /// Goes to that byte of what is read.
    ///
    /// # Errors
    ///
    /// It cannot be read up to there.
    pub fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.seek(SeekFrom::Start(offset)).map(drop),
            Self::Packed(reader) => io::copy(&mut reader.take(offset), &mut io::sink()).map(drop),
        }
    }

    /// The first bytes, if it can go back to them. It stays where it is.
    #[must_use]
    pub fn head(&self) -> Option<Vec<u8>> {
        let Self::Plain(file) = self else { return None };
        let mut file: &File = file;
        let place = file.stream_position().ok()?;
        file.seek(SeekFrom::Start(0)).ok()?;
        let head = first_bytes(file);
        file.seek(SeekFrom::Start(place)).ok()?;
        head
    }

    /// Whether a compressed file begins like that.
    #[must_use]
    pub fn holds(self, head: &[u8]) -> bool {
        !self.is_plain() && first_bytes(self).is_some_and(|first| first == head)
    }

    /// When it was last written to, if it is as it is in the file.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        let Self::Plain(file) = self else { return None };
        file.metadata().and_then(|metadata| metadata.modified()).ok()
    }

    /// Whether offsets are those of the file itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(out),
            Self::Packed(reader) => reader.read(out),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("is_plain", &self.is_plain()).finish()
    }
}

/// By so many first bytes a file is known: they have the first records, with their moments and
/// numbers.
const HEAD_BYTES: u64 = 1 << 10;

fn first_bytes(source: impl Read) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    source.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    (!head.is_empty()).then_some(head)
}

const MAGIC_BYTES: u64 = 4;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

type Frame = StreamingDecoder<io::BufReader<File>, ruzstd::decoding::FrameDecoder>;

/// A file of zstd frames, one after another.
enum Frames {
    Between(Option<io::BufReader<File>>),
    Within(Box<Frame>),
}

impl Frames {
    fn new(file: io::BufReader<File>) -> Self {
        Self::Between(Some(file))
    }
}

impl Read for Frames {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self {
                Self::Between(file) => {
                    let Some(mut reader) = file.take() else { return Ok(0) };
                    if io::BufRead::fill_buf(&mut reader)?.is_empty() {
                        return Ok(0);
                    }
                    let frame = StreamingDecoder::new(reader).map_err(io::Error::other)?;
                    *self = Self::Within(Box::new(frame));
                }
                Self::Within(frame) => {
                    let read = frame.read(out)?;
                    if read > 0 {
                        return Ok(read);
                    }
                    let Self::Within(frame) = std::mem::replace(self, Self::Between(None)) else {
                        return Ok(0);
                    };
                    *self = Self::Between(Some(frame.into_inner()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write as _;

    fn gz(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zst(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8], from: u64) -> io::Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut source = Source::of(file)?;
        source.skip_to(from)?;
        let mut all = Vec::new();
        source.read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn all_forms_give_the_same_bytes_from_any_offset() {
        let text: Vec<u8> =
            (0..50_000_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for packed in [text.clone(), gz(&text), zst(&text)] {
            for from in [0, 1, 70_000] {
                assert!(read(&packed, from).unwrap() == text[from as usize..]);
            }
        }
    }

    #[test]
    fn packed_parts_one_after_another_are_one_file() {
        let parts =
            |pack: fn(&[u8]) -> Vec<u8>| [pack(b"one\n"), pack(b""), pack(b"two\n")].concat();
        assert_eq!(read(&parts(gz), 0).unwrap(), b"one\ntwo\n");
        assert_eq!(read(&parts(zst), 0).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_packed_file_that_was_cut_is_an_error_and_never_a_shorter_file() {
        let text: Vec<u8> = (0..500_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for packed in [gz(&text), zst(&text)] {
            for cut in 4..packed.len() {
                assert!(read(&packed[..cut], 0).is_err(), "{cut} of {}", packed.len());
            }
        }
    }

    #[test]
    fn short_files_and_directories_are_no_surprise() {
        assert_eq!(read(b"", 0).unwrap(), b"");
        assert_eq!(read(b"a", 5).unwrap(), b"");
        assert_eq!(read(&GZIP[..1], 0).unwrap(), &GZIP[..1]);
        let directory = tempfile::tempdir().unwrap();
        assert!(Source::open(directory.path()).is_err());
    }
}
