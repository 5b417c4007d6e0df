//! Template: what is the same in each line of a callsite, encoded once.

use crate::encode::members::own_key;
use crate::encode::members::reserved_key;
use crate::encode::options::RecordConfig;
use crate::encode::options::Spans;
use crate::encode::options::WarnName;
use crate::encode::reserved::is_marker;
use crate::encode::value::push_string;
use crate::record::callsite::{Callsite, Kind};
use crate::record::level::Level;
use std::borrow::Cow;

/// What is the same in each line of a callsite.
#[derive(Debug)]
pub(super) struct Template {
    /// From the fraction of the second to the message's key.
    pub(super) head: Vec<u8>,
    /// Where in `head` the logger's value begins.
    pub(super) logger_at: usize,
    pub(super) module: Vec<u8>,
    /// File and line, up to the thread's key.
    pub(super) place: Vec<u8>,
    /// Module and place in one, when no function is between them.
    pub(super) module_and_place: Vec<u8>,
    pub(super) roles: Box<[Role]>,
    /// The same for a line that is written by the fast path.
    pub(super) straight: Pieces,
    /// Whether such a line can be written at all.
    pub(super) is_straight: bool,
    /// Whether no two of the callsite's fields have keys that are or can become equal. Pairs of a
    /// record are not among them.
    pub(super) is_simple: bool,
}

/// The parts of a line that is written by the fast path.
#[derive(Debug)]
pub(super) struct Pieces {
    /// From the fraction of the second into the message's value, or behind it if there is none.
    pub(super) head: Piece,
    pub(super) has_message: bool,
    /// From the end of the message's value on.
    pub(super) module: Piece,
    pub(super) place: Piece,
    pub(super) module_and_place: Piece,
}

/// Bytes that are copied in blocks of one size, which costs less than asking how many there are.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) blocks: Box<[[u8; Self::BLOCK_BYTES]]>,
    /// How many of the bytes count.
    pub(super) len: usize,
}

impl Piece {
    pub(super) const BLOCK_BYTES: usize = 32;

    pub(super) fn new(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.resize(len.next_multiple_of(Self::BLOCK_BYTES), 0);
        Self { blocks: bytes.as_chunks().0.into(), len }
    }
}

/// What is between the logger and the message.
pub(super) const MESSAGE: &[u8] = b",\"message\":";
/// What is before the thread.
pub(super) const THREAD: &[u8] = b",\"thread\":";

/// What a field of a callsite is in the line.
#[derive(Debug)]
pub(super) enum Role {
    /// Written as a member.
    Member(MemberKey),
    Message,
    /// Not written: a marker, or part of what the record is.
    Hidden,
}

/// `,"key":`
#[derive(Debug)]
pub(super) struct MemberKey {
    pub(super) bytes: Vec<u8>,
    pub(super) piece: Piece,
}

impl Template {
    pub(super) fn new(callsite: &'static Callsite, options: &RecordConfig) -> Self {
        let fields = callsite.fields();
        let mut head = b"+00:00\",\"level\":\"".to_vec();
        head.extend_from_slice(level_name(callsite.level(), options).as_bytes());
        head.extend_from_slice(b"\",\"logger\":");
        let logger_at = head.len();
        push_string(&mut head, callsite.target());
        head.extend_from_slice(MESSAGE);
        let mut module = Vec::new();
        push_optional(&mut module, "module", callsite.module());
        let mut place = Vec::new();
        push_optional(&mut place, "file", callsite.file().filter(|_| options.file));
        push_line_number(&mut place, callsite.line());
        place.extend_from_slice(THREAD);
        let is_simple = fields.iter().enumerate().all(|(at, name)| {
            let is_repeated = fields.iter().skip(at + 1).any(|other| other == name);
            !is_repeated && !may_clash(name)
        });
        let has_message = callsite.message.is_some();
        let quote: &[u8] = if has_message { b"\"" } else { b"\"\"" };
        let behind: &[u8] = if has_message { b"\"" } else { b"" };
        let straight = Pieces {
            head: Piece::new([&head, quote].concat()),
            has_message,
            module: Piece::new([behind, &module].concat()),
            place: Piece::new(place.clone()),
            module_and_place: Piece::new([behind, &module, &place].concat()),
        };
        Self {
            straight,
            is_straight: is_simple
                && options.spans != Spans::Flat
                && callsite.kind() != Kind::LogCrate
                && callsite.message.unwrap_or(0) == 0,
            is_simple,
            head,
            logger_at,
            module_and_place: [module.as_slice(), &place].concat(),
            module,
            place,
            roles: fields.iter().map(|name| Role::of(name, callsite.kind())).collect(),
        }
    }
}

impl Role {
    fn of(name: &str, kind: Kind) -> Self {
        match name {
            "message" => Self::Message,
            name if is_marker(name) || is_place_of_log(kind, name) => Self::Hidden,
            name => {
                let mut key = vec![b','];
                push_string(&mut key, &key_of(kind, name));
                key.push(b':');
                Self::Member(MemberKey { piece: Piece::new(key.clone()), bytes: key })
            }
        }
    }
}

/// The key for an event's field.
pub(super) fn key_of(kind: Kind, name: &str) -> Cow<'_, str> {
    if kind == Kind::Internal { own_key(name) } else { reserved_key(name) }
}

/// Whether the field says where a record of the `log` crate comes from.
pub(super) fn is_place_of_log(kind: Kind, name: &str) -> bool {
    kind == Kind::LogCrate
        && matches!(name, "log.target" | "log.module_path" | "log.file" | "log.line")
}

/// Whether the name has its own role, or another field can come to have the same key.
fn may_clash(name: &str) -> bool {
    matches!(name, "function" | "trace_id" | "span_id")
        || name.starts_with("field.")
        || name.ends_with("_chain")
        || name.ends_with("_b64")
}

fn level_name(level: Level, options: &RecordConfig) -> &'static str {
    match (level, options.warning_name) {
        (Level::Warn, WarnName::Warning) => "WARNING",
        (level, _) => level.as_str(),
    }
}

pub(super) fn push_key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

pub(super) fn push_optional(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        push_key(out, key);
        push_string(out, value);
    }
}

pub(super) fn push_line_number(out: &mut Vec<u8>, line: Option<u32>) {
    if let Some(line) = line {
        out.extend_from_slice(b",\"line\":");
        out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
    }
}
