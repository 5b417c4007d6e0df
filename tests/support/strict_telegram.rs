//! A Telegram that is as strict as the real one, and stricter: it counts every request over every
//! second and every minute, and remembers who came back before the time it had asked for.
//!
//! Pure: the time is an argument. `tests/telegram/main.rs` puts it behind HTTP.

#![allow(dead_code, reason = "each test uses a part of it")]

use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What it takes.
pub(crate) struct Strict {
    pub(crate) per_second: usize,
    pub(crate) per_chat_per_minute: usize,
    /// What was taken.
    pub(crate) taken: Vec<Taken>,
    /// What it had to refuse, and why.
    pub(crate) refused: Vec<&'static str>,
    arrivals: Vec<Instant>,
    chats: HashMap<String, Chat>,
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) chat_id: String,
    pub(crate) text: String,
    pub(crate) is_silent: bool,
    pub(crate) at: Instant,
}

#[derive(Default)]
struct Chat {
    arrivals: Vec<Instant>,
    closed_until: Option<Instant>,
}

impl Strict {
    /// With Telegram's own limits.
    pub(crate) fn new() -> Self {
        Self {
            per_second: 30,
            per_chat_per_minute: 20,
            taken: Vec::new(),
            refused: Vec::new(),
            arrivals: Vec::new(),
            chats: HashMap::new(),
        }
    }

    /// From now on it takes nothing for that chat for a while, as after a 429.
    pub(crate) fn close(&mut self, chat_id: &str, until: Instant) {
        self.chats.entry(chat_id.to_owned()).or_default().closed_until = Some(until);
    }

    /// Answers the body of a `sendMessage`: the status and the answer.
    pub(crate) fn send_message(&mut self, body: &[u8], now: Instant) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let chat_id = body["chat_id"].to_string().trim_matches('"').to_owned();
        let text = body["text"].as_str().unwrap_or_default();
        if body.get("parse_mode").is_some() {
            return self.refuse(400, "a parse_mode", None);
        }
        if text.encode_utf16().count() > 4_096 {
            return self.refuse(400, "message is too long", None);
        }
        if text.trim().is_empty() {
            return self.refuse(400, "message text is empty", None);
        }
        let chat = self.chats.entry(chat_id.clone()).or_default();
        if let Some(until) = chat.closed_until.filter(|until| now < *until) {
            return self.refuse(429, "came back before retry_after", Some(until - now));
        }
        self.arrivals.push(now);
        chat.arrivals.push(now);
        let within = |arrivals: &[Instant], span: u64| {
            let began = |at: &&Instant| now.duration_since(**at) < Duration::from_secs(span);
            arrivals.iter().rev().take_while(began).count()
        };
        let chat_is_full = within(&chat.arrivals, 60) > self.per_chat_per_minute;
        if chat_is_full || within(&self.arrivals, 1) > self.per_second {
            let why = if chat_is_full { "too many to the chat" } else { "too many in all" };
            let wait = Duration::from_secs(30);
            self.close(&chat_id, now + wait);
            return self.refuse(429, why, Some(wait));
        }
        let is_silent = body["disable_notification"] == true;
        self.taken.push(Taken { chat_id, text: text.to_owned(), is_silent, at: now });
        (200, json!({ "ok": true, "result": { "message_id": self.taken.len() } }))
    }

    fn refuse(&mut self, status: u16, why: &'static str, wait: Option<Duration>) -> (u16, Value) {
        self.refused.push(why);
        let mut answer = json!({ "ok": false, "error_code": status, "description": why });
        if let Some(wait) = wait {
            let seconds = wait.as_millis().div_ceil(1_000) as u64;
            answer["parameters"] = json!({ "retry_after": seconds });
        }
        (status, answer)
    }
}
