//! Row: a line as the query language sees it: flat names, typed values.
//!
//! Knows lines and rows. Plain texts and integers come straight from the line; the rest of it is
//! read when the first field needs it.

use crate::line::Line;
use logwell_query::{Fields, LEVEL, Level, Row, TIME, ValueRef};
use std::cell::OnceCell;

/// A line as a row.
#[derive(Debug)]
pub struct LineRow<'a> {
    line: &'a Line<'a>,
    whole: OnceCell<Fields>,
}

impl<'a> LineRow<'a> {
    /// That line.
    #[must_use]
    pub fn new(line: &'a Line<'a>) -> Self {
        Self { line, whole: OnceCell::new() }
    }

    /// The line itself.
    #[must_use]
    pub fn line(&self) -> &'a Line<'a> {
        self.line
    }

    /// The line with everything in it read.
    #[must_use]
    pub fn whole(&self) -> &Fields {
        // The line was read as JSON before, so each value is JSON.
        self.whole
            .get_or_init(|| Fields::from_json_members(self.line.members()).unwrap_or_default())
    }
}

impl Row for LineRow<'_> {
    fn time_ns(&self) -> i64 {
        let native = self.line.raw("time").is_none() && self.whole.get().is_none();
        match native.then(|| self.line.unix_ns()).flatten() {
            Some(ns) => ns,
            None => self.whole().time_ns(),
        }
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        match self.line.raw(field).and_then(|raw| simple(field, raw)) {
            Some(value) => Some(value),
            None => self.whole().get(field),
        }
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        self.whole().for_each(visit);
    }

    fn to_fields(&self) -> Fields {
        self.whole().clone()
    }
}

/// The value, if it is written as it is: a text without escapes, a small number, a level in its one
/// spelling. A field with a dot in its name may be hidden by an object.
fn simple<'a>(field: &str, raw: &'a str) -> Option<ValueRef<'a>> {
    if field.contains(['.', '@']) || matches!(field, TIME | "timestamp" | "_time") {
        return None;
    }
    let text = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    match (field, text) {
        (LEVEL, Some(text)) => {
            Level::parse(text).filter(|level| level.name() == text).map(|_| ValueRef::Text(text))
        }
        (LEVEL, None) => None,
        (_, Some(text)) => (!text.contains('\\')).then_some(ValueRef::Text(text)),
        (_, None) => raw.parse().ok().map(ValueRef::Int),
    }
}
