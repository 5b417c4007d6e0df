//! Unwind: what remains of a panic that was caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops what a panic carried, which may panic itself.
pub(crate) fn discard(panic: Box<dyn std::any::Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}
