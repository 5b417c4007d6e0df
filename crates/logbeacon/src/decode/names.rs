//! Names: which fields of a JSON object are the well-known ones.
//!
//! Knows the names that common loggers use, those of the Elastic Common Schema included, and turns
//! fields into a draft. Does not know JSON or protocols. A name that is not chosen stays a field.

use super::draft::{Draft, Identity};
use super::fields::{Fields, push_json};
use super::{level, time};
use logwell_query::{Level, Value};
use std::cmp::Reverse;

/// A well-known member of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Time,
    Level,
    Message,
    Logger,
    Service,
    Host,
    Trace,
    Span,
}

const MEMBERS: usize = 8;

/// The member that a name denotes, and its rank: of two names for one member the lower wins.
fn member(name: &str) -> Option<(Member, u8)> {
    Some(match name {
        "timestamp" => (Member::Time, 0),
        "@timestamp" => (Member::Time, 1),
        "time" => (Member::Time, 2),
        "_time" => (Member::Time, 3),
        "ts" => (Member::Time, 4),
        "level" => (Member::Level, 0),
        "log.level" => (Member::Level, 1),
        "severity" => (Member::Level, 2),
        "severity_text" => (Member::Level, 3),
        "detected_level" => (Member::Level, 5),
        "syslogseverity-text" | "syslogseverity_text" => (Member::Level, 4),
        "message" => (Member::Message, 0),
        "msg" => (Member::Message, 1),
        "_msg" => (Member::Message, 2),
        "log" => (Member::Message, 3),
        "logger" => (Member::Logger, 0),
        "log.logger" => (Member::Logger, 1),
        "service" => (Member::Service, 0),
        "service.name" => (Member::Service, 1),
        "program_name" => (Member::Service, 2),
        "programname" => (Member::Service, 3),
        "service_name" => (Member::Service, 4),
        "app" => (Member::Service, 5),
        "host" => (Member::Host, 0),
        "host.name" => (Member::Host, 1),
        "hostname" => (Member::Host, 2),
        "node_name" => (Member::Host, 3),
        "trace_id" => (Member::Trace, 0),
        "trace.id" => (Member::Trace, 1),
        "traceId" => (Member::Trace, 2),
        "span_id" => (Member::Span, 0),
        "span.id" => (Member::Span, 1),
        "spanId" => (Member::Span, 2),
        _ => return None,
    })
}

/// Takes the well-known members out of the fields. A time or level that cannot be read stays.
pub(super) fn draft(mut fields: Fields) -> Draft {
    let mut best: [Option<(u8, usize)>; MEMBERS] = [None; MEMBERS];
    for (index, (name, value)) in fields.iter().enumerate() {
        let Some((member, rank)) = member(name) else { continue };
        let Some(slot) = best.get_mut(member as usize) else { continue };
        // The last of equal names wins, as everywhere.
        if usable(member, value) && slot.is_none_or(|(other, _)| rank <= other) {
            *slot = Some((rank, index));
        }
    }
    let mut chosen: Vec<(usize, Member)> =
        best.into_iter().zip(ALL).filter_map(|(slot, member)| Some((slot?.1, member))).collect();
    // From the end, since taking one out moves the last one.
    chosen.sort_unstable_by_key(|(index, _)| Reverse(*index));
    let mut draft = Draft::default();
    let mut named = None;
    for (index, member) in chosen {
        let Some(value) = fields.swap_remove(index) else { continue };
        named = named.or(more_than_a_level(member, &value));
        set(&mut draft, member, value);
    }
    if let Some(name) = named {
        fields.put("level_text", Value::Text(name));
    }
    Draft { fields, ..draft }
}

const ALL: [Member; MEMBERS] = [
    Member::Time,
    Member::Level,
    Member::Message,
    Member::Logger,
    Member::Service,
    Member::Host,
    Member::Trace,
    Member::Span,
];

/// Whether the value can be that member.
fn usable(member: Member, value: &Value) -> bool {
    match member {
        Member::Time => time_of(value).is_some(),
        Member::Level => level_of(value).is_some(),
        Member::Message => *value != Value::Null,
        _ => matches!(value, Value::Text(_) | Value::Int(_) | Value::UInt(_)),
    }
}

fn set(draft: &mut Draft, member: Member, value: Value) {
    match member {
        Member::Time => draft.time_ns = time_of(&value),
        Member::Level => draft.level = level_of(&value),
        Member::Message => draft.message = text_of(value),
        Member::Logger => draft.logger = text_of(value),
        Member::Service => draft.service = text_of(value),
        Member::Host => draft.host = text_of(value),
        Member::Trace => draft.trace_id = text_of(value),
        Member::Span => draft.span_id = text_of(value),
    }
}

/// The level's name, if it says more than the level.
fn more_than_a_level(member: Member, value: &Value) -> Option<String> {
    match value {
        Value::Text(name) if member == Member::Level && level::says_more(name) => {
            Some(name.clone())
        }
        _ => None,
    }
}

fn time_of(value: &Value) -> Option<i64> {
    match value {
        Value::Text(text) => time::from_text(text),
        Value::Int(number) => Some(time::from_integer(*number)),
        Value::Float(number) => time::from_number(*number),
        _ => None,
    }
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::Text(name) => level::from_name(name),
        Value::Int(number) => level::from_tens(*number),
        _ => None,
    }
}

/// The value as a text. A value of another type becomes JSON.
pub(super) fn text_of(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Null => String::new(),
        other => {
            let mut text = String::new();
            push_json(&other, &mut text);
            text
        }
    }
}

