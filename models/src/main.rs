//! Models: what logwell's threads have in common, in every order in which they can act.
//!
//! The files of logwell are compiled here as they stand, with loom's atomics, locks and threads
//! under the names of `sync`; what else they name is small and stands below. So the crate itself
//! needs no `cfg`, and its dependencies and tests, which are for real threads, need not know loom.
//!
//! `cargo x models` runs all; `cargo x models WORD` those with the word in their name.

#![expect(dead_code, reason = "logwell has more use for its files than a model")]

mod checks;
mod sync;

#[path = "../../src/black_box/chunks.rs"]
mod chunks;
#[path = "../../src/record/level.rs"]
mod level;
#[path = "../../src/pipeline/pool.rs"]
mod pool;
#[path = "../../src/pipeline/queue.rs"]
mod queue;
#[path = "../../src/record/stats.rs"]
mod stats;
#[path = "../../src/pipeline/waker.rs"]
mod waker;

/// What the files of logwell find under `base`.
mod base {
    pub(crate) use crate::sync;

    /// No time passes.
    pub(crate) mod clock {
        pub(crate) const fn unix_ns() -> u64 {
            1
        }
    }

    /// No process forks.
    pub(crate) mod fork {
        #[derive(Debug)]
        pub(crate) struct ForkGuard;

        impl ForkGuard {
            pub(crate) const fn here() -> Self {
                Self
            }

            pub(crate) const fn is_forked(&self) -> bool {
                false
            }
        }
    }
}

/// What they find under `pipeline`.
mod pipeline {
    pub(crate) use crate::waker;
}

/// Where its copy is makes no difference here.
mod black_box {
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Place;

    impl Place {
        pub(crate) const NOWHERE: Self = Self;
    }
}

/// Of a record it is known whether it is filled; and how many were made.
mod record {
    pub(crate) use crate::{level, stats};
    use std::sync::atomic::{AtomicUsize, Ordering};

    static MADE: AtomicUsize = AtomicUsize::new(0);

    #[derive(Debug)]
    pub(crate) struct Record {
        pub(crate) is_filled: bool,
    }

    impl Record {
        pub(crate) fn empty() -> Self {
            MADE.fetch_add(1, Ordering::Relaxed);
            Self { is_filled: false }
        }

        pub(crate) fn clear(&mut self) {
            self.is_filled = false;
        }

        pub(crate) fn made() -> usize {
            MADE.load(Ordering::Relaxed)
        }

        pub(crate) fn count_from_0() {
            MADE.store(0, Ordering::Relaxed);
        }
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
