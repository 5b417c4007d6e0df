//! Message: what is on a queue, and what is posted for it.
//!
//! Pure. Knows the keys of both kinds; knows neither AMQP nor HTTP. A body that cannot be delivered
//! is reported with its reason: such a message would be tried forever otherwise.

use serde_json::{Map, Value};

use crate::destination::Destination;
use crate::options::Telegram;
use logwell::forward::Secret;
use logwell::forward::telegram::{Audience, TelegramMessage};

/// What is posted for a message.
#[derive(Debug)]
pub(crate) enum Request {
    /// The body as it came: one object or an array of them.
    LogBeacon(Vec<u8>),
    /// A text to a chat, by the bot with that token.
    Telegram { token: Secret, message: TelegramMessage },
}

impl Request {
    /// The records of an array of several, each as its own body.
    pub(crate) fn records(&self) -> Option<Vec<Vec<u8>>> {
        let Self::LogBeacon(body) = self else { return None };
        match serde_json::from_slice(body) {
            Ok(Value::Array(records)) if records.len() > 1 => {
                Some(records.iter().map(|record| record.to_string().into_bytes()).collect())
            }
            _ => None,
        }
    }
}

/// Reads the body of a message.
///
/// # Errors
///
/// Why it can never be delivered; nothing of a token is in it.
pub(crate) fn read(
    destination: Destination,
    body: Vec<u8>,
    telegram: &Telegram,
) -> Result<Request, String> {
    let value: Value = serde_json::from_slice(&body)
        .map_err(|error| format!("not JSON (line {}, column {})", error.line(), error.column()))?;
    match destination {
        Destination::LogBeacon => log_beacon(&value).map(|()| Request::LogBeacon(body)),
        Destination::Telegram => chat(&value, telegram),
    }
}

fn log_beacon(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(record) => record_is_whole(record),
        Value::Array(records) if records.is_empty() => Err("an empty array".to_owned()),
        Value::Array(records) => records.iter().enumerate().try_for_each(|(n, record)| {
            let record = record.as_object().ok_or(format!("element {n} is not an object"))?;
            record_is_whole(record).map_err(|problem| format!("element {n}: {problem}"))
        }),
        _ => Err("neither an object nor an array".to_owned()),
    }
}

fn record_is_whole(record: &Map<String, Value>) -> Result<(), String> {
    let missing: Vec<_> =
        LOGBEACON_KEYS.into_iter().filter(|key| !record.contains_key(*key)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("lacks {}", missing.join(", "))) }
}

fn chat(value: &Value, telegram: &Telegram) -> Result<Request, String> {
    let message = value.as_object().ok_or("not an object")?;
    let text = message.get("notify_msg").and_then(Value::as_str).ok_or("lacks notify_msg")?;
    if text.trim().is_empty() {
        return Err("notify_msg is empty".to_owned());
    }
    let audience = match message.get("type").and_then(Value::as_str) {
        Some(name) => {
            let known = Audience::ALL.into_iter().find(|audience| audience.as_str() == name);
            Some(known.ok_or("type is neither developer nor customer")?)
        }
        None => None,
    };
    let group = audience.map(|audience| match audience {
        Audience::Developer => &telegram.developer,
        Audience::Customer => &telegram.customer,
    });
    let token = given(message, "tg_token").map(Secret::new);
    let token = token.or_else(|| group.map(|group| group.token.clone()));
    let chat = given(message, "tg_chatid").or_else(|| group.map(|group| group.chat_id.clone()));
    let lacks = |key| {
        let known = audience.map_or("without a type".to_owned(), |a| format!("of type {a}"));
        format!("lacks {key}, and the worker has none for messages {known}")
    };
    let text_of = |key| given(message, key).unwrap_or_default();
    Ok(Request::Telegram {
        token: token.filter(|token| !token.is_empty()).ok_or_else(|| lacks("tg_token"))?,
        message: TelegramMessage {
            audience: audience.unwrap_or(Audience::Developer),
            chat_id: chat.filter(|chat| !chat.is_empty()).ok_or_else(|| lacks("tg_chatid"))?,
            text: text.to_owned(),
            timestamp: text_of("timestamp"),
            hash: text_of("hash"),
            is_silent: message.get("silent") == Some(&Value::Bool(true)),
            token: None,
        },
    })
}

/// A text or a number that is there and not empty.
fn given(message: &Map<String, Value>, key: &str) -> Option<String> {
    match message.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The hash that is in the body, for messages that came without one as their id.
pub(crate) fn hash(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("hash")?.as_str()?.to_owned())
}