/// A draft of LogBeacon's own shape: `hash` is the identity, `def_name` the function, the members
/// of `extra_info` are fields like all others.
pub(super) fn beacon(mut fields: Fields) -> Draft {
    // A record of logwell has its number, and a field `hash` in it is the application's.
    let is_native = fields.get("seq").is_some() && fields.get("process").is_some();
    let identity = match is_native {
        true => Identity::Content,
        false => match fields.take("hash").map(text_of) {
            Some(hash) if !hash.is_empty() => {
                let is_free = |name: &&str| {
                    fields.get(name).is_none()
                        && fields.get(&format!("extra_info.{name}")).is_none()
                };
                let are_free = ["boot_id", "seq"].iter().all(is_free);
                if let Some((boot_id, seq)) = numbered(&hash).filter(|_| are_free) {
                    fields.put("boot_id", Value::Text(boot_id.to_owned()));
                    fields.put("seq", Value::Int(seq));
                }
                Identity::Given(hash)
            }
            _ => Identity::None,
        },
    };
    if let Some(function) =
        fields.take("def_name").filter(|name| *name != Value::Text(String::new()))
    {
        fields.put("function", function);
    }
    fields.lift("extra_info.");
    Draft { identity, ..draft(fields) }
}

/// The start of a program and the number in it that a hash of logwell's forwarder is made of: 16
/// hexadecimal digits each. One of another origin looks so once in millions.
fn numbered(hash: &str) -> Option<(&str, i64)> {
    let digits = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (boot_id, seq) = hash.split_at_checked(16).filter(|(_, seq)| seq.len() == 16)?;
    let seq = i64::from_str_radix(seq, 16).ok().filter(|_| digits(boot_id) && digits(seq))?;
    (1..1 << 40).contains(&seq).then_some((boot_id, seq))
}

#[cfg(test)]
mod tests {
    use super::super::flatten::flatten;
    use super::super::limits::Limits;
    use super::*;

    fn parsed(text: &str) -> Draft {
        beacon(flatten(text, &Limits::default()).unwrap())
    }

    fn field(name: &str, value: Value) -> (String, Value) {
        (name.to_owned(), value)
    }

    #[test]
    fn a_message_of_logbeacon_becomes_a_draft() {
        let draft = parsed(
            r#"{"domain":"example.com","program_name":"api_server","level":"Error_CTG",
                "def_name":"process_order","message":"order failed",
                "extra_info":{"order_id":123,"trace_id":"abc","domain":"inner"},
                "timestamp":"2025-11-26 10:30:00","hash":"9f2c"}"#,
        );
        assert_eq!(draft.identity, Identity::Given("9f2c".to_owned()));
        assert_eq!(draft.time_ns, Some(1_764_153_000_000_000_000));
        assert_eq!((draft.level, &*draft.service), (Some(Level::Error), "api_server"));
        assert_eq!((&*draft.message, &*draft.trace_id), ("order failed", "abc"));
        assert_eq!(
            draft.fields.into_sorted(),
            [
                field("domain", Value::Text("example.com".to_owned())),
                field("extra_info.domain", Value::Text("inner".to_owned())),
                field("function", Value::Text("process_order".to_owned())),
                field("level_text", Value::Text("Error_CTG".to_owned())),
                field("order_id", Value::Int(123)),
            ]
        );
    }

    #[test]
    fn a_hash_of_the_forwarder_says_which_record_of_which_start_it_is() {
        let draft = parsed(r#"{"message":"m","hash":"8d3f21c09b7a64e10000000000000007"}"#);
        assert_eq!(draft.fields.get("seq"), Some(&Value::Int(7)));
        let boot = Value::Text("8d3f21c09b7a64e1".to_owned());
        assert_eq!(draft.fields.get("boot_id"), Some(&boot));
        for other in ["d41d8cd98f00b204e9800998ecf8427e", "7", "+d3f21c09b7a64e10000000000000007"] {
            let draft = parsed(&format!("{{\"hash\":\"{other}\"}}"));
            assert_eq!(draft.fields.get("seq"), None, "{other}");
        }
        // A field of the application keeps its name.
        let draft =
            parsed(r#"{"hash":"8d3f21c09b7a64e10000000000000007","extra_info":{"seq":"a"}}"#);
        assert_eq!(draft.fields.get("seq"), Some(&Value::Text("a".to_owned())));
        assert_eq!(draft.fields.get("boot_id"), None);
    }

    #[test]
    fn a_record_of_logwell_is_known_by_its_number_and_keeps_a_field_named_hash() {
        let draft = parsed(
            r#"{"timestamp":"2026-02-19T10:30:00.123456+00:00","level":"WARN","logger":"shop",
                "message":"slow","process":7,"seq":3,"hash":"commit"}"#,
        );
        assert_eq!(draft.identity, Identity::Content);
        assert_eq!(draft.time_ns, Some(1_771_497_000_123_456_000));
        assert_eq!(draft.fields.get("hash"), Some(&Value::Text("commit".to_owned())));
        assert_eq!(&*draft.logger, "shop");
    }

    #[test]
    fn of_two_names_for_one_member_the_other_stays_a_field() {
        let draft = parsed(r#"{"msg":"b","message":"a","@timestamp":"soon","ts":5}"#);
        assert_eq!((&*draft.message, draft.time_ns), ("a", Some(5_000_000_000)));
        let names: Vec<String> =
            draft.fields.into_sorted().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["@timestamp", "msg"]);
    }

    #[test]
    fn what_cannot_be_a_time_or_level_stays_a_field() {
        let draft = parsed(r#"{"timestamp":"soon","level":"loud","message":7}"#);
        assert_eq!((draft.time_ns, draft.level, &*draft.message), (None, None, "7"));
        assert_eq!(draft.fields.get("level"), Some(&Value::Text("loud".to_owned())));
    }
}
