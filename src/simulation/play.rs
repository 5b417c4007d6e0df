//! Play: one seed from its beginning to its end.
//!
//! Everything that is done is drawn from the seed, so it is done again when the seed is played
//! again.

use super::disk::{EACCES, EINTR, EIO, EMFILE, ENOSPC, Fault, How};
use super::names;
use super::oracle;
use super::outside::{self, Outside};
use super::process::{self, Boot, Process};
use super::sinks::Mood;
use super::watch::Watch;
use super::world;
use crate::base::fs::calls::Call;
use crate::config::LoggingConfig;
use crate::record::stats::SinkStats;
use crate::testing::ManualClock;
use fastrand::Rng;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// The simulated time of day begins in 2001 and stays far before the machine's, so that the
/// machine's time shows which files it has changed.
const FIRST_DAY: Duration = Duration::from_secs(1_000_000_000);
const LAST_DAY: Duration = Duration::from_secs(1_500_000_000);

/// What one seed has come to.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) steps: u64,
    pub(super) records: u64,
    pub(super) faults: u64,
    pub(super) outside: u64,
    pub(super) kills: u64,
    pub(super) starts: u64,
    pub(super) rotated_away: u64,
}

struct Play {
    rng: Rng,
    clock: ManualClock,
    config: LoggingConfig,
    outside: Outside,
    process: Option<Process>,
    boots: Vec<Boot>,
    next: u64,
    tally: Tally,
    /// Which kinds of acts this seed has: not all, so that few of them come often.
    weights: Vec<(Act, u32)>,
    acts: Vec<String>,
    syncs_failed: u64,
    watch: Watch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Log,
    Burst,
    Step,
    Advance,
    SetWall,
    Turn,
    Ask,
    Outside,
    Mend,
    Fault,
    Torn,
    Heal,
    Mood,
    Restart,
    Kill,
    KillSoon,
}

const ALWAYS: [(Act, u32); 5] =
    [(Act::Log, 40), (Act::Step, 40), (Act::Advance, 14), (Act::Turn, 14), (Act::Ask, 4)];
const SOMETIMES: [(Act, u32); 9] = [
    (Act::Burst, 3),
    (Act::SetWall, 3),
    (Act::Outside, 6),
    (Act::Fault, 10),
    (Act::Torn, 5),
    (Act::Mood, 3),
    (Act::Restart, 3),
    (Act::Kill, 2),
    (Act::KillSoon, 2),
];

/// Plays a seed below `root`, which is empty. Prints what is done if it fails.
pub(super) fn play(seed: u64, root: &Path) -> Tally {
    let mut play = Play::new(seed, root);
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play.run()));
    if let Err(panic) = played {
        let acts = play.acts.len().saturating_sub(super::shown_acts());
        #[expect(clippy::print_stderr, reason = "it must be seen")]
        for act in &play.acts[acts..] {
            eprintln!("{act}");
        }
        // It is dropped in the world in which it was made.
        world::with(|world| world.faults.die());
        drop(play);
        world::end();
        std::panic::resume_unwind(panic);
    }
    let tally = play.tally;
    drop(play);
    world::end();
    tally
}

impl Play {
    fn new(seed: u64, root: &Path) -> Self {
        let mut rng = Rng::with_seed(seed);
        fastrand::seed(rng.u64(..));
        let clock = ManualClock::new();
        clock.set_wall(SystemTime::UNIX_EPOCH + FIRST_DAY);
        // No moment of the machine's own clock is after one of this.
        clock.advance(Duration::from_secs(rng.u64(4..400) * 86_400));
        world::begin(clock.clone());
        let outside = Outside::new(root);
        let config = process::config(&mut rng, &outside.logs);
        let mut weights = ALWAYS.to_vec();
        weights.extend(SOMETIMES.iter().filter(|_| rng.bool()));
        weights.extend([(Act::Heal, 4), (Act::Mend, 3)]);
        Self {
            rng,
            clock,
            config,
            outside,
            process: None,
            boots: Vec::new(),
            next: 1,
            tally: Tally::default(),
            weights,
            acts: Vec::new(),
            syncs_failed: 0,
            watch: Watch::default(),
        }
    }

