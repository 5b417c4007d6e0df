//! Clock: the time of day for records, and the passing of time for waits.
//!
//! The only file that reads a clock. A test brings a [`ManualClock`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Nanoseconds since 1970 by the system's clock; 0 before it.
pub(crate) fn unix_ns() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// How the listener and its files know that time has passed.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's monotonic clock.
    #[default]
    System,
    /// A clock that stands still until a test moves it.
    Manual(ManualClock),
}

impl Clock {
    /// A moment that never goes back.
    #[must_use]
    pub fn now(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// The time of day, which may jump.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match self {
            Self::System => SystemTime::now(),
            Self::Manual(clock) => clock.wall(),
        }
    }
}

/// A clock that stands still until it is moved; its clones move with it.
///
/// ```
/// use logwell::testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now() - before, Duration::from_secs(5));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<(Instant, SystemTime)>>);

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), SystemTime::now()))))
    }

    /// The moment it shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The time of day it shows.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.0 += by;
        shown.1 += by;
    }

    /// Sets the time of day, as somebody does with a wrong clock: no time passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = wall;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

/// That moment as RFC 3339 with microseconds.
pub(crate) fn utc_text(unix_ns: u64) -> String {
    let mut text = Vec::new();
    push_utc_second(&mut text, unix_ns / 1_000_000_000);
    let seconds = String::from_utf8_lossy(&text);
    format!("{seconds}{:06}+00:00", unix_ns % 1_000_000_000 / 1_000)
}

/// Appends `2026-02-19T10:30:00.` for that second since 1970.
pub(crate) fn push_utc_second(out: &mut Vec<u8>, unix_s: u64) {
    let second = i64::try_from(unix_s).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let text = second.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.").to_string();
    out.extend_from_slice(text.as_bytes());
}
