//! Telegram: sends failures and news to groups of people.
//!
//! ```text
//! record → entry ═ spool ═ entry → alert → group of its kind → text that fits → within the limits → chat
//!          entry/          alert.rs   digest/    layout/ sanitize.rs   composer/ direct.rs   client.rs
//! ```
//!
//! A group is a chat that a bot writes to: ask @BotFather for a bot, add it to the group, and write
//! its token and the group's id into the section `forward.telegram`. [`check`](super::check())
//! sends a test message to each.
//!
//! - **The first failure of a kind is sent at once.** Repetitions are collected for `digest_every`
//!   and sent as one message ("×173 in 5 min"); after an equally long quiet period a final message
//!   closes the incident. Failures are of one kind if they have the same level and source location,
//!   and their messages differ only in numbers, ids and quoted text.
//! - **News is sent one by one**: the records of `info_ctg!` and of levels below Error.
//! - **Telegram's limits hold**: 20 messages to a group in any minute and 30 in any second. A
//!   quarter may go at once, the rest is spread over the minute. If more than five kinds are due at
//!   once, or more than the limits allow, twenty share a message, the most severe and most frequent
//!   first. Kinds above 300 are sent as one. `retry_after` is obeyed.
//! - **A text always fits**: at most 4096 UTF-16 units. It is plain text; deceptive
//!   characters are escaped, such as `\u{202e}`, and a line from inside a record begins with `│ `.
//! - **In `quiet_hours` messages come without a sound**, but for those of CRITICAL.
//! - **A kill loses nothing**: unsent messages wait in the spool. Messages sent shortly before the
//!   kill may be sent again.
//!
//! Public is what a worker behind a broker needs: [`TelegramMessage`], [`TelegramClient`],
//! [`SendLimits`] and [`fit()`]. This file makes destinations of the configuration.

mod alert;
mod client;
mod composer;
mod digest;
mod direct;
mod entry;
mod layout;
mod limits;
mod message;
mod quota;
mod sanitize;

#[cfg(test)]
mod tests;

pub use client::{TELEGRAM_URL, TelegramClient};
pub use limits::SendLimits;
pub use message::{Audience, TelegramMessage};
pub use sanitize::{MAX_TEXT_UNITS, fit, text_units};

use super::destination::{Destination, Notice, Render};
use super::http::{HttpClient, HttpOptions};
use crate::base::error::Error;
use crate::encode::options::ServiceConfig;
use crate::forward::ForwardSetup;
use crate::forward::options::TelegramGroup;
use composer::{Composer, ComposerOptions};
use direct::Direct;
use layout::Header;
use logwell_options::secret::SecretUrl;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The names of the groups' destinations.
pub(super) const DEVELOPER: &str = "telegram_developer";
pub(super) const CUSTOMER: &str = "telegram_customer";

/// The names of the destinations that the configuration asks for.
pub(super) fn names(config: &ForwardSetup<'_>) -> impl Iterator<Item = &'static str> {
    groups(config).map(|(audience, _)| name(audience))
}

/// A destination for each group that is configured; none if Telegram is not enabled.
///
/// # Errors
///
/// The HTTP client cannot be made: see [`HttpClient::new`].
pub(super) fn destinations(
    config: &ForwardSetup<'_>,
    service: &ServiceConfig,
) -> Result<Vec<Destination>, Error> {
    let telegram = &config.forward.telegram;
    let limits = SendLimits::new(telegram.per_second, telegram.per_chat_per_minute);
    let limits = Arc::new(Mutex::new(limits));
    let destination = |(audience, group): (Audience, &TelegramGroup)| {
        let direct = Direct::new(client(config)?, group.token.clone(), Arc::clone(&limits));
        let options = desk_options(config, service, (audience, group));
        let hidden = options.token.clone().unwrap_or_default();
        let desk = Composer::new(options, Instant::now());
        Ok(Destination {
            name: name(audience),
            address: SecretUrl::new(telegram.base_url.as_str()).to_string(),
            min_level: telegram.min_level,
            render: Box::new(Entries),
            compose: Box::new(desk),
            transport: Box::new(direct),
            hidden,
            // What comes while a message is on its way can be sent together with what waits.
            at_once: 1,
            max_bytes: telegram.max_bytes,
            max_age: telegram.max_age,
        })
    };
    groups(config).map(destination).collect()
}

/// The groups that receive messages.
fn groups<'a>(
    config: &ForwardSetup<'a>,
) -> impl Iterator<Item = (Audience, &'a TelegramGroup)> + use<'a> {
    let telegram = &config.forward.telegram;
    let all =
        [(Audience::Developer, &telegram.developer), (Audience::Customer, &telegram.customer)];
    all.into_iter().filter(|(_, group)| telegram.enabled && !group.chat_id.is_empty())
}

const fn name(audience: Audience) -> &'static str {
    match audience {
        Audience::Developer => DEVELOPER,
        Audience::Customer => CUSTOMER,
    }
}

/// A client with its own connections: a shutdown is final.
fn client(config: &ForwardSetup<'_>) -> Result<TelegramClient, Error> {
    let telegram = &config.forward.telegram;
    let http = HttpClient::new(&HttpOptions {
        connect_timeout: telegram.connect_timeout,
        timeout: telegram.timeout,
        ..HttpOptions::from_config(&config.forward.http)
    })?;
    Ok(TelegramClient::new(http, &telegram.base_url))
}

fn desk_options(
    config: &ForwardSetup<'_>,
    service: &ServiceConfig,
    (audience, group): (Audience, &TelegramGroup),
) -> ComposerOptions {
    let telegram = &config.forward.telegram;
    ComposerOptions {
        audience,
        chat_id: group.chat_id.clone(),
        token: telegram.token_in_messages.then(|| group.token.clone()),
        header: Header {
            who: [service.name.clone(), service.domain.clone()],
            has_place: audience == Audience::Developer,
        },
        per_minute: telegram.per_chat_per_minute,
        digest_every: telegram.digest_every,
        quiet_hours: telegram.quiet_hours,
        zone: config.forward.zone,
        unix_ms: || crate::base::clock::unix_ns() / 1_000_000,
    }
}

/// Makes the entries of both groups.
struct Entries;

impl Render for Entries {
    fn render(&mut self, notice: &Notice<'_>, out: &mut Vec<u8>) {
        entry::write(notice, out);
    }
}
