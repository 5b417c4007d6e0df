//! Simulation: the engine played from a seed, with kills at every write, full disks, receivers that
//! fail, hang up or answer what nobody hears. Whoever was told that it fires is told that it ended.
//!
//! `LOGBEACON_SIM_SEEDS=100000 cargo test -p logbeacon-monitor simulation` plays more seeds.

use crate::group::Told;
use crate::outbox::{Ending, Outcome};
use crate::setup::Setup;
use crate::tables::Tables;
use crate::testing::{Play, channel, rule, seen, setup};
use crate::{Dispatch, Incident, IncidentId};
use std::collections::{BTreeMap, BTreeSet};

const TARGETS: [&str; 4] = ["a", "b", "c", "d"];

/// A run with its randomness, and what truly arrived at the receivers.
struct Run {
    play: Play,
    random: u64,
    /// Which targets are bad.
    bad: [bool; 4],
    received: Vec<Dispatch>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut two = setup();
        two.channels.insert("slack".into(), channel("slack"));
        two.rules.insert("r".into(), rule("r"));
        let play = Play::new(Setup { ..two });
        Self { play, random: seed, bad: [false; 4], received: Vec::new() }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn act(&mut self) {
        if self.below(12) == 0 {
            let at = self.below(4) as usize;
            self.bad[at] = !self.bad[at];
        }
        self.look();
        self.send();
        if self.play.disk.is_dead() || self.below(60) == 0 {
            self.restart();
        }
    }

    fn look(&mut self) {
        let values: Vec<_> = TARGETS
            .iter()
            .zip(self.bad)
            .map(|(name, is_bad)| (*name, if is_bad { 95.0 } else { 10.0 }))
            .collect();
        self.play.pass(10);
        self.play.engine.observe(self.play.time, vec![seen("r", &values)]);
    }

    /// Each attempt arrives or does not; and its outcome is heard or not.
    fn send(&mut self) {
        // A process that was killed sends nothing any more.
        if self.play.disk.is_dead() {
            return;
        }
        for dispatch in self.play.engine.due() {
            let kind = self.below(10);
            let number = dispatch.number;
            if kind < 7 {
                self.received.push(dispatch);
            }
            let outcome = match kind {
                0..5 => Outcome::Delivered,
                // It arrived, and nobody heard the answer.
                5 => Outcome::Retry {
                    trouble: "time-out".into(),
                    wait_ms: None,
                    may_have_arrived: true,
                },
                6 => return self.restart(),
                _ => Outcome::of_status(503, None),
            };
            self.play.engine.finished(self.play.time, number, outcome);
            if self.play.disk.is_dead() {
                return;
            }
        }
    }

    fn restart(&mut self) {
        let seconds = self.below(100) as u32;
        self.play.restart(seconds);
        check_told(self.play.engine.tables());
    }

    /// Everything is well for so long that everything is delivered.
    fn calm(&mut self) {
        self.play.disk.revive();
        self.play.restart(1);
        self.bad = [false; 4];
        for _ in 0..120 {
            self.look();
            for dispatch in self.play.engine.due() {
                let number = dispatch.number;
                self.received.push(dispatch);
                self.play.engine.finished(self.play.time, number, Outcome::Delivered);
            }
        }
    }

