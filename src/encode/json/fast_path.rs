//! Fast path: writes the usual line in one pass.
//!
//! Knows only records that need no escape, no cut and no look at two keys at once: most of them. It
//! declines all others, and `line.rs` writes them. Both write the same bytes; a test compares them.
//!
//! It saves a third of the listener's instructions: it copies pieces in blocks of a fixed size into
//! a buffer with spare capacity, and copies text while it scans it.

use crate::encode::escape::is_plain_ascii;
use crate::encode::json::context_cache::ContextCache;
use crate::encode::json::template::{Piece, Role, Template};
use crate::record::Record;
use crate::record::fields::Plain;
use smol_str::SmolStr;

/// The longest line that is written here.
const ROOM_BYTES: usize = 4 * 1024;
/// Blocks and words may reach so far beyond what they bring.
const SPARE_BYTES: usize = Piece::BLOCK_BYTES;

/// A line in the making.
#[derive(Debug)]
pub(super) struct FastPath {
    bytes: Box<[u8]>,
    len: usize,
    /// The thread that most records come from, and `"name","process":7,"seq":` for it.
    thread: Option<(SmolStr, Piece)>,
}

/// What is in the line besides the record.
pub(super) struct Around<'a> {
    /// The beginning of the line, up to the fraction of the second.
    pub(super) second: &'a [u8],
    /// `,"process":7,"seq":`
    pub(super) process: &'a [u8],
    pub(super) plan: &'a Template,
    pub(super) contexts: &'a ContextCache,
}

impl Default for FastPath {
    fn default() -> Self {
        let bytes = vec![0; ROOM_BYTES + SPARE_BYTES].into_boxed_slice();
        Self { bytes, len: 0, thread: None }
    }
}

impl FastPath {
    /// The line, or nothing if the record is not one of the usual.
    pub(super) fn line(&mut self, record: &Record, around: &Around<'_>) -> Option<&[u8]> {
        let plan = around.plan;
        if !plan.is_straight || record.fields_left_out > 0 || record.origin.is_some() {
            return None;
        }
        let context = match &record.context {
            None => None,
            Some(context) if context.extras.is_some() => return None,
            Some(context) => Some(around.contexts.get(context)?),
        };
        self.len = 0;
        self.slice(around.second)?;
        self.array(micros(record.unix_ns()))?;
        self.piece(&plan.straight.head)?;
        let mut fields = record.fields.plain();
        if plan.straight.has_message {
            // Not first, or not there: unusual.
            let (0, Plain::Str(message)) = fields.next()?? else { return None };
            self.text(message)?;
        }
        match context {
            None => self.piece(&plan.straight.module_and_place)?,
            Some(context) => {
                self.piece(&plan.straight.module)?;
                self.slice(&context.function)?;
                self.piece(&plan.straight.place)?;
            }
        }
        self.thread(record, around.process)?;
        self.number(record.seq())?;
        if let Some(context) = context {
            self.slice(&context.text)?;
        }
        let mut least = 0;
        for field in fields {
            let (index, value) = field?;
            if index < least {
                return None; // it may be there twice
            }
            least = index + 1;
            match plan.roles.get(usize::from(index))? {
                Role::Member(key) => {
                    self.piece(&key.piece)?;
                    self.value(value)?;
                }
                Role::Message => return None,
                Role::Hidden => {}
            }
        }
        self.array(*b"}\n")?;
        self.bytes.get(..self.len).filter(|line| line.len() <= ROOM_BYTES)
    }

    fn value(&mut self, value: Plain<'_>) -> Option<()> {
        match value {
            Plain::U64(number) => self.number(number),
            Plain::I64(number) => {
                if number < 0 {
                    self.array(*b"-")?;
                }
                self.number(number.unsigned_abs())
            }
            Plain::F64(number) if number.is_finite() => {
                self.slice(zmij::Buffer::new().format_finite(number).as_bytes())
            }
            Plain::F64(_) => None,
            Plain::Bool(true) => self.array(*b"true"),
            Plain::Bool(false) => self.array(*b"false"),
            Plain::Str(text) => {
                self.array(*b"\"")?;
                self.text(text)?;
                self.array(*b"\"")
            }
        }
    }

