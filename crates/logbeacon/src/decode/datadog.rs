//! Datadog: the logs that Datadog's agent and libraries send → drafts.
//!
//! Knows the members of its second version: `status` is the level, `hostname` the device, `ddtags`
//! a list of `name:value`. Does not know HTTP.

use super::draft::{Draft, Item, Unreadable};
use super::fields::Fields;
use super::limits::Limits;
use super::{json, level, names};
use logwell_query::Value;

/// Reads a body: an object, an array of objects, or an object on each line.
///
/// # Errors
///
/// The body is empty or has too many records.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let parts = json::flattened(body, limits)?;
    Ok(parts.into_iter().map(|part| part.map(|fields| draft(fields, limits))).collect())
}

fn draft(mut fields: Fields, limits: &Limits) -> Draft {
    let tags = fields.take("ddtags").map(names::text_of).unwrap_or_default();
    let status = match fields.get("status") {
        Some(Value::Text(name)) => level::from_name(name),
        _ => None,
    };
    if status.is_some() {
        fields.take("status");
    }
    if let Some(source) = fields.take("ddsource") {
        fields.put("source", source);
    }
    let mut draft = names::draft(fields);
    draft.level = status.or(draft.level);
    for tag in tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        if !name.is_empty() && draft.fields.get(name).is_none() {
            draft.fields.push(name, Value::Text(value.to_owned()), limits);
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    #[test]
    fn a_log_of_the_agent_becomes_a_draft() {
        let body =
            br#"[{"ddsource":"nginx","ddtags":"env:prod,version:5.1,canary","hostname":"i-012",
            "message":"failed","service":"payment","status":"warn","http":{"status":500}}]"#;
        let items = decode(body, &Limits::default()).unwrap();
        let draft = items[0].as_ref().unwrap();
        assert_eq!(
            (&*draft.message, &*draft.host, &*draft.service),
            ("failed", "i-012", "payment")
        );
        assert_eq!(draft.level, Some(Level::Warn));
        for (name, value) in
            [("env", "prod"), ("version", "5.1"), ("canary", ""), ("source", "nginx")]
        {
            assert_eq!(draft.fields.get(name), Some(&Value::Text(value.to_owned())));
        }
        assert_eq!(draft.fields.get("http.status"), Some(&Value::Int(500)));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode(&body, &Limits::default());
        }
    }
}
