//! Threads: how a thread of ours starts: with a name, and deaf to the application's signals.
//!
//! A signal that is sent to a process goes to any of its threads that does not block it. A program
//! that blocks SIGTERM in its own threads, to wait for it in one of them, would still be ended by
//! it on one of ours. So ours block every signal but three that a thread brings upon itself, and so
//! do the threads that they start. Knows no thread's work. The only file that names `nix`.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread of ours.
///
/// # Errors
///
/// The system has no room for another thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    deafly(|| Builder::new().name(name.into()).spawn(work))
}

/// Does something that starts threads of ours by way of somebody else's code.
pub(crate) fn deafly<T>(start: impl FnOnce() -> T) -> T {
    // A new thread blocks what the thread blocks that starts it.
    let _until_it_has_started = mask::Deaf::new();
    start()
}

pub(crate) use mask::{can_fault, hear};

#[cfg(unix)]
mod mask {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};

    /// What a thread brings upon itself and a handler has work with: Rust's handler names a stack
    /// that overflows, the black box survives a file that was cut, and a sandbox does what a system
    /// call asks for. A thread that blocks such a signal is killed by it, and no handler is asked.
    ///
    /// The other faults have no more to ask for. `abort()` unblocks SIGABRT itself, and systemd
    /// sends it to a service whose watchdog has expired (`WatchdogSignal=`).
    const OWN_FAULTS: [Signal; 3] = [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGSYS];

    /// While this lives, the thread takes no signal of the application's.
    pub(super) struct Deaf {
        /// What it blocked before, if that could be found out.
        before: Option<SigSet>,
    }

    impl Deaf {
        pub(super) fn new() -> Self {
            let mut all = SigSet::all();
            OWN_FAULTS.into_iter().for_each(|fault| all.remove(fault));
            Self { before: all.thread_swap_mask(SigmaskHow::SIG_SETMASK).ok() }
        }
    }

    impl Drop for Deaf {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                // With arguments that were right before it cannot fail.
                let _ = before.thread_set_mask();
            }
        }
    }

    /// Lets this thread take these signals, by their numbers.
    pub(crate) fn hear(signals: &[i32]) {
        let mut set = SigSet::empty();
        let known = signals.iter().filter_map(|&signal| Signal::try_from(signal).ok());
        known.for_each(|signal| set.add(signal));
        let _ = set.thread_unblock();
    }

    /// Lets this thread, be it the application's, take the SIGBUS of a file that was cut: where it
    /// is blocked, the system ends the process and asks no handler.
    pub(crate) fn can_fault() {
        hear(&[Signal::SIGBUS as i32]);
    }
}

#[cfg(not(unix))]
mod mask {
    pub(super) struct Deaf;

    impl Deaf {
        pub(super) fn new() -> Self {
            Self
        }
    }

    pub(crate) fn hear(_: &[i32]) {}

    pub(crate) fn can_fault() {}
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    /// The signals that the calling thread blocks, as bits.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let bits = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(bits.trim(), 16).unwrap()
    }

    fn bit(signal: i32) -> u64 {
        1 << (signal - 1)
    }

    #[test]
    fn a_thread_of_ours_blocks_all_signals_but_its_own_faults_and_the_one_that_starts_it_stays() {
        use libc::{SIGBUS, SIGSEGV, SIGSYS};
        let before = blocked();
        let theirs =
            spawn("deaf", || (blocked(), spawn("child", blocked).unwrap().join().unwrap()));
        let (ours, child) = theirs.unwrap().join().unwrap();
        assert_eq!(blocked(), before);
        assert_eq!(ours, child, "what it starts is as deaf");
        for signal in 1..=31 {
            let is_fault = [SIGBUS, SIGSEGV, SIGSYS].contains(&signal);
            let can_be_blocked = signal != libc::SIGKILL && signal != libc::SIGSTOP;
            assert_eq!(ours & bit(signal) != 0, can_be_blocked && !is_fault, "signal {signal}");
        }
    }

    #[test]
    fn a_thread_hears_what_it_is_to_hear() {
        let heard = spawn("hears", || {
            hear(&[libc::SIGTERM, libc::SIGHUP]);
            blocked()
        });
        let heard = heard.unwrap().join().unwrap();
        assert_eq!(heard & (bit(libc::SIGTERM) | bit(libc::SIGHUP)), 0);
        assert_ne!(heard & bit(libc::SIGINT), 0);
    }
}
