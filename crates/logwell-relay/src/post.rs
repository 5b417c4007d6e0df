//! Post: one attempt to deliver a request over HTTP, and what came of it.
//!
//! Knows where requests go and how they look there. Knows neither queues nor how often is tried.
//! Blocks: call it on a thread for that.

use logwell::forward::{Answer, Fate, HttpClient, HttpOptions, Secret, SecretUrl, fate_of};
use serde_json::{Value, json};
use std::time::Duration;

use crate::message::Request;
use crate::settings::{Destination, Settings};

/// Posts the requests of one destination. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    client: HttpClient,
    log_beacon: SecretUrl,
    token: Secret,
    headers: Vec<(String, Secret)>,
    telegram: String,
}

impl Post {
    /// Makes ready; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The options cannot be used: a proxy that is no URL, certificates that cannot be read.
    pub(crate) fn new(settings: &Settings, destination: Destination) -> Result<Self, String> {
        let (connect_timeout, timeout) = match destination {
            Destination::LogBeacon => {
                (settings.logbeacon.connect_timeout, settings.logbeacon.timeout)
            }
            Destination::Telegram => (settings.telegram.connect_timeout, settings.telegram.timeout),
        };
        let mut options = HttpOptions::default();
        options.connect_timeout = connect_timeout;
        options.timeout = timeout;
        options.proxy = Some(settings.http.proxy.clone()).filter(|proxy| !proxy.is_empty());
        options.ca_file = settings.http.ca_file.clone();
        let token = settings.logbeacon.token.reveal();
        let bearer = (!token.is_empty()).then(|| Secret::new(format!("Bearer {token}")));
        Ok(Self {
            client: HttpClient::new(&options).map_err(|error| error.to_string())?,
            log_beacon: settings.logbeacon.url.clone(),
            token: settings.logbeacon.token.clone(),
            headers: bearer
                .map(|bearer| ("Authorization".to_owned(), bearer))
                .into_iter()
                .collect(),
            telegram: settings.telegram.base_url.trim_end_matches('/').to_owned(),
        })
    }

    /// Tries once. Takes as long as the destination's `timeout` at most.
    pub(crate) fn try_once(&self, request: &Request) -> Fate {
        match request {
            Request::LogBeacon(body) => {
                match self.client.post_json(&self.log_beacon, &self.headers, body) {
                    Ok(answer) => fate_of(&without(&self.token, answer)),
                    Err(error) => error.into(),
                }
            }
            Request::Telegram { token, chat_id, text } => {
                let url = format!("{}/bot{}/sendMessage", self.telegram, token.reveal());
                let body = json!({"chat_id": chat_id, "text": fit(text)}).to_string();
                match self.client.post_json(&SecretUrl::new(url), &[], body.as_bytes()) {
                    Ok(answer) => telegram_fate(&without(token, answer)),
                    Err(error) => error.into(),
                }
            }
        }
    }
}

/// The answer without the token, should the other side have repeated it alone.
fn without(token: &Secret, mut answer: Answer) -> Answer {
    answer.body_start = token.scrub(&answer.body_start);
    answer
}

/// As for any answer, but that Telegram says in the body how long it wants to be left alone.
fn telegram_fate(answer: &Answer) -> Fate {
    let fate = fate_of(answer);
    let body: Value = serde_json::from_str(&answer.body_start).unwrap_or_default();
    let asked = body.pointer("/parameters/retry_after").and_then(Value::as_u64);
    match (fate, asked) {
        (Fate::Retry { why, .. }, Some(seconds)) => {
            Fate::Retry { after: Some(Duration::from_secs(seconds)), why }
        }
        (fate, _) => fate,
    }
}

/// The text, cut to what Telegram takes: 4096 UTF-16 units.
fn fit(text: &str) -> String {
    if text.encode_utf16().take(MAX_UNITS + 1).count() <= MAX_UNITS {
        return text.to_owned();
    }
    let mut room = MAX_UNITS - 1;
    let kept = text.chars().take_while(|c| match room.checked_sub(c.len_utf16()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    kept.chain(['…']).collect()
}

const MAX_UNITS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_fits_telegram() {
        for text in ["short".to_owned(), "x".repeat(4_096), "x".repeat(4_097), "🦀".repeat(5_000)]
        {
            let units = fit(&text).encode_utf16().count();
            assert!(units <= MAX_UNITS && units + 2 > MAX_UNITS.min(text.encode_utf16().count()));
        }
        assert!(fit(&"🦀".repeat(2_049)).ends_with("🦀…"));
    }
}
