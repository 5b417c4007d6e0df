//! Limits: how often Telegram may be asked, and when it wants to be left alone.
//!
//! Pure: the time is an argument. Knows chats by their ids. Does not know messages.

use crate::forward::bucket::TokenBucket;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often messages may be sent: in all, and to each chat. Keeps the pauses that Telegram asks for.
///
/// Telegram's own limits are 30 a second in all and 20 a minute to one group; who passes them is
/// answered 429, and banned in the end.
///
/// ```
/// use logwell::forward::telegram::SendLimits;
/// use std::time::{Duration, Instant};
///
/// let mut limits = SendLimits::new(30, 20);
/// let now = Instant::now();
/// assert_eq!(limits.room("-100123", now), 20);
/// limits.sent("-100123", now);
/// limits.answered("-100123", now);
/// assert_eq!(limits.room("-100123", now), 19);
///
/// // "retry_after": 5
/// limits.pause("-100123", now + Duration::from_secs(5));
/// assert_eq!(limits.room("-100123", now), 0);
/// assert_eq!(limits.ready_at("-100123", now), now + Duration::from_secs(5));
/// ```
#[derive(Debug)]
pub struct SendLimits {
    all: TokenBucket,
    per_chat_per_minute: u32,
    chats: HashMap<String, Chat>,
}

#[derive(Debug)]
struct Chat {
    bucket: TokenBucket,
    paused_until: Option<Instant>,
}

/// From so many chats on, those that could be written to at once are forgotten: they are as good as
/// new. What remains has been written to within the last minute, or has asked for a pause.
const MANY_CHATS: usize = 256;

impl SendLimits {
    /// So many messages a second in all, and so many a minute to each chat; at least one of each.
    #[must_use]
    pub fn new(per_second: u32, per_chat_per_minute: u32) -> Self {
        let all = TokenBucket::new(per_second, SECOND);
        Self { all, per_chat_per_minute, chats: HashMap::new() }
    }

    /// How many messages may be sent to the chat now.
    #[must_use]
    pub fn room(&self, chat_id: &str, now: Instant) -> usize {
        match self.chats.get(chat_id) {
            Some(chat) if chat.paused_until.is_some_and(|until| now < until) => 0,
            Some(chat) => self.all.tokens(now).min(chat.bucket.tokens(now)),
            None => self.all.tokens(now).min(self.new_chat().bucket.tokens(now)),
        }
    }

    /// From when on a message may be sent to the chat: `now` if it may be at once.
    #[must_use]
    pub fn ready_at(&self, chat_id: &str, now: Instant) -> Instant {
        let all = self.all.ready_at(now);
        match self.chats.get(chat_id) {
            Some(chat) => {
                all.max(chat.bucket.ready_at(now)).max(chat.paused_until.unwrap_or(now))
            }
            None => all,
        }
    }

    /// A message is being sent to the chat.
    pub fn sent(&mut self, chat_id: &str, now: Instant) {
        self.all.take(now);
        if self.chats.len() >= MANY_CHATS {
            self.chats.retain(|_, chat| !chat.is_idle(now));
        }
        let chat = self.new_chat();
        self.chats.entry(chat_id.to_owned()).or_insert(chat).bucket.take(now);
    }

    /// The message sent last was answered, or given up: the server may have counted it until now.
    pub fn answered(&mut self, chat_id: &str, now: Instant) {
        self.all.used_until(now);
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.bucket.used_until(now);
        }
    }

    /// Nothing is to be sent to the chat until then (`retry_after`).
    pub fn pause(&mut self, chat_id: &str, until: Instant) {
        let chat = self.new_chat();
        let chat = self.chats.entry(chat_id.to_owned()).or_insert(chat);
        chat.paused_until = chat.paused_until.max(Some(until));
    }

    fn new_chat(&self) -> Chat {
        Chat { bucket: TokenBucket::new(self.per_chat_per_minute, MINUTE), paused_until: None }
    }
}

impl Chat {
    fn is_idle(&self, now: Instant) -> bool {
        self.bucket.is_full(now) && self.paused_until.is_none_or(|until| until <= now)
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_that_is_full_or_paused_holds_up_no_other() {
        let (mut limits, now) = (SendLimits::new(30, 2), Instant::now());
        limits.sent("a", now);
        limits.sent("a", now);
        assert_eq!((limits.room("a", now), limits.room("b", now)), (0, 2));
        assert_eq!(limits.ready_at("a", now), now + MINUTE);
        limits.pause("b", now + SECOND);
        limits.pause("b", now);
        assert_eq!(limits.room("b", now), 0);
        assert_eq!((limits.room("b", now + SECOND), limits.room("c", now)), (2, 2));
    }

    #[test]
    fn the_limit_for_all_holds_over_many_chats() {
        let (mut limits, now) = (SendLimits::new(30, 20), Instant::now());
        for chat in 0..30 {
            assert!(limits.room(&chat.to_string(), now) > 0);
            limits.sent(&chat.to_string(), now);
        }
        assert_eq!(limits.room("new", now), 0);
        assert_eq!(limits.ready_at("new", now), now + SECOND);
    }

    #[test]
    fn chats_that_are_idle_are_forgotten_and_those_that_pause_are_not() {
        let (mut limits, mut now) = (SendLimits::new(1_000, 20), Instant::now());
        let long = now + MINUTE * 60;
        limits.pause("paused", long);
        for chat in 0..10_000 {
            now += Duration::from_millis(500);
            limits.sent(&chat.to_string(), now);
            assert!(limits.chats.len() <= MANY_CHATS + 1, "{}", limits.chats.len());
        }
        assert_eq!(limits.ready_at("paused", now), long.max(now));
    }
}
