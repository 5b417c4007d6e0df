//! Entry: one line of a stream of Loki: labels, time, line and structured metadata, as JSON.
//!
//! Knows the form of an entry in the spool and which labels there are. They are few on purpose:
//! each set of labels is a stream of its own, and Loki suffers from many.

use crate::encode::Encode;
use crate::encode::escape::push_escaped;
use crate::encode::ids::Ids;
use crate::encode::json::JsonEncoder;
use crate::encode::value::push_string;
use crate::forward::ForwardSetup;
use crate::forward::loki::options::{LokiConfig, LokiLine};
use crate::forward::message::Message;
use crate::record::Record;
use crate::record::bytes::floor_char_boundary;
use crate::record::level::Level;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Write as _;

/// Loki refuses lines that are longer; a JSON line is cut before, a message here.
const MAX_LINE_BYTES: usize = 256 * 1024 - 1024;

/// Makes an entry of a record.
pub(super) struct EntryEncoder {
    json: JsonEncoder,
    /// The labels but for the level: `"service_name":"…",`.
    labels: Vec<u8>,
    line: LokiLine,
    has_metadata: bool,
    buffer: Vec<u8>,
}

impl EntryEncoder {
    pub(super) fn new(setup: &ForwardSetup<'_>, config: &LokiConfig) -> Self {
        // In a string of JSON each quotation mark takes two bytes.
        let mut options = setup.json(config.max_bytes / 2);
        options.max_line_bytes = options.max_line_bytes.min(MAX_LINE_BYTES);
        let service = setup.service();
        let mut labels = Vec::new();
        for (name, value) in
            [("service_name", &service.name), ("environment", &service.environment)]
        {
            if !value.is_empty() {
                let _ = write!(labels, "\"{name}\":");
                push_string(&mut labels, value);
                labels.push(b',');
            }
        }
        Self {
            json: JsonEncoder::new(options),
            labels,
            line: config.line,
            has_metadata: config.metadata,
            buffer: Vec::new(),
        }
    }

    /// The text of the line in a string of JSON.
    fn push_line(&mut self, record: &Record, out: &mut Vec<u8>) {
        match self.line {
            LokiLine::Json => {
                self.buffer.clear();
                self.json.encode(record, &mut self.buffer);
                let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
                let line = String::from_utf8_lossy(line);
                push_escaped(out, &if record.is_recovered() { unmarked(&line) } else { line });
            }
            LokiLine::Message => {
                let message = record.message();
                let kept = floor_char_boundary(&message, MAX_LINE_BYTES);
                push_escaped(out, message.get(..kept).unwrap_or_default());
            }
        }
    }
}

/// The line as it was before the process was killed. Loki keeps one of equal lines, and a record
/// that was recovered may be there already.
fn unmarked(line: &str) -> Cow<'_, str> {
    const MARK: &str = ",\"recovered\":true";
    match line.rsplit_once(MARK) {
        Some((before, after)) => Cow::Owned([before, after].concat()),
        None => Cow::Borrowed(line),
    }
}

impl Encode for EntryEncoder {
    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"stream\":{");
        out.extend_from_slice(&self.labels);
        let (level, unix_ns) = (level_label(record.level()), record.unix_ns());
        let _ = write!(out, "\"level\":\"{level}\"}},\"ns\":\"{unix_ns}\",\"line\":\"");
        self.push_line(record, out);
        out.push(b'"');
        if self.has_metadata {
            out.extend_from_slice(b",\"metadata\":{\"logger\":");
            push_string(out, record.target());
            let Ids { trace, span, .. } = Ids::of(record);
            for (key, id) in [("trace_id", trace), ("span_id", span)] {
                if let Some(id) = id {
                    let _ = write!(out, ",\"{key}\":");
                    push_string(out, &id.text());
                }
            }
            out.push(b'}');
        }
        out.push(b'}');
    }
}

/// The level as Grafana knows it.
fn level_label(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

/// An entry that was read from a message.
#[derive(Debug)]
pub(super) struct Entry {
    /// The labels, as a JSON object.
    pub(super) labels: String,
    /// Nanoseconds since 1970, in decimal.
    pub(super) unix_ns: String,
    /// The line.
    pub(super) line: String,
    /// Structured metadata, as a JSON object.
    pub(super) metadata: Option<String>,
}

impl Entry {
    /// `None` if it is none.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let entry: Value = serde_json::from_slice(&message.body).ok()?;
        let text = |key: &str| entry.get(key)?.as_str().map(str::to_owned);
        Some(Self {
            labels: entry.get("stream")?.to_string(),
            unix_ns: text("ns")?,
            line: text("line")?,
            metadata: entry.get("metadata").map(Value::to_string),
        })
    }
}
