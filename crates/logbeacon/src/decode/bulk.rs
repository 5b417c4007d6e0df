//! Bulk: the body of Elasticsearch's `_bulk` → actions and drafts, and the answer's items.
//!
//! Knows the lines of the protocol. Does not know HTTP nor the probes that its clients make.

use super::draft::{Identity, Item, Reason, Refusal, Unreadable};
use super::json::{self, Shape};
use super::limits::Limits;
use super::lines;
use serde::Deserialize;

/// One action of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What is to be done.
    pub op: Op,
    /// The index that was named, by the action or the path.
    pub index: String,
    /// The document's id, if the sender gave one.
    pub id: Option<String>,
}

/// What an action asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Store the document; with an id that is known, nothing happens.
    Index,
    /// Store the document; with an id that is known, it is an error.
    Create,
    /// Refused: a record does not change.
    Update,
    /// Refused: records are deleted by query.
    Delete,
}

impl Op {
    /// Its name in requests and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Reads a body. `index` is that of the path, for actions that name none.
///
/// The stream of a record is its index without a date at the end: `web-2026.11.30` is `web`.
///
/// # Errors
///
/// An action line is invalid. As with Elasticsearch, nothing of the request is taken.
pub fn decode(
    body: &[u8],
    index: &str,
    limits: &Limits,
) -> Result<Vec<(Action, Item)>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let mut lines = lines::of(&text);
    let mut items = Vec::new();
    while let Some(line) = lines.next() {
        let action = action(line, index).ok_or_else(|| {
            let number = items.len() + 1;
            Unreadable(format!(
                "action {number} is invalid: send {{\"index\":{{}}}} or {{\"create\":{{}}}}"
            ))
        })?;
        if items.len() >= limits.records {
            let most = limits.records;
            return Err(Unreadable(format!("more than {most} records; split the request")));
        }
        let document = if action.op == Op::Delete { None } else { lines.next() };
        let item = item(&action, line, document, limits);
        items.push((action, item));
    }
    match items.is_empty() {
        true => Err(Unreadable("the body is empty; send actions and documents by line".into())),
        false => Ok(items),
    }
}

fn item(action: &Action, line: &str, document: Option<&str>, limits: &Limits) -> Item {
    let refuse = |why: &str| Err(Refusal::new(Reason::NotProtocol, why, line.as_bytes()));
    match action.op {
        Op::Update => refuse("a record does not change: use index or create"),
        Op::Delete => refuse("records are deleted by query"),
        Op::Index | Op::Create => {
            let Some(document) = document else { return refuse("the document is missing") };
            let mut draft = json::item(document, Shape::Any, limits)?;
            draft.stream =
                Some(stream_of(&action.index).to_owned()).filter(|name| !name.is_empty());
            if let Some(id) = &action.id {
                draft.identity = Identity::Given(id.clone());
            }
            Ok(draft)
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Index(Option<Target>),
    Create(Option<Target>),
    Update(Option<Target>),
    Delete(Option<Target>),
}

#[derive(Deserialize, Default)]
struct Target {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
}

fn action(line: &str, index: &str) -> Option<Action> {
    let (op, target) = match serde_json::from_str(line).ok()? {
        Line::Index(target) => (Op::Index, target),
        Line::Create(target) => (Op::Create, target),
        Line::Update(target) => (Op::Update, target),
        Line::Delete(target) => (Op::Delete, target),
    };
    let Target { index: named, id } = target.unwrap_or_default();
    let id = id.filter(|id| !id.is_empty());
    Some(Action { op, index: named.unwrap_or_else(|| index.to_owned()), id })
}

/// The index without the date at its end that many senders add: a stream has no date.
pub(super) fn stream_of(index: &str) -> &str {
    let is_date = |text: &str| {
        text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'.' || byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    let cut = index.len().saturating_sub(11);
    match index.split_at_checked(cut) {
        Some((name, end)) if !name.is_empty() => match end.strip_prefix(['-', '_', '.']) {
            Some(date) if is_date(date) => name,
            _ => index,
        },
        _ => index,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(body: &str) -> Vec<(Action, Item)> {
        decode(body.as_bytes(), "web", &Limits::default()).unwrap()
    }

    #[test]
    fn actions_and_documents_alternate() {
        let items = decoded(
            "{\"create\":{\"_index\":\"shop-2026.11.30\",\"_id\":\"7\"}}\n\
             {\"message\":\"a\",\"log\":{\"level\":\"warn\"}}\n\
             {\"index\":{}}\n{\"message\":\"b\"}\n",
        );
        let draft = items[0].1.as_ref().unwrap();
        assert_eq!(draft.identity, Identity::Given("7".to_owned()));
        assert_eq!(draft.stream.as_deref(), Some("shop"));
        assert_eq!(draft.level, Some(logwell_query::Level::Warn));
        assert_eq!((items[0].0.op, items[1].0.op), (Op::Create, Op::Index));
        assert_eq!(items[1].1.as_ref().unwrap().stream.as_deref(), Some("web"));
    }

    #[test]
    fn a_bad_document_costs_itself_only() {
        let items = decoded(
            "{\"index\":{}}\n{broken\n{\"delete\":{\"_id\":\"1\"}}\n{\"update\":{\"_id\":\"1\"}}\n\
             {\"doc\":{}}\n{\"index\":{}}\n{\"message\":\"b\"}\n{\"index\":{}}\n",
        );
        let reasons: Vec<Option<Reason>> = items
            .iter()
            .map(|(_, item)| item.as_ref().err().map(|refusal| refusal.reason))
            .collect();
        let protocol = Some(Reason::NotProtocol);
        assert_eq!(reasons, [Some(Reason::NotJson), protocol, protocol, None, protocol]);
    }

    #[test]
    fn what_is_no_action_ends_the_request() {
        for body in ["", "{\"message\":\"a\"}\n", "{\"index\":{}}\n{}\n{\"noop\":{}}\n{}\n"] {
            assert!(decode(body.as_bytes(), "web", &Limits::default()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_date_at_the_end_of_an_index_is_no_part_of_the_stream() {
        for (index, stream) in [
            ("logstash-2026.11.30", "logstash"),
            ("web_2026-11-30", "web"),
            ("web", "web"),
            ("2026.11.30", "2026.11.30"),
            ("-2026.11.30", "-2026.11.30"),
            ("a-2026.11.3x", "a-2026.11.3x"),
            ("größe-2026.11.30", "größe"),
        ] {
            assert_eq!(stream_of(index), stream);
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode(&body, "web", &Limits::default());
        }
    }
}
