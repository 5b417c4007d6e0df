//! Silence: which devices have stopped sending, told once for each silence.
//!
//! Knows the store's devices and a clock that only runs forward, so no jump of the wall clock and
//! no pause of the server raises an alarm. Does not know the server, nor who is told: `alarm.rs`
//! tells.

use logbeacon_store::Device;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Watches for devices that fall silent.
#[derive(Debug)]
pub struct Silence {
    after: Duration,
    devices: Mutex<HashMap<String, Heard>>,
    began: Instant,
}

/// What became of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was active, and has sent nothing for the time that is a silence.
    Fell,
    /// It sends again, after having been silent for so long.
    Returned(Duration),
    /// It has been silent for a day: it is not expected any more.
    GivenUp,
}

#[derive(Debug)]
struct Heard {
    last_arrived_ns: i64,
    last: Duration,
    /// When something new was there, within the time that is a silence.
    recent: VecDeque<Duration>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has sent something, but not regularly.
    Quiet,
    Active,
    Silent,
}

/// A device is active once it was heard at so many looks within the time that is a silence: what
/// sends once a day falls silent by nature.
const ACTIVE_LOOKS: usize = 3;
/// Looks in the time that is a silence.
pub(crate) const LOOKS: u32 = 10;
/// After so long a silence a device is given up.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(86_400);
/// Devices that are watched; more have no alarm.
pub(crate) const MAX_DEVICES: usize = 10_000;

impl Silence {
    /// Watches; a device that sends nothing for `after` is silent. Zero: none ever is.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self { after, devices: Mutex::default(), began: Instant::now() }
    }

    /// The silence that raises an alarm.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after
    }

    /// The time since it began, on a clock that only runs forward.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The devices that are silent now.
    #[must_use]
    pub fn silent(&self) -> HashSet<String> {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = devices.iter().filter(|(_, heard)| heard.state == State::Silent);
        silent.map(|(host, _)| host.clone()).collect()
    }

    /// Begins after a start, `now` after it: devices that were heard until the server ended are
    /// active, and those of which the last alarm says so are silent.
    pub(crate) fn begin(&self, devices: &[Device], silent: &HashSet<String>, now: Duration) {
        let after_ns = i64::try_from(self.after.as_nanos()).unwrap_or(i64::MAX);
        let newest_ns = devices.iter().map(|device| device.last_arrived_ns).max().unwrap_or(0);
        let mut known = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        for device in devices.iter().take(MAX_DEVICES) {
            let state = if silent.contains(&device.host) {
                State::Silent
            } else if device.last_arrived_ns > newest_ns.saturating_sub(after_ns) {
                State::Active
            } else {
                State::Quiet
            };
            let heard = Heard {
                last_arrived_ns: device.last_arrived_ns,
                last: now,
                recent: VecDeque::new(),
                state,
            };
            known.insert(device.host.clone(), heard);
        }
    }

    /// Looks at the devices, `now` after the start. While `is_deaf`, because the store takes
    /// nothing, nobody's silence counts.
    pub(crate) fn look(
        &self,
        devices: &[Device],
        is_deaf: bool,
        now: Duration,
    ) -> Vec<(String, Change)> {
        let mut known = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts: HashSet<&str> = devices.iter().map(|device| device.host.as_str()).collect();
        // What retention has let go of is not expected either.
        known.retain(|host, _| hosts.contains(host.as_str()));
        let mut changes = Vec::new();
        for device in devices {
            let room = known.len() < MAX_DEVICES;
            let heard = match known.get_mut(&device.host) {
                Some(heard) => heard,
                None if !room => continue,
                None => known.entry(device.host.clone()).or_insert_with(|| Heard {
                    last_arrived_ns: i64::MIN,
                    last: now,
                    recent: VecDeque::new(),
                    state: State::Quiet,
                }),
            };
            if let Some(change) = heard.look(device.last_arrived_ns, is_deaf, (now, self.after)) {
                changes.push((device.host.clone(), change));
            }
        }
        changes
    }
}

