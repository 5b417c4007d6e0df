//! Cut: makes a draft fit the limit of bytes.
//!
//! Knows texts and their lengths. Does not know where the draft is from. The longest texts are cut
//! to one length, the largest with which all fit; short ones stay whole.

use super::draft::Draft;
use super::fields::{CUT, TRUNCATED, cut_at};
use super::limits::Limits;
use logwell_query::Value;

/// Cuts the longest texts until the record fits `limits.record_bytes`, and notes their lengths.
/// JSON that is cut becomes text.
pub fn cut(draft: &mut Draft, limits: &Limits) {
    draft.fields.close();
    let names: usize = draft.fields.iter().map(|(name, _)| name.len()).sum();
    let budget = limits.record_bytes.saturating_sub(names);
    let mut lengths = lengths(draft);
    if lengths.iter().sum::<usize>() <= budget {
        return;
    }
    lengths.sort_unstable();
    let level = water_level(&lengths, budget);
    let mut noted = Vec::new();
    for (name, text) in members_mut(draft) {
        if let Some(kept) = cut_at(text, level) {
            noted.push((format!("{TRUNCATED}{name}"), text.len()));
            *text = format!("{kept}{CUT}");
        }
    }
    for (name, value) in draft.fields.iter_mut() {
        let (Value::Text(text) | Value::Json(text)) = &*value else { continue };
        if let Some(kept) = cut_at(text, level) {
            noted.push((format!("{TRUNCATED}{name}"), text.len()));
            *value = Value::Text(format!("{kept}{CUT}"));
        }
    }
    for (name, length) in noted {
        draft.fields.put(&name, Value::UInt(length as u64));
    }
}

/// The largest length to which all texts can be cut so that they fit `budget`. `lengths` are
/// sorted.
fn water_level(lengths: &[usize], budget: usize) -> usize {
    let mut left = budget;
    for (index, length) in lengths.iter().enumerate() {
        let share = left / (lengths.len() - index);
        if *length > share {
            return share;
        }
        left -= length;
    }
    usize::MAX
}

/// The lengths of all texts.
fn lengths(draft: &Draft) -> Vec<usize> {
    let Draft { message, logger, service, host, trace_id, span_id, .. } = draft;
    let members = [message, logger, service, host, trace_id, span_id].map(String::len);
    let fields = draft.fields.iter().filter_map(|(_, value)| match value {
        Value::Text(text) | Value::Json(text) => Some(text.len()),
        _ => None,
    });
    members.into_iter().chain(fields).collect()
}

fn members_mut(draft: &mut Draft) -> [(&'static str, &mut String); 6] {
    [
        ("message", &mut draft.message),
        ("logger", &mut draft.logger),
        ("service", &mut draft.service),
        ("host", &mut draft.host),
        ("trace_id", &mut draft.trace_id),
        ("span_id", &mut draft.span_id),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draft(texts: &[String]) -> Draft {
        let mut draft = Draft { message: "m".repeat(50), ..Draft::default() };
        for (index, text) in texts.iter().enumerate() {
            draft.fields.push(&format!("f{index}"), Value::Text(text.clone()), &Limits::default());
        }
        draft
    }

    #[test]
    fn a_long_text_is_cut_and_short_ones_stay() {
        let mut draft = draft(&["short".to_owned(), "x".repeat(5000)]);
        cut(&mut draft, &Limits { record_bytes: 200, ..Limits::default() });
        let fields = draft.fields.into_sorted();
        assert_eq!(draft.message, "m".repeat(50));
        assert_eq!(fields[0], ("f0".to_owned(), Value::Text("short".to_owned())));
        assert_eq!(fields[1].1, Value::Text(format!("{}…", "x".repeat(141))));
        assert_eq!(fields[2], ("truncated.f1".to_owned(), Value::UInt(5000)));
    }

    #[test]
    fn json_that_is_cut_becomes_text() {
        let mut draft = Draft::default();
        let array = format!("[{}1]", "1,".repeat(500));
        draft.fields.push("list", Value::Json(array), &Limits::default());
        cut(&mut draft, &Limits { record_bytes: 100, ..Limits::default() });
        assert!(matches!(draft.fields.get("list"), Some(Value::Text(text)) if text.ends_with('…')));
    }

    proptest! {
        #[test]
        fn texts_fit_and_what_fits_is_untouched(
            texts in proptest::collection::vec("[aé🦀]{0,80}", 0..8),
            record_bytes in 0_usize..800,
        ) {
            let before = draft(&texts);
            let mut after = before.clone();
            cut(&mut after, &Limits { record_bytes, ..Limits::default() });
            let bytes = |draft: &Draft| lengths(draft).into_iter().sum::<usize>();
            let names: usize = before.fields.iter().map(|(name, _)| name.len()).sum();
            // Each mark has three bytes.
            let marks = 3 * (texts.len() + 1);
            prop_assert!(bytes(&after) <= record_bytes.saturating_sub(names) + marks);
            if bytes(&before) + names <= record_bytes {
                prop_assert_eq!(before, after);
            }
        }
    }
}
