//! Limits: how often Telegram may be asked, and when it wants to be left alone.
//!
//! Pure: the time is an argument. Knows chats by their ids. Does not know messages.

use super::quota::Quota;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often messages may be sent: in all, and to each chat. Keeps the pauses that Telegram asks
/// for.
///
/// Telegram's own limits are 30 a second in all and 20 a minute to one group; who passes them is
/// answered 429, and banned in the end. The numbers hold for any second and any minute, wherever it
/// begins, if each answer is reported to them.
///
/// ```
/// use logwell::forward::telegram::SendLimits;
/// use std::time::{Duration, Instant};
///
/// let mut limits = SendLimits::new(30, 20);
/// let now = Instant::now();
/// for _ in 0..20 {
///     assert_eq!(limits.take("-100123", now), Ok(()));
///     limits.answered("-100123", now, now);
/// }
/// assert_eq!(limits.take("-100123", now), Err(Duration::from_secs(60)));
///
/// // "retry_after": 5
/// limits.pause("-100456", now + Duration::from_secs(5));
/// assert_eq!(limits.take("-100456", now), Err(Duration::from_secs(5)));
/// ```
#[derive(Debug)]
pub struct SendLimits {
    all: Quota,
    per_chat_per_minute: u32,
    chats: HashMap<String, Chat>,
}

#[derive(Debug)]
struct Chat {
    quota: Quota,
    paused_until: Option<Instant>,
    used_at: Instant,
}

/// From so many chats on, those that could be written to at once are forgotten: they are as good as
/// new. What remains has been written to within the last minute, or has asked for a pause.
const MANY_CHATS: usize = 256;

impl SendLimits {
    /// So many messages a second in all, and so many a minute to each chat; at least one of each.
    #[must_use]
    pub fn new(per_second: u32, per_chat_per_minute: u32) -> Self {
        Self { all: Quota::new(per_second, SECOND), per_chat_per_minute, chats: HashMap::new() }
    }

    /// Takes leave to send a message to the chat now.
    ///
    /// # Errors
    ///
    /// Not yet: how long until it makes sense to ask again. Nothing was taken.
    pub fn take(&mut self, chat_id: &str, now: Instant) -> Result<(), Duration> {
        let wait = self.ready_at(chat_id, now).saturating_duration_since(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        let chat = self.chat(chat_id, now);
        chat.used_at = now;
        chat.quota.take(now);
        self.all.take(now);
        Ok(())
    }

    /// The message for which leave was taken at that moment was answered now, or given up: the
    /// server may have counted it as late as that.
    pub fn answered(&mut self, chat_id: &str, taken_at: Instant, now: Instant) {
        self.all.took_until(taken_at, now);
        self.chat(chat_id, now).quota.took_until(taken_at, now);
    }

    /// Nothing is to be sent to the chat until then (`retry_after`).
    pub fn pause(&mut self, chat_id: &str, until: Instant) {
        let chat = self.chat(chat_id, until);
        chat.paused_until = chat.paused_until.max(Some(until));
    }

    fn ready_at(&self, chat_id: &str, now: Instant) -> Instant {
        let all = self.all.ready_at(now);
        let chat = self.chats.get(chat_id);
        chat.map_or(all, |chat| {
            all.max(chat.quota.ready_at(now)).max(chat.paused_until.unwrap_or(now))
        })
    }

    fn chat(&mut self, chat_id: &str, now: Instant) -> &mut Chat {
        if self.chats.len() >= MANY_CHATS && !self.chats.contains_key(chat_id) {
            self.chats.retain(|_, chat| !chat.is_idle(now));
        }
        let quota = || Quota::new(self.per_chat_per_minute, MINUTE);
        let new = || Chat { quota: quota(), paused_until: None, used_at: now };
        self.chats.entry(chat_id.to_owned()).or_insert_with(new)
    }
}

impl Chat {
    fn is_idle(&self, now: Instant) -> bool {
        now >= self.used_at + 2 * MINUTE && self.paused_until.is_none_or(|until| until <= now)
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
        assert_eq!((limits.take("a", now), limits.take("a", now)), (Ok(()), Ok(())));
        assert_eq!((limits.take("a", now), limits.take("b", now)), (Err(MINUTE), Ok(())));
        limits.pause("b", now + SECOND);
        limits.pause("b", now);
        assert_eq!((limits.take("b", now), limits.take("c", now)), (Err(SECOND), Ok(())));
        assert_eq!(limits.take("b", now + SECOND), Ok(()));
    }

    #[test]
    fn the_limit_for_all_holds_over_many_chats() {
        let (mut limits, now) = (SendLimits::new(30, 20), Instant::now());
        for chat in 0..30 {
            assert_eq!(limits.take(&chat.to_string(), now), Ok(()));
        }
        assert_eq!(limits.take("new", now), Err(SECOND));
        limits.answered("7", now, now + SECOND);
        for chat in 0..29 {
            assert_eq!(limits.take(&chat.to_string(), now + SECOND), Ok(()));
        }
        assert_eq!(limits.take("new", now + SECOND), Err(SECOND), "one was answered just now");
    }

    #[test]
    fn chats_that_are_idle_are_forgotten_and_those_that_pause_are_not() {
        let (mut limits, mut now) = (SendLimits::new(1_000, 20), Instant::now());
        let long = now + MINUTE * 600;
        limits.pause("paused", long);
        for chat in 0..10_000 {
            now += Duration::from_millis(500);
            assert_eq!(limits.take(&chat.to_string(), now), Ok(()));
            assert!(limits.chats.len() <= MANY_CHATS + 1, "{}", limits.chats.len());
        }
        assert_eq!(limits.take("paused", now), Err(long - now));
    }
}
