//! Whether a row group can hold an answer, told from its filters without reading its columns.
//!
//! Knows: what the filters of a part cover. Must not know: how rows are read. In: what a query
//! needs. Out: "no" or "maybe".

use crate::part::{Kind, Needle, Part, SPAN_ID, TRACE_ID, unhex};
use logwell_query::{Clue, Names, Need};
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
            let by_column = match names {
                Some(names) => covers(part, names),
                None => Covered::By { tokens: true, ids: true },
            };
            match by_column {
                Covered::Not => Ok(true),
                Covered::By { tokens, ids } => {
                    let in_tokens = tokens && part.may_have(group, &Needle::of(clue))?;
                    Ok(in_tokens || ids && id_may_match(part, group, clue)?)
                }
            }
        }
    }
}

/// What answers for the fields of names.
enum Covered {
    /// Nothing: some value is a number, whose text no filter has.
    Not,
    By {
        tokens: bool,
        ids: bool,
    },
}

fn covers(part: &Part, names: &Names) -> Covered {
    let (mut tokens, mut ids) = (false, false);
    let columns = part.field_names().filter(|name| names.contain(name));
    for (_, kind) in columns.flat_map(|name| part.columns_of(name)) {
        match kind {
            Kind::Text | Kind::Json => tokens = true,
            Kind::Id => ids = true,
            Kind::Int | Kind::UInt | Kind::Float | Kind::Bool => return Covered::Not,
        }
    }
    if part.rest.iter().any(|name| names.contain(name)) || names.contain("time") {
        return Covered::Not;
    }
    // The level is in no token filter, and its texts are few.
    if names.contain("level") {
        return Covered::Not;
    }
    Covered::By { tokens, ids }
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
