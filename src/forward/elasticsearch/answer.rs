//! Answer: what Elasticsearch says of each document of a bulk request.
//!
//! Pure. Knows its statuses and the types of its errors. Decides who is to blame, as decision 6
//! asks: what a person can fix waits, and only a document that can never be stored is refused.

use crate::forward::exchange::Verdict;
use crate::forward::http::{Answer, classify, shorten};
use crate::forward::outcome::Outcome;
use serde_json::Value;

/// What the answer means for that many documents.
pub(super) fn verdict(answer: &Answer, documents: usize) -> Verdict {
    let whole = classify(answer);
    if !whole.is_delivered() {
        return whole.into();
    }
    let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else {
        return Outcome::retry("the answer to a bulk request cannot be read").into();
    };
    let items = body.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if items.len() != documents {
        let what = format!("the answer is about {} of {documents} records", items.len());
        return Outcome::retry(what).into();
    }
    Verdict::Each(items.iter().map(item).collect())
}

/// What became of one document: `{"create":{"status":201}}`.
fn item(item: &Value) -> Outcome {
    let result = item.as_object().and_then(|item| item.values().next());
    let text = |path: &str| {
        let text = result.and_then(|result| result.pointer(path)).and_then(Value::as_str);
        shorten(text.unwrap_or_default())
    };
    let (kind, reason) = (text("/error/type"), text("/error/reason"));
    let status = result.and_then(|result| result.get("status")).and_then(Value::as_u64);
    let why = format!("status {}: {kind}: {reason}", status.unwrap_or_default());
    match status {
        // It is there already, from an earlier attempt.
        Some(200..=299 | 409) => Outcome::Delivered,
        Some(429 | 500..=599) => Outcome::retry(why),
        Some(413) => Outcome::refused(why),
        Some(400) if is_about_the_document(&kind) => Outcome::refused(why),
        Some(401 | 403) => Outcome::blocked(format!("{why}; check what the key or user may do")),
        Some(404) => Outcome::blocked(format!("{why}; check forward.elasticsearch.data_stream")),
        _ => Outcome::Doubtful { why },
    }
}

/// Whether that error can only be the document's own. Others with status 400 may be those of a
/// pipeline, a template or an index, which a person can fix.
fn is_about_the_document(kind: &str) -> bool {
    const OWN: [&str; 5] = [
        "document_parsing_exception",
        "mapper_parsing_exception",
        "strict_dynamic_mapping_exception",
        "parsing_exception",
        "x_content_parse_exception",
    ];
    OWN.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_status_of_a_document_has_its_fate() {
        let fate = |status: u64, kind: &str| {
            let error = json!({ "type": kind, "reason": "said so" });
            item(&json!({ "create": { "status": status, "error": error } }))
        };
        assert!(fate(201, "").is_delivered() && fate(409, "version_conflict").is_delivered());
        for status in [429, 503, 500] {
            assert!(matches!(fate(status, "busy"), Outcome::Retry { after: None, .. }));
        }
        assert_eq!(
            fate(400, "document_parsing_exception"),
            Outcome::refused("status 400: document_parsing_exception: said so")
        );
        assert!(matches!(fate(413, "big"), Outcome::Refused { .. }));
        assert!(matches!(fate(400, "illegal_argument_exception"), Outcome::Doubtful { .. }));
        for status in [401, 403, 404] {
            assert!(matches!(fate(status, "index_not_found"), Outcome::Blocked { .. }));
        }
        assert!(matches!(item(&json!({})), Outcome::Doubtful { .. }));
        assert!(matches!(item(&json!(7)), Outcome::Doubtful { .. }));
    }
}
