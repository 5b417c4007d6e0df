//! HEC: the events of Splunk's HTTP Event Collector → drafts.
//!
//! Knows its two bodies: objects one after another, and raw lines. Does not know HTTP, channels or
//! acknowledgements.

use super::bulk::stream_of;
use super::draft::{Draft, Item, Reason, Refusal, Unreadable};
use super::flatten::flatten;
use super::limits::Limits;
use super::{lines, names, time};
use logwell_query::Value;
use serde_json::value::RawValue;

/// What a request says of all its raw lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The device.
    pub host: String,
    /// Where the lines are from: a file or an input.
    pub source: String,
    /// What they are.
    pub sourcetype: String,
    /// The index, which becomes the stream.
    pub index: String,
    /// When they happened, in seconds since the epoch.
    pub time: String,
}

/// Reads objects one after another, with or without space between them. `event` is the message or
/// its fields, `fields` are more of them, `index` is the stream.
///
/// # Errors
///
/// The body is empty, is no JSON, or has too many events: nothing of it is taken.
pub fn decode_events(body: &[u8], limits: &Limits) -> Result<Vec<Item>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let mut items = Vec::new();
    for object in serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>() {
        let object = object
            .map_err(|error| Unreadable(format!("event {} is no JSON: {error}", items.len())))?;
        if items.len() == limits.records {
            return Err(Unreadable(format!("more than {} events", limits.records)));
        }
        items.push(event(object.get(), limits));
    }
    match items.is_empty() {
        true => Err(Unreadable("the body is empty".to_owned())),
        false => Ok(items),
    }
}

/// Reads lines, each of which is an event.
///
/// # Errors
///
/// The body has no line, or too many.
pub fn decode_raw(
    body: &[u8],
    metadata: &Metadata,
    limits: &Limits,
) -> Result<Vec<Item>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let line = |line: &str| {
        let mut draft = Draft { message: line.to_owned(), ..Draft::default() };
        draft.host.clone_from(&metadata.host);
        draft.time_ns = time::from_text(&metadata.time);
        add(&mut draft, metadata);
        Ok(draft)
    };
    let items: Vec<Item> = lines::of(&text).map(line).collect();
    match items.len() {
        0 => Err(Unreadable("the body is empty".to_owned())),
        count if count > limits.records => {
            Err(Unreadable(format!("more than {} lines", limits.records)))
        }
        _ => Ok(items),
    }
}

fn event(object: &str, limits: &Limits) -> Item {
    let refused = |reason, detail: String| Refusal::new(reason, detail, object.as_bytes());
    let mut fields = flatten(object, limits).map_err(|(reason, what)| refused(reason, what))?;
    let mut text = |name: &str| fields.take(name).map(names::text_of).unwrap_or_default();
    let mut metadata = Metadata {
        host: text("host"),
        source: text("source"),
        sourcetype: text("sourcetype"),
        index: text("index"),
        time: text("time"),
    };
    let message = fields.take("event");
    let is_object = fields.iter().any(|(name, _)| name.starts_with("event."));
    if message.as_ref().is_none_or(|message| *message == Value::Null) && !is_object {
        return Err(refused(Reason::NotProtocol, "an event has the member `event`".to_owned()));
    }
    fields.lift("event.");
    fields.lift("fields.");
    // A member of the event may be called as a member around it.
    let mut draft = names::draft(fields);
    if let Some(message) = message.filter(|message| *message != Value::Null) {
        draft.message = names::text_of(message);
    }
    if let Some(time_ns) = time::from_text(&metadata.time) {
        draft.time_ns = Some(time_ns);
    }
    let host = std::mem::take(&mut metadata.host);
    if !host.is_empty() {
        draft.host = host;
    }
    add(&mut draft, &metadata);
    Ok(draft)
}

fn add(draft: &mut Draft, metadata: &Metadata) {
    for (name, value) in [("source", &metadata.source), ("sourcetype", &metadata.sourcetype)] {
        if !value.is_empty() && draft.fields.get(name).is_none() {
            draft.fields.put(name, Value::Text(value.clone()));
        }
    }
    if !metadata.index.is_empty() {
        draft.stream = Some(stream_of(&metadata.index).to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    fn events(body: &str) -> Vec<Item> {
        decode_events(body.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn events_follow_one_another_with_or_without_space() {
        let items = events(
            r#"{"time":1771497000.25,"host":"web-1","source":"/var/log/a","sourcetype":"app",
            "index":"web-2026.11.30","event":"first"}{"event":{"message":"second","level":"error",
            "user":{"id":7}},"fields":{"region":"eu"}} {"host":"x"} 7"#,
        );
        let first = items[0].as_ref().unwrap();
        assert_eq!((&*first.message, &*first.host), ("first", "web-1"));
        assert_eq!(first.time_ns, Some(1_771_497_000_250_000_000));
        assert_eq!(first.stream.as_deref(), Some("web"));
        assert_eq!(first.fields.get("source"), Some(&Value::Text("/var/log/a".to_owned())));
        let second = items[1].as_ref().unwrap();
        assert_eq!((&*second.message, second.level), ("second", Some(Level::Error)));
        assert_eq!(second.fields.get("user.id"), Some(&Value::Int(7)));
        assert_eq!(second.fields.get("region"), Some(&Value::Text("eu".to_owned())));
        assert_eq!(items[2].as_ref().unwrap_err().reason, Reason::NotProtocol);
        assert_eq!(items[3].as_ref().unwrap_err().reason, Reason::NotAnObject);
    }

    #[test]
    fn raw_lines_have_what_the_request_says() {
        let metadata = Metadata { host: "web-1".to_owned(), ..Metadata::default() };
        let items = decode_raw(b"first\r\n\nsecond\n", &metadata, &Limits::default()).unwrap();
        let messages: Vec<_> = items.iter().map(|item| &*item.as_ref().unwrap().message).collect();
        assert_eq!(messages, ["first", "second"]);
        assert_eq!(items[0].as_ref().unwrap().host, "web-1");
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode_events(&body, &Limits::default());
            let _any = decode_raw(&body, &Metadata::default(), &Limits::default());
        }
    }
}
