//! Atomic: loom's atomics, with `SeqCst` as the language has it.
//!
//! loom takes a `SeqCst` load for an `Acquire` one: it may show a value that an earlier `SeqCst`
//! store has replaced. All `SeqCst` operations have one order, which here is that in which they are
//! made. So a load reads what is newest, as only a read-modify-write does for loom, and a store is
//! one too, since loom does not order stores of two threads that know nothing of each other.
//!
//! That is exact as long as all writes of an atomic are `SeqCst`. After any other, a load is what
//! loom makes of it, which is weaker than the language: a weakened ordering is always noticed.
//!
//! And loom remembers only the last access to an atomic. So it overlooks that a thread which reads
//! and then writes could have done both before the read of another thread. Therefore a load is
//! first of all an exchange of `turn`, which loom orders in each way.

use std::fmt;
use std::sync::atomic::AtomicBool as Flag;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) use loom::sync::atomic::{Ordering, fence};

macro_rules! atomic {
    ($name:ident, $of:ty, $nothing:expr) => {
        pub(crate) struct $name {
            inner: loom::sync::atomic::$name,
            /// Whether the newest value is in the one order. Only one thread of a model runs at a
            /// time.
            is_in_order: Flag,
            turn: loom::sync::atomic::AtomicBool,
        }

        impl $name {
            #[track_caller]
            pub(crate) fn new(value: $of) -> Self {
                let inner = loom::sync::atomic::$name::new(value);
                let turn = loom::sync::atomic::AtomicBool::new(false);
                Self { inner, is_in_order: Flag::new(true), turn }
            }

            #[track_caller]
            pub(crate) fn load(&self, ordering: Ordering) -> $of {
                if ordering == Ordering::SeqCst && self.is_in_order.load(Relaxed) {
                    self.inner.fetch_or($nothing, Ordering::Acquire)
                } else {
                    self.turn.fetch_or(false, Relaxed);
                    self.inner.load(ordering)
                }
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $of, ordering: Ordering) {
                if ordering == Ordering::SeqCst {
                    self.inner.swap(value, Ordering::Release);
                } else {
                    self.inner.store(value, ordering);
                }
                self.is_in_order.store(ordering == Ordering::SeqCst, Relaxed);
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $of, ordering: Ordering) -> $of {
                let before = self.inner.swap(value, ordering);
                self.is_in_order.store(ordering == Ordering::SeqCst, Relaxed);
                before
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $of,
                new: $of,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$of, $of> {
                let exchanged = self.inner.compare_exchange(current, new, success, failure);
                if exchanged.is_ok() {
                    self.is_in_order.store(success == Ordering::SeqCst, Relaxed);
                }
                exchanged
            }

            #[track_caller]
            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                update: impl Fn($of) -> Option<$of>,
            ) -> Result<$of, $of> {
                let mut seen = self.load(fetch);
                while let Some(then) = update(seen) {
                    match self.compare_exchange(seen, then, set, fetch) {
                        Ok(seen) => return Ok(seen),
                        Err(newer) => seen = newer,
                    }
                }
                Err(seen)
            }
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(<$of>::default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

macro_rules! atomic_number {
    ($name:ident, $of:ty) => {
        atomic!($name, $of, 0);

        impl $name {
            #[track_caller]
            pub(crate) fn fetch_add(&self, more: $of, ordering: Ordering) -> $of {
                let before = self.inner.fetch_add(more, ordering);
                self.is_in_order.store(ordering == Ordering::SeqCst, Relaxed);
                before
            }

            #[track_caller]
            pub(crate) fn fetch_sub(&self, less: $of, ordering: Ordering) -> $of {
                let before = self.inner.fetch_sub(less, ordering);
                self.is_in_order.store(ordering == Ordering::SeqCst, Relaxed);
                before
            }
        }
    };
}

atomic!(AtomicBool, bool, false);
atomic_number!(AtomicU8, u8);
atomic_number!(AtomicU32, u32);
atomic_number!(AtomicU64, u64);
atomic_number!(AtomicI64, i64);
