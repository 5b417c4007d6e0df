//! File: a part file, read at any place, every byte checked before it is believed.
//!
//! Knows: the checksums of the blocks of a part (docs/store-format.md, "Checksums"). Must not
//! know: Parquet. In: places and lengths. Out: bytes, or an error that names the block.

use crate::world::{Input, Output};
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A part file. Clones share it. A block is checked when it is first read, not again.
#[derive(Clone)]
pub(crate) struct PartFile(Arc<Inner>);

struct Inner {
    input: Arc<dyn Input>,
    blocks: Vec<Block>,
    /// The bytes that the blocks cover: those before the footer.
    body_bytes: u64,
}

struct Block {
    checksum: u32,
    /// Set by whoever reads the block first. Two threads that both check it do no harm.
    is_checked: AtomicBool,
}

impl PartFile {
    /// The file without checksums, for as long as those are not read. Only the footer may be
    /// read so, and its checksum is compared by the caller.
    pub(crate) fn unchecked(input: Arc<dyn Input>) -> Self {
        Self(Arc::new(Inner { input, blocks: Vec::new(), body_bytes: 0 }))
    }

    /// The file with the checksums of its blocks, which cover the bytes before the footer.
    /// `None` if there are not as many as it takes.
    pub(crate) fn checked(&self, body_bytes: u64, checksums: &[u32]) -> Option<Self> {
        let block =
            |checksum: &u32| Block { checksum: *checksum, is_checked: AtomicBool::new(false) };
        let blocks: Vec<Block> = checksums.iter().map(block).collect();
        let covers = blocks.len() as u64 == body_bytes.div_ceil(BLOCK_BYTES as u64);
        let input = Arc::clone(&self.0.input);
        covers.then(|| Self(Arc::new(Inner { input, blocks, body_bytes })))
    }

    /// So many bytes from a place on.
    pub(crate) fn read(&self, at: u64, length: usize) -> io::Result<Bytes> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.0.input.len());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let first = at / BLOCK_BYTES as u64;
        let unchecked = (first..end.div_ceil(BLOCK_BYTES as u64)).filter(|block| {
            let block = self.0.blocks.get(*block as usize);
            block.is_some_and(|block| !block.is_checked.load(Ordering::Relaxed))
        });
        for block in unchecked {
            self.check(block)?;
        }
        let mut bytes = vec![0; length];
        self.0.input.read_exact_at(&mut bytes, at)?;
        Ok(bytes.into())
    }

    /// Reads every block again, whether it was checked before or not.
    pub(crate) fn check_all(&self) -> io::Result<()> {
        (0..self.0.blocks.len() as u64).try_for_each(|block| self.check(block))
    }

    fn check(&self, number: u64) -> io::Result<()> {
        let Some(block) = self.0.blocks.get(number as usize) else { return Ok(()) };
        let start = number * BLOCK_BYTES as u64;
        let length = self.0.body_bytes.saturating_sub(start).min(BLOCK_BYTES as u64) as usize;
        let mut bytes = vec![0; length];
        self.0.input.read_exact_at(&mut bytes, start)?;
        if crc32c::crc32c(&bytes) != block.checksum {
            let what = format!("the {length} bytes from byte {start} on are damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        block.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The length of the footer, as the last bytes of a Parquet file say: four bytes, then `PAR1`.
pub(crate) fn footer_bytes(tail: &[u8; TAIL_BYTES]) -> u64 {
    let [a, b, c, d, ..] = *tail;
    u64::from(u32::from_le_bytes([a, b, c, d]))
}

impl Length for PartFile {
    fn len(&self) -> u64 {
        self.0.input.len()
    }
}

impl ChunkReader for PartFile {
    type T = At;

    fn get_read(&self, start: u64) -> Result<At, ParquetError> {
        Ok(At { file: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.read(start, length)?)
    }
}

/// Reads on from a place.
pub(crate) struct At {
    file: PartFile,
    at: u64,
}

impl io::Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.file.0.input.len().saturating_sub(self.at);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.file.read(self.at, length)?;
        buffer.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
        self.at += length as u64;
        Ok(length)
    }
}

/// Writes a part, and makes the checksums of its blocks meanwhile.
pub(crate) struct Sums {
    output: Box<dyn Output>,
    buffer: Vec<u8>,
    checksums: Vec<u32>,
    written_bytes: u64,
    footer: Option<Vec<u8>>,
}

impl Sums {
    pub(crate) fn new(output: Box<dyn Output>) -> Self {
        let buffer = Vec::with_capacity(BLOCK_BYTES);
        Self { output, buffer, checksums: Vec::new(), written_bytes: 0, footer: None }
    }

    /// The checksums of all that was written so far, the last block as short as it is. What
    /// follows is the footer.
    pub(crate) fn begin_footer(&mut self) -> Vec<u32> {
        self.footer = Some(Vec::new());
        let last = (!self.buffer.is_empty()).then(|| crc32c::crc32c(&self.buffer));
        self.checksums.iter().copied().chain(last).collect()
    }

    /// Writes the rest, and makes all of it durable. Returns the length of the file, and the
    /// checksum of its footer.
    pub(crate) fn finish(&mut self) -> io::Result<(u64, u32)> {
        self.output.write_all(&self.buffer)?;
        self.written_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        self.output.sync()?;
        Ok((self.written_bytes, crc32c::crc32c(self.footer.as_deref().unwrap_or_default())))
    }
}

impl Write for Sums {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (taken, _) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.buffer.len()));
        self.buffer.extend_from_slice(taken);
        if let Some(footer) = &mut self.footer {
            footer.extend_from_slice(taken);
        }
        if self.buffer.len() == BLOCK_BYTES {
            self.checksums.push(crc32c::crc32c(&self.buffer));
            self.output.write_all(&self.buffer)?;
            self.written_bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The unit of checksums.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;

/// What every Parquet file ends with: the length of the footer, and `PAR1`.
pub(crate) const TAIL_BYTES: usize = 8;
