//! Slack: digests to a channel, through an incoming webhook.
//!
//! Knows Slack's text and answers. What is in a digest is known by `digest/`. Does not know HTTP.

pub(crate) mod options;

use super::batches::BatchSize;
use super::bucket::TokenBucket;
use super::destination::Destination;
use super::digest::{Digest, Digests, text};
use super::endpoint::{Endpoint, http_options};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::http::{Answer, classify};
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::encode::json::JsonEncoder;
use crate::encode::options::ServiceConfig;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use logwell_options::secret::SecretUrl;
use serde_json::json;
use std::time::{Duration, Instant};

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "slack";

/// Slack cuts texts above 40 000 characters, and people do not read so much.
const MAX_TEXT_CHARS: usize = 12_000;

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The HTTP client cannot be made.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.slack;
    let delivery = config.delivery();
    let http = http_options(setup, &delivery);
    let endpoint = Endpoint::new(SecretUrl::from(&config.url), &http)?;
    let address = endpoint.address();
    let pace = TokenBucket::new(config.per_minute, Duration::from_secs(60), Instant::now());
    let channel = Channel { endpoint, service: setup.service(), pace };
    let render = Hashed::new(JsonEncoder::new(setup.json(delivery.max_bytes)));
    let transport = InBatches::new(channel, BatchSize::SINGLE);
    let destination = Destination::new(NAME, render, Digests::new(config.batch_wait), transport);
    Ok(destination.address(address).at_once(1).bounded(&delivery))
}

/// Posts digests.
struct Channel {
    endpoint: Endpoint,
    service: ServiceConfig,
    pace: TokenBucket,
}

impl Exchange for Channel {
    fn send(&mut self, batch: &[Message], stop: &Stop) -> Verdict {
        let [message] = batch else { return Outcome::Doubtful { why: String::new() }.into() };
        let Some(digest) = Digest::read(&message.body) else {
            return Outcome::refused("it is no digest").into();
        };
        while let Err(wait) = self.pace.take(Instant::now()) {
            if stop.wait(wait) {
                let why = "the channel was written to as often as it may be".to_owned();
                return Outcome::Retry { after: Some(wait), why }.into();
            }
        }
        let body = json!({ "text": layout(&digest, &self.service) }).to_string();
        match self.endpoint.post("application/json", body.as_bytes()) {
            Ok(answer) => judge(&answer).into(),
            Err(no_answer) => no_answer.into(),
        }
    }

    fn start(&mut self, stop: &Stop) {
        self.endpoint.end_with(stop);
    }
}

fn layout(digest: &Digest, service: &ServiceConfig) -> String {
    let mut text = format!("*{}*", escape(&text::headline(digest, service)));
    let mut hidden = digest.others;
    for kind in &digest.kinds {
        let lines = text::lines(kind);
        let lines: Vec<_> = lines.iter().map(|line| escape(line)).collect();
        let block = format!("\n• {}", lines.join("\n    "));
        match text.chars().count() + block.chars().count() <= MAX_TEXT_CHARS {
            true => text += &block,
            false => hidden += kind.count,
        }
    }
    let rest = text::others(&Digest { others: hidden, kinds: Vec::new(), ..*digest });
    rest.into_iter().for_each(|rest| text += &format!("\n{rest}"));
    text
}

/// Slack reads `<!channel>` and links in these characters, and styles in the others: a record is to
/// be shown as it is, and to wake nobody.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            // Invisible, and it takes their meaning from them.
            '*' | '_' | '~' | '`' => escaped.extend([c, '\u{200b}']),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What the answer means: Slack says why in one word.
fn judge(answer: &Answer) -> Outcome {
    let said = answer.body_start.trim();
    match (answer.status, classify(answer)) {
        (400, Outcome::Doubtful { why }) if ["invalid_payload", "no_text"].contains(&said) => {
            Outcome::refused(why)
        }
        (403 | 404 | 410, Outcome::Blocked { after, why }) => {
            let why = format!("{why}; make a new incoming webhook for the channel");
            Outcome::Blocked { after, why }
        }
        (_, outcome) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_wakes_nobody_and_is_shown_as_it_is() {
        assert_eq!(escape("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
        assert_eq!(escape("*x*").replace('\u{200b}', ""), "*x*");
    }

    #[test]
    fn what_a_person_can_fix_waits_and_a_bad_payload_does_not() {
        assert!(judge(&Answer::of(200, "ok")).is_delivered());
        assert!(matches!(judge(&Answer::of(400, "invalid_payload")), Outcome::Refused { .. }));
        assert!(matches!(judge(&Answer::of(400, "user_not_found")), Outcome::Doubtful { .. }));
        for (status, said) in
            [(403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived")]
        {
            assert!(matches!(judge(&Answer::of(status, said)), Outcome::Blocked { .. }));
        }
        assert!(matches!(judge(&Answer::of(429, "")), Outcome::Retry { .. }));
    }
}