    fn run(&mut self) {
        for _ in 0..self.rng.u32(100..400) {
            self.act();
            self.settle();
        }
        self.end();
    }

    fn draw(&mut self) -> Act {
        let all = self.weights.iter().map(|(_, weight)| weight).sum::<u32>();
        let mut at = self.rng.u32(..all);
        for (act, weight) in &self.weights {
            match at.checked_sub(*weight) {
                Some(left) => at = left,
                None => return *act,
            }
        }
        Act::Step
    }

    fn act(&mut self) {
        let act = self.draw();
        let mut told = format!("{act:?}");
        match act {
            Act::Advance => {
                let lengths = [MS, MS * 20, MS * 50, MS * 200, SECOND, SECOND * 2, SECOND * 60];
                let longer = [SECOND * 3_600, DAY, DAY * 3];
                let length = match self.rng.u8(..8) {
                    0 => longer[self.rng.usize(..3)],
                    _ => lengths[self.rng.usize(..7)],
                };
                self.advance(length);
                told = format!("Advance {length:?}");
            }
            Act::SetWall => told = self.set_wall(),
            Act::Turn => _ = world::take_turn(self.rng.usize(..8)),
            Act::Outside => told = self.outside.act(&mut self.rng),
            Act::Mend => self.outside.mend(),
            Act::Fault => told = self.fault(),
            Act::Torn => told = self.tear(),
            Act::Heal => _ = world::with(|world| world.faults.clear()),
            _ => told = self.process_act(act),
        }
        self.acts.push(told);
        self.tally.steps += 1;
    }

    /// An act for which there must be a process; else one is started.
    fn process_act(&mut self, act: Act) -> String {
        let Some(process) = &mut self.process else {
            self.process = Process::start(&self.config, &mut self.rng);
            self.tally.starts += u64::from(self.process.is_some());
            return format!("start: {}", self.process.is_some());
        };
        match act {
            Act::Log => process.log(self.rng.usize(1..6), &mut self.rng, &mut self.next),
            Act::Burst => process.log(self.rng.usize(50..150), &mut self.rng, &mut self.next),
            Act::Ask => return format!("ask: {}", process.ask(&mut self.rng)),
            Act::Mood => {
                let mood = Mood::ALL[self.rng.usize(..Mood::ALL.len())];
                process.set_mood(mood);
                return format!("mood: {mood:?}");
            }
            Act::Restart => {
                // It ends as a process does, with no regard to what others do to its files.
                let boot = self.process.take().map(Process::shut_down);
                self.boots.extend(boot);
                self.outside.note_end();
            }
            Act::Kill => self.kill(),
            Act::KillSoon => {
                let (calls, bytes) = (self.rng.u32(..60), self.rng.usize(..400));
                world::with(|world| world.faults.die_after(calls, bytes));
                return format!("KillSoon after {calls} calls, and {bytes} bytes");
            }
            _ => _ = process.step(),
        }
        format!("{act:?}")
    }

    fn kill(&mut self) {
        let boot = self.process.take().map(Process::kill);
        self.boots.extend(boot);
        self.tally.kills += 1;
        self.outside.note_end();
    }

