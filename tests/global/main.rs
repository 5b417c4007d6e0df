//! Global: the integration tests under one global subscriber, that of `support`, in one program.
//!
//! A record belongs to the test whose thread it names. No subscriber of a thread or a moment is
//! made here: while tracing asks all of them about a place that is met for the first time, a span
//! there can be missed. Those tests are in `tests/it/`.

#[path = "../support/mod.rs"]
mod support;

mod context;
mod context_async;
mod hostile_values;
mod instrument;
mod span_values;
mod spans;
mod threads;
mod values;
