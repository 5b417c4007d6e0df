//! Needs: the fields that a query reads, and the texts without which its filter cannot match.
//!
//! For stores, which read only those columns and ask their token filters for those texts. Pure.

use crate::filter::{Filter, Names, Test};
use crate::literal::Meaning;
use crate::query::{Pipe, Query};
use crate::row::{LEVEL, TIME};
use crate::words::{Phrase, folded, is_ideograph};
use std::collections::BTreeSet;

/// A condition that each record fulfils that a filter matches; but not the other way round.
///
/// Texts are without case, see [`fold`](crate::fold).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// All of them; without any, nothing is needed.
    All(Vec<Self>),
    /// One of them, at least.
    Any(Vec<Self>),
    /// A text has this, in the fields of these names or, without names, in any text of the record.
    Text(Option<Names>, Clue),
}

/// What a text has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clue {
    /// This word, as [`words`](crate::words()) cuts it.
    Word(String),
    /// A word that begins so.
    Prefix(String),
    /// These ideographs in a row. Each is also a word.
    Ideographs(String),
    /// This text somewhere.
    Part(String),
    /// It is this text, in this case; or a value with this text, such as a number.
    Whole(String),
}

impl Need {
    /// Nothing is needed.
    pub const NOTHING: Self = Self::All(Vec::new());

    /// Whether nothing is needed, so that every record may match.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::All(needs) if needs.is_empty())
    }

    fn all(needs: impl IntoIterator<Item = Self>) -> Self {
        let mut needs: Vec<Self> = needs.into_iter().filter(|need| !need.is_nothing()).collect();
        match (needs.len(), needs.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                needs.extend(last);
                Self::All(needs)
            }
        }
    }

    /// Nothing is needed if one alternative needs nothing.
    fn any(needs: impl IntoIterator<Item = Self>) -> Self {
        let needs: Vec<Self> = needs.into_iter().collect();
        match needs.iter().any(Self::is_nothing) {
            true => Self::NOTHING,
            false => Self::Any(needs),
        }
    }
}

impl Filter {
    /// What each record has that it matches, in texts. Levels, times, numbers and existence are not
    /// in it: see [`levels`](Self::levels), [`time_range`](Self::time_range), and the tree itself.
    #[must_use]
    pub fn needs(&self) -> Need {
        match self {
            Self::And(parts) => Need::all(parts.iter().map(Self::needs)),
            Self::Or(parts) => Need::any(parts.iter().map(Self::needs)),
            Self::Text(test) => test.needs(None),
            Self::Field(names, test) => test.needs(Some(names)),
            Self::All | Self::Not(_) | Self::Time(_) | Self::Level(_) => Need::NOTHING,
        }
    }

    /// The fields that it reads; nothing if it reads whatever there is (bare words, `http.*`).
    #[must_use]
    pub fn fields(&self) -> Option<BTreeSet<String>> {
        let mut fields = BTreeSet::new();
        self.add_fields(&mut fields).then_some(fields)
    }

    /// Whether it reads no more than what was added.
    fn add_fields(&self, fields: &mut BTreeSet<String>) -> bool {
        let name = match self {
            Self::All => return true,
            Self::And(parts) | Self::Or(parts) => {
                return parts.iter().all(|part| part.add_fields(fields));
            }
            Self::Not(part) => return part.add_fields(fields),
            Self::Text(_) | Self::Field(Names::Prefix(_), _) => return false,
            Self::Field(Names::One(name), _) => name,
            Self::Time(_) => TIME,
            Self::Level(_) => LEVEL,
        };
        fields.insert(name.to_owned());
        true
    }
}

impl Test {
    fn needs(&self, names: Option<&Names>) -> Need {
        let one = |clue| Need::Text(names.cloned(), clue);
        match self {
            Self::Phrase(phrase) => Need::all(of_phrase(phrase).into_iter().map(one)),
            Self::Contains(part) => one(Clue::Part(part.folded().to_owned())),
            Self::Matches(pattern) => {
                Need::all(pattern.literals().iter().map(|text| one(Clue::Part(folded(text)))))
            }
            Self::Equals(literal) => match literal.meaning() {
                Meaning::Text => one(Clue::Whole(literal.as_str().to_owned())),
                // 500 is equal to "5e2" too.
                Meaning::Number(_) | Meaning::Quantity { .. } => Need::NOTHING,
            },
            Self::In(literals) => {
                Need::any(literals.iter().map(|literal| Self::Equals(literal.clone()).needs(names)))
            }
            Self::Exists | Self::Compare(..) | Self::Between(..) => Need::NOTHING,
        }
    }
}

