//! Models: what logwell's threads have in common, in every order in which they can act.
//!
//! The files of logwell are compiled here as they stand, with loom's atomics, locks and threads under
//! the names of `sync`; what else they name is small and stands below. So the crate itself needs no
//! `cfg`, and its dependencies and tests, which are for real threads, need not know loom.
//!
//! `cargo x models` runs all; `cargo x models WORD` those with the word in their name.

#![expect(clippy::print_stdout, reason = "it tells how much was tried")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a model that fails panics")]
#![expect(dead_code, unreachable_pub, reason = "logwell has more use for its files than a model")]

mod checks;
mod sync;

#[path = "../../src/level.rs"]
mod level;
#[path = "../../src/queue.rs"]
mod queue;
#[path = "../../src/spare.rs"]
mod spare;
#[path = "../../src/stats.rs"]
mod stats;
#[path = "../../src/waker.rs"]
mod waker;

/// No time passes.
mod clock {
    pub(crate) const fn unix_ns() -> u64 {
        1
    }
}

/// No process forks.
mod fork {
    #[derive(Debug)]
    pub(crate) struct Birthplace;

    impl Birthplace {
        pub(crate) const fn here() -> Self {
            Self
        }

        pub(crate) const fn is_elsewhere(&self) -> bool {
            false
        }
    }
}

/// Where its copy is makes no difference here.
mod black_box {
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Place;

    impl Place {
        pub(crate) const NOWHERE: Self = Self;
    }
}

/// A record is no more than its number, by which it is known again.
mod record {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(0);

    #[derive(Debug)]
    pub(crate) struct Record {
        pub(crate) number: u64,
        pub(crate) is_filled: bool,
    }

    impl Record {
        pub(crate) fn empty() -> Self {
            Self { number: NEXT.fetch_add(1, Ordering::Relaxed), is_filled: false }
        }

        pub(crate) fn clear(&mut self) {
            self.is_filled = false;
        }
    }

    /// The records that are made from now on are numbered from 0.
    pub(crate) fn number_from_0() {
        NEXT.store(0, Ordering::Relaxed);
    }
}

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    for model in checks::ALL.iter().flat_map(|checks| checks.iter()) {
        if model.name.contains(&word) {
            model.check();
        }
    }
}