    fn fault(&mut self) -> String {
        let (call, errors): (_, &[i32]) = match self.rng.u8(..12) {
            0..3 => (Call::Write, &[ENOSPC, EIO, EINTR]),
            3 | 4 => (Call::Open, &[EACCES, EMFILE]),
            5 => (Call::Look, &[EACCES, EIO]),
            6 => (Call::List, &[EMFILE, EIO]),
            7 => (Call::Cut, &[EIO]),
            8 => (Call::Rename, &[EIO, ENOSPC, EACCES]),
            9 => (Call::Remove, &[EACCES, EIO]),
            10 => (Call::Sync, &[EIO, EINTR, ENOSPC]),
            _ if self.rng.bool() => (Call::Attributes, &[EACCES]),
            _ => (Call::MakeDirectory, &[EACCES, ENOSPC]),
        };
        let number = errors[self.rng.usize(..errors.len())];
        let is_short = call == Call::Write && self.rng.u8(..3) == 0;
        let how = if is_short { How::Short(self.rng.usize(1..300)) } else { How::Error(number) };
        // Who is interrupted forever tries forever.
        let is_lasting = number != EINTR && self.rng.u8(..3) == 0;
        let times = if is_lasting { u32::MAX } else { self.rng.u32(1..4) };
        let fault = Fault { call, after: self.rng.u32(..6), times, how };
        world::with(|world| world.faults.add(fault));
        format!("{fault:?}")
    }

    /// A write ends in the middle of a line, and the half line cannot be taken back.
    fn tear(&mut self) -> String {
        let bytes = self.rng.usize(1..400);
        let (fails, cuts) = (self.rng.u32(1..6), self.rng.u32(1..6));
        let error = |call, times| Fault { call, after: 0, times, how: How::Error(ENOSPC) };
        world::with(|world| {
            let how = How::Short(bytes);
            world.faults.add(Fault { call: Call::Write, after: 0, times: 1, how });
            world.faults.add(error(Call::Write, fails));
            world.faults.add(error(Call::Cut, cuts));
        });
        format!("a write ends after {bytes} bytes, {fails} more fail, and {cuts} cuts")
    }

    fn advance(&mut self, length: Duration) {
        let since_epoch = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        if since_epoch + length > LAST_DAY {
            self.clock.set_wall(SystemTime::UNIX_EPOCH + FIRST_DAY);
        }
        self.clock.advance(length);
    }

    fn set_wall(&mut self) -> String {
        let lengths = [SECOND, SECOND * 5_000, DAY, DAY * 30, DAY * 900];
        let length = lengths[self.rng.usize(..5)];
        let wall = self.clock.wall();
        let set = if self.rng.bool() { wall + length } else { wall - length };
        let since_epoch = set.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let is_within = (FIRST_DAY..LAST_DAY).contains(&since_epoch);
        if is_within {
            self.clock.set_wall(set);
        }
        format!("SetWall by {length:?}: {is_within}")
    }

    /// What must be so after each act, and what the machine has to be told.
    fn settle(&mut self) {
        let syncs = world::with(|world| world.faults.failed_syncs).unwrap();
        let is_step = self.acts.last().is_some_and(|act| act == "Step");
        let is_alive = !world::with(|world| world.faults.is_dead()).unwrap();
        self.watch.look(self.process.as_ref(), &self.config, is_step && is_alive);
        if let Some(process) = &mut self.process {
            process.check_accounts();
            process.boot.may_repeat |= syncs > self.syncs_failed;
        } else if let Some(boot) = self.boots.last_mut() {
            boot.may_repeat |= syncs > self.syncs_failed;
        }
        self.syncs_failed = syncs;
        if world::with(|world| world.faults.is_dead()).unwrap() {
            self.acts.push("is killed".to_owned());
            self.kill();
        }
        set_times(&self.outside.logs, self.clock.wall());
    }