/// Each word, and neighbouring ideographs together.
fn of_phrase(phrase: &Phrase) -> Vec<Clue> {
    let mut clues: Vec<Clue> = Vec::new();
    for word in phrase.words() {
        let is_one = word.chars().next().is_some_and(is_ideograph);
        match clues.last_mut() {
            Some(Clue::Ideographs(run)) if is_one => run.push_str(word),
            _ if is_one => clues.push(Clue::Ideographs(word.clone())),
            _ => clues.push(Clue::Word(word.clone())),
        }
    }
    if phrase.is_prefix()
        && let Some(Clue::Word(word)) = clues.pop()
    {
        clues.push(Clue::Prefix(word));
    }
    clues
}

impl Query {
    /// The fields of records that its pipes read, `time` too if they do; nothing if they need all
    /// fields, as when records are returned whole. What the filter reads comes in addition.
    #[must_use]
    pub fn piped_fields(&self) -> Option<BTreeSet<String>> {
        let mut fields = BTreeSet::new();
        for pipe in &self.pipes {
            let (is_last, known) = read_by(pipe, &mut fields);
            match (known, is_last) {
                (false, _) => return None,
                (true, true) => return Some(fields),
                (true, false) => {}
            }
        }
        None
    }
}

/// Adds what a pipe reads; whether nothing behind it reads the records, and whether that was all.
fn read_by(pipe: &Pipe, fields: &mut BTreeSet<String>) -> (bool, bool) {
    let names = |names: &[Names], fields: &mut BTreeSet<String>| {
        names.iter().all(|names| match names {
            Names::One(name) => {
                fields.insert(name.clone());
                true
            }
            Names::Prefix(_) => false,
        })
    };
    match pipe {
        Pipe::Where(filter) => (false, filter.add_fields(fields)),
        Pipe::Fields(kept) => (true, names(kept, fields)),
        Pipe::Facets(facets) => (true, !facets.fields.is_empty() && names(&facets.fields, fields)),
        Pipe::Stats(stats) => {
            fields.extend(stats.by.iter().map(|group| group.field.clone()));
            fields.extend(stats.aggregates.iter().flat_map(|one| one.function.fields()).cloned());
            (true, stats.aggregates.iter().all(|one| one.only.add_fields(fields)))
        }
        Pipe::Top(top) => {
            fields.extend(top.fields.iter().cloned());
            (true, true)
        }
        Pipe::Histogram(histogram) => {
            fields.insert(histogram.group.field.clone());
            fields.extend(histogram.by.iter().cloned());
            (true, true)
        }
        Pipe::Patterns(_) => {
            fields.insert(crate::row::MESSAGE.to_owned());
            (true, true)
        }
        Pipe::Rename(pairs) => {
            fields.extend(pairs.iter().map(|(from, _)| from.clone()));
            (false, true)
        }
        Pipe::Extract(extract) => {
            fields.insert(extract.from.clone());
            (false, true)
        }
        Pipe::Sort(keys) => {
            fields.extend(keys.iter().map(|key| key.field.clone()));
            (false, true)
        }
        Pipe::Dedup(by) => {
            fields.extend(by.iter().cloned());
            (false, true)
        }
        Pipe::Context(context) => {
            fields.extend(context.by.iter().cloned());
            (false, true)
        }
        Pipe::Drop(_) | Pipe::Limit(_) | Pipe::Offset(_) => (false, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Query::parse(text).unwrap().filter
    }

    fn word(text: &str) -> Need {
        Need::Text(None, Clue::Word(text.to_owned()))
    }

    #[test]
    fn every_word_of_a_phrase_is_needed() {
        assert_eq!(
            filter("\"Payment failed\"").needs(),
            Need::All(vec![word("payment"), word("failed")])
        );
        let prefix = Need::Text(None, Clue::Prefix("fa".to_owned()));
        assert_eq!(filter("\"pay fa\"*").needs(), Need::All(vec![word("pay"), prefix]));
        let run = Need::Text(None, Clue::Ideographs("支付".to_owned()));
        assert_eq!(filter("a支付").needs(), Need::All(vec![word("a"), run]));
    }

    #[test]
    fn an_alternative_needs_nothing_if_one_side_does() {
        assert_eq!(filter("a or b").needs(), Need::Any(vec![word("a"), word("b")]));
        assert!(filter("a or x>1").needs().is_nothing());
        assert!(filter("-a").needs().is_nothing());
        assert_eq!(filter("a x>1 -b").needs(), word("a"));
    }

    #[test]
    fn the_fields_of_a_query_are_those_it_reads() {
        let query =
            Query::parse("a:1 level:error | where d:x | stats p99(ms) if (c:2) by b, time:1m");
        let query = query.unwrap();
        let set = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(query.filter.fields(), set(&["a", "level"]));
        assert_eq!(query.piped_fields(), set(&["b", "c", "d", "ms", "time"]));
        assert_eq!(Query::parse("a | sort x").unwrap().piped_fields(), None);
        assert_eq!(filter("a").fields(), None);
    }
}