/// What people are shown of a body: who sent it and the beginning of its text, never its token.
pub(crate) fn summary(body: &[u8]) -> String {
    let shown = match serde_json::from_slice(body) {
        Ok(Value::Object(message)) => {
            let keys = ["program_name", "level", "type", "def_name", "message", "notify_msg"];
            let parts = keys.iter().filter_map(|key| message.get(*key)?.as_str());
            parts.collect::<Vec<_>>().join(" ")
        }
        Ok(Value::Array(records)) => format!("{} records", records.len()),
        _ => format!("{} bytes that are not JSON", body.len()),
    };
    let mut line: String = shown.chars().map(visible).take(SUMMARY_CHARS).collect();
    if shown.chars().nth(SUMMARY_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// The body over several lines for people, without its token.
pub(crate) fn without_token(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => serde_json::to_string_pretty(&masked(value)).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// The body as one line of JSON, without its token; one that is not JSON becomes a text.
pub(crate) fn json(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => masked(value).to_string(),
        Err(_) => Value::from(String::from_utf8_lossy(body)).to_string(),
    }
}

fn masked(mut value: Value) -> Value {
    if let Some(token) = value.get_mut("tg_token") {
        *token = "(secret)".into();
    }
    value
}

/// A character that cannot move the cursor of a terminal.
fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// What a record must have; `extra_info` may be left out.
const LOGBEACON_KEYS: [&str; 7] =
    ["domain", "program_name", "level", "def_name", "message", "timestamp", "hash"];
const SUMMARY_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn telegram() -> Telegram {
        let mut telegram = Telegram::default();
        telegram.developer.token = Secret::new("dev-token");
        telegram.developer.chat_id = "1".to_owned();
        telegram
    }

    fn sent(body: Value) -> Result<(String, String, String), String> {
        match read(Destination::Telegram, body.to_string().into_bytes(), &telegram())? {
            Request::Telegram { token, message } => {
                Ok((token.reveal().to_owned(), message.chat_id, message.text))
            }
            Request::LogBeacon(_) => Err("for LogBeacon".to_owned()),
        }
    }

    fn record() -> Value {
        json!({"domain": "d", "program_name": "p", "level": "Error", "def_name": "f",
            "message": "m", "timestamp": "2025-11-26 10:30:00", "hash": "h"})
    }

    fn for_log_beacon(body: &Value) -> Result<(), String> {
        let body = body.to_string().into_bytes();
        read(Destination::LogBeacon, body, &Telegram::default()).map(drop)
    }

    #[test]
    fn a_message_without_token_or_chat_takes_those_of_its_group() {
        let own = json!({"notify_msg": "t", "type": "developer"});
        assert_eq!(sent(own), Ok(("dev-token".into(), "1".into(), "t".into())));
        let given =
            json!({"notify_msg": "t", "type": "developer", "tg_token": "x", "tg_chatid": -7});
        assert_eq!(sent(given), Ok(("x".into(), "-7".into(), "t".into())));
        let no_type = json!({"notify_msg": "t", "tg_token": "x", "tg_chatid": "2"});
        assert_eq!(sent(no_type), Ok(("x".into(), "2".into(), "t".into())));
    }

    #[test]
    fn a_message_that_can_never_be_delivered_is_told_why() {
        for (body, reason) in [
            (json!({"notify_msg": "t", "type": "customer"}), "lacks tg_token"),
            (json!({"notify_msg": "t", "tg_token": "x"}), "lacks tg_chatid"),
            (json!({"notify_msg": "t", "type": "boss"}), "neither developer nor customer"),
            (json!({"type": "developer"}), "lacks notify_msg"),
            (json!({"notify_msg": " ", "type": "developer"}), "is empty"),
            (json!([]), "not an object"),
        ] {
            assert!(sent(body.clone()).unwrap_err().contains(reason), "{body}");
        }
        assert_eq!(for_log_beacon(&record()), Ok(()));
        assert_eq!(for_log_beacon(&json!([record(), record()])), Ok(()));
        for (body, reason) in [
            (json!({"domain": "d"}), "lacks program_name, level"),
            (json!([record(), {"domain": "d"}]), "element 1: lacks"),
            (json!([7]), "element 0 is not an object"),
            (json!([]), "an empty array"),
            (json!("text"), "neither an object nor an array"),
        ] {
            assert!(for_log_beacon(&body).unwrap_err().contains(reason), "{body}");
        }
        let broken = read(Destination::LogBeacon, b"{".to_vec(), &Telegram::default());
        assert!(broken.unwrap_err().contains("not JSON"));
    }

    #[test]
    fn a_summary_shows_no_token_and_moves_no_cursor() {
        let body = json!({"tg_token": "hush", "type": "developer", "notify_msg": "a\u{1b}[2Jb"});
        assert_eq!(summary(body.to_string().as_bytes()), "developer a [2Jb");
        assert_eq!(summary(b"\xff"), "1 bytes that are not JSON");
        let long = json!({"message": "x".repeat(1_000)});
        assert_eq!(summary(long.to_string().as_bytes()).chars().count(), SUMMARY_CHARS + 1);
    }
}
