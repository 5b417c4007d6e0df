//! Limits: how fast messages may go to Telegram: in all, and to one chat. Pure: told the time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use logwell::forward::TokenBucket;

use crate::settings::Telegram;

/// What Telegram allows this worker. Several workers on one queue share what the bot may do: divide
/// the numbers among them.
#[derive(Debug)]
pub(crate) struct Limits {
    all: TokenBucket,
    per_chat: u32,
    chats: HashMap<String, TokenBucket>,
}

impl Limits {
    /// As the settings say.
    pub(crate) fn new(telegram: &Telegram, now: Instant) -> Self {
        let all = TokenBucket::new(telegram.per_second, SECOND, now);
        Self { all, per_chat: telegram.per_chat_per_minute, chats: HashMap::new() }
    }

    /// Takes leave to send to that chat.
    ///
    /// # Errors
    ///
    /// Not yet: how long until it makes sense to ask again. Nothing was taken.
    pub(crate) fn take(&mut self, chat_id: &str, now: Instant) -> Result<(), Duration> {
        if self.chats.len() >= MAX_CHATS && !self.chats.contains_key(chat_id) {
            // A chat that may be sent a whole burst again needs no bucket.
            self.chats.retain(|_, bucket| !is_full(bucket, self.per_chat, now));
            if self.chats.len() >= MAX_CHATS {
                return Err(SECOND);
            }
        }
        let new = || TokenBucket::new(self.per_chat, MINUTE, now);
        let chat = self.chats.entry(chat_id.to_owned()).or_insert_with(new);
        chat.take(now)?;
        self.all.take(now).inspect_err(|_| chat.give_back())
    }
}

/// Whether a whole burst could be taken now.
fn is_full(bucket: &TokenBucket, capacity: u32, now: Instant) -> bool {
    let mut probe = bucket.clone();
    (0..capacity).all(|_| probe.take(now).is_ok())
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// More chats than this are not told apart within a minute.
const MAX_CHATS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: u32, per_chat_per_minute: u32, now: Instant) -> Limits {
        Limits::new(&Telegram { per_second, per_chat_per_minute, ..Telegram::default() }, now)
    }

    #[test]
    fn one_chat_gets_twenty_a_minute_and_others_are_not_held_up() {
        let now = Instant::now();
        let mut limits = limits(30, 20, now);
        for _ in 0..20 {
            assert_eq!(limits.take("a", now), Ok(()));
        }
        assert_eq!(limits.take("a", now), Err(Duration::from_secs(3)));
        for _ in 0..10 {
            assert_eq!(limits.take("b", now), Ok(()));
        }
        // Thirty a second in all; the chat's own share is not used up by that.
        assert!(limits.take("b", now).unwrap_err() <= Duration::from_millis(34));
        assert_eq!(limits.take("b", now + SECOND), Ok(()));
    }

    #[test]
    fn chats_without_end_do_not_fill_the_memory() {
        let now = Instant::now();
        let mut limits = limits(u32::MAX, 20, now);
        for chat in 0..MAX_CHATS {
            assert_eq!(limits.take(&chat.to_string(), now), Ok(()));
        }
        assert_eq!(limits.take("one more", now), Err(SECOND));
        assert_eq!(limits.take("one more", now + MINUTE), Ok(()));
        assert_eq!(limits.chats.len(), 1);
    }
}
