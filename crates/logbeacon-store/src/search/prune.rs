//! Prune: whether a row group can hold an answer, told from its filters without reading its
//! columns.
//!
//! Knows: what the filters of a part cover. Must not know: how rows are read. In: what a query
//! needs. Out: "no" or "maybe".

use crate::part::{Kind, Needle, Part, REST, SPAN_ID, TRACE_ID, unhex};
use logwell_query::{Clue, LEVEL, Names, Need, TIME};
use std::io;

/// Whether some row of the group may fulfil the need.
pub(crate) fn may_match(part: &Part, group: usize, need: &Need) -> io::Result<bool> {
    match need {
        Need::All(needs) => {
            for need in needs {
                if !may_match(part, group, need)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Need::Any(needs) => {
            for need in needs {
                if may_match(part, group, need)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Need::Text(names, clue) => {
            let names = names.as_ref();
            if names.is_some_and(|names| has_more_than_texts(part, names)) {
                return Ok(true);
            }
            let needle = Needle::of(clue);
            let is_named = |field: &str| names.is_none_or(|names| names.contain(field));
            for field in part.field_names().filter(|field| is_named(field)) {
                for (column, kind) in part.columns_of(field) {
                    let may = match kind {
                        Kind::Id => id_may_match(part, group, clue)?,
                        Kind::Text | Kind::Json => part.may_have(group, *column, &needle)?,
                        _ => false,
                    };
                    if may {
                        return Ok(true);
                    }
                }
            }
            match part.column(REST) {
                Some(rest) => part.may_have(group, rest, &needle),
                None => Ok(false),
            }
        }
    }
}

/// The trace without which nothing can match, if it is one whose id is kept as bytes.
pub(crate) fn trace_needed(need: &Need) -> Option<Vec<u8>> {
    match need {
        Need::All(needs) => needs.iter().find_map(trace_needed),
        Need::Text(Some(Names::One(name)), Clue::Word(id) | Clue::Whole(id))
            if name == TRACE_ID =>
        {
            unhex(id, 32)
        }
        Need::Text(..) | Need::Any(_) => None,
    }
}

/// Whether a column's texts may fulfil the need of one test.
pub(crate) fn column_may_match(
    part: &Part,
    (group, column): (usize, usize),
    need: &Need,
) -> io::Result<bool> {
    let of = |need: &Need| column_may_match(part, (group, column), need);
    match need {
        Need::All(needs) => needs.iter().try_fold(true, |may, need| Ok(may && of(need)?)),
        Need::Any(needs) => needs.iter().try_fold(false, |may, need| Ok(may || of(need)?)),
        Need::Text(_, clue) => part.may_have(group, column, &Needle::of(clue)),
    }
}

/// Whether a field has values that are no texts, or of which no filter knows.
fn has_more_than_texts(part: &Part, names: &Names) -> bool {
    let columns = part.field_names().filter(|name| names.contain(name));
    let has_other = columns
        .flat_map(|name| part.columns_of(name))
        .any(|(_, kind)| !matches!(kind, Kind::Text | Kind::Json | Kind::Id));
    let is_rare = part.rest.iter().any(|name| names.contain(name));
    has_other || is_rare || names.contain(TIME) || names.contain(LEVEL)
}

/// Whether an id that is kept as bytes may give the clue.
fn id_may_match(part: &Part, group: usize, clue: &Clue) -> io::Result<bool> {
    match clue {
        Clue::Word(text) | Clue::Whole(text) => {
            if let Some(id) = unhex(text, 32) {
                return part.may_have_trace(group, &id);
            }
            Ok(unhex(text, 16).is_some() && part.column(SPAN_ID).is_some())
        }
        Clue::Prefix(text) | Clue::Part(text) => {
            let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let has_ids = part.column(TRACE_ID).is_some() || part.column(SPAN_ID).is_some();
            Ok(is_hex && text.len() <= 32 && has_ids)
        }
        Clue::Ideographs(_) => Ok(false),
    }
}
