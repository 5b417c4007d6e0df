//! Backoff: how long to wait before the next attempt.
//!
//! Pure but for the dice: knows neither clock nor network.

use std::time::Duration;

/// How long to wait after each failure in a row: longer each time, up to a bound, and never the
/// same for all that wait (jitter).
///
/// ```
/// use logwell::forward::Backoff;
/// use std::time::Duration;
///
/// let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(60));
/// let first = backoff.failed();
/// assert!(first >= Duration::from_millis(50) && first <= Duration::from_millis(100));
/// for _ in 0..20 {
///     assert!(backoff.failed() <= Duration::from_secs(60));
/// }
/// backoff.succeeded();
/// assert!(backoff.failed() <= Duration::from_millis(100));
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits `first` after the first failure, twice as long after each further one, and never
    /// longer than `longest`.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// It failed: how long to wait. Between half and the whole of the step, at random.
    pub fn failed(&mut self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let step = self.first.saturating_mul(doubled).min(self.longest);
        step.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// It worked: the next failure is a first one again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many failures there were in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_lies_between_half_and_the_whole_of_its_step() {
        let (first, longest) = (Duration::from_millis(10), Duration::from_secs(1));
        for _ in 0..100 {
            let mut backoff = Backoff::new(first, longest);
            let mut step = first;
            for failures in 1..1_000 {
                let wait = backoff.failed();
                assert!(wait >= step / 2 && wait <= step, "{wait:?} of {step:?}");
                assert_eq!(backoff.failures(), failures);
                step = (step * 2).min(longest);
            }
        }
    }

    #[test]
    fn after_a_success_it_begins_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        (0..10).for_each(|_| _ = backoff.failed());
        backoff.succeeded();
        assert_eq!(backoff.failures(), 0);
        assert!(backoff.failed() <= Duration::from_millis(10));
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::MAX / 2, Duration::from_secs(u64::MAX / 4));
        (0..100).for_each(|_| _ = backoff.failed());
    }
}
