//! Self-log: the logger's own trouble, on its own road.
//!
//! Goes to standard error, or to a callback, never into the queue. Each kind of trouble is reported
//! at once, then at most once a minute with the number of times it happened in between.
//!
//! Standard error can be as stuck as a terminal is, and mostly both are one. So a separate thread
//! writes there, started with the first trouble; who tells waits for it, but not for long.

use crate::base::background;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::HashMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a kind of trouble stays quiet after it was reported.
const QUIET: Duration = Duration::from_secs(60);
/// Further kinds are treated as one.
const MAX_KINDS: usize = 256;
/// How long a line waits for standard error, unless one before it still does.
const PATIENCE: Duration = Duration::from_millis(100);
/// More lines than this do not wait behind a standard error that is stuck.
const MAX_WAITING: usize = 64;

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

static CALLBACK: RwLock<Option<Callback>> = RwLock::new(None);
static STDERR: LazyLock<Option<Stderr>> = LazyLock::new(|| Stderr::start(std::io::stderr()));
static TOLD: LazyLock<Mutex<HashMap<String, Told>>> = LazyLock::new(Mutex::default);

struct Told {
    last: Instant,
    since: u64,
}

/// Sends the logger's own trouble to `callback` instead of standard error.
///
/// The callback runs on whichever thread met the trouble, mostly the listener's: it must not block.
/// What it logs through tracing from there is not captured.
///
/// ```
/// logwell::set_self_log(|trouble| eprintln!("{trouble}"));
/// ```
pub fn set_self_log(callback: impl Fn(&str) + Send + Sync + 'static) {
    *CALLBACK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(callback));
}

/// Tells trouble of that kind, unless it was reported within the last minute.
pub(crate) fn tell(kind: &str, text: &dyn std::fmt::Display) {
    tell_unless_told(kind, &format_args!("{kind}: {text}"));
}

/// Tells it, unless the very same was told within the last minute.
pub(crate) fn tell_each(text: &str) {
    tell_unless_told(text, &text);
}

fn tell_unless_told(kind: &str, text: &dyn std::fmt::Display) {
    #[cfg(test)]
    if crate::simulation::is_on() {
        return;
    }
    let Some(unsaid) = count(kind, Instant::now()) else { return };
    let line = match unsaid {
        0 => format!("logwell: {text}"),
        n => format!("logwell: {text} (and {n} more times since it was last reported)"),
    };
    // Cloned, so that the callback may replace itself.
    let callback = CALLBACK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match callback {
        Some(callback) => call(&callback, &line),
        None => to_stderr(line),
    }
}

/// Has a line written to standard error, and waits for it, but not for long.
pub(crate) fn to_stderr(line: String) {
    #[cfg(test)]
    if crate::simulation::is_on() {
        return;
    }
    match &*STDERR {
        Some(stderr) => stderr.tell(line),
        // Not `eprintln!`: it panics when standard error is closed.
        None => drop(writeln!(std::io::stderr(), "{line}")),
    }
}

/// Tells something in a process that was forked from the one that logs: no lock is waited for, for
/// the thread that held it may not be there any more.
pub(crate) fn tell_in_fork(text: &str) {
    let line = format!("logwell: {text}");
    match CALLBACK.try_read().ok().and_then(|callback| callback.clone()) {
        Some(callback) => call(&callback, &line),
        None => {
            if let Some(stderr) = unlocked_stderr().and_then(Stderr::start) {
                stderr.tell(line);
            }
        }
    }
}

fn call(callback: &Callback, line: &str) {
    let _inside = crate::base::thread::Inside::enter();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(line))) {
        crate::base::unwind::discard(panic);
    }
}

/// Standard error without the standard library's lock.
#[cfg(unix)]
fn unlocked_stderr() -> Option<std::fs::File> {
    use std::os::fd::AsFd as _;
    std::io::stderr().as_fd().try_clone_to_owned().ok().map(std::fs::File::from)
}

#[cfg(not(unix))]
fn unlocked_stderr() -> Option<std::io::Stderr> {
    Some(std::io::stderr())
}

/// A stream that may be stuck, and the thread that writes to it.
struct Stderr {
    lines: Sender<(String, Sender<()>)>,
    is_stuck: Arc<AtomicBool>,
}

