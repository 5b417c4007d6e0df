//! Template: a JSON text with places for members of the record.
//!
//! Knows placeholders. Every one of them becomes JSON, so that no text of a record can end a string
//! or begin a member. Pure.

use crate::forward::native::NativeRecord;
use serde_json::Value;

/// The payload that Standard Webhooks recommends.
pub(super) const DEFAULT: &str =
    r#"{"type":"log.record","timestamp":{{ json timestamp }},"data":{{ json record }}}"#;

/// A text with placeholders.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// What is before each placeholder, and its name.
    parts: Vec<(String, String)>,
    end: String,
}

impl Template {
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) =
                after.split_once("}}").ok_or("has a `{{` without a `}}`".to_owned())?;
            let name = inside.trim().strip_prefix("json ").map(str::trim);
            let name = name.filter(|name| !name.is_empty() && !name.contains(char::is_whitespace));
            let name = name.ok_or_else(|| format!("has a placeholder `{{{{{inside}}}}}`"))?;
            parts.push((before.to_owned(), name.to_owned()));
            rest = after;
        }
        let template = Self { parts, end: rest.to_owned() };
        let filled = template.fill_with(|_| "null".to_owned());
        match serde_json::from_str::<Value>(&filled) {
            Ok(_) => Ok(template),
            Err(error) => Err(format!("is no JSON once it is filled in: {error}")),
        }
    }

    /// The body for a record.
    pub(super) fn fill(&self, record: NativeRecord, hash: &str) -> String {
        let whole = record.clone().into_value();
        self.fill_with(|name| match name {
            "record" => whole.to_string(),
            "hash" => Value::from(hash).to_string(),
            name => record.get(name).unwrap_or(&Value::Null).to_string(),
        })
    }

    fn fill_with(&self, value: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for (before, name) in &self.parts {
            text += before;
            text += &value(name);
        }
        text + &self.end
    }
}

/// What is wrong with a template.
pub(in crate::forward) fn fault(text: &str) -> Option<String> {
    Template::parse(text).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_record_has_stays_in_its_place() {
        let template =
            Template::parse(r#"{"text":{{ json message }},"n":{{json n}},"id":{{ json hash }}}"#);
        let record = NativeRecord::read(br#"{"message":"\",\"admin\":true,\"x\":\"{{ json n }}"}"#);
        let body = template.unwrap().fill(record.unwrap(), "9f2c");
        let body: Value = serde_json::from_str(&body).unwrap();
        let expected = serde_json::json!({
            "text": "\",\"admin\":true,\"x\":\"{{ json n }}", "n": null, "id": "9f2c",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn the_default_is_the_recommended_payload() {
        let record = r#"{"timestamp":"2026-02-19T10:30:00Z","level":"ERROR"}"#;
        let native = NativeRecord::read(record.as_bytes()).unwrap();
        let body = Template::parse(DEFAULT).unwrap().fill(native, "");
        let head = r#"{"type":"log.record","timestamp":"2026-02-19T10:30:00Z","data":"#;
        assert_eq!(body, format!("{head}{record}}}"));
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, why) in [
            ("{{ json message", "has a `{{` without a `}}`"),
            ("{{ message }}", "has a placeholder `{{ message }}`"),
            ("{{ json a b }}", "has a placeholder `{{ json a b }}`"),
            ("\"{{ json message }}", "is no JSON once it is filled in"),
            ("hello", "is no JSON once it is filled in"),
        ] {
            let fault = fault(text).unwrap();
            assert!(fault.starts_with(why), "{text}: {fault}");
        }
        assert!(fault("{{ json record }}").is_none());
    }
}
