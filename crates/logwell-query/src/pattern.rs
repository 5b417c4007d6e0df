//! Pattern: a regular expression with bounds on its size, and what every match of it contains.
//!
//! The only file that names `regex`. Matching takes time linear in the text.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

/// A regular expression of the syntax of the crate `regex`: no look-around, no back-references.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    literals: Vec<String>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// It is not one, or needs more than [`Pattern::MAX_BYTES`] compiled; the text says which.
    pub fn new(source: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(source)
            .size_limit(Self::MAX_BYTES)
            .dfa_size_limit(Self::MAX_BYTES)
            .nest_limit(100)
            .build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("the regular expression needs more than {limit} bytes when compiled")
            }
            // The last line says what is wrong, those before it draw the place.
            error => {
                let text = error.to_string();
                let what = text.lines().last().unwrap_or_default();
                format!("no regular expression: {}", what.trim_start_matches("error: "))
            }
        })?;
        let literals = regex_syntax::parse(source).map(|hir| literals(&hir)).unwrap_or_default();
        Ok(Self { regex, literals })
    }

    /// The most that a compiled expression may take; and again as much for its cache of states.
    pub const MAX_BYTES: usize = 1 << 20;

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it matches somewhere in the text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Texts that every match contains; often empty.
    #[must_use]
    pub fn literals(&self) -> &[String] {
        &self.literals
    }
}

/// The literals of a concatenation, through groups and what must occur at least once.
fn literals(hir: &Hir) -> Vec<String> {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).into_iter().collect(),
        HirKind::Concat(parts) => parts.iter().flat_map(literals).collect(),
        HirKind::Capture(group) => literals(&group.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_literals_of_an_expression_are_in_each_match() {
        let of = |source: &str| Pattern::new(source).unwrap().literals().to_vec();
        assert_eq!(of("^order [0-9]+ failed (after)+ .*$"), ["order ", " failed ", "after", " "]);
        assert_eq!(of("a|b"), [] as [&str; 0]);
        assert_eq!(of("(?i)abc"), [] as [&str; 0]);
        assert_eq!(of("x?y*"), [] as [&str; 0]);
    }

    #[test]
    fn an_expression_that_is_wrong_or_too_big_is_refused() {
        assert!(Pattern::new("(").unwrap_err().contains("unclosed group"));
        assert!(Pattern::new(r"(\w{200}){200}").unwrap_err().contains("1048576 bytes"));
    }
}
