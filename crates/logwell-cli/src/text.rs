//! Text: a record as one line for people, laid out as logwell's console does it.
//!
//! Knows the layout. What a character may do to a terminal is decided by logwell's own rules, and
//! everything from a file goes through them.

use crate::line::{Line, text_of};
use logwell::config::TimeZone;
use logwell::encode::RECORD_KEYS;
use logwell::encode::stamp::Stamp;
use logwell::encode::terminal_safe::{
    DIM, Style, push_level, push_quoted, push_visible, push_word,
};
use serde_json::{Map, Value};

/// Writes records as lines for people.
#[derive(Debug)]
pub struct TextWriter {
    ink: Style,
    stamp: Stamp,
}

/// Of the keys of a record these are shown as fields are; the others have their own place in the
/// line, or nobody looks for them in it.
const LIKE_FIELDS: [&str; 2] = ["spans", "truncated"];

impl TextWriter {
    /// With colours or without, and moments in that zone.
    #[must_use]
    pub fn new(color: bool, zone: TimeZone) -> Self {
        Self { ink: Style { color }, stamp: Stamp::new(zone) }
    }

    /// Appends the record as one line.
    pub fn push(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        let ink = self.ink;
        let stamp = &mut self.stamp;
        ink.paint(DIM, out, |out| match line.unix_ns().and_then(|ns| u64::try_from(ns).ok()) {
            Some(unix_ns) => stamp.write(unix_ns, out),
            None => push_visible(&line.text("timestamp").unwrap_or_default(), out),
        });
        out.push(b' ');
        match line.level() {
            Some(level) => push_level(ink, level, out),
            None => {
                push_word(&line.text("level").unwrap_or("?".into()), out);
                out.push(b' ');
            }
        }
        ink.paint(DIM, out, |out| {
            push_visible(&line.text("logger").unwrap_or_default(), out);
            out.push(b':');
        });
        if let Some(message) = line.text("message").filter(|message| !message.is_empty()) {
            out.push(b' ');
            push_visible(&message, out);
        }
        self.push_fields(line, out);
        self.push_context(line, out);
        out.push(b'\n');
    }

    /// Appends a line that is no record, as it is.
    pub fn push_foreign(&self, line: &[u8], out: &mut Vec<u8>) {
        self.ink.paint(DIM, out, |out| out.extend_from_slice(b"? "));
        push_visible(&String::from_utf8_lossy(line), out);
        out.push(b'\n');
    }

    fn push_fields(&self, line: &Line<'_>, out: &mut Vec<u8>) {
        let mut gap: &[u8] = b"  ";
        let mut chained: Option<String> = None;
        for (key, value) in line.members() {
            let is_elsewhere = RECORD_KEYS.contains(&key) && !LIKE_FIELDS.contains(&key);
            if is_elsewhere || (key == "spans" && value.starts_with('[')) {
                continue;
            }
            if chained.take().is_some_and(|chain| chain == key) && push_chain(value, out) {
                continue;
            }
            out.extend_from_slice(gap);
            gap = b" ";
            push_pair(self.ink, key, value, out);
            chained = Some(format!("{key}_chain"));
        }
    }

    /// `outer{a=1}:inner trace=…`
    fn push_context(&self, line: &Line<'_>, out: &mut Vec<u8>) {
        let spans: Vec<Map<String, Value>> =
            line.raw("spans").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let trace = line.text("trace_id");
        if spans.is_empty() && trace.is_none() {
            return;
        }
        out.extend_from_slice(b"  ");
        self.ink.paint(DIM, out, |out| {
            for (at, span) in spans.iter().enumerate() {
                if at > 0 {
                    out.push(b':');
                }
                push_span(span, out);
            }
            if let Some(trace) = trace {
                out.extend_from_slice(if spans.is_empty() { b"trace=" } else { b" trace=" });
                push_word(&trace, out);
            }
        });
    }
}

fn push_span(span: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut opening = b'{';
    let name = span.get("name").map(Value::to_string).unwrap_or_default();
    push_visible(&text_of(&name), out);
    for (key, value) in span.iter().filter(|(key, _)| *key != "name") {
        out.push(opening);
        push_pair(Style { color: false }, key, &value.to_string(), out);
        opening = b' ';
    }
    if opening == b' ' {
        out.push(b'}');
    }
}

/// `key=value`
fn push_pair(ink: Style, key: &str, value: &str, out: &mut Vec<u8>) {
    ink.paint(DIM, out, |out| {
        push_word(key, out);
        out.push(b'=');
    });
    match value.starts_with('"') {
        true => push_word(&text_of(value), out),
        false => push_visible(value, out),
    }
}

/// ` caused by: "why"`, for each source of an error; false if it is no list of texts.
fn push_chain(value: &str, out: &mut Vec<u8>) -> bool {
    let Ok(sources) = serde_json::from_str::<Vec<String>>(value) else { return false };
    for source in sources {
        out.extend_from_slice(b" caused by: ");
        push_quoted(&source, "", out);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(line: &str, color: bool) -> String {
        let mut out = Vec::new();
        let line = Line::parse(line.as_bytes()).unwrap();
        TextWriter::new(color, TimeZone::Utc).push(&line, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_golden_lines_look_as_on_the_console() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/default.jsonl");
        let lines = std::fs::read_to_string(golden).unwrap();
        let shown: String = lines.lines().map(|line| text(line, false)).collect();
        let expected = include_str!("../tests/golden/default.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/default.txt");
            std::fs::write(path, &shown).unwrap();
            return;
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn colours_frame_what_matters_less_and_the_level() {
        let line = r#"{"timestamp":"2026-02-19T10:30:00.1+00:00","level":"ERROR","logger":"a","message":"b","c":1}"#;
        assert_eq!(
            text(line, true),
            "\x1b[2m2026-02-19 10:30:00.100Z\x1b[0m \x1b[31mERROR\x1b[0m    \x1b[2ma:\x1b[0m b  \x1b[2mc=\x1b[0m1\n"
        );
    }

    /// JSON whose texts and keys are anything.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\u{0}-\u{9f}\u{2028}\u{202e}\u{2066}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|list| Value::Object(list.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_line_holds_it_is_one_line_that_steers_no_terminal(
            values in proptest::collection::vec(any_json(), 8), foreign in any::<Vec<u8>>(),
        ) {
            let keys = ["timestamp", "level", "logger", "message", "spans", "trace_id", "error", "error_chain"];
            let object: Map<_, _> = keys.iter().map(|key| (*key).to_owned()).zip(values).collect();
            // As a hostile writer would: nothing is escaped that need not be.
            let shown = text(&Value::Object(object).to_string(), false);
            let mut out = Vec::new();
            TextWriter::new(false, TimeZone::Utc).push_foreign(&foreign, &mut out);
            for shown in [shown, String::from_utf8(out).unwrap()] {
                let line = shown.strip_suffix('\n').unwrap();
                let steers = |c: char| c.is_control()
                    || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                prop_assert!(!line.contains(steers), "{:?}", line);
            }
        }
    }
}