impl Heard {
    fn look(
        &mut self,
        last_arrived_ns: i64,
        is_deaf: bool,
        (now, after): (Duration, Duration),
    ) -> Option<Change> {
        let silent_for = now.saturating_sub(self.last);
        if last_arrived_ns != self.last_arrived_ns {
            self.last_arrived_ns = last_arrived_ns;
            self.last = now;
            self.recent.push_back(now);
            while self.recent.front().is_some_and(|first| now.saturating_sub(*first) > after) {
                self.recent.pop_front();
            }
            let was = self.state;
            if was == State::Silent || self.recent.len() >= ACTIVE_LOOKS {
                self.state = State::Active;
            }
            return (was == State::Silent).then_some(Change::Returned(silent_for));
        }
        if is_deaf {
            self.last = now.max(self.last);
            return None;
        }
        match self.state {
            State::Active if silent_for >= after => {
                self.state = State::Silent;
                Some(Change::Fell)
            }
            State::Silent if silent_for >= GIVE_UP.max(after) => {
                self.state = State::Quiet;
                Some(Change::GivenUp)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(host: &str, last_arrived_ns: i64) -> Device {
        Device { host: host.to_owned(), last_event_ns: 0, last_arrived_ns, count: 1 }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Looks every 10 s at one device that has arrived at those moments; returns the changes.
    fn looks(silence: &Silence, arrivals: &[i64]) -> Vec<(u64, Change)> {
        let at = |(place, arrived_ns): (usize, &i64)| {
            let now = 10 * (place as u64 + 1);
            let changes = silence.look(&[device("a", *arrived_ns)], false, seconds(now));
            changes.into_iter().map(move |(_, change)| (now, change)).collect::<Vec<_>>()
        };
        arrivals.iter().enumerate().flat_map(at).collect()
    }

    #[test]
    fn an_active_device_falls_silent_once_and_returns_once() {
        let silence = Silence::new(seconds(100));
        let sends = [1, 2, 3];
        let silent = [3; 15];
        let changes = looks(&silence, &[&sends[..], &silent, &[4, 4]].concat());
        assert_eq!(changes, [(130, Change::Fell), (190, Change::Returned(seconds(160)))]);
        assert!(silence.silent().is_empty());
    }

    #[test]
    fn what_sends_now_and_then_has_no_alarm() {
        let silence = Silence::new(seconds(100));
        assert_eq!(looks(&silence, &[&[1, 2][..], &[2; 30], &[3], &[3; 30]].concat()), []);
    }

    #[test]
    fn a_device_that_stays_away_is_given_up_and_no_alarm_any_more() {
        let silence = Silence::new(seconds(100));
        looks(&silence, &[1, 2, 3]);
        let look = |now| silence.look(&[device("a", 3)], false, seconds(now));
        assert_eq!(look(200), [("a".to_owned(), Change::Fell)]);
        assert_eq!(silence.silent(), HashSet::from(["a".to_owned()]));
        assert_eq!(look(90_000), [("a".to_owned(), Change::GivenUp)]);
        assert!(silence.silent().is_empty());
    }

    #[test]
    fn nobody_is_silent_while_the_store_takes_nothing() {
        let silence = Silence::new(seconds(100));
        looks(&silence, &[1, 2, 3]);
        assert_eq!(silence.look(&[device("a", 3)], true, seconds(500)), []);
        assert_eq!(silence.look(&[device("a", 3)], false, seconds(599)), []);
        assert_eq!(silence.look(&[device("a", 3)], false, seconds(600)).len(), 1);
    }

    #[test]
    fn a_start_expects_those_who_sent_until_the_end_and_knows_who_was_silent() {
        let silence = Silence::new(seconds(100));
        let second = 1_000_000_000;
        let devices = [device("gone", 0), device("sends", 500 * second), device("was", 3 * second)];
        silence.begin(&devices, &HashSet::from(["was".to_owned()]), seconds(0));
        assert_eq!(silence.silent(), HashSet::from(["was".to_owned()]));
        let changes = silence.look(&devices, false, seconds(100));
        assert_eq!(changes, [("sends".to_owned(), Change::Fell)]);
    }

    #[test]
    fn a_device_that_retention_lets_go_of_is_forgotten() {
        let silence = Silence::new(seconds(100));
        looks(&silence, &[1, 2, 3]);
        assert_eq!(silence.look(&[], false, seconds(500)), []);
        assert!(silence.silent().is_empty());
    }
}
