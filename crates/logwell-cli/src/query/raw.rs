//! Raw: what the bytes of a line must have for a query to match it.
//!
//! Knows what a query needs and how JSON writes texts. It is sound for every writer that does not
//! escape what needs none: ASCII letters stand in JSON as they are.

use logwell_query::{Clue, LEVEL, Names, Need, Part, TIME};

/// Something that a line must have.
#[derive(Debug)]
pub enum Raw {
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
    /// This, in any case.
    Part(Part),
}

impl Raw {
    /// What is needed, as far as bytes show it.
    #[must_use]
    pub fn of(need: &Need) -> Self {
        match need {
            Need::All(needs) => Self::All(needs.iter().map(Self::of).collect()),
            Need::Any(needs) => Self::Any(needs.iter().map(Self::of).collect()),
            Need::Text(names, clue) => match part(names.as_ref(), clue) {
                Some(part) => Self::Part(part),
                None => Self::All(Vec::new()),
            },
        }
    }

    /// Whether a line may match.
    #[must_use]
    pub fn may_be(&self, line: &str) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.may_be(line)),
            Self::Any(parts) => parts.iter().any(|part| part.may_be(line)),
            Self::Part(part) => part.is_in(line),
        }
    }
}

fn part(names: Option<&Names>, clue: &Clue) -> Option<Part> {
    // These two are shown otherwise than they are written.
    if names.is_some_and(|names| [TIME, LEVEL].iter().any(|name| names.contain(name))) {
        return None;
    }
    let text = match clue {
        Clue::Word(text) | Clue::Prefix(text) | Clue::Part(text) | Clue::Whole(text) => text,
        Clue::Ideographs(_) => return None,
    };
    // A number may be written in several ways, so it must be a word of a text.
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    let runs = runs.filter(|run| run.contains(|c: char| c.is_ascii_alphabetic()));
    runs.max_by_key(|run| run.len()).and_then(Part::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Query;

    #[track_caller]
    fn check(query: &str, line: &str, expected: bool) {
        let needs = Query::parse(query).unwrap().filter.needs();
        assert_eq!(Raw::of(&needs).may_be(line), expected, "{query}");
    }

    #[test]
    fn a_line_without_the_words_of_a_query_cannot_match() {
        let line = r#"{"message":"Payment failed","n":5e2,"level":"fatal","user":"ann"}"#;
        check("payment failed", line, true);
        check("payment refused", line, false);
        check("refused or user:=ann", line, true);
        check("user:=bob", line, false);
        check("n:500 level~CRITICAL -nothing", line, true);
    }
}
