//! Bucket: how often something may be done.
//!
//! Pure: the time is an argument. Knows neither requests nor chats.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A number of tokens, each of which comes back a fixed time after its use.
///
/// So in any span of that length, wherever it begins, no more is done than there are tokens. (A
/// bucket that is refilled steadily allows nearly twice its size in the worst span.)
///
/// ```
/// use logwell::forward::TokenBucket;
/// use std::time::{Duration, Instant};
///
/// let mut bucket = TokenBucket::new(2, Duration::from_secs(60));
/// let start = Instant::now();
/// assert!(bucket.take(start) && bucket.take(start));
/// assert!(!bucket.take(start));
/// assert_eq!(bucket.ready_at(start), start + Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct TokenBucket {
    size: usize,
    back_after: Duration,
    /// When each token that is out was used, oldest first; not more than `size`.
    used: VecDeque<Instant>,
}

impl TokenBucket {
    /// A full bucket of `size` tokens, at least one, each of which is back `back_after` its use.
    #[must_use]
    pub fn new(size: usize, back_after: Duration) -> Self {
        Self { size: size.max(1), back_after, used: VecDeque::new() }
    }

    /// How many tokens there are at that moment.
    #[must_use]
    pub fn tokens(&self, now: Instant) -> usize {
        let out = self.used.iter().filter(|&&used| self.is_out(used, now)).count();
        self.size.saturating_sub(out)
    }

    /// From when on there is a token: `now` if there is one.
    #[must_use]
    pub fn ready_at(&self, now: Instant) -> Instant {
        match self.used.front() {
            Some(&oldest) if self.used.len() >= self.size => now.max(oldest + self.back_after),
            _ => now,
        }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        while self.used.front().is_some_and(|&used| !self.is_out(used, now)) {
            self.used.pop_front();
        }
        let is_there = self.used.len() < self.size;
        if is_there {
            self.used.push_back(now);
        }
        is_there
    }

    /// The token taken last was in use until now: its time begins only here.
    ///
    /// A server counts a request when it arrives, at some moment between sending and its answer. Told
    /// of the answer, the bucket holds on the server's clock too, however slow the road was.
    pub fn used_until(&mut self, now: Instant) {
        if let Some(last) = self.used.back_mut() {
            *last = now.max(*last);
        }
    }

    fn is_out(&self, used: Instant, now: Instant) -> bool {
        now < used + self.back_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_token_is_back_when_its_time_is_over_and_not_a_moment_sooner() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(1, MINUTE);
        assert_eq!(bucket.ready_at(start), start);
        assert!(bucket.take(start));
        assert_eq!(bucket.ready_at(start), start + MINUTE);
        assert!(!bucket.take(start + MINUTE - Duration::from_nanos(1)));
        assert_eq!(bucket.tokens(start + MINUTE), 1);
        assert!(bucket.take(start + MINUTE));
    }

    #[test]
    fn a_slow_answer_begins_the_time_of_its_token() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(1, MINUTE);
        assert!(bucket.take(start));
        bucket.used_until(start + Duration::from_secs(9));
        assert!(!bucket.take(start + MINUTE));
        assert_eq!(bucket.ready_at(start + MINUTE), start + MINUTE + Duration::from_secs(9));
    }

    proptest! {
        /// Steps in ms between attempts, and how long each answer takes.
        #[test]
        fn no_span_of_its_length_ever_holds_more_than_its_size(
            size in 1..6_usize,
            steps in prop::collection::vec((0..400_u64, 0..50_u64), 1..200),
        ) {
            let length = Duration::from_millis(1_000);
            let mut bucket = TokenBucket::new(size, length);
            let mut now = Instant::now();
            let mut done = Vec::new();
            for (step, answer) in steps {
                now += Duration::from_millis(step);
                let (tokens, ready) = (bucket.tokens(now), bucket.ready_at(now));
                let taken = bucket.take(now);
                prop_assert_eq!(taken, tokens > 0);
                prop_assert_eq!(taken, ready == now);
                if taken {
                    now += Duration::from_millis(answer);
                    bucket.used_until(now);
                    done.push(now);
                }
            }
            for (first, &at) in done.iter().enumerate() {
                let within = done[first..].iter().take_while(|&&other| other < at + length).count();
                prop_assert!(within <= size, "{} in one span", within);
            }
        }
    }
}