    fn check(&self) {
        let tables = self.play.engine.tables();
        for channel in ["mail", "slack"] {
            let received = self.received.iter().filter(|it| it.channel == channel);
            let mut last: BTreeMap<&IncidentId, (u64, bool)> = BTreeMap::new();
            let mut texts: BTreeMap<&str, &Dispatch> = BTreeMap::new();
            for dispatch in received {
                let lines = dispatch.message.firing.iter().map(|line| (line, true));
                let lines = lines.chain(dispatch.message.resolved.iter().map(|line| (line, false)));
                for (line, is_firing) in lines {
                    let newest = last.entry(&line.incident).or_insert((0, true));
                    // A receiver drops what is older than what it has.
                    if dispatch.number >= newest.0 {
                        *newest = (dispatch.number, is_firing);
                    }
                }
                let same = texts.entry(&dispatch.id).or_insert(dispatch);
                assert_eq!(same.message, dispatch.message, "one id, one text");
            }
            for (id, (_, is_firing)) in &last {
                assert!(!is_firing, "{channel} still believes that {id} fires");
            }
            // No message is lost: what lasted longer than the waits was told to everybody.
            for incident in tables.incidents.values().filter(|incident| is_long(incident)) {
                assert!(last.contains_key(&incident.id), "{channel} never heard of {incident:?}");
            }
        }
        let entries = tables.entries.values();
        let open: Vec<_> = entries.filter(|entry| entry.ended.is_none()).collect();
        assert!(open.is_empty(), "{open:?}");
        let counted: u64 = tables.channels.values().flat_map(|it| it.ended.values()).sum();
        assert_eq!(counted, tables.counts.entries, "each entry ends once");
    }
}

/// Whether it lasted longer than the longest wait before a message.
fn is_long(incident: &Incident) -> bool {
    let ended = incident.ended.map(|end| end.at.observed_ms);
    ended.is_some_and(|ended| ended - incident.started.observed_ms > 80_000)
}

/// A told-log and its outbox are one write: what was told stands in an entry.
fn check_told(tables: &Tables) {
    let listed: BTreeSet<_> = tables
        .entries
        .values()
        .filter(|entry| entry.ended.is_none_or(|(ending, _)| ending != Ending::Refused))
        .flat_map(|entry| {
            let lines = entry.message.firing.iter();
            lines.map(|line| (entry.group.clone(), line.incident.clone()))
        })
        .collect();
    for group in tables.groups.values() {
        for (id, told) in &group.members {
            let key = (group.key.clone(), id.clone());
            assert!(*told == Told::Nothing || listed.contains(&key), "{id} is told by no entry");
        }
    }
    for instance in tables.instances.values() {
        let open = instance.incident.as_ref().and_then(|id| tables.incidents.get(id));
        assert_eq!(instance.incident.is_some(), open.is_some(), "an instance and its incident");
    }
}

fn play(seed: u64, death: Option<(usize, usize)>) -> usize {
    let mut run = Run::new(seed);
    if let Some((write, percent)) = death {
        run.play.disk.die_at(write, percent);
    }
    for _ in 0..150 {
        run.act();
    }
    run.calm();
    run.check();
    run.play.disk.writes()
}

#[test]
fn whoever_was_told_is_told_the_end_whatever_fails() {
    let seeds = std::env::var("LOGBEACON_SIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(25) {
        play(seed, None);
    }
}

#[test]
fn a_kill_at_any_write_loses_nothing() {
    let writes = play(0, None);
    assert!(writes > 80, "{writes}");
    for write in 2..writes {
        // Nothing, half and all of the bytes arrive, in turn.
        play(0, Some((write, write % 3 * 50)));
    }
}

/// What is in memory after a commit is what a new process finds.
#[test]
fn a_new_process_finds_what_was_committed() {
    let mut run = Run::new(3);
    run.bad = [true, false, true, false];
    for _ in 0..20 {
        run.look();
        run.send();
        let before = run.play.engine.tables().clone();
        let mut journal = run.play.disk.clone();
        let bytes = crate::disk::Disk::read(&mut journal).unwrap();
        let found = crate::journal::decode(&bytes).unwrap().0;
        assert_eq!(found.incidents, before.incidents);
        assert_eq!(found.groups, before.groups);
        assert_eq!(found.entries, before.entries);
        assert_eq!(found.counts, before.counts);
        let bad = |tables: &Tables| {
            let instances = tables.instances.values().filter(|it| it.incident.is_some());
            instances.map(|it| (it.identity.clone(), it.phase)).collect::<Vec<_>>()
        };
        assert_eq!(bad(&found), bad(&before));
    }
}
