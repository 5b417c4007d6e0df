//! Terminal-safe text: text that can neither break its line nor control the terminal.
//!
//! Text in a record may come from anybody. Control characters are shown as `\n`, `\t` or `\u{1b}`.
//! Knows characters and colours; does not know records.
//!
//! ```
//! use logwell::encode::terminal_safe::{push_visible, push_word};
//!
//! let mut out = Vec::new();
//! push_visible("two\nlines \u{1b}[31m", &mut out);
//! out.push(b' ');
//! push_word("a b", &mut out);
//! assert_eq!(out, br#"two\nlines \u{1b}[31m "a b""#);
//! ```

use crate::encode::escape::must_escape;
use crate::record::level::Level;
use std::io::Write as _;

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether there are colours.
    pub color: bool,
}

impl Style {
    /// What `write` appends, in that style: an ANSI escape sequence, such as [`DIM`].
    pub fn paint(self, style: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.color {
            out.extend_from_slice(style.as_bytes());
        }
        write(out);
        if self.color {
            out.extend_from_slice(RESET.as_bytes());
        }
    }
}

pub(crate) const RESET: &str = "\x1b[0m";
/// What matters less.
pub const DIM: &str = "\x1b[2m";

pub(crate) fn level_style(level: Level) -> &'static str {
    match level {
        Level::Trace => "\x1b[2;35m",
        Level::Debug => "\x1b[34m",
        Level::Info => "\x1b[32m",
        Level::Warn => "\x1b[33m",
        Level::Error => "\x1b[31m",
        Level::Critical => "\x1b[1;7;31m",
    }
}

/// Width of the longest level, `CRITICAL`, and the space behind it.
const LEVEL_WIDTH: usize = 9;

/// The level in its colour, as wide as the longest one and a space.
pub fn push_level(ink: Style, level: Level, out: &mut Vec<u8>) {
    let name = level.as_str();
    ink.paint(level_style(level), out, |out| out.extend_from_slice(name.as_bytes()));
    out.extend(std::iter::repeat_n(b' ', LEVEL_WIDTH.saturating_sub(name.len())));
}

/// A text that ends where it seems to: as it is if that is clear, else in quotes.
pub fn push_word(text: &str, out: &mut Vec<u8>) {
    let unclear =
        |c: char| matches!(c, '"' | '\\' | '=' | '{' | '}') || c.is_whitespace() || must_escape(c);
    if text.is_empty() || text.contains(unclear) {
        push_quoted(text, "", out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// `text` in quotes, `end` before the closing one.
pub fn push_quoted(text: &str, end: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push(b'\\');
        }
        push_char(c, out);
    }
    out.extend_from_slice(end.as_bytes());
    out.push(b'"');
}

/// A text that needs no end, such as the message. Backslashes stay single.
pub fn push_visible(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|c| push_char(c, out));
    }
}

pub(crate) fn push_char(c: char, out: &mut Vec<u8>) {
    match c {
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        c if must_escape(c) => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
