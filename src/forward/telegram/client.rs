//! TelegramClient: sends a text to a group, and reads what Telegram says to it.
//!
//! Knows the Bot API. Does not know limits, groups of alerts or retries: its answer is a
//! [`Outcome`]. The bot's token is in the URL, so that no text from here may repeat a URL.

use super::message::TelegramMessage;
use crate::base::selflog;
use crate::forward::options::is_bot_token;
use crate::forward::{Answer, HttpClient, Outcome, classify};
use logwell_options::secret::Secret;
use logwell_options::secret::SecretUrl;
use serde_json::Value;
use std::time::Duration;

/// Sends texts through a bot: `POST {base_url}/bot{token}/sendMessage`. Clones share the
/// connection.
///
/// ```no_run
/// use logwell::config::Secret;
/// use logwell::forward::telegram::{Audience, TelegramClient, TelegramMessage};
/// use logwell::forward::{HttpClient, HttpOptions};
///
/// let http = HttpClient::new(&HttpOptions::default())?;
/// let client = TelegramClient::new(http, "https://api.telegram.org");
/// let message = TelegramMessage {
///     audience: Audience::Developer,
///     chat_id: "-100123".to_owned(),
///     text: "disk full".to_owned(),
///     timestamp: "2025-11-26 10:30:00".to_owned(),
///     hash: "9f2c".to_owned(),
///     is_silent: false,
///     token: None,
/// };
/// println!("{:?}", client.send(&Secret::new("123456:ABC-DEF"), &message));
/// # Ok::<(), logwell::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TelegramClient {
    http: HttpClient,
    base_url: String,
}

/// Where Telegram is.
pub const TELEGRAM_URL: &str = "https://api.telegram.org";

/// Longer pauses are not obeyed: by a mistake over there nothing should rest forever.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3_600);

/// What Telegram says besides the message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reply {
    is_ok: bool,
    description: String,
    retry_after: Option<Duration>,
    /// The group has become a supergroup, and has another id since.
    moved_to: Option<i64>,
}

impl TelegramClient {
    /// A client of the server there, mostly [`TELEGRAM_URL`].
    #[must_use]
    pub fn new(http: HttpClient, base_url: &str) -> Self {
        Self { http, base_url: base_url.trim_end_matches('/').to_owned() }
    }

    /// Sends the message through the bot with that token. Blocks until there is an answer, at most
    /// as long as the HTTP client's timeout says (twice that, if the group has moved).
    ///
    /// - The text is made to [`fit`](crate::forward::telegram::fit()) first: something is
    ///   always sent.
    /// - 429 is to be tried again, not before `retry_after`. So are 408 and 5xx, no answer at
    ///   all, and an answer that is not Telegram's.
    /// - A wrong token, a group that is not found or that the bot may not write to, waits for a
    ///   person.
    /// - Only what is wrong with the text itself is final.
    /// - A group that has become a supergroup is followed to its new id.
    #[must_use]
    pub fn send(&self, token: &Secret, message: &TelegramMessage) -> Outcome {
        if !is_bot_token(token.reveal()) {
            return Outcome::blocked(
                "the token of the bot is empty or has a character that none has",
            );
        }
        let url = format!("{}/bot{}/sendMessage", self.base_url, token.reveal());
        let url = SecretUrl::new(url);
        match self.send_to(&url, message, &message.chat_id) {
            Ok(outcome) => scrubbed(outcome, token),
            Err(id) => {
                let text = format_args!(
                    "the {} group has become a supergroup: set its chat_id to {id}",
                    message.audience
                );
                selflog::tell("telegram group has moved", &text);
                let moved = self.send_to(&url, message, &id.to_string());
                moved.map_or_else(
                    |_| Outcome::blocked("the group has moved twice; check its chat_id"),
                    |outcome| scrubbed(outcome, token),
                )
            }
        }
    }

    /// Interrupts what is under way, for good. See [`HttpClient::shutdown`].
    pub fn shutdown(&self) {
        self.http.shutdown();
    }

    /// What became of it, or the id to which the group has moved.
    fn send_to(
        &self,
        url: &SecretUrl,
        message: &TelegramMessage,
        chat_id: &str,
    ) -> Result<Outcome, i64> {
        match self.http.post_json(url, &[], &message.request(chat_id)) {
            Ok(answer) => judge(&answer),
            Err(error) => Ok(error.into()),
        }
    }
}

/// What an answer means for the message.
fn judge(answer: &Answer) -> Result<Outcome, i64> {
    let Some(reply) = Reply::read(&answer.body_start) else {
        return Ok(match classify(answer) {
            // Something in between has answered, such as the login page of a network.
            Outcome::Delivered => Outcome::retry("the answer is not one of Telegram"),
            outcome => outcome,
        });
    };
    if let Some(id) = reply.moved_to {
        return Err(id);
    }
    let said = |why: String| match reply.description.is_empty() {
        true => why,
        false => format!("Telegram says: {}", shorten(&reply.description)),
    };
    let outcome = judge_reply(answer, &reply);
    Ok(match &outcome {
        Outcome::Blocked { .. } => outcome.map_why(|why| said(why) + advice(answer.status)),
        _ => outcome.map_why(said),
    })
}

fn judge_reply(answer: &Answer, reply: &Reply) -> Outcome {
    match classify(answer) {
        Outcome::Delivered if reply.is_ok => Outcome::Delivered,
        Outcome::Delivered => Outcome::retry("Telegram has not taken it"),
        Outcome::Retry { after, why } => Outcome::Retry { after: reply.retry_after.or(after), why },
        outcome => refusal(answer.status, &reply.description).unwrap_or(outcome),
    }
}

