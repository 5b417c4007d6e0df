//! Quota: a sliding-window rate limiter: at most so many in any period of a given length.
//!
//! Pure: the time is an argument. Knows neither requests nor chats.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// At most so many in any span of that length, wherever it begins.
///
/// A bucket whose tokens each come back a fixed time after their use. One that is refilled steadily
/// would let nearly twice its size through in the worst span, and be answered 429.
#[derive(Debug, Clone)]
pub(super) struct Quota {
    size: usize,
    span: Duration,
    /// When each token that is out was used, oldest first; not more than `size`.
    used: VecDeque<Instant>,
}

impl Quota {
    /// `size` in any `span`, at least one.
    pub(super) fn new(size: u32, span: Duration) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
        Self { size, span, used: VecDeque::new() }
    }

    /// From when on there may be one more: `now` if there may.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        match self.used.front() {
            Some(&oldest) if self.used.len() >= self.size => now.max(oldest + self.span),
            _ => now,
        }
    }

    /// Takes one, if there may be one more.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.used.front().is_some_and(|&used| !self.is_out(used, now)) {
            self.used.pop_front();
        }
        let is_there = self.used.len() < self.size;
        if is_there {
            self.used.push_back(now);
        }
        is_there
    }

    /// The one taken at that moment took until now: its span begins only here.
    ///
    /// A server counts a request when it arrives, at some moment between sending and answer. Told
    /// of the answer, the quota holds on the server's clock too, however slow the road was.
    pub(super) fn took_until(&mut self, taken_at: Instant, now: Instant) {
        if let Some(at) = self.used.iter().position(|&used| used == taken_at) {
            self.used.remove(at);
            let place = self.used.partition_point(|&used| used <= now);
            self.used.insert(place, now);
        }
    }

    fn is_out(&self, used: Instant, now: Instant) -> bool {
        now < used + self.span
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
        let mut quota = Quota::new(1, MINUTE);
        assert_eq!(quota.ready_at(start), start);
        assert!(quota.take(start));
        assert_eq!(quota.ready_at(start), start + MINUTE);
        assert!(!quota.take(start + MINUTE - Duration::from_nanos(1)));
        assert_eq!(quota.ready_at(start + MINUTE), start + MINUTE);
        assert!(quota.take(start + MINUTE));
    }

    #[test]
    fn a_slow_answer_begins_the_time_of_its_token() {
        let start = Instant::now();
        let late = start + Duration::from_secs(9);
        let mut quota = Quota::new(2, MINUTE);
        assert!(quota.take(start) && quota.take(start + Duration::from_secs(1)));
        quota.took_until(start, late);
        assert_eq!(quota.ready_at(late), start + Duration::from_secs(1) + MINUTE);
        assert!(quota.take(start + Duration::from_secs(61)));
        assert!(!quota.take(start + Duration::from_secs(62)));
        assert_eq!(quota.ready_at(late), late + MINUTE);
    }

    proptest! {
        /// Steps in ms between attempts, and how long each answer takes.
        #[test]
        fn no_span_of_its_length_ever_holds_more_than_its_size(
            size in 1..6_u32,
            steps in prop::collection::vec((0..400_u64, 0..50_u64), 1..200),
        ) {
            let span = Duration::from_millis(1_000);
            let mut quota = Quota::new(size, span);
            let mut now = Instant::now();
            let mut done = Vec::new();
            for (step, answer) in steps {
                now += Duration::from_millis(step);
                let ready = quota.ready_at(now);
                let taken = quota.take(now);
                prop_assert_eq!(taken, ready == now);
                if taken {
                    let sent = now;
                    now += Duration::from_millis(answer);
                    quota.took_until(sent, now);
                    done.push(now);
                }
            }
            for (first, &at) in done.iter().enumerate() {
                let within = done[first..].iter().take_while(|&&other| other < at + span).count();
                prop_assert!(within <= size as usize, "{} in one span", within);
            }
        }
    }
}