impl Stderr {
    fn start(stream: impl std::io::Write + Send + 'static) -> Option<Self> {
        let is_stuck = Arc::new(AtomicBool::new(false));
        let works = Arc::clone(&is_stuck);
        let run = move |lines: &Receiver<_>| write_lines(lines, stream, &works);
        let lines = background::start("logwell-stderr", MAX_WAITING, run)?;
        Some(Self { lines, is_stuck })
    }

    /// Has the line written; returns when it is, or when that takes too long.
    fn tell(&self, line: String) {
        let (done, written) = bounded(1);
        let is_waiting = self.lines.try_send((line, done)).is_ok();
        if is_waiting
            && !self.is_stuck.load(Ordering::Relaxed)
            && written.recv_timeout(PATIENCE).is_err()
        {
            self.is_stuck.store(true, Ordering::Relaxed);
        }
    }
}

fn write_lines(
    lines: &Receiver<(String, Sender<()>)>,
    mut stream: impl std::io::Write,
    is_stuck: &AtomicBool,
) {
    for (line, done) in lines {
        // There is nowhere left to tell it.
        let _ = writeln!(stream, "{line}");
        is_stuck.store(false, Ordering::Relaxed);
        let _nobody_waits = done.send(());
    }
}

/// How many times it went unsaid, or nothing if it is to stay unsaid now.
fn count(kind: &str, now: Instant) -> Option<u64> {
    count_in(&mut TOLD.lock().unwrap_or_else(PoisonError::into_inner), kind, now)
}

fn count_in(told: &mut HashMap<String, Told>, kind: &str, now: Instant) -> Option<u64> {
    if told.len() >= MAX_KINDS {
        told.retain(|_, known| now.saturating_duration_since(known.last) < QUIET);
    }
    let has_room = told.len() < MAX_KINDS;
    match told.get_mut(kind) {
        Some(known) if now.saturating_duration_since(known.last) < QUIET => {
            known.since = known.since.saturating_add(1);
            None
        }
        Some(known) => {
            known.last = now;
            Some(std::mem::take(&mut known.since))
        }
        None if has_room => {
            told.insert(kind.to_owned(), Told { last: now, since: 0 });
            Some(0)
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_at_once_and_then_once_a_minute_with_its_number() {
        let start = Instant::now();
        let kind = "a test's own trouble";
        assert_eq!(count(kind, start), Some(0));
        assert_eq!(count(kind, start + Duration::from_secs(1)), None);
        assert_eq!(count(kind, start + Duration::from_secs(59)), None);
        assert_eq!(count(kind, start + Duration::from_secs(60)), Some(2));
        assert_eq!(count(kind, start + Duration::from_secs(121)), Some(0));
    }

    #[test]
    fn kinds_that_were_told_long_ago_make_room_for_others() {
        let (mut told, start) = (HashMap::new(), Instant::now());
        for n in 0..MAX_KINDS {
            assert_eq!(count_in(&mut told, &n.to_string(), start), Some(0));
        }
        assert_eq!(count_in(&mut told, "one more", start), None);
        assert_eq!(count_in(&mut told, "one more", start + QUIET), Some(0));
    }

    #[test]
    fn a_stuck_stream_holds_up_the_first_line_for_a_moment_and_no_other() {
        use std::sync::mpsc::{Sender, channel};
        struct Gated(Sender<()>, Receiver<()>, Sender<Vec<u8>>);
        impl std::io::Write for Gated {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                let _nobody_listens = self.0.send(());
                let _open = self.1.recv();
                self.2.send(bytes.to_vec()).map_err(std::io::Error::other)?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (called, calls) = channel();
        let (open, gate) = bounded(0);
        let (written, writes) = channel();
        let stderr = Stderr::start(Gated(called, gate, written)).unwrap();

        let start = Instant::now();
        stderr.tell("0".to_owned());
        calls.recv().unwrap(); // from here on there is room for all that may wait
        (1..10_000).for_each(|number| stderr.tell(number.to_string()));
        // A twentieth of what it would be if each of them waited.
        assert!(start.elapsed() < PATIENCE * 500, "took {:?}", start.elapsed());

        drop((calls, open, stderr));
        let text = writes.iter().flatten().collect();
        let lines: Vec<_> = String::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), MAX_WAITING + 1, "the one in hand and those that wait");
        assert_eq!(lines.first().unwrap(), "0");
    }
}