    /// All faults are over: what is logged now arrives soon, and all that was written is there.
    fn end(&mut self) {
        self.acts.push("the end".to_owned());
        if world::with(|world| world.faults.is_dying()).unwrap() {
            self.kill();
        }
        world::with(|world| world.faults.clear());
        self.outside.mend();
        if self.process.is_none() {
            self.process = Process::start(&self.config, &mut self.rng);
            assert!(self.process.is_some(), "it starts when nothing is in its way");
            self.tally.starts += 1;
        }
        self.process.as_mut().unwrap().set_mood(Mood::Well);
        self.pass(SECOND * 70, 3);
        let process = self.process.as_mut().unwrap();
        let (queued, captured) = (process.boot.queued.len(), process.stats().captured());
        // Few at a time, so that none is shed.
        for _ in 0..20 {
            let process = self.process.as_mut().unwrap();
            process.log(1, &mut self.rng, &mut self.next);
            process.step();
        }
        self.pass(MS * 500, 4);
        let process = self.process.as_mut().unwrap();
        let stats = process.stats();
        let arrived = process.boot.queued.len() - queued;
        assert_eq!(arrived as u64, stats.captured() - captured, "nothing is shed any more");
        let waits: Vec<_> = stats.sinks.iter().filter(|sink| sink.in_hand() > 0).collect();
        assert!(waits.is_empty(), "two seconds later still in hand: {waits:?}");
        let is_well = |sink: &SinkStats| !sink.is_failing && sink.problems.is_empty();
        let failing: Vec<_> = stats.sinks.iter().filter(|sink| !is_well(sink)).collect();
        assert!(failing.is_empty(), "{failing:?}");
        let boot = self.process.take().unwrap().shut_down();
        self.boots.push(boot);
        // Once more, so that what a kill has left half done is finished.
        set_times(&self.outside.logs, self.clock.wall());
        self.process = Process::start(&self.config, &mut self.rng);
        self.pass(SECOND * 70, 4);
        let boot = self.process.take().unwrap().shut_down();
        assert_eq!(boot.written[0], boot.lines(0).len() as u64, "nothing is left at the end");
        self.boots.push(boot);
        oracle::check(&self.boots, &self.outside);
        self.check_limits();
        self.count();
    }

    fn pass(&mut self, length: Duration, times: u32) {
        for _ in 0..times {
            self.advance(length);
            while world::take_turn(0) {}
            self.process.as_mut().unwrap().step();
            self.settle();
        }
    }

    /// What was kept is within the limits.
    fn check_limits(&self) {
        let files = &self.config.files;
        for (file, name) in [&files.app, &files.errors, &files.ai].into_iter().zip(names::FAMILIES)
        {
            let ours = |path: &PathBuf| {
                let found = outside::name(path);
                found == name || (found.starts_with(name) && names::is_backup(&found))
            };
            let there: Vec<_> =
                outside::files(&self.outside.logs).into_iter().filter(ours).collect();
            assert!(there.len() as u64 <= u64::from(file.backup_count) + 1, "{there:?}");
            let bytes = |path: &PathBuf| fs::metadata(path).unwrap().len();
            let all: u64 = there.iter().map(bytes).sum();
            // The current file is never deleted, and may have grown since backups were counted.
            if let Some(max) = file.max_total_bytes {
                assert!(
                    all <= max.max(file.max_bytes) + file.max_bytes,
                    "{there:?}: {all} of {max}"
                );
            }
            let hits = world::with(|world| world.faults.hits).unwrap();
            if hits == 0 && self.outside.acts == 0 && self.tally.kills == 0 {
                let largest = there.iter().filter(|path| !path.ends_with(".gz")).map(bytes).max();
                assert!(largest <= Some(file.max_bytes), "{there:?}");
            }
        }
    }

    fn count(&mut self) {
        let accepted = |boot: &Boot| boot.accepted.with(|lines| lines.len() as u64);
        self.tally.records = self.boots.iter().map(accepted).sum();
        self.tally.outside = self.outside.acts;
        world::with(|world| {
            self.tally.faults = world.faults.hits;
            self.tally.rotated_away = world.removed.len() as u64;
        });
    }
}

/// Gives files that the machine has changed the simulated time.
fn set_times(directory: &Path, wall: SystemTime) {
    for path in outside::files(directory) {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        if modified > SystemTime::UNIX_EPOCH + LAST_DAY + DAY * 365 {
            File::open(&path).unwrap().set_modified(wall).unwrap();
        }
    }
}
