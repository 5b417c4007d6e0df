//! logforth: values are captured on the caller, JSON is made and written by its thread, a record at
//! a time. A queue of 10 000 records that blocks when it is full. No spans: the fields are
//! repeated.

use super::{Outcome, Subject, log_crate};
use logforth::append::asynchronous::AsyncBuilder;
use logforth::append::file::FileBuilder;
use logforth::filter::rustlog::RustLogFilterBuilder;
use logforth::layout::JsonLayout;
use logwell_benches::Order;
use std::path::Path;

pub struct Logforth;

impl Subject for Logforth {
    fn start(dir: &Path) -> Outcome<Self> {
        let file = FileBuilder::new(dir, "app").layout(JsonLayout::default()).build()?;
        let queue = AsyncBuilder::new("logforth")
            .buffered_lines_limit(Some(10_000))
            .overflow_block()
            .append(file)
            .build();
        let filter = RustLogFilterBuilder::from_spec("info").build();
        logforth::starter_log::builder().dispatch(|d| d.filter(filter).append(queue)).apply();
        log::set_max_level(log::LevelFilter::Info);
        Ok(Self)
    }

    fn five_fields(&self, number: u64) {
        log_crate::five_fields(number);
    }

    fn five_fields_in_spans(&self, number: u64) {
        log_crate::with_context(number);
    }

    fn debug_value(&self, order: &Order) {
        log_crate::debug_value(order);
    }

    fn disabled(&self, number: u64) {
        log_crate::disabled(number);
    }

    fn text(&self, text: &str) {
        log_crate::text(text);
    }

    fn finish(self) {
        log::logger().flush();
    }
}
