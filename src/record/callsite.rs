//! Callsite: what is the same for every record of one place in the source.
//!
//! Plain data, made once for each place and kept for the life of the process, so that a record
//! needs only a reference to it and a sink can cache by its `index`. Does not know tracing: see
//! `capture/callsites.rs` for how one is made from tracing's metadata.

use crate::record::level::Level;
use std::sync::atomic::{AtomicU32, Ordering};

/// The place in the source a record or span comes from, with all that never changes about it.
#[derive(Debug)]
pub struct Callsite {
    index: u32,
    place: Place,
    /// Which field holds the message.
    pub(crate) message: Option<u8>,
    /// Whether a field of its spans may give an id.
    pub(crate) gives_ids: bool,
}

/// What a [`Callsite`] is made of.
#[derive(Debug, Clone)]
pub struct Place {
    /// How much its records matter.
    pub level: Level,
    /// tracing's target: usually the module path.
    pub target: &'static str,
    /// A span's name.
    pub name: &'static str,
    /// Module path, when known.
    pub module: Option<&'static str>,
    /// Source file, when known.
    pub file: Option<&'static str>,
    /// Line in the source file, when known.
    pub line: Option<u32>,
    /// Names of the fields, in the order of their keys.
    pub fields: Box<[&'static str]>,
    /// What its records are.
    pub kind: Kind,
}

/// What the records of a callsite are, known before the first one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// An ordinary event or span.
    #[default]
    Plain,
    /// A record about a call of an AI model: it goes to `ai_responses.log` too.
    Ai,
    /// A record of the `log` crate: target, module, file and line are in its fields.
    LogCrate,
    /// One of logwell's own records.
    Internal,
}

/// Events with this target are records about calls of AI models, unless it is only the name of the
/// crate they come from.
pub(crate) const AI_TARGET: &str = "ai_responses";

/// Fields that say something about the record and are not written as fields.
pub(crate) mod marker {
    pub(crate) const PREFIX: &str = "logwell.";
    pub(crate) const CRITICAL: &str = "logwell.critical";
    pub(crate) const AI: &str = "logwell.ai";
    pub(crate) const INFO_CTG: &str = "logwell.info_ctg";
    pub(crate) const ERROR_CTG: &str = "logwell.error_ctg";
    pub(crate) const MONITOR: &str = "logwell.monitor";
}

impl Callsite {
    /// Makes a callsite that lives as long as the process.
    ///
    /// Each call leaks one small value: call it once for each place, not once for each record.
    #[must_use]
    pub fn leak(place: Place) -> &'static Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let message = place.fields.iter().position(|&name| name == "message");
        Box::leak(Box::new(Self {
            index: NEXT.fetch_add(1, Ordering::Relaxed),
            message: message.and_then(|at| u8::try_from(at).ok()),
            gives_ids: place.fields.iter().any(|name| matches!(*name, "trace_id" | "span_id")),
            place,
        }))
    }

    /// Its own small number, counted from 0: what caches use as their key.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index as usize
    }

    /// How much its records matter.
    #[must_use]
    pub fn level(&self) -> Level {
        self.place.level
    }

    /// tracing's target: usually the module path.
    #[must_use]
    pub fn target(&self) -> &'static str {
        self.place.target
    }

    /// A span's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.place.name
    }

    /// Module path, when known.
    #[must_use]
    pub fn module(&self) -> Option<&'static str> {
        self.place.module
    }

    /// Source file, when known.
    #[must_use]
    pub fn file(&self) -> Option<&'static str> {
        self.place.file
    }

    /// Line in the source file, when known.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.place.line
    }

    /// What its records are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.place.kind
    }

    /// Names of the fields, in the order of their keys.
    #[must_use]
    pub fn fields(&self) -> &[&'static str] {
        &self.place.fields
    }
}
