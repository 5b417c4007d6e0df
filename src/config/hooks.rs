//! Hooks: the options that say which hooks logwell installs in the process.

use logwell_options::choices;
use logwell_options::section;
use logwell_options::value::{choice, flag};

section! {
    /// What is done when the process ends or panics without `shutdown_logging()`.
    pub struct HooksConfig {
        /// Whether to record a panic at CRITICAL; the thread then waits until it is written.
        /// It waits up to `shutdown.timeout`, but only once while the listener is stuck.
        /// The previous panic hook still runs.
        panic: bool = true => flag();
        /// Whether logging is shut down when the process exits: by `std::process::exit`, by C's
        /// `exit`, or at the end of `main`. It takes up to `shutdown.timeout`.
        exit: bool = true => flag();
        /// Which signals are recorded and shut logging down before they end the process (Unix
        /// only). Leave it at `none` if the program ends itself on these signals.
        signals: Signals = Signals::None => choice();
        /// Whether SIGHUP reopens the files, as `reopen()` does, and no longer ends the process
        /// (Unix only).
        reopen_on_hangup: bool = false => flag();
    }
}

choices! {
    /// Which signals end logging and then the process.
    pub enum Signals: None {
        /// no signal is handled
        None = "none",
        /// SIGTERM
        Term = "term",
        /// SIGTERM and SIGINT (Ctrl-C)
        TermAndInt = "term_and_int",
    }
}
