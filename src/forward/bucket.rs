//! TokenBucket: how many messages may go in a given time.
//!
//! Pure: the caller passes the time.

use std::time::{Duration, Instant};

/// Lets so many through in each period, evenly, after a burst of as many.
///
/// ```
/// use logwell::forward::TokenBucket;
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let mut bucket = TokenBucket::new(2, Duration::from_secs(60), start);
/// assert_eq!(bucket.take(start), Ok(()));
/// assert_eq!(bucket.take(start), Ok(()));
/// assert_eq!(bucket.take(start), Err(Duration::from_secs(30)));
/// assert_eq!(bucket.take(start + Duration::from_secs(30)), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct TokenBucket {
    capacity: u32,
    period: Duration,
    /// How much of `period × capacity` is filled: one token is one `period`.
    filled: Duration,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket: `capacity` at once, and `capacity` in each `period` after that. A capacity
    /// of 0 counts as 1.
    #[must_use]
    pub fn new(capacity: u32, period: Duration, now: Instant) -> Self {
        let capacity = capacity.max(1);
        Self { capacity, period, filled: period.saturating_mul(capacity), at: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// There is none: how long it takes until there is one. Nothing was taken.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        match self.filled.checked_sub(self.period) {
            Some(left) => {
                self.filled = left;
                Ok(())
            }
            None => Err(self.wait()),
        }
    }

    /// Gives back a token that was taken for nothing.
    pub fn give_back(&mut self) {
        let full = self.period.saturating_mul(self.capacity);
        self.filled = self.filled.saturating_add(self.period).min(full);
    }

    /// Empties it: the other side says that it was too much.
    pub fn drain(&mut self, now: Instant) {
        self.fill(now);
        self.filled = Duration::ZERO;
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        self.at = self.at.max(now);
        let full = self.period.saturating_mul(self.capacity);
        self.filled = self.filled.saturating_add(passed.saturating_mul(self.capacity)).min(full);
    }

    fn wait(&self) -> Duration {
        let missing = self.period.saturating_sub(self.filled);
        // Rounded up, so that who waits so long gets it.
        let capacity = u128::from(self.capacity);
        let nanos = missing.as_nanos().div_ceil(capacity);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_as_long_as_told_gets_a_token_and_not_before() {
        for capacity in [1_u32, 3, 7, 20, 30] {
            let start = Instant::now();
            let mut bucket = TokenBucket::new(capacity, Duration::from_secs(60), start);
            let mut now = start;
            for taken in 0..200 {
                match bucket.take(now) {
                    Ok(()) => assert!(taken < capacity || now > start),
                    Err(wait) => {
                        assert!(wait > Duration::ZERO);
                        let just_before = now + wait - Duration::from_nanos(1);
                        assert!(bucket.clone().take(just_before).is_err());
                        now += wait;
                        assert_eq!(bucket.take(now), Ok(()));
                    }
                }
            }
        }
    }

    #[test]
    fn in_no_period_after_the_burst_is_more_let_through() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(20, Duration::from_secs(60), start);
        let mut taken = 0;
        for tenth in 0..6_000 {
            if bucket.take(start + Duration::from_millis(100 * tenth)).is_ok() {
                taken += 1;
            }
        }
        // Ten minutes, and the burst.
        assert!((219..=220).contains(&taken), "{taken}");
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut bucket = TokenBucket::new(1, Duration::from_secs(1), start);
        assert!(bucket.take(start).is_ok());
        assert!(bucket.take(start).is_err());
        assert!(bucket.take(start - Duration::from_secs(5)).is_err());
        assert!(bucket.take(start + Duration::from_secs(1)).is_ok());
        bucket.give_back();
        assert!(bucket.take(start + Duration::from_secs(1)).is_ok());
        bucket.give_back();
        bucket.drain(start + Duration::from_secs(1));
        assert!(bucket.take(start + Duration::from_secs(1)).is_err());
    }
}
