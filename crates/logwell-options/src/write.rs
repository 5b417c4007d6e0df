//! Write: the options as YAML text, bare or fully commented.
//!
//! Knows layout. Does not know any single option.

use super::choice::explained;
use super::env::Names;
use super::section::Entry;
use super::yaml;
use crate::value::OptionValue;

/// The options with their values; secrets are masked.
#[must_use]
pub fn values(entries: Vec<Entry<'_>>) -> String {
    let mut writer = Writer { text: String::new(), names: None };
    writer.section(entries, "", 0);
    writer.text
}

/// The options with their values, each under a comment that says all that is known of it.
/// `header` comes first.
#[must_use]
pub fn reference(header: &str, entries: Vec<Entry<'_>>, names: &Names) -> String {
    let mut writer = Writer { text: header.to_owned(), names: Some(*names) };
    writer.section(entries, "", 0);
    writer.text
}

struct Writer {
    text: String,
    /// How the variables are called; set if each option has a comment.
    names: Option<Names>,
}

impl Writer {
    fn section(&mut self, entries: Vec<Entry<'_>>, section: &str, depth: usize) {
        for entry in entries {
            let key = entry.key(section);
            if let Some(names) = self.names {
                self.text.push('\n');
                self.comment(&entry.doc(), depth);
                self.facts(&entry.slot, &names.all(&key), depth);
            }
            match entry.slot {
                OptionValue::Section(inner) => {
                    self.line(&format!("{}:", entry.name), depth);
                    self.section(inner, &key, depth + 1);
                }
                slot => self.line(&format!("{}: {}", entry.name, value(&slot)), depth),
            }
        }
    }

    /// Words, limits, default and variable of an option.
    fn facts(&mut self, slot: &OptionValue<'_>, names: &str, depth: usize) {
        if matches!(slot, OptionValue::Section(_)) {
            return;
        }
        if let OptionValue::Choice(choice) = slot {
            for word in choice.words() {
                self.comment(&format!("  {}", explained(word)), depth);
            }
        }
        let limits = slot.limits().map(|limits| format!("Limits: {limits}. "));
        let limits = limits.unwrap_or_default();
        let default = match slot {
            OptionValue::Text { value, .. } if value.is_empty() => "Default: empty. ".to_owned(),
            OptionValue::Secret { .. } => "Secret. Default: empty. ".to_owned(),
            // As in YAML: a bare `.` would be taken for the end of the sentence.
            slot if slot.text().ends_with('.') => {
                format!("Default: {}. ", value(slot))
            }
            _ => format!("Default: {}. ", slot.text()),
        };
        let (facts, names) = (limits + &default, format!("Environment: {names}."));
        let is_long = 2 * depth + "# ".len() + facts.len() + names.len() > MAX_LINE_BYTES;
        let facts = if is_long { facts.trim_end().to_owned() + "\n" } else { facts };
        self.comment(&(facts + &names), depth);
    }

    fn comment(&mut self, text: &str, depth: usize) {
        text.lines().for_each(|line| self.line(&format!("# {line}"), depth));
    }

    fn line(&mut self, line: &str, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// The value in YAML: bare where that cannot be misread, else in quotes.
fn value(slot: &OptionValue<'_>) -> String {
    let text = slot.text();
    let bare = match slot {
        OptionValue::Flag(_)
        | OptionValue::Count { .. }
        | OptionValue::Bytes { .. }
        | OptionValue::OptionalBytes { .. }
        | OptionValue::Time { .. }
        | OptionValue::OptionalTime { .. } => true,
        OptionValue::Mode(_) | OptionValue::Secret { .. } => false,
        _ => yaml::is_plain(&text),
    };
    if bare { text } else { yaml::quote(&text) }
}

/// The reference is read in an editor.
const MAX_LINE_BYTES: usize = 100;