    /// The thread's name, the process and the key of `seq`.
    fn thread(&mut self, record: &Record, process: &[u8]) -> Option<()> {
        if self.thread.as_ref().is_none_or(|(name, _)| *name != record.thread) {
            self.thread = None;
            self.text(record.thread.as_bytes())?; // only to see whether it is plain
            self.len -= record.thread.len();
            let bytes = [b"\"", record.thread.as_bytes(), b"\"", process].concat();
            self.thread = Some((record.thread.clone(), Piece::new(bytes)));
        }
        let Self { bytes, len, thread } = self;
        push_piece(bytes, len, &thread.as_ref()?.1)
    }

    /// Writes the digits where they are to stand: a copy that reads what was written a moment
    /// before in smaller parts waits for it.
    #[inline]
    fn number(&mut self, number: u64) -> Option<()> {
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let room = self.bytes.get_mut(self.len..self.len + digits)?;
        let (mut left, mut pairs) = (number, room.rchunks_exact_mut(2));
        for pair in &mut pairs {
            pair.copy_from_slice(DIGIT_PAIRS.get((left % 100) as usize)?);
            left /= 100;
        }
        if let [first] = pairs.into_remainder() {
            *first = b'0' + left as u8;
        }
        self.len += digits;
        Some(())
    }

    fn piece(&mut self, piece: &Piece) -> Option<()> {
        push_piece(&mut self.bytes, &mut self.len, piece)
    }

    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) -> Option<()> {
        self.bytes.get_mut(self.len..self.len + N)?.copy_from_slice(&bytes);
        self.len += N;
        Some(())
    }

    #[inline]
    fn slice(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.len..self.len + bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// Copies a text eight bytes at a time, unless it has something to escape.
    #[inline]
    fn text(&mut self, text: &[u8]) -> Option<()> {
        let room = self.bytes.get_mut(self.len..self.len + text.len() + SPARE_BYTES)?;
        let (words, rest) = text.as_chunks::<8>();
        let (room, _) = room.as_chunks_mut::<8>();
        for (to, word) in room.iter_mut().zip(words) {
            if !is_plain_ascii(u64::from_le_bytes(*word)) {
                return None;
            }
            *to = *word;
        }
        if !rest.is_empty() {
            let mut word = [b' '; 8];
            for (to, byte) in word.iter_mut().zip(rest) {
                *to = *byte;
            }
            if !is_plain_ascii(u64::from_le_bytes(word)) {
                return None;
            }
            *room.get_mut(words.len())? = word;
        }
        self.len += text.len();
        Some(())
    }
}

#[inline]
fn push_piece(bytes: &mut [u8], len: &mut usize, piece: &Piece) -> Option<()> {
    let room = bytes.get_mut(*len..)?;
    let (room, _) = room.as_chunks_mut::<{ Piece::BLOCK_BYTES }>();
    for (to, block) in room.get_mut(..piece.blocks.len())?.iter_mut().zip(&piece.blocks) {
        *to = *block;
    }
    *len += piece.len;
    Some(())
}

/// Six digits: the microseconds of the second.
pub(super) fn micros(unix_ns: u64) -> [u8; 6] {
    let micros = (unix_ns % 1_000_000_000 / 1_000) as usize;
    let pair = |at: usize| DIGIT_PAIRS.get(at % 100).copied().unwrap_or_default();
    let ([a, b], [c, d], [e, f]) = (pair(micros / 10_000), pair(micros / 100), pair(micros));
    [a, b, c, d, e, f]
}

/// `00` to `99`.
const DIGIT_PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        }
        at += 1;
    }
    pairs
};
