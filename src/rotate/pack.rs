//! Pack: a backup is compressed, on whatever thread has time for it.
//!
//! Knows the formats; the only file that names flate2 and zstd. Changes no name but that of its own
//! unfinished copy: which backup it is, and what it is called meanwhile, is for the archive to say.

use super::current::told;
use super::names::Form;
use crate::base::fs::calls;
use crate::base::fs::os::{self, FileId};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// So many bytes are compressed in one go: some milliseconds.
const CHUNK_BYTES: usize = 256 << 10;

/// The level of gzip that takes the least time for most of the gain; zstd has one like it.
const GZIP_LEVEL: Compression = Compression::new(6);
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 3;

/// A backup that is to be compressed.
#[derive(Debug)]
pub(crate) struct Pack {
    /// Open, so that it stays the same whatever its name becomes.
    pub(super) source: File,
    pub(super) id: FileId,
    pub(super) path: PathBuf,
    pub(super) form: Form,
    /// Where the copy is made.
    pub(super) unfinished: PathBuf,
    /// How often names had been shifted when it was taken.
    pub(super) shifts: u64,
}

/// A backup that has been compressed, or not.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(super) pack: Pack,
    /// The copy, complete and durable, and how many bytes of the source it has.
    pub(super) result: io::Result<(File, u64)>,
}

impl Pack {
    /// Makes the copy. Asks before each chunk whether to go on; if not, that is an error of the
    /// kind `Interrupted`, and nothing is left.
    pub(crate) fn run(self, go_on: &mut dyn FnMut() -> bool) -> Packed {
        let result = self.copy(go_on).inspect_err(|_| drop(calls::remove(&self.unfinished)));
        Packed { pack: self, result }
    }

    fn copy(&self, go_on: &mut dyn FnMut() -> bool) -> io::Result<(File, u64)> {
        let metadata =
            calls::look_at(&self.source).map_err(|error| told("look at", &self.path, error))?;
        let mode = os::mode(&metadata);
        let fail = |error| told("compress to", &self.unfinished, error);
        remove(&self.unfinished).map_err(fail)?;
        let copy = calls::open(&os::new_file(mode), &self.unfinished).map_err(fail)?;
        os::set_mode(&copy, mode).map_err(fail)?;
        let mut encoder = Encoder::new(copy, self.form).map_err(fail)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut bytes = 0;
        loop {
            if !go_on() {
                return Err(ErrorKind::Interrupted.into());
            }
            let read = match (&self.source).read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(told("read", &self.path, error)),
            };
            bytes += super::write::as_u64(read);
            encoder.write_all(chunk.get(..read).unwrap_or_default()).map_err(fail)?;
        }
        let copy = encoder.finish().map_err(fail)?;
        // Retention by age asks when the last record was written.
        if let Ok(modified) = metadata.modified() {
            let times = FileTimes::new().set_modified(modified);
            calls::set_times(&copy, times).map_err(fail)?;
        }
        calls::sync_all(&copy).map_err(fail)?;
        Ok((copy, bytes))
    }
}

/// Reads what is in a file of that form.
///
/// # Errors
///
/// The form is not known in this build.
pub(super) fn reader(file: File, form: Form) -> io::Result<Box<dyn Read>> {
    Ok(match form {
        Form::Plain => Box::new(file),
        Form::Gzip => Box::new(GzDecoder::new(file)),
        #[cfg(feature = "zstd")]
        Form::Zstd => Box::new(zstd::Decoder::new(file)?),
        #[cfg(not(feature = "zstd"))]
        Form::Zstd => return Err(ErrorKind::Unsupported.into()),
    })
}

/// Whether `packed` has the content of `plain`, read to the end.
pub(super) fn is_copy(plain: &Path, packed: &Path, form: Form) -> io::Result<bool> {
    let mut plain = io::BufReader::new(calls::open_to_read(plain)?);
    let packed = calls::open_to_read(packed)?;
    match form {
        Form::Plain => same(&mut plain, &mut io::BufReader::new(packed)),
        Form::Gzip => same(&mut plain, &mut GzDecoder::new(packed)),
        #[cfg(feature = "zstd")]
        Form::Zstd => same(&mut plain, &mut zstd::Decoder::new(packed)?),
        #[cfg(not(feature = "zstd"))]
        Form::Zstd => Ok(false),
    }
}

fn same(a: &mut impl Read, b: &mut impl Read) -> io::Result<bool> {
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        of_a.clear();
        of_b.clear();
        let chunk = super::write::as_u64(CHUNK_BYTES);
        a.take(chunk).read_to_end(&mut of_a)?;
        b.take(chunk).read_to_end(&mut of_b)?;
        match of_a == of_b {
            true if of_a.is_empty() => return Ok(true),
            true => {}
            false => return Ok(false),
        }
    }
}

/// Removes a file that may be missing.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match calls::remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

enum Encoder {
    Gzip(GzEncoder<calls::Writer<File>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::Encoder<'static, calls::Writer<File>>),
}

impl Encoder {
    fn new(copy: File, form: Form) -> io::Result<Self> {
        let copy = calls::Writer(copy);
        match form {
            Form::Gzip => Ok(Self::Gzip(GzEncoder::new(copy, GZIP_LEVEL))),
            #[cfg(feature = "zstd")]
            Form::Zstd => {
                let mut encoder = zstd::Encoder::new(copy, ZSTD_LEVEL)?;
                // A damaged copy must not read as another text.
                encoder.include_checksum(true)?;
                Ok(Self::Zstd(encoder))
            }
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Writes what is left and the end.
    fn finish(self) -> io::Result<File> {
        match self {
            Self::Gzip(encoder) => encoder.finish().map(|copy| copy.0),
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.finish().map(|copy| copy.0),
        }
    }
}
