//! Self-log: the logger's own trouble, on its own road.
//!
//! Goes to standard error, or to a callback, never into the queue. Each kind of trouble is told at
//! once, then at most once a minute with the number of times it happened in between.

use std::collections::HashMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a kind of trouble stays quiet after it was told.
const QUIET: Duration = Duration::from_secs(60);
/// More kinds than this are not told apart.
const MAX_KINDS: usize = 256;

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

static CALLBACK: RwLock<Option<Callback>> = RwLock::new(None);
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

/// Tells trouble of that kind, unless it was told within the last minute.
pub(crate) fn tell(kind: &str, text: &dyn std::fmt::Display) {
    let Some(unsaid) = count(kind, Instant::now()) else { return };
    let line = match unsaid {
        0 => format!("logwell: {kind}: {text}"),
        n => format!("logwell: {kind}: {text} (and {n} more times since it was last told)"),
    };
    // Cloned, so that the callback may replace itself.
    let callback = CALLBACK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match callback {
        Some(callback) => {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(&line))) {
                crate::capture::discard(panic);
            }
        }
        // Not `eprintln!`: it panics when standard error is closed.
        None => drop(writeln!(std::io::stderr(), "{line}")),
    }
}

/// How many times it went unsaid, or nothing if it is to stay unsaid now.
fn count(kind: &str, now: Instant) -> Option<u64> {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
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
}
