//! Read: a YAML tree is laid over the options.
//!
//! Knows how keys and sections match. Does not know YAML's syntax nor any single option.

use std::collections::HashSet;

use super::report::{Place, Report};
use super::section::Entry;
use super::yaml::{Node, Value};
use crate::raw_value::{Problem, RawValue, shorten};
use crate::suggest::nearest;
use crate::value::OptionValue;

/// Sets what the tree gives; everything wrong with it goes to the report.
pub fn read(entries: &mut [Entry<'_>], tree: &Node, report: &mut Report) {
    match &tree.value {
        Value::Null => {}
        Value::Map(pairs) => read_section(entries, pairs, "", report),
        other => {
            let wrong = Problem {
                problem: format!("{} is not a configuration", given(other).kind()),
                help: "write options as `key: value`, such as `level: info`".to_owned(),
            };
            report.fault(Place::Node(tree.number), "", wrong);
        }
    }
}

/// Sets what a section gives that is at a key which no list of options names, such as one of many
/// that a user named. Faults are reported under that key.
pub fn read_at(entries: &mut [Entry<'_>], node: &Node, key: &str, report: &mut Report) {
    match &node.value {
        // All of its options may be commented out.
        Value::Null => {}
        Value::Map(pairs) => read_section(entries, pairs, key, report),
        other => {
            let problem = format!("{} is not a section", given(other).kind());
            let wrong = Problem { problem, help: known_keys(entries) };
            report.fault(Place::Node(node.number), key, wrong);
        }
    }
}

/// The fault of a key that is not known, with the known one that was probably meant.
pub fn unknown_key(name: &str, known: &[&str]) -> Problem {
    let help = match nearest(name, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known keys here are {}", known.join(", ")),
    };
    Problem { problem: "unknown key".to_owned(), help }
}

/// A section that this build does not have.
#[derive(Debug, Clone, Copy)]
pub struct Absent<'a> {
    /// Its key.
    pub section: &'a str,
    /// The cargo feature that brings it.
    pub feature: &'a str,
    /// The option that asks for it, there and in the sections in it: by `true`, or by a text.
    pub switch: &'a str,
}

impl Absent<'_> {
    /// Refuses each switch that is on. A section that switches nothing on is ignored, so that one
    /// file serves all builds.
    pub fn refuse(self, tree: &Node, report: &mut Report) {
        let Value::Map(pairs) = &tree.value else { return };
        for (key, value) in pairs {
            let Value::Text(name) = &key.value else { continue };
            let key = format!("{}.{}", self.section, shorten(name));
            let is_on = match &value.value {
                Value::Flag(flag) => *flag,
                Value::Text(text) => !text.is_empty(),
                _ => false,
            };
            if is_on && name == self.switch {
                let feature = self.feature;
                let wrong = Problem {
                    problem: format!(
                        "this program was built without logwell's feature `{feature}`"
                    ),
                    help: format!(
                        "add it to the dependency in Cargo.toml: features = [\"{feature}\"]"
                    ),
                };
                report.fault(Place::Node(value.number), &key, wrong);
            } else {
                Absent { section: &key, ..self }.refuse(value, report);
            }
        }
    }
}

fn read_section(
    entries: &mut [Entry<'_>],
    pairs: &[(Node, Node)],
    section: &str,
    report: &mut Report,
) {
    let mut seen = HashSet::new();
    for (key, value) in pairs {
        if report.is_full() {
            return;
        }
        let Value::Text(name) = &key.value else {
            let wrong = Problem {
                problem: format!("{} is not a key", given(&key.value)),
                help: known_keys(entries),
            };
            report.fault(Place::Node(key.number), section, wrong);
            continue;
        };
        let Some(entry) = entries.iter_mut().find(|entry| entry.name == name) else {
            let shown = shorten(name);
            let path = if section.is_empty() { shown } else { format!("{section}.{shown}") };
            report.fault(Place::Node(key.number), &path, unknown(name, entries));
            continue;
        };
        let path = entry.key(section);
        if !seen.insert(name) {
            let wrong = Problem {
                problem: "is given twice".to_owned(),
                help: "keep one of the two".to_owned(),
            };
            report.fault(Place::Node(key.number), &path, wrong);
            continue;
        }
        read_entry(entry, value, &path, report);
    }
}

fn read_entry(entry: &mut Entry<'_>, node: &Node, path: &str, report: &mut Report) {
    match (&mut entry.slot, &node.value) {
        (OptionValue::Section(inner), Value::Map(pairs)) => {
            read_section(inner, pairs, path, report)
        }
        // All of a section's options may be commented out.
        (OptionValue::Section(_), Value::Null) => {}
        (slot, value) => {
            report.give(path, Place::Node(node.number));
            if let Err(wrong) = slot.set(given(value)) {
                report.fault(Place::Node(node.number), path, wrong);
            }
        }
    }
}

fn unknown(name: &str, entries: &[Entry<'_>]) -> Problem {
    if name == "<<" {
        return Problem {
            problem: "merge keys are not supported".to_owned(),
            help: "write the options out, or use an alias for a whole section".to_owned(),
        };
    }
    let names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
    unknown_key(name, &names)
}

fn known_keys(entries: &[Entry<'_>]) -> String {
    let names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
    format!("known keys here are {}", names.join(", "))
}

fn given(value: &Value) -> RawValue<'_> {
    match value {
        Value::Null => RawValue::Null,
        Value::Flag(value) => RawValue::Flag(*value),
        Value::Whole(value) => RawValue::Whole(*value),
        Value::Float(value) => RawValue::Float(*value),
        Value::Text(text) => RawValue::Text(text),
        Value::List(_) => RawValue::List,
        Value::Map(_) => RawValue::Map,
    }
}