/// What a refusal of Telegram's means, as far as its words say more than the status.
fn refusal(status: u16, description: &str) -> Option<Outcome> {
    let says = |parts: &[&str]| {
        let text = description.to_ascii_lowercase();
        parts.iter().any(|part| text.contains(part))
    };
    let why = String::new;
    match status {
        400 if says(ABOUT_THE_TEXT) => Some(Outcome::Refused { why: why() }),
        400 if says(ABOUT_THE_CHAT) => Some(Outcome::blocked(why())),
        _ => None,
    }
}

/// Words with which Telegram blames the text of a message.
const ABOUT_THE_TEXT: &[&str] =
    &["message text", "text must", "text is", "message is too long", "can't parse", "entit"];
/// Words with which it blames the group, or what the bot may do there.
const ABOUT_THE_CHAT: &[&str] = &[
    "chat",
    "group",
    "rights",
    "kicked",
    "blocked",
    "forbidden",
    "peer",
    "user",
    "topic",
    "bot",
    "channel",
];

/// What a person can do about a refusal.
fn advice(status: u16) -> &'static str {
    match status {
        401 | 404 => "; check the token of the bot",
        400 | 403 => "; check the chat_id, and that the bot may write there",
        _ => "; check forward.telegram",
    }
}

impl Reply {
    fn read(body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        let parameter = |name| body.get("parameters")?.get(name);
        let pause = parameter("retry_after").and_then(Value::as_f64);
        let description = body.get("description").and_then(Value::as_str);
        Some(Self {
            is_ok: body.get("ok")?.as_bool()?,
            description: description.unwrap_or_default().to_owned(),
            retry_after: pause.filter(|seconds| *seconds >= 0.0).map(|seconds| {
                Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
            }),
            moved_to: parameter("migrate_to_chat_id").and_then(Value::as_i64),
        })
    }
}

fn shorten(text: &str) -> String {
    crate::forward::telegram::sanitize::cut(
        &crate::forward::telegram::sanitize::visible_line(text),
        200,
    )
}

fn scrubbed(outcome: Outcome, token: &Secret) -> Outcome {
    outcome.map_why(|why| token.scrub(&why))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn judged(status: u16, body: &str) -> Result<Outcome, i64> {
        judge(&Answer::of(status, body))
    }

    #[test]
    fn a_message_is_delivered_only_if_telegram_says_so() {
        assert_eq!(judged(200, r#"{"ok":true,"result":{}}"#), Ok(Outcome::Delivered));
        for body in ["", "<html>please log in</html>", "[]", r#"{"ok":1}"#, r#"{"ok":true"#] {
            assert_eq!(judged(200, body), Ok(Outcome::retry("the answer is not one of Telegram")));
        }
        assert_eq!(judged(200, r#"{"ok":false}"#), Ok(Outcome::retry("Telegram has not taken it")));
    }

    #[test]
    fn too_many_requests_are_tried_again_after_the_pause_that_is_asked_for() {
        let wait = |seconds: &str| {
            let body = format!(
                r#"{{"ok":false,"error_code":429,"description":"Too Many Requests: retry after","parameters":{{"retry_after":{seconds}}}}}"#
            );
            match judged(429, &body) {
                Ok(Outcome::Retry { after, why }) if why.starts_with("Telegram says: Too Many") => {
                    after
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("1e300"), Some(LONGEST_PAUSE));
        assert_eq!((wait("-1"), wait("null"), wait("\"soon\"")), (None, None, None));
    }

    fn refused(status: u16, description: &str) -> Outcome {
        let body = serde_json::json!({ "ok": false, "description": description });
        judged(status, &body.to_string()).unwrap()
    }

    #[test]
    fn what_a_person_can_mend_waits_and_only_the_text_is_refused_for_good() {
        for (status, description) in [
            (400, "Bad Request: chat not found"),
            (400, "Bad Request: not enough rights to send text messages to the chat"),
            (400, "Bad Request: group chat was deactivated"),
            (401, "Unauthorized"),
            (403, "Forbidden: bot was kicked from the supergroup chat"),
            (404, "Not Found"),
        ] {
            let Outcome::Blocked { why, .. } = refused(status, description) else {
                panic!("{description}");
            };
            assert!(why.starts_with(&format!("Telegram says: {description}; check ")), "{why}");
        }
        for description in
            ["Bad Request: message text is empty", "Bad Request: can't parse entities"]
        {
            let outcome = refused(400, description);
            assert_eq!(outcome, Outcome::refused(format!("Telegram says: {description}")));
        }
        assert!(matches!(refused(400, "Bad Request"), Outcome::Doubtful { .. }));
    }

    #[test]
    fn trouble_over_there_passes_and_a_group_that_has_moved_is_followed() {
        assert!(matches!(judged(502, "<html>"), Ok(Outcome::Retry { after: None, .. })));
        assert!(matches!(judged(302, ""), Ok(Outcome::Blocked { .. })));
        let moved = r#"{"ok":false,"description":"x","parameters":{"migrate_to_chat_id":-1001}}"#;
        assert_eq!(judged(400, moved), Err(-1001));
    }

    #[test]
    fn only_what_looks_like_a_token_goes_into_a_url() {
        assert!(is_bot_token("123456789:AAH_x-9"));
        for token in ["", "a/b", "a?b", "a#b", "a b", "a\nb", "..", "ä", "%2e"] {
            assert!(!is_bot_token(token), "{token}");
        }
    }
}
