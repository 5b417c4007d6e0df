//! Thread: the name of a thread, and whether it is one of the logger's.
//!
//! Knows this thread only.

use smol_str::SmolStr;
use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// Set on the logger's threads: what they log is not captured.
    static INTERNAL: Cell<bool> = const { Cell::new(false) };
    /// How many calls of sinks and callbacks this thread is in.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    static NAME: OnceCell<SmolStr> = const { OnceCell::new() };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Writes this thread's name where a name was written, unless the number with it is this thread's:
/// mostly what is used again comes from the same one.
#[inline]
pub(crate) fn write_name(name: &mut SmolStr, number: &mut u64) {
    let here = thread_number();
    if *number != here {
        (*name, *number) = (thread_name(), here);
    }
}

/// A number that no other thread of this process has or had; not 0.
#[inline]
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    match NUMBER.get() {
        0 => {
            NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
            NUMBER.get()
        }
        number => number,
    }
}

/// Marks this thread as one of the logger's own, for good.
pub(crate) fn mark_internal_thread() {
    INTERNAL.set(true);
}

/// Whether this thread is one of the logger's own.
pub(crate) fn is_internal_thread() -> bool {
    INTERNAL.get()
}

/// The thread's name, else its number.
pub(crate) fn thread_name() -> SmolStr {
    NAME.try_with(|name| name.get_or_init(read_thread_name).clone())
        .unwrap_or_else(|_being_destroyed| read_thread_name())
}

fn read_thread_name() -> SmolStr {
    let thread = std::thread::current();
    if let Some(name) = thread.name() {
        return name.into();
    }
    // `ThreadId` shows its number only through `Debug`: `ThreadId(7)`.
    let id = format!("{:?}", thread.id());
    id.chars().filter(char::is_ascii_digit).collect()
}

/// Remembers that code of the program's own may run inside logging, as long as it lives: in a sink,
/// or in the self-log's callback. A thread that waits for logging there waits for itself.
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn enter() -> Self {
        let _not_at_the_end_of_a_thread =
            INSIDE.try_with(|inside| inside.set(inside.get().saturating_add(1)));
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _not_at_the_end_of_a_thread =
            INSIDE.try_with(|inside| inside.set(inside.get().saturating_sub(1)));
    }
}

/// Whether this thread is inside logging, and cannot wait for it.
pub(crate) fn is_inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(0) > 0
}
