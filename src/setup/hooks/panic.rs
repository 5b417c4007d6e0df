//! Panic: records a panic, with where and on which thread, and waits until it is written.
//!
//! Knows std's panic hook, which runs on the panicking thread before it unwinds or aborts. The hook
//! that was there before runs too. A panic in here would abort the process, so nothing is called
//! that may do so; nothing waits without a deadline, nor for a lock that the panicking thread may
//! hold.

use crate::base::selflog;
use crate::base::thread;
use crate::capture::thread_state;
use crate::config::LoggingConfig;
use crate::pipeline::internal_records;
use crate::setup::handle::LoggingHandle;
use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Hook {
    handle: LoggingHandle,
    with_backtrace: bool,
    max_text_bytes: usize,
    patience: Duration,
    /// The listener did not answer the last time: it gets no more of this thread's time.
    is_stuck: AtomicBool,
}

/// Records panics from now on, before the hook that is there now runs.
pub(super) fn install(config: &LoggingConfig, handle: LoggingHandle) {
    if std::thread::panicking() {
        let why = "logging was set up while a thread unwinds";
        return selflog::tell("panics are not recorded", &why);
    }
    internal_records::prepare();
    let hook = Hook {
        handle,
        with_backtrace: wants_backtrace(std::env::var("RUST_BACKTRACE").ok().as_deref()),
        max_text_bytes: config.limits.field_bytes,
        patience: config.shutdown_timeout,
        is_stuck: AtomicBool::new(false),
    };
    let earlier = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_recorded = hook.is_to_be_recorded();
        if is_recorded {
            hook.record(info);
        }
        earlier(info);
        if is_recorded {
            hook.drain(); // the earlier hook may have logged
        }
    }));
}

impl Hook {
    /// Not what our own threads catch and count, nor what a value does while it is formatted for a
    /// record: that record says so itself. Unless nothing can be caught.
    fn is_to_be_recorded(&self) -> bool {
        let is_caught = cfg!(panic = "unwind") && thread_state::is_formatting();
        !thread::is_internal_thread() && !is_caught
    }

    fn record(&self, info: &PanicHookInfo<'_>) {
        let payload = info.payload();
        let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => text,
            (_, Some(text)) => text.as_str(),
            _ => "a value that is not a text",
        };
        let masked = self.handle.masked(message);
        // Symbols are looked up here, which takes a while and memory: only if it is asked for.
        let backtrace = self.with_backtrace.then(|| Backtrace::force_capture().to_string());
        let record = internal_records::panicked(internal_records::Panic {
            message: masked.as_deref().unwrap_or(message),
            location: info.location().map(ToString::to_string),
            backtrace,
            context: thread_state::innermost().map(|scope| scope.context),
            max_text_bytes: self.max_text_bytes,
        });
        self.wait(|patience| self.handle.write_internal(record, patience).is_ok());
    }

    fn drain(&self) {
        self.wait(|patience| self.handle.flush(patience).is_ok());
    }

    /// A listener that is stuck holds up the first panic and no other.
    fn wait(&self, ask: impl FnOnce(Duration) -> bool) {
        let is_stuck = self.is_stuck.load(Ordering::Relaxed);
        let is_answered = ask(if is_stuck { Duration::ZERO } else { self.patience });
        self.is_stuck.store(!is_answered, Ordering::Relaxed);
    }
}

/// As the standard library takes the variable.
fn wants_backtrace(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backtraces_are_taken_as_rust_backtrace_says() {
        assert!(wants_backtrace(Some("1")) && wants_backtrace(Some("full")));
        assert!(!wants_backtrace(Some("0")) && !wants_backtrace(None));
    }
}
