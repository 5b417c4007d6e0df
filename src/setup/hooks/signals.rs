//! Signals: SIGTERM and SIGINT end logging and then the process, SIGHUP reopens the files.
//!
//! Knows signals, and is the only file that names `signal-hook`. The work is done on an ordinary
//! thread; in the signal handler itself only a byte is written to a pipe.

#[cfg(not(unix))]
use none as unix;

use crate::config::LoggingConfig;
use crate::setup::handle::LoggingHandle;

/// Handles the signals that the configuration asks for.
pub(super) fn install(config: &LoggingConfig, handle: &LoggingHandle) {
    if let Err(error) = unix::install(config, handle) {
        crate::base::selflog::tell("signals are not handled", &error);
        handle.note_degraded(format!("signals are not handled: {error}"));
    }
}

#[cfg(not(unix))]
mod none {
    pub(super) fn install(
        config: &crate::config::LoggingConfig,
        _: &crate::setup::handle::LoggingHandle,
    ) -> std::io::Result<()> {
        let hooks = &config.hooks;
        if hooks.signals == crate::config::hooks::Signals::None && !hooks.reopen_on_hangup {
            return Ok(());
        }
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
    }
}

#[cfg(unix)]
mod unix {
    use crate::base::selflog;
    use crate::base::thread;
    use crate::base::threads;
    use crate::config::LoggingConfig;
    use crate::config::hooks::HooksConfig;
    use crate::config::hooks::Signals as Which;
    use crate::pipeline::internal_records;
    use crate::setup::handle::LoggingHandle;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::{flag, low_level};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// What the process did with a signal before.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Before {
        /// What the system does: it ends the process.
        Default,
        /// Nothing, as under `nohup`.
        Ignored,
        /// A handler of the program's own.
        Handled,
    }

    /// How to handle the signals.
    struct Watch {
        handle: LoggingHandle,
        /// Signals that end the process.
        deadly: Vec<i32>,
        /// The end has begun: the next signal has its usual effect at once.
        is_ending: Arc<AtomicBool>,
    }

    pub(super) fn install(config: &LoggingConfig, handle: &LoggingHandle) -> io::Result<()> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let wanted = wanted(&config.hooks).map(|signal| (signal, before(signal, &status)));
        // Who has had it ignored, by `nohup` say, wants it ignored; a reopening is asked for by
        // name.
        let wanted =
            wanted.filter(|&(signal, before)| signal == SIGHUP || before != Before::Ignored);
        let wanted: Vec<_> = wanted.collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let is_ending = Arc::new(AtomicBool::new(false));
        let deadly = |&(signal, before): &(i32, Before)| {
            (signal != SIGHUP && before == Before::Default).then_some(signal)
        };
        let watch = Watch {
            handle: handle.clone(),
            deadly: wanted.iter().filter_map(deadly).collect(),
            is_ending: Arc::clone(&is_ending),
        };
        let deadly = watch.deadly.clone();
        // The thread first: a signal that is caught and that nobody looks at would be lost.
        let (signals, caught) = std::sync::mpsc::channel();
        let heard: Vec<_> = wanted.iter().map(|(signal, _)| *signal).collect();
        threads::spawn("logwell-signals", move || {
            // Others may all have blocked what we are asked to handle.
            threads::hear(&heard);
            caught.into_iter().for_each(|signals| watch.run(signals));
        })?;
        for signal in deadly {
            flag::register_conditional_default(signal, Arc::clone(&is_ending))?;
        }
        let caught = Signals::new(wanted.iter().map(|(signal, _)| signal))?;
        signals.send(caught).map_err(io::Error::other)
    }

    fn wanted(hooks: &HooksConfig) -> impl Iterator<Item = i32> {
        let ending: &[i32] = match hooks.signals {
            Which::None => &[],
            Which::Term => &[SIGTERM],
            Which::TermAndInt => &[SIGTERM, SIGINT],
        };
        ending.iter().copied().chain(hooks.reopen_on_hangup.then_some(SIGHUP))
    }

    impl Watch {
        fn run(&self, mut signals: Signals) {
            thread::mark_internal_thread();
            for signal in signals.forever() {
                match signal {
                    SIGHUP => self.reopen(),
                    deadly if self.deadly.contains(&deadly) => self.end(deadly),
                    handled => self.tell(handled),
                }
            }
        }

        fn reopen(&self) {
            if let Err(error) = self.handle.reopen() {
                selflog::tell("the files cannot be reopened", &error);
            }
        }

        /// Not waited for: what comes next waits for it.
        fn tell(&self, signal: i32) {
            let name = low_level::signal_name(signal).unwrap_or("a signal");
            let _waits_in_the_channel =
                self.handle.write_internal(internal_records::signalled(name), Duration::ZERO);
        }

        fn end(&self, signal: i32) {
            self.is_ending.store(true, Ordering::Release);
            self.tell(signal);
            drop(self.handle.shutdown());
            if let Err(error) = low_level::emulate_default_handler(signal) {
                selflog::tell("the process cannot be ended", &error);
            }
        }
    }

    /// What the process did with a signal, by the masks in `/proc/self/status`. Where there is no
    /// such file it is taken for the default.
    fn before(signal: i32, status: &str) -> Before {
        let is_in = |mask: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(mask));
            let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            let place = u32::try_from(signal - 1).unwrap_or(u32::MAX);
            mask.and_then(|mask| mask.checked_shr(place)).is_some_and(|mask| mask & 1 == 1)
        };
        if is_in("SigIgn:") {
            Before::Ignored
        } else if is_in("SigCgt:") {
            Before::Handled
        } else {
            Before::Default
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_was_done_with_a_signal_is_read_from_the_masks() {
            let status = "Name:\tx\nSigIgn:\t0000000000000002\nSigCgt:\t0000000100004000\n";
            assert_eq!(before(SIGINT, status), Before::Ignored);
            assert_eq!(before(SIGTERM, status), Before::Handled);
            assert_eq!(before(SIGHUP, status), Before::Default);
            assert_eq!(before(SIGTERM, ""), Before::Default);
            assert_eq!(before(SIGTERM, "SigCgt:\tnot a number"), Before::Default);
        }
    }
}
