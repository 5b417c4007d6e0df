//! Clock: the time of day for records, and the passing of time for waits.
//!
//! Reads the clock for records and sinks. Waits that are bounded for a caller (the queue, the
//! console, a file lock) and the time a sync takes are measured where they are. A test brings a
//! [`ManualClock`].

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Nanoseconds since 1970 by the system's clock; 0 before it.
pub(crate) fn unix_ns() -> u64 {
    #[cfg(test)]
    if let Some(unix_ns) = crate::simulation::unix_ns() {
        return unix_ns;
    }
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// The processor's counter, or a monotonic clock where there is no steady one.
static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

/// A reading of the processor's counter: half the price of the time of day, which
/// [`TimeOfDay`] makes of it.
#[inline]
pub(crate) fn ticks() -> u64 {
    #[cfg(test)]
    if crate::simulation::is_on() {
        return 0; // what a record waits is not simulated
    }
    COUNTER.raw()
}

/// How long so many ticks of the counter are.
pub(crate) fn ns_of_ticks(ticks: u64) -> u64 {
    COUNTER.delta_as_nanos(0, ticks)
}

/// Makes times of day of [`ticks`], as seen from one moment at which both were read.
///
/// The counter's rate is known to about a hundred-thousandth: a time a millisecond away from that
/// moment is exact to some nanoseconds, and one that waited a second for a stuck disk to some ten
/// microseconds. When the clock is set, what comes from before has the time that it would have had
/// by the new setting.
#[derive(Debug)]
pub(crate) struct TimeOfDay {
    ticks: u64,
    unix_ns: u64,
}

impl TimeOfDay {
    /// As seen from now.
    pub(crate) fn now() -> Self {
        Self { ticks: ticks(), unix_ns: unix_ns() }
    }

    /// Where the counter stood at that moment.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The time of day at that moment, in nanoseconds since 1970.
    pub(crate) fn unix_ns(&self) -> u64 {
        self.unix_ns
    }

    /// Nanoseconds since 1970 when the counter stood there.
    pub(crate) fn unix_ns_at(&self, ticks: u64) -> u64 {
        if ticks <= self.ticks {
            self.unix_ns.saturating_sub(COUNTER.delta_as_nanos(ticks, self.ticks))
        } else {
            self.unix_ns.saturating_add(COUNTER.delta_as_nanos(self.ticks, ticks))
        }
    }
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

    /// Milliseconds since 1970; what is shown to people or must outlive the process.
    #[cfg(feature = "forward")]
    pub(crate) fn unix_ms(&self) -> u64 {
        let since_epoch = self.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
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
pub struct ManualClock(Arc<Mutex<Readings>>);

#[derive(Debug, Clone, Copy)]
struct Readings {
    now: Instant,
    wall: SystemTime,
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Readings { now: Instant::now(), wall: SystemTime::now() })))
    }

    /// The moment it shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.hands().now
    }

    /// The time of day it shows.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.hands().wall
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now += by;
        hands.wall += by;
    }

    /// Sets the time of day, as an administrator or NTP does; no time passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.hands().wall = wall;
    }

    /// The same in milliseconds since 1970.
    #[cfg(all(test, feature = "forward"))]
    pub(crate) fn set_unix_ms(&self, unix_ms: u64) {
        self.set_wall(SystemTime::UNIX_EPOCH + Duration::from_millis(unix_ms));
    }

    fn hands(&self) -> MutexGuard<'_, Readings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A moment in UTC as mails have it: `Thu, 19 Feb 2026 10:30:00 +0000`.
#[cfg(feature = "forward")]
pub(crate) fn mail_date(unix_ns: u64) -> String {
    let second = i64::try_from(unix_ns / 1_000_000_000).unwrap_or_default();
    let moment = jiff::Timestamp::from_second(second).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Microseconds since 1970 at the moment that a text in RFC 3339 names.
pub(crate) fn unix_us_of(text: &str) -> Option<u64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_microsecond()).ok()
}

/// Appends `2026-02-19T10:30:00.` for that second since 1970.
pub(crate) fn push_utc_second(out: &mut Vec<u8>, unix_s: u64) {
    let second = i64::try_from(unix_s).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let text = second.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.").to_string();
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_the_time_of_day_from_either_side() {
        let is_right = || {
            let early = TimeOfDay::now();
            let (before_ns, ticks, after_ns) = (unix_ns(), ticks(), unix_ns());
            let late = TimeOfDay::now();
            let tolerance_ns = 20_000;
            [early, late].iter().all(|seen_from| {
                let unix_ns = seen_from.unix_ns_at(ticks);
                (before_ns..=after_ns + 2 * tolerance_ns).contains(&(unix_ns + tolerance_ns))
            })
        };
        // A thread that is interrupted between two looks at a clock is wrong by as long.
        assert!((0..20).any(|_| is_right()));
    }

    #[test]
    fn times_beyond_what_can_be_written_are_at_the_edge() {
        let seen_from = TimeOfDay { ticks: 1 << 62, unix_ns: 5 };
        assert_eq!(seen_from.unix_ns_at(0), 0);
        assert_eq!(TimeOfDay { ticks: 0, unix_ns: u64::MAX }.unix_ns_at(9_000), u64::MAX);
    }
}
