//! It: the integration tests that need no process to themselves, in one program that links the
//! library once.
//!
//! A test that sets the global subscriber, counts allocations or starts itself again has a file
//! beside this folder. Those here share the subscriber of `support`: a record belongs to the test
//! whose thread it names.

#[path = "../json_lines/mod.rs"]
mod json_lines;
#[path = "../support/mod.rs"]
mod support;

mod composition;
mod context;
mod context_async;
mod forwarding_absent;
mod hostile_input;
mod hostile_values;
mod instrument;
mod limits;
mod readers;
mod record_format;
mod record_presets;
mod record_properties;
mod sinks;
mod span_values;
mod spans;
mod threads;
mod values;
