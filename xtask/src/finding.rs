//! Finding: a place that does not keep a rule of the house.
//!
//! Knows neither the rules nor which places are excused.

use std::fmt;

/// `Display` is the line that a person reads: where it is, and what to do.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The rule, as the exceptions name it.
    pub(crate) rule: &'static str,
    pub(crate) path: String,
    /// What in the file: a function; `-` for the file as a whole.
    pub(crate) item: String,
    pub(crate) line: usize,
    /// How many lines, parameters, files …
    pub(crate) count: usize,
    /// What is wrong, and what to do.
    pub(crate) advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, advice, .. } = self;
        write!(f, "{path}:{line}: {rule}: {advice}")
    }
}
