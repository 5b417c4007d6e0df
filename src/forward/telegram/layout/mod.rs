//! Layout: what people read.
//!
//! ```text
//! 🔴 ERROR ×173 in 5 min            how severe, how often
//! billing · shop.example.com        who
//! order 17 failed: card declined    what: the latest of them
//!
//! order_id: 17                      its fields
//!
//! 2026-02-19 10:30:00.123Z          when: the latest; of several also the first
//! billing::orders · charge · src/orders.rs:42
//! trace 4bf92f3577b34da6a3ce929d0e0e4736
//! ```
//!
//! Knows the layout. Does not know why a message is sent now, nor how. Text in a record may come
//! from anybody: no character of it can pass for a line of ours, and each part has its share of the
//! room, so that a long message hides neither the title nor the trace id.

use super::alert::{Alert, Kind};
use crate::encode::stamp::Stamp;
use crate::forward::telegram::digest::{Draft, Summary};
use crate::forward::telegram::sanitize::{
    MAX_TEXT_UNITS, cut, fit, text_units, visible_line, visible_lines,
};
use crate::record::level::Level;

/// The room of each part, in UTF-16 code units; what they leave is for the message.
const MAX_WHO: usize = 160;
const MAX_FIELDS: usize = 12;
const MAX_FIELD_NAME: usize = 48;
const MAX_FIELD_VALUE: usize = 128;
const MAX_PLACE: usize = 320;
const MAX_TRACE: usize = 80;

/// What is the same in all texts for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The service and the domain it belongs to; either may be empty.
    pub(super) who: [String; 2],
    /// Whether the place in the program is shown, which is for developers only.
    pub(super) has_place: bool,
}

/// The text of a message; it always fits and always says something.
pub(super) fn text(draft: &Draft, header: &Header, stamp: &mut Stamp) -> String {
    let text = match draft {
        Draft::One(told) => one(told, header, stamp),
        Draft::Several { told, more } => several(told, *more, header),
        Draft::Quiet(told) => quiet(told, header, stamp),
    };
    fit(&text)
}

fn one(told: &Summary, header: &Header, stamp: &mut Stamp) -> String {
    let alert = &told.alert;
    let mut head = format!("{} {}", mark(alert.level), alert.level);
    if told.count > 1 {
        head += &format!(" ×{} in {}", told.count, span(told.first_ms, alert.unix_ms));
    } else if told.is_again {
        head += " again";
    }
    if let Kind::Others { .. } = told.kind {
        head += ", of many kinds; the latest:";
    }
    push_line(&mut head, &header.line());
    let mut tail = fields(alert);
    if tail.is_empty() {
        tail.push('\n');
    }
    tail += "\n";
    if told.count > 1 {
        tail += &format!("{} to ", moment(told.first_ms, stamp));
    }
    tail += &moment(alert.unix_ms, stamp);
    if header.has_place {
        push_line(&mut tail, &place(alert));
    }
    if !alert.trace_id.is_empty() {
        push_line(&mut tail, &cut(&format!("trace {}", visible_line(&alert.trace_id)), MAX_TRACE));
    }
    let room = MAX_TEXT_UNITS.saturating_sub(text_units(&head) + text_units(&tail) + 1);
    push_line(&mut head, &message(alert, room));
    head + &tail
}

/// One line for each kind, in the order they are given.
fn several(told: &[Summary], more: usize, header: &Header) -> String {
    let records: u64 = told.iter().map(|told| told.count).sum();
    let level = told.iter().map(|told| told.alert.level).max().unwrap_or(Level::Info);
    let only_news = told.iter().all(|told| matches!(told.kind, Kind::News { .. }));
    let mut text = match only_news {
        true => format!("{} {records} messages", mark(level)),
        false => format!("{} {} kinds, {records} records", mark(level), told.len()),
    };
    push_line(&mut text, &header.line());
    let end = match more {
        0 => String::new(),
        more => format!("\n{more} more follow"),
    };
    let room = MAX_TEXT_UNITS.saturating_sub(text_units(&text) + text_units(&end));
    let share = room / told.len().max(1);
    for told in told {
        push_line(&mut text, &cut(&in_one_line(told), share.saturating_sub(1)));
    }
    text + &end
}

fn quiet(told: &[Summary], header: &Header, stamp: &mut Stamp) -> String {
    let mut text = "✅ quiet again".to_owned();
    push_line(&mut text, &header.line());
    let share = MAX_TEXT_UNITS.saturating_sub(text_units(&text)) / told.len().max(1);
    for told in told {
        let (first, last) = (told.first_ms, told.alert.unix_ms);
        let end = format!(", in {}, last {}", span(first, last), moment(last, stamp));
        let room = share.saturating_sub(text_units(&end) + 1);
        push_line(&mut text, &(cut(&in_one_line(told), room) + &end));
    }
    text
}

/// `ERROR ×173 order 17 failed: card declined`
fn in_one_line(told: &Summary) -> String {
    let mut line = told.alert.level.to_string();
    if told.count > 1 {
        line += &format!(" ×{}", told.count);
    }
    if let Kind::Others { .. } = told.kind {
        line += ", of many kinds; the latest:";
    }
    match visible_line(&told.alert.message) {
        shown if shown.trim().is_empty() => line + " (no message)",
        shown => line + " " + &shown,
    }
}

fn message(alert: &Alert, room: usize) -> String {
    match visible_lines(&alert.message) {
        shown if shown.trim().is_empty() => "(no message)".to_owned(),
        shown => cut(&shown, room),
    }
}

fn fields(alert: &Alert) -> String {
    let mut text = String::new();
    for (name, value) in alert.fields.iter().take(MAX_FIELDS) {
        let name = cut(&visible_line(name), MAX_FIELD_NAME);
        let value = cut(&visible_line(value), MAX_FIELD_VALUE);
        text += &format!("\n{name}: {value}");
    }
    match alert.fields.len().saturating_sub(MAX_FIELDS) {
        0 => {}
        more => text += &format!("\n({more} more fields)"),
    }
    if text.is_empty() { text } else { format!("\n{text}\n") }
}

impl Header {
    fn line(&self) -> String {
        cut(&joined(&self.who), MAX_WHO)
    }
}

fn place(alert: &Alert) -> String {
    cut(&joined(&alert.place), MAX_PLACE)
}

fn joined<'t>(parts: impl IntoIterator<Item = &'t String>) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(|part| visible_line(part)).collect::<Vec<_>>().join(" · ")
}

fn push_line(text: &mut String, line: &str) {
    if !line.is_empty() {
        text.push('\n');
        text.push_str(line);
    }
}

fn moment(unix_ms: u64, stamp: &mut Stamp) -> String {
    let mut text = Vec::new();
    stamp.write(unix_ms.saturating_mul(1_000_000), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// How long it took, as people say it.
fn span(first_ms: u64, last_ms: u64) -> String {
    let seconds = last_ms.saturating_sub(first_ms).div_ceil(1_000).max(1);
    let (minutes, hours) = ((seconds + 30) / 60, (seconds + 1_800) / 3_600);
    match (seconds, minutes, hours) {
        (0..90, ..) => format!("{seconds} s"),
        (_, 0..90, _) => format!("{minutes} min"),
        (_, _, 0..48) => format!("{hours} h"),
        _ => format!("{} days", (hours + 12) / 24),
    }
}

const fn mark(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "⚪",
        Level::Info => "🟢",
        Level::Warn => "🟡",
        Level::Error => "🔴",
        Level::Critical => "🚨",
    }
}

#[cfg(test)]
mod tests;
