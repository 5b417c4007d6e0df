//! Loki push: JSON or protocol buffers → drafts.
//!
//! Knows both forms of Loki's push request and the text of its labels. Does not know HTTP; the body
//! is unpacked already.

use super::draft::{Draft, Identity, Item, Reason, Refusal, Unreadable};
use super::fields::Fields;
use super::limits::Limits;
use super::names;
use super::quoted::until_quote;
use logwell_query::Value;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads a JSON body: `{"streams":[{"stream":{labels},"values":[["<ns>","<line>",{metadata}]]}]}`.
///
/// # Errors
///
/// It is not such JSON, or has too many records. An invalid value is refused by itself.
pub fn decode_json(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let push: JsonPush<'_> = serde_json::from_str(&text)
        .map_err(|error| Unreadable(format!("this is no push request: {error}")))?;
    bound(push.streams.iter().map(|stream| stream.values.len()).sum(), limits)?;
    let mut items = Vec::new();
    for stream in &push.streams {
        items.extend(stream.values.iter().map(|value| json_item(value, &stream.stream, limits)));
    }
    Ok(items)
}

/// Reads protocol buffers: `logproto.PushRequest`, as promtail, Alloy and Fluent Bit send it.
///
/// # Errors
///
/// It is no such message, or has too many records.
pub fn decode_protobuf(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let push = PushRequest::decode(body)
        .map_err(|error| Unreadable(format!("this is no push request: {error}")))?;
    bound(push.streams.iter().map(|stream| stream.entries.len()).sum(), limits)?;
    let mut items = Vec::new();
    for stream in push.streams {
        let labels = labels(&stream.labels);
        for entry in stream.entries {
            items.push(match &labels {
                Some(labels) => Ok(protobuf_draft(entry, labels, limits)),
                None => Err(Refusal::new(
                    Reason::NotProtocol,
                    format!("the labels {:?} cannot be read", stream.labels),
                    entry.line.as_bytes(),
                )),
            });
        }
    }
    Ok(items)
}

fn bound(records: usize, limits: &Limits) -> Result<(), Unreadable> {
    let most = limits.records;
    match records > most {
        true => Err(Unreadable(format!("more than {most} records; split the request"))),
        false => Ok(()),
    }
}

type Labels = BTreeMap<String, String>;

#[derive(Deserialize)]
struct JsonPush<'a> {
    #[serde(borrow)]
    streams: Vec<JsonStream<'a>>,
}

#[derive(Deserialize)]
struct JsonStream<'a> {
    #[serde(default)]
    stream: Labels,
    #[serde(borrow)]
    values: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct JsonEntry(String, String, #[serde(default)] BTreeMap<String, serde_json::Value>);

fn json_item(value: &RawValue, labels: &Labels, limits: &Limits) -> Item {
    let refuse = |why: String| Refusal::new(Reason::NotProtocol, why, value.get().as_bytes());
    let JsonEntry(time, line, metadata) = serde_json::from_str(value.get())
        .map_err(|error| refuse(format!("a value is [\"<ns>\", \"<line>\", {{}}]: {error}")))?;
    let time_ns = time.parse().map_err(|_| refuse(format!("{time:?} are no nanoseconds")))?;
    let metadata = metadata.into_iter().map(|(name, value)| match value {
        serde_json::Value::String(text) => (name, text),
        other => (name, other.to_string()),
    });
    Ok(draft(Entry { time_ns, line, metadata: metadata.collect() }, labels, limits))
}

/// One line, whatever form it came in.
struct Entry {
    time_ns: i64,
    line: String,
    metadata: Vec<(String, String)>,
}

fn draft(entry: Entry, labels: &Labels, limits: &Limits) -> Draft {
    let mut fields = Fields::default();
    for (name, value) in labels.iter().chain(entry.metadata.iter().map(|(name, text)| (name, text)))
    {
        fields.push(name, Value::Text(value.clone()), limits);
    }
    let named = names::draft(fields);
    // The line is the message, whatever a label is called. Loki itself keeps one of equal lines.
    let (message, identity) = (entry.line, Identity::Content);
    Draft { time_ns: Some(entry.time_ns), message, identity, ..named }
}

fn protobuf_draft(entry: PushEntry, labels: &Labels, limits: &Limits) -> Draft {
    let stamp = entry.timestamp.unwrap_or_default();
    let time_ns = stamp.seconds.saturating_mul(1_000_000_000).saturating_add(stamp.nanos.into());
    let metadata = entry.metadata.into_iter().map(|pair| (pair.name, pair.value)).collect();
    draft(Entry { time_ns, line: entry.line, metadata }, labels, limits)
}

/// `logproto.PushRequest` of Loki's `pkg/push/push.proto`.
#[derive(Clone, PartialEq, Message)]
pub struct PushRequest {
    /// Lines by labels.
    #[prost(message, repeated, tag = "1")]
    pub streams: Vec<PushStream>,
}

/// `logproto.StreamAdapter`.
#[derive(Clone, PartialEq, Message)]
pub struct PushStream {
    /// `{name="value", …}`.
    #[prost(string, tag = "1")]
    pub labels: String,
    /// The lines.
    #[prost(message, repeated, tag = "2")]
    pub entries: Vec<PushEntry>,
}

/// `logproto.EntryAdapter`.
#[derive(Clone, PartialEq, Message)]
pub struct PushEntry {
    /// When it was logged.
    #[prost(message, optional, tag = "1")]
    pub timestamp: Option<PushTime>,
    /// The text.
    #[prost(string, tag = "2")]
    pub line: String,
    /// Structured metadata.
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<PushPair>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct PushTime {
    /// Seconds since the epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds beyond them.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `logproto.LabelPairAdapter`.
#[derive(Clone, PartialEq, Message)]
pub struct PushPair {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Reads `{name="value", other="va\"lue"}`, with the escapes of Go's strings.
#[must_use]
pub fn labels(text: &str) -> Option<Labels> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        labels.insert(name.trim().to_owned(), value);
        let after = after.trim_start();
        rest = match after.is_empty() {
            true => after,
            false => after.strip_prefix(',')?.trim_start(),
        };
    }
    Some(labels)
}

/// A quoted text at the start, and what follows it. Quotes are `"` with escapes, or backticks.
pub(crate) fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        return raw.split_once('`').map(|(value, rest)| (value.to_owned(), rest));
    }
    until_quote(text.strip_prefix('"')?, |characters, value| {
        value.push(match characters.next()?.1 {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'x' => code_point(characters, 2)?,
            'u' => code_point(characters, 4)?,
            'U' => code_point(characters, 8)?,
            other => other,
        });
        Some(())
    })
}

