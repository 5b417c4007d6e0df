//! TelegramMessage: a text for a group, and its form on the broker's queue `{domain}_tg`.
//!
//! Knows the keys of that form. Does not know how a text came about, nor how it is sent.

use crate::forward::telegram::sanitize::fit;
use logwell_options::secret::Secret;
use serde_json::{Map, Value, json};
use std::fmt;

/// The recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The developers' group.
    Developer,
    /// The customer's group.
    Customer,
}

impl Audience {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Developer, Self::Customer];

    /// `developer` or `customer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Customer => "customer",
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text on its way to a group.
///
/// On the queue it is a JSON object:
///
/// | key | is |
/// |---|---|
/// | `tg_token` | the bot's token; only if the producer passes it on |
/// | `tg_chatid` | the group's id |
/// | `notify_msg` | the text |
/// | `type` | `developer` or `customer` |
/// | `timestamp` | when it happened, as text |
/// | `hash` | what tells it from any other message; equal for each delivery |
/// | `silent` | `true` if it is to come without a sound; else absent |
///
/// ```
/// use logwell::forward::telegram::{Audience, TelegramMessage};
///
/// let json = br#"{"tg_chatid":-100123,"notify_msg":"disk full","type":"developer",
///     "timestamp":"2025-11-26 10:30:00","hash":"9f2c"}"#;
/// let message = TelegramMessage::from_json(json)?;
/// assert_eq!(message.chat_id, "-100123");
/// assert_eq!(message.audience, Audience::Developer);
/// assert_eq!(TelegramMessage::from_json(&message.to_json())?, message);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramMessage {
    /// The recipients.
    pub audience: Audience,
    /// The group's id, `-100…`, or `@name` of a public one.
    pub chat_id: String,
    /// The text. Whoever sends it makes it [`fit()`].
    pub text: String,
    /// When it happened.
    pub timestamp: String,
    /// What tells it from any other message; equal for each delivery.
    pub hash: String,
    /// Whether it comes without a sound.
    pub is_silent: bool,
    /// The bot's token, if it travels with the message.
    pub token: Option<Secret>,
}

impl TelegramMessage {
    /// The object of the queue.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut object = Map::new();
        if let Some(token) = &self.token {
            object.insert("tg_token".to_owned(), token.reveal().into());
        }
        object.insert("tg_chatid".to_owned(), self.chat_id.as_str().into());
        object.insert("notify_msg".to_owned(), self.text.as_str().into());
        object.insert("type".to_owned(), self.audience.as_str().into());
        object.insert("timestamp".to_owned(), self.timestamp.as_str().into());
        object.insert("hash".to_owned(), self.hash.as_str().into());
        if self.is_silent {
            object.insert("silent".to_owned(), true.into());
        }
        Value::Object(object).to_string().into_bytes()
    }

    /// Reads the object of the queue, which another program may have written: `tg_chatid` may be a
    /// number, keys that are not known are passed over, and of the others only `tg_chatid`,
    /// `notify_msg` and `type` must be there.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words that repeat nothing of it.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        // The parser's own words could repeat a token.
        let object: Map<String, Value> = serde_json::from_slice(json).map_err(|error| {
            format!("not a JSON object (line {}, column {})", error.line(), error.column())
        })?;
        let text = |key: &str| match object.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let needed = |key: &str| {
            text(key)
                .filter(|text| !text.is_empty())
                .ok_or_else(|| format!("{key} is missing or no text"))
        };
        let named = needed("type")?;
        let audience = Audience::ALL.into_iter().find(|audience| audience.as_str() == named);
        Ok(Self {
            audience: audience.ok_or("type is neither developer nor customer")?,
            chat_id: needed("tg_chatid")?,
            text: text("notify_msg").ok_or("notify_msg is missing or no text")?,
            timestamp: text("timestamp").unwrap_or_default(),
            hash: text("hash").unwrap_or_default(),
            is_silent: object.get("silent") == Some(&Value::Bool(true)),
            token: text("tg_token").filter(|token| !token.is_empty()).map(Secret::new),
        })
    }

    /// The body of `sendMessage`: plain text, which needs no escaping, and no preview of links, for
    /// which Telegram would visit them.
    pub(super) fn request(&self, chat_id: &str) -> Vec<u8> {
        let mut body = Map::new();
        let id = chat_id.parse::<i64>().map_or_else(|_| Value::from(chat_id), Value::from);
        body.insert("chat_id".to_owned(), id);
        body.insert("text".to_owned(), fit(&self.text).into());
        body.insert("link_preview_options".to_owned(), json!({ "is_disabled": true }));
        if self.is_silent {
            body.insert("disable_notification".to_owned(), true.into());
        }
        Value::Object(body).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> TelegramMessage {
        TelegramMessage {
            audience: Audience::Customer,
            chat_id: "-100123".to_owned(),
            text: "order 17 has arrived".to_owned(),
            timestamp: "2025-11-26 10:30:00".to_owned(),
            hash: "9f2c".to_owned(),
            is_silent: false,
            token: None,
        }
    }

    #[test]
    fn the_object_of_the_queue_has_its_keys_in_order_and_a_token_only_if_it_is_told_to() {
        let golden = r#"{"tg_chatid":"-100123","notify_msg":"order 17 has arrived","type":"customer","timestamp":"2025-11-26 10:30:00","hash":"9f2c"}"#;
        assert_eq!(String::from_utf8(message().to_json()).unwrap(), golden);
        let full =
            TelegramMessage { token: Some(Secret::new("12:ab")), is_silent: true, ..message() };
        let text = String::from_utf8(full.to_json()).unwrap();
        assert!(
            text.starts_with(r#"{"tg_token":"12:ab","tg_chatid""#)
                && text.ends_with(r#","silent":true}"#)
        );
        assert_eq!(TelegramMessage::from_json(text.as_bytes()), Ok(full.clone()));
        assert!(!format!("{full:?}").contains("12:ab"));
    }

    #[test]
    fn what_is_wrong_with_an_object_is_told_without_repeating_it() {
        let cases = [
            (r#"{"tg_token":"12:ab""#, "not a JSON object (line 1, column 19)"),
            (r#""12:ab""#, "not a JSON object (line 1, column 7)"),
            (
                r#"{"type":"12:ab","tg_chatid":"1","notify_msg":""}"#,
                "type is neither developer nor customer",
            ),
            (r#"{"type":"developer","tg_chatid":["12:ab"]}"#, "tg_chatid is missing or no text"),
            (
                r#"{"type":"developer","tg_chatid":"1","notify_msg":null}"#,
                "notify_msg is missing or no text",
            ),
            ("{}", "type is missing or no text"),
        ];
        for (json, expected) in cases {
            assert_eq!(TelegramMessage::from_json(json.as_bytes()), Err(expected.to_owned()));
        }
    }

    #[test]
    fn the_request_is_plain_text_that_fits() {
        let mut long = message();
        long.text = "<b>🦀".repeat(5_000);
        long.is_silent = true;
        let body: Value = serde_json::from_slice(&long.request("-100123")).unwrap();
        assert_eq!(body["chat_id"], -100_123);
        assert_eq!(body["disable_notification"], true);
        assert_eq!(body["link_preview_options"]["is_disabled"], true);
        assert_eq!(body.get("parse_mode"), None);
        assert!(body["text"].as_str().unwrap().encode_utf16().count() <= 4_096);
        let body: Value = serde_json::from_slice(&message().request("@name")).unwrap();
        assert_eq!(body["chat_id"], "@name");
        assert_eq!(body.get("disable_notification"), None);
    }
}
