//! Write: the options as YAML text, bare or fully commented.
//!
//! Knows layout. Does not know any single option.

use super::choice::explained;
use super::env;
use super::section::Entry;
use super::yaml;
use crate::config::options::value::OptionValue;

/// The options with their values; secrets are masked.
pub(crate) fn values(entries: Vec<Entry<'_>>) -> String {
    let mut writer = Writer { text: String::new(), commented: false };
    writer.section(entries, "", 0);
    writer.text
}

/// The options with their values, each under a comment that says all that is known of it.
pub(crate) fn reference(entries: Vec<Entry<'_>>) -> String {
    let mut writer = Writer { text: HEADER.to_owned(), commented: true };
    writer.section(entries, "", 0);
    writer.text
}

struct Writer {
    text: String,
    commented: bool,
}

impl Writer {
    fn section(&mut self, entries: Vec<Entry<'_>>, section: &str, depth: usize) {
        for entry in entries {
            let key = entry.key(section);
            if self.commented {
                self.text.push('\n');
                self.comment(&entry.doc(), depth);
                self.facts(&entry.slot, &key, depth);
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
    fn facts(&mut self, slot: &OptionValue<'_>, key: &str, depth: usize) {
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
        let (facts, names) = (limits + &default, format!("Environment: {}.", env::names(key)));
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

const HEADER: &str = "\
# yaml-language-server: $schema=logging.schema.json

# Every option of logwell with its default. Keep what you change and delete the rest: a short file
# is easier to read (see minimal.yaml). Unknown keys are errors.
#
# What is given later wins: defaults, this file, environment variables, the program.
# Sizes: 10MiB, 64KiB, 1GB, or bytes as a number. Times: 100ms, 5s, 1m, 30d.
# Levels: trace, debug, info, warn, error, critical, off. By target, as in RUST_LOG:
# info,my_crate=debug,hyper=warn. With its own environment variable an option can be changed
# without touching the file; an empty variable counts as not set. Where there are two names, the
# first wins. MQ_…, DEV_TG_… and CUSTOMER_TG_… are read only if their section is enabled, here
# or by another variable: other programs may use these names.
";
