//! logwell: one file, a queue of 10 000 records that blocks when it is full.

use super::{Outcome, Subject, tracing_crate};
use logwell_benches::Order;
use std::path::Path;

pub struct Logwell;

impl Subject for Logwell {
    fn start(dir: &Path) -> Outcome<Self> {
        logwell::init_logging_with(logwell_benches::one_file(dir)?)?;
        Ok(Self)
    }

    fn five_fields(&self, number: u64) {
        tracing_crate::five_fields(number);
    }

    fn in_spans(&self, work: impl FnOnce(&Self)) {
        tracing_crate::in_two_spans(|| work(self));
    }

    fn debug_value(&self, order: &Order) {
        tracing_crate::debug_value(order);
    }

    fn disabled(&self, number: u64) {
        tracing_crate::disabled(number);
    }

    fn text(&self, text: &str) {
        tracing_crate::text(text);
    }

    fn finish(self) {
        logwell::shutdown_logging();
    }
}
