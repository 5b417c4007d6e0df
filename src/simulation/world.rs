//! World: what the code under simulation has instead of a machine: a clock, a disk that can fail,
//! and turns instead of threads.
//!
//! One for a thread. Code that asks for it and is in no simulation gets nothing, and continues as
//! usual.

use super::disk::Faults;
use crate::testing::{ManualClock, Turns};
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::SystemTime;

/// What is simulated on this thread.
pub(crate) struct World {
    pub(super) clock: ManualClock,
    pub(super) faults: Faults,
    /// What other threads would do.
    pub(super) turns: Turns,
    /// The files that logwell has removed, as they were.
    pub(super) removed: Vec<(PathBuf, Vec<u8>)>,
    /// What must never be done and was.
    pub(super) wrongs: Vec<String>,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Begins a simulation on this thread.
pub(super) fn begin(clock: ManualClock) {
    let (faults, turns) = (Faults::default(), Turns::new());
    let world = World { clock, faults, turns, removed: Vec::new(), wrongs: Vec::new() };
    WORLD.set(Some(world));
}

/// Ends it.
pub(super) fn end() {
    WORLD.set(None);
}

/// Does something with the world, if there is one.
pub(super) fn with<T>(work: impl FnOnce(&mut World) -> T) -> Option<T> {
    WORLD.try_with(|world| world.borrow_mut().as_mut().map(work)).ok().flatten()
}

/// Whether this thread is in a simulation.
pub(crate) fn is_on() -> bool {
    with(|_| ()).is_some()
}

/// The time of day, in nanoseconds since 1970.
pub(crate) fn unix_ns() -> Option<u64> {
    let since_epoch =
        with(|world| world.clock.wall().duration_since(SystemTime::UNIX_EPOCH))?.ok()?;
    u64::try_from(since_epoch.as_nanos()).ok()
}

/// Lets one of the other threads do what it has to do, if there is anything.
pub(super) fn take_turn(which: usize) -> bool {
    let world = with(|world| (world.turns.clone(), world.clock.now()));
    world.is_some_and(|(turns, now)| turns.take(which, now))
}

/// The process is gone, and its threads with it.
pub(super) fn forget_jobs() {
    with(|world| world.turns.forget());
}
