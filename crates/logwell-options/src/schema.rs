//! Schema: the options as a JSON Schema, for editors that check and complete YAML.
//!
//! Knows JSON Schema (draft 2020-12). Does not know any single option.

use serde_json::{Map, Value, json};

use super::choice::explained;
use super::env::Names;
use super::section::Entry;
use crate::value::OptionValue;

/// The schema of a file with these options.
#[must_use]
pub fn document(title: &str, entries: Vec<Entry<'_>>, names: &Names) -> String {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(object(entries, "", names));
    format!("{:#}\n", Value::Object(schema))
}

fn object(entries: Vec<Entry<'_>>, section: &str, names: &Names) -> Map<String, Value> {
    let mut properties = Map::new();
    for entry in entries {
        let key = entry.key(section);
        let mut property = Map::new();
        let mut description = entry.doc().replace('\n', " ");
        if !matches!(entry.slot, OptionValue::Section(_)) {
            if let OptionValue::Choice(choice) = &entry.slot {
                let words: Vec<_> = choice.words().iter().map(explained).collect();
                description.push_str(&format!(" {}.", words.join("; ")));
            }
            description.push_str(&format!(" Environment: {}.", names.all(&key)));
            property.insert("default".to_owned(), default(&entry.slot));
        }
        if !description.is_empty() {
            property.insert("description".to_owned(), json!(description));
        }
        property.extend(match entry.slot {
            OptionValue::Section(inner) => object(inner, &key, names),
            slot => kind(&slot),
        });
        properties.insert(entry.name.to_owned(), Value::Object(property));
    }
    fields(json!({
        // An empty section is null.
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    }))
}

/// The keywords that say which values are allowed.
fn kind(slot: &OptionValue<'_>) -> Map<String, Value> {
    fields(match slot {
        OptionValue::Section(_) => json!({}),
        OptionValue::Custom(value) => value.schema(),
        OptionValue::Flag(_) => json!({ "type": "boolean" }),
        OptionValue::Count { limits, .. } => {
            json!({ "type": "integer", "minimum": limits.start(), "maximum": limits.end() })
        }
        OptionValue::Bytes { limits, .. } => json!({
            "anyOf": [
                { "type": "integer", "minimum": limits.start(), "maximum": limits.end() },
                { "type": "string", "pattern": BYTES_PATTERN },
            ],
        }),
        OptionValue::OptionalBytes { limits, .. } => json!({
            "anyOf": [
                { "type": "null" },
                { "type": "integer", "minimum": limits.start(), "maximum": limits.end() },
                { "type": "string", "pattern": OPTIONAL_BYTES_PATTERN },
            ],
        }),
        OptionValue::Time { .. } => {
            json!({ "type": "string", "pattern": format!("^{TIME_PATTERN}$") })
        }
        OptionValue::OptionalTime { .. } => json!({
            "anyOf": [
                { "type": "null" },
                { "type": "string", "pattern": format!("^({TIME_PATTERN}|none)$") },
            ],
        }),
        OptionValue::Mode(_) => json!({ "type": "string", "pattern": "^(0o)?0*[0-7]{3}$" }),
        OptionValue::Choice(choice) => json!({
            "enum": choice.words().iter().map(|&(word, _)| word).collect::<Vec<_>>(),
        }),
        OptionValue::Text { max_bytes, .. } => json!({ "type": "string", "maxLength": max_bytes }),
        OptionValue::FileName(_) => json!({ "type": "string", "pattern": "^[^/\\\\:]+$" }),
        OptionValue::Path(_) => json!({ "type": "string", "minLength": 1 }),
        OptionValue::Secret { .. } => json!({ "type": "string" }),
    })
}

fn default(slot: &OptionValue<'_>) -> Value {
    match slot {
        OptionValue::Flag(value) => json!(**value),
        OptionValue::Count { value, .. } => json!(value.get()),
        slot => json!(slot.text()),
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// What `units::parse_bytes` reads.
const BYTES_PATTERN: &str = "^[0-9]+ *([bB]|[kKmMgGtT][iI]?[bB])?$";
const OPTIONAL_BYTES_PATTERN: &str = "^([0-9]+ *([bB]|[kKmMgGtT][iI]?[bB])?|none)$";

/// What `units::parse_time` reads.
const TIME_PATTERN: &str = "[0-9]+ *(ns|us|ms|s|m|h|d)";
