//! JSON: one record as one line, schema version 1.
//!
//! Knows the keys, their order and their rules. Knows no file. What never changes about a callsite
//! is encoded once and kept.

mod context_cache;
mod fast_path;
mod line;
mod template;

use crate::encode::options::RecordConfig;
use crate::encode::stamp::UtcSecond;
use crate::encode::value::ValueWriter;
use crate::encode::{Encode, id_at};
use crate::record::Record;
use crate::record::line_id::LineId;
use context_cache::ContextCache;
use fast_path::{Around, FastPath};
use line::Line;
use template::Template;

/// Encodes records as JSON lines.
#[derive(Debug)]
pub struct JsonEncoder {
    options: JsonOptions,
    /// `"process":<pid>,"seq":`
    process: Vec<u8>,
    plans: Vec<Option<Template>>,
    contexts: ContextCache,
    straight: FastPath,
    /// The beginning of a line, up to the fraction of the second.
    second: UtcSecond,
}

/// How records are written as JSON.
#[derive(Debug, Clone)]
pub struct JsonOptions {
    /// Spans, source file, name of the warning level.
    pub record: RecordConfig,
    /// A longer line is cut until it fits, its `\n` included. Every record fits into 1 KiB; a
    /// smaller limit may be passed.
    pub max_line_bytes: usize,
    /// So many spans of a record are written: half from the root, half to the leaf.
    pub max_spans: usize,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self { record: RecordConfig::default(), max_line_bytes: usize::MAX, max_spans: 64 }
    }
}

/// How much of a record is written: less and less until the line fits.
#[derive(Debug, Clone, Copy)]
struct Cut {
    value_bytes: usize,
    with_fields: bool,
}

/// This process's number.
fn process_id() -> u32 {
    #[cfg(test)]
    if crate::simulation::is_on() {
        return 4_711; // so that the lines of a seed are as long in each process
    }
    std::process::id()
}

impl JsonEncoder {
    /// An encoder with those options.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        let process = format!(",\"process\":{},\"seq\":", process_id()).into_bytes();
        Self {
            options,
            process,
            plans: Vec::new(),
            contexts: ContextCache::default(),
            straight: FastPath::default(),
            second: UtcSecond::after(b"{\"timestamp\":\""),
        }
    }

    /// What never changes about the record's callsite, encoded when it is first met.
    fn plan_for(&mut self, record: &Record) -> usize {
        let callsite = record.callsite();
        if self.plans.len() <= callsite.index() {
            self.plans.resize_with(callsite.index() + 1, || None);
        }
        if let Some(slot @ None) = self.plans.get_mut(callsite.index()) {
            *slot = Some(Template::new(callsite, &self.options.record));
        }
        callsite.index()
    }

    fn push_straight(&mut self, record: &Record, out: &mut Vec<u8>, at: usize) -> bool {
        let Some(Some(plan)) = self.plans.get(at) else { return false };
        let second = self.second.text(record.unix_ns() / 1_000_000_000);
        let around = Around { second, process: &self.process, plan, contexts: &self.contexts };
        match self.straight.line(record, &around) {
            Some(line) if line.len() <= self.options.max_line_bytes => {
                out.extend_from_slice(line);
                true
            }
            _ => false,
        }
    }

    fn push_line(&mut self, record: &Record, out: &mut Vec<u8>, cut: Cut, at: usize) {
        let Some(Some(plan)) = self.plans.get(at) else { return };
        let second = self.second.text(record.unix_ns() / 1_000_000_000);
        let line = Line {
            record,
            plan,
            is_simple: plan.is_simple && !record.has_pairs(),
            options: &self.options,
            cut,
            values: ValueWriter::new(cut.value_bytes),
        };
        line.push(second, &self.process, &mut self.contexts, out);
    }
}

impl Encode for JsonEncoder {
    fn id_in(&self, line: &[u8]) -> Option<LineId> {
        id_at(line, ["timestamp", "process", "seq"])
    }

    fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
        let plan = self.plan_for(record);
        if self.push_straight(record, out, plan) {
            return;
        }
        let start = out.len();
        let max_bytes = self.options.max_line_bytes;
        // A value longer than the line would be cut anyhow: the first attempt need not be longer.
        let with_fields = [1, 4, 16, 64, 256].map(|part| (part, true));
        let bare = [64, 256].map(|part| (part, false));
        for (part, with_fields) in with_fields.into_iter().chain(bare) {
            out.truncate(start);
            self.push_line(record, out, Cut { value_bytes: max_bytes / part, with_fields }, plan);
            if out.len() - start <= max_bytes {
                return;
            }
        }
    }
}
