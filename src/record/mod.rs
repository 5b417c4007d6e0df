//! Record: an event as owned plain data, on its way from the application to the sinks.
//!
//! Does not know how it was captured or will be encoded; of the black box only which process it was
//! recovered from.

pub(crate) mod bytes;
pub(crate) mod callsite;
pub(crate) mod directives;
pub(crate) mod fields;
mod foreign_filters;
pub(crate) mod level;
pub(crate) mod line_id;
pub(crate) mod origin;
pub(crate) mod span;
pub mod stats;
mod text_writer;
pub mod trace_context;
pub(crate) mod trace_state;

pub use crate::record::callsite::{Callsite, Kind, Place};
pub use crate::record::fields::{Entries, Entry, ErrorValue, Fields, Key, Value};
pub use crate::record::level::Level;
pub use crate::record::span::{Id, SpanContext, SpanData};

use crate::record::origin::Origin;
use crate::record::span::named;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

/// One event, whole: what a [`Sink`](crate::sink::Sink) is given.
#[derive(Debug, Clone)]
pub struct Record {
    pub(crate) callsite: &'static Callsite,
    pub(crate) unix_ns: u64,
    pub(crate) seq: u64,
    pub(crate) context: Option<Arc<SpanContext>>,
    pub(crate) thread: SmolStr,
    pub(crate) fields: Fields,
    /// Fields beyond the limit on their number.
    pub(crate) fields_left_out: u32,
    /// Where it comes from, if it was recovered from the black box of a process that has ended.
    pub(crate) origin: Option<Arc<Origin>>,
}

impl Record {
    /// A record made by hand, for tests of sinks and encoders.
    #[must_use]
    pub fn new(callsite: &'static Callsite, time: SystemTime, fields: Fields) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            callsite,
            unix_ns: u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX),
            seq: 0,
            context: None,
            thread: SmolStr::default(),
            fields,
            fields_left_out: 0,
            origin: None,
        }
    }

    /// A record of nothing, to be filled.
    pub(crate) fn empty() -> Self {
        static NOWHERE: LazyLock<&Callsite> = LazyLock::new(|| {
            Callsite::leak(Place {
                level: Level::Trace,
                target: "",
                name: "",
                module: None,
                file: None,
                line: None,
                fields: Box::default(),
                kind: Kind::Plain,
            })
        });
        Self::new(*NOWHERE, SystemTime::UNIX_EPOCH, Fields::new())
    }

    /// Releases all that it holds.
    pub(crate) fn clear(&mut self) {
        self.context = None;
        self.fields.clear();
    }

    /// The same record inside `context`.
    #[must_use]
    pub fn with_context(mut self, context: Arc<SpanContext>) -> Self {
        self.context = Some(context);
        self
    }

    /// The same record with that sequence number.
    #[must_use]
    pub fn with_seq(mut self, seq: u64) -> Self {
        self.seq = seq;
        self
    }

    /// The same record from the thread of that name.
    #[must_use]
    pub fn with_thread(mut self, thread: &str) -> Self {
        self.thread = thread.into();
        self
    }

    /// The place in the source it comes from.
    #[must_use]
    pub fn callsite(&self) -> &'static Callsite {
        self.callsite
    }

    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        self.callsite.level()
    }

    /// tracing's target, or the target of a `log` record.
    #[must_use]
    pub fn target(&self) -> &str {
        match self.callsite.kind() {
            Kind::LogCrate => self.text("log.target").unwrap_or(self.callsite.target()),
            _ => self.callsite.target(),
        }
    }

    /// Module path, when known.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        match self.callsite.kind() {
            Kind::LogCrate => self.text("log.module_path"),
            _ => self.callsite.module(),
        }
    }

    /// Source file, when known.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self.callsite.kind() {
            Kind::LogCrate => self.text("log.file"),
            _ => self.callsite.file(),
        }
    }

    /// Line in the source file, when known.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self.callsite.kind() {
            Kind::LogCrate => match self.get("log.line")? {
                Value::U64(line) => u32::try_from(line).ok(),
                _ => None,
            },
            _ => self.callsite.line(),
        }
    }

    /// The message as text, empty if the event has none.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match self.get("message") {
            Some(Value::Str(text)) => Cow::Borrowed(text),
            Some(value) => Cow::Owned(value.to_string()),
            None => Cow::Borrowed(""),
        }
    }

    /// The function: the field `function`, else the innermost span's name.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        let span = || Some(self.context.as_ref()?.span()?.name());
        self.text("function").or_else(span)
    }

    /// When the event happened, by the application's clock.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.unix_ns)
    }

    /// When the event happened, in nanoseconds since 1970.
    #[must_use]
    pub fn unix_ns(&self) -> u64 {
        self.unix_ns
    }

    /// The thread's name, else its number.
    #[must_use]
    pub fn thread(&self) -> &str {
        &self.thread
    }

    /// The number of the process that made it: this one's, unless it was recovered after that was
    /// killed.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.origin.as_ref().map_or_else(std::process::id, |origin| origin.process)
    }

    /// Whether it was recovered from the black box of a process that was killed. Encoders write
    /// `recovered: true` then.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.origin.is_some()
    }

    /// What the framework says of it, as a field.
    pub(crate) fn mark(&self) -> Option<(&'static str, Entry<'static>)> {
        let key = Key::Name("recovered");
        let entry = Entry { key, value: Value::Bool(true), original_bytes: None };
        self.is_recovered().then_some(("recovered", entry))
    }

    /// Its place in the order of accepted records, from 1 at each start; 0 before it is accepted.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Where it belongs, if it was made inside a span or a logging context.
    #[must_use]
    pub fn context(&self) -> Option<&SpanContext> {
        self.context.as_deref()
    }

    /// All its fields with their names, the message included, in the order they were recorded.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Entry<'_>)> {
        named(self.callsite, &self.fields)
    }

    /// The value of a field; of several with one name the last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.fields().filter(|(field, _)| *field == name).last().map(|(_, entry)| entry.value)
    }

    /// Memory beyond the record itself, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.fields.heap_bytes()
    }

    /// Whether it has fields that its callsite does not name, such as the pairs of the `log` crate.
    pub(crate) fn has_pairs(&self) -> bool {
        self.fields.iter().any(|entry| matches!(entry.key, Key::Name(_)))
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
}