fn code_point(characters: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let digits: String = characters.take(digits).map(|(_, digit)| digit).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JSON: &str = r#"{"streams":[{"stream":{"app":"shop","level":"warn","zone":"a"},
        "values":[["1771497000123456789","slow",{"trace_id":"abc"}],["x","bad"],["5"],
        ["7","b"]]}]}"#;

    #[test]
    fn json_becomes_drafts_and_a_bad_value_costs_itself_only() {
        let items = decode_json(JSON.as_bytes(), &Limits::default()).unwrap();
        let draft = items[0].as_ref().unwrap();
        assert_eq!((draft.time_ns, &*draft.message), (Some(1_771_497_000_123_456_789), "slow"));
        assert_eq!((&*draft.service, &*draft.trace_id), ("shop", "abc"));
        assert_eq!(draft.fields.get("zone"), Some(&Value::Text("a".to_owned())));
        let ok: Vec<bool> = items.iter().map(Result::is_ok).collect();
        assert_eq!(ok, [true, false, false, true]);
    }

    fn request(labels: &str, line: &str) -> PushRequest {
        let timestamp = Some(PushTime { seconds: 5, nanos: 7 });
        let metadata = vec![PushPair { name: "span_id".into(), value: "s".into() }];
        let entries = vec![PushEntry { timestamp, line: line.into(), metadata }];
        PushRequest { streams: vec![PushStream { labels: labels.into(), entries }] }
    }

    #[test]
    fn protocol_buffers_become_the_same_drafts() {
        let body = request("{service_name=\"shop\", zone=\"a\"}", "slow").encode_to_vec();
        let items = decode_protobuf(&body, &Limits::default()).unwrap();
        let draft = items[0].as_ref().unwrap();
        assert_eq!((draft.time_ns, &*draft.message), (Some(5_000_000_007), "slow"));
        assert_eq!((&*draft.service, &*draft.span_id), ("shop", "s"));
        assert_eq!(draft.identity, Identity::Content);
    }

    #[test]
    fn lines_with_labels_that_cannot_be_read_are_refused() {
        let body = request("{zone=}", "slow").encode_to_vec();
        let items = decode_protobuf(&body, &Limits::default()).unwrap();
        assert_eq!(items[0].as_ref().unwrap_err().raw, "slow");
    }

    #[test]
    fn labels_are_read_with_their_escapes() {
        let pairs = |text| labels(text).map(|labels| labels.into_iter().collect::<Vec<_>>());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("{}"), Some(vec![]));
        assert_eq!(
            pairs(r#"{a="b\"c\\\u00e9", d=`\`, }"#),
            Some(vec![pair("a", "b\"c\\é"), pair("d", "\\")])
        );
        for bad in ["", "{", "{a}", "{a=b}", "{a=\"b}", "{a=\"b\" c=\"d\"}", "{a=\"\\u12\"}"] {
            assert_eq!(pairs(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode_json(&body, &Limits::default());
            let _any = decode_protobuf(&body, &Limits::default());
        }

        #[test]
        fn any_label_comes_back(value in ".{0,20}") {
            let quoted = serde_json::to_string(&value).unwrap();
            // JSON escapes a backspace as `\b`, which Go reads as another character.
            prop_assume!(!quoted.contains("\\b") && !quoted.contains("\\f"));
            let read = labels(&format!("{{a={quoted}}}")).unwrap();
            prop_assert_eq!(&read["a"], &value);
        }

        #[test]
        fn labels_never_panic(text in "[{}a=\"\\\\,u0 é`]{0,20}") {
            let _any = labels(&text);
        }
    }
}
