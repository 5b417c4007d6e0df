//! Composer: makes messages for one group of people, between its spool and the transport.
//!
//! Knows entries, groups of alerts, texts and the pace. Does not know the spool, nor the transport:
//! the forwarder delivers the messages. The time is an argument.

use super::alert::Alert;
use super::entry;
use super::layout::{self, Header};
use super::message::{Audience, TelegramMessage};
use crate::base::zone::TimeZone;
use crate::encode::stamp::Stamp;
use crate::forward::TokenBucket;
use crate::forward::destination::{Compose, Taken};
use crate::forward::hours::Hours;
use crate::forward::message::Message;
use crate::forward::telegram::digest::{Digests, Draft, MAX_APART};
use crate::record::level::Level;
use logwell_options::secret::Secret;
use std::time::{Duration, Instant};

/// How a [`Composer`] works.
#[derive(Debug, Clone)]
pub(super) struct ComposerOptions {
    pub(super) audience: Audience,
    pub(super) chat_id: String,
    /// The bot's token, if it is to travel in the messages.
    pub(super) token: Option<Secret>,
    pub(super) header: Header,
    pub(super) per_minute: u32,
    /// How long the repetitions of a kind are collected.
    pub(super) digest_every: Duration,
    pub(super) quiet_hours: Option<Hours>,
    pub(super) zone: TimeZone,
    /// The time of day, in milliseconds since 1970.
    pub(super) unix_ms: fn() -> u64,
}

/// Where the alerts for one group of people become messages.
#[derive(Debug)]
pub(super) struct Composer {
    options: ComposerOptions,
    groups: Digests,
    pace: TokenBucket,
    stamp: Stamp,
}

impl Composer {
    pub(super) fn new(options: ComposerOptions, now: Instant) -> Self {
        Self {
            groups: Digests::new(options.digest_every),
            pace: pace(options.per_minute, now),
            stamp: Stamp::new(options.zone),
            options,
        }
    }

    fn message(&mut self, draft: &Draft) -> Message {
        let Self { options, stamp, .. } = self;
        let alerts = || draft.told().iter().map(|told| &told.alert);
        let latest_ms = alerts().map(|alert| alert.unix_ms).max().unwrap_or_default();
        let is_critical = alerts().any(|alert| alert.level == Level::Critical);
        let message = TelegramMessage {
            audience: options.audience,
            chat_id: options.chat_id.clone(),
            text: layout::text(draft, &options.header, stamp),
            timestamp: second(latest_ms, stamp),
            hash: draft.id(),
            is_silent: self.is_quiet() && !is_critical,
            token: self.options.token.clone(),
        };
        Message {
            // Developers and customer may be told of one record, by way of one queue: two messages.
            id: format!("{}-{}", message.hash, message.audience),
            body: message.to_json(),
            records: draft.records(),
            from: draft.first_id(),
        }
    }

    /// How many messages may go now, as far as it matters.
    fn room(&self, now: Instant) -> usize {
        let mut pace = self.pace.clone();
        (0..MAX_APART).take_while(|_| pace.take(now).is_ok()).count()
    }

    fn is_quiet(&self) -> bool {
        let minute = || self.stamp.minute_of_day((self.options.unix_ms)());
        self.options.quiet_hours.is_some_and(|hours| hours.contains(minute()))
    }
}

/// A pace that never passes so many in a minute, and leaves some of them for what comes next: a
/// quarter may go at once, the others spread over the minute. A sender that spends all at once has
/// nothing left for what is worse for the rest of the minute.
fn pace(per_minute: u32, now: Instant) -> TokenBucket {
    let at_once = (per_minute / 4).max(1);
    let spread = per_minute.saturating_sub(at_once) + 1;
    TokenBucket::new(at_once, Duration::from_secs(60) * at_once / spread, now)
}

/// `2026-02-19 10:30:00`
fn second(unix_ms: u64, stamp: &mut Stamp) -> String {
    let mut text = Vec::new();
    stamp.write_second(unix_ms.saturating_mul(1_000_000), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

impl Compose for Composer {
    fn take(&mut self, taken: Taken<'_>, now: Instant) {
        let alert = entry::read(taken.bytes).unwrap_or_else(|| Alert::unreadable(&taken));
        self.groups.take(taken.id, alert, now);
    }

    /// At most one: what comes while it is on its way can be sent together.
    fn ready(&mut self, now: Instant) -> Vec<Message> {
        let draft = self.groups.next(now, self.room(now));
        let Some(draft) = draft else { return Vec::new() };
        // There is room, as was seen above.
        let _taken = self.pace.take(now);
        vec![self.message(&draft)]
    }

    fn due(&self) -> Option<Instant> {
        let at = self.groups.due_at()?;
        let wait = self.pace.clone().take(at).err().unwrap_or_default();
        Some(at + wait)
    }

    fn held_from(&self) -> Option<u64> {
        self.groups.oldest_id()
    }

    fn finish(&mut self) {
        self.groups.close();
    }
}

#[cfg(test)]
pub(super) mod tests;
