//! Silence: which devices have stopped sending, told once for each silence.
//!
//! Knows the store's devices and a clock that only runs forward, so no jump of the wall clock and
//! no pause of the server raises an alarm. Does not know HTTP. An alarm is a record of the stream
//! `_alarms`, a line of the server's log, and a metric.

use crate::server::Server;
use crate::stream_name;
use logbeacon_store::{Device, Found, SearchRequest};
use logwell_query::{Filter, Level, Literal, Names, Query, Test, TimeRange, Value};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

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
const LOOKS: u32 = 10;
/// After so long a silence a device is given up.
const GIVE_UP: Duration = Duration::from_secs(86_400);
/// Devices that are watched; more have no alarm.
const MAX_DEVICES: usize = 10_000;

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

    /// The devices that are silent now.
    #[must_use]
    pub fn silent(&self) -> HashSet<String> {
        let devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = devices.iter().filter(|(_, heard)| heard.state == State::Silent);
        silent.map(|(host, _)| host.clone()).collect()
    }

    /// Begins after a start, `now` after it: devices that were heard until the server ended are
    /// active, and those of which the last alarm says so are silent.
    fn begin(&self, devices: &[Device], silent: &HashSet<String>, now: Duration) {
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
    fn look(&self, devices: &[Device], is_deaf: bool, now: Duration) -> Vec<(String, Change)> {
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

/// Looks at the devices until the server is to stop.
pub async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let after = server.silence.after;
    if after.is_zero() {
        return;
    }
    let shared = Arc::clone(&server);
    let begun = tokio::task::spawn_blocking(move || begin(&shared)).await;
    if let Err(error) = begun {
        tracing::error!(%error, "the last alarms could not be read");
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(after / LOOKS) => {}
            () = crate::serve::stopped(&mut stop) => return,
        }
        let server = Arc::clone(&server);
        if let Err(error) = tokio::task::spawn_blocking(move || look(&server)).await {
            tracing::error!(%error, "the devices could not be looked at");
        }
    }
}

fn begin(server: &Server) {
    let silence = &server.silence;
    let store = &server.ingest.store;
    silence.begin(&store.devices(), &last_alarms(server), silence.began.elapsed());
}

/// The devices whose last alarm says that they are silent.
fn last_alarms(server: &Server) -> HashSet<String> {
    let alarms = Test::Equals(Literal::text(stream_name::ALARMS));
    let filter = Filter::Field(Names::One("stream".to_owned()), alarms);
    let query = Query { filter, pipes: Vec::new() };
    // Older ones are given up.
    let first_ns = server.now_ns().saturating_sub(2 * GIVE_UP.as_nanos() as i64);
    let range = TimeRange { first_ns, last_ns: i64::MAX };
    let request = SearchRequest { range, ..SearchRequest::new(query) };
    let (mut seen, mut silent) = (HashSet::new(), HashSet::new());
    let found = server.ingest.store.search(&request, &mut |found| {
        let Found::Record(row) = found else { return ControlFlow::Continue(()) };
        let text = |name| row.get(name).map(|value| value.text().into_owned());
        if let (Some(device), Some(alarm)) = (text("device"), text("alarm"))
            && seen.len() < MAX_DEVICES
            && seen.insert(device.clone())
            && alarm == FELL
        {
            silent.insert(device);
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = found {
        tracing::warn!(%error, "the last alarms could not be read");
    }
    silent
}

const FELL: &str = "silent";

fn look(server: &Server) {
    let (silence, store) = (&server.silence, &server.ingest.store);
    let is_deaf = store.health().read_only.is_some();
    let changes = silence.look(&store.devices(), is_deaf, silence.began.elapsed());
    for (device, change) in changes {
        tell(server, &device, change);
    }
}

/// Writes the record of a change. It is about a device, and not from it: its `host` is empty.
fn tell(server: &Server, device: &str, change: Change) {
    let after_s = server.silence.after.as_secs_f64();
    let (level, alarm, silent_s, message) = match change {
        Change::Fell => {
            let message = format!("{device} has sent nothing for {after_s} s");
            (Level::Warn, FELL, after_s, message)
        }
        Change::Returned(silence) => {
            let silent_s = silence.as_secs_f64().round();
            let message = format!("{device} sends again after {silent_s} s");
            (Level::Info, "returned", silent_s, message)
        }
        Change::GivenUp => {
            let silent_s = GIVE_UP.as_secs_f64();
            let message = format!("{device} has sent nothing for a day and is given up");
            (Level::Warn, "given_up", silent_s, message)
        }
    };
    tracing::warn!(device, alarm, silent_s, "{message}");
    let fields = vec![
        ("alarm".to_owned(), Value::Text(alarm.to_owned())),
        ("device".to_owned(), Value::Text(device.to_owned())),
        ("silent_s".to_owned(), Value::Float(silent_s)),
    ];
    let admission = &server.ingest.admission;
    let record = admission.own(stream_name::ALARMS, (level, message), fields, server.now_ns());
    if let Err(error) = server.ingest.append(vec![record]) {
        tracing::error!(%error, device, alarm, "the alarm could not be kept");
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
