//! Rates: how much a sender may send, and how often somebody may fail to log in.
//!
//! Token buckets, by name. Knows neither HTTP nor records. The number of buckets is bounded.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Records per second and token.
#[derive(Debug)]
pub struct Rates {
    /// `None` is no limit.
    per_second: Option<u32>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// Failed log-ins by address. Who has a token that is known is never held up.
#[derive(Debug, Default)]
pub struct Failures {
    buckets: Mutex<HashMap<Option<IpAddr>, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Below zero it is in debt: a request that is larger than the bucket passes once it is full.
    level: f64,
    at: Instant,
}

/// A bucket holds what comes in in so many seconds.
const BURST_S: f64 = 5.0;
/// Failures that an address may have at once, and per second.
const FAILURES: f64 = 20.0;
const FAILURES_PER_SECOND: f64 = 1.0;
/// Buckets at most; those that are full are forgotten.
const MAX_BUCKETS: usize = 10_000;

impl Rates {
    /// Rates of so many records per second and token.
    #[must_use]
    pub fn new(per_second: Option<u32>) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes so many records of a sender's bucket.
    ///
    /// # Errors
    ///
    /// The bucket is empty: after so many seconds it will not be.
    pub fn allow(&self, sender: &str, records: usize) -> Result<(), u64> {
        let Some(per_second) = self.per_second.map(f64::from) else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = per_second * BURST_S;
        let bucket = bucket(&mut buckets, sender.to_owned(), (full, per_second));
        if bucket.level <= 0.0 {
            let seconds = (1.0 - bucket.level) / per_second;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bounded"
            )]
            return Err(seconds.ceil().clamp(1.0, 3600.0) as u64);
        }
        #[expect(clippy::cast_precision_loss, reason = "records of one request")]
        let taken = records as f64;
        bucket.level -= taken;
        Ok(())
    }
}

impl Failures {
    /// Counts a failure of an address; whether it may still be answered as usual.
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = bucket(&mut buckets, address, (FAILURES, FAILURES_PER_SECOND));
        let allowed = bucket.level >= 1.0;
        if allowed {
            bucket.level -= 1.0;
        }
        allowed
    }
}

fn bucket<K: std::hash::Hash + Eq>(
    buckets: &mut HashMap<K, Bucket>,
    key: K,
    (full, per_second): (f64, f64),
) -> &mut Bucket {
    let now = Instant::now();
    let filled = |bucket: &Bucket| {
        let seconds = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.level + seconds * per_second).min(full)
    };
    if buckets.len() >= MAX_BUCKETS {
        buckets.retain(|_, bucket| filled(bucket) < full);
        if buckets.len() >= MAX_BUCKETS {
            buckets.clear();
        }
    }
    let bucket = buckets.entry(key).or_insert(Bucket { level: full, at: now });
    *bucket = Bucket { level: filled(bucket), at: now };
    bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_that_sends_too_much_waits_and_others_do_not() {
        let rates = Rates::new(Some(10));
        assert_eq!(rates.allow("a", 1000), Ok(()), "one request may be larger than the bucket");
        assert!(matches!(rates.allow("a", 1), Err(seconds) if (90..=100).contains(&seconds)));
        assert_eq!(rates.allow("b", 1), Ok(()));
        assert_eq!(Rates::new(None).allow("a", 1_000_000), Ok(()));
    }

    #[test]
    fn failures_are_bounded_by_address() {
        let failures = Failures::default();
        let allowed = (0..100).filter(|_| failures.allow(None)).count();
        assert!((20..30).contains(&allowed));
        assert!(failures.allow(Some(IpAddr::from([127, 0, 0, 1]))));
    }
}
