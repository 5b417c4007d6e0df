//! flexi_logger: JSON is made on the caller, its thread writes it. Its queue has no bound and
//! cannot block; buffers are kept for 10 000 lines. No spans: the fields are repeated.

use super::{Outcome, Subject, log_crate};
use flexi_logger::{FileSpec, Logger, LoggerHandle, WriteMode};
use logwell_benches::Order;
use std::path::Path;
use std::time::Duration;

pub struct Flexi(LoggerHandle);

impl Subject for Flexi {
    fn start(dir: &Path) -> Outcome<Self> {
        let file = FileSpec::try_from(dir.join("app.log"))?;
        let mode = WriteMode::AsyncWith {
            pool_capa: 10_000,
            message_capa: 400,
            flush_interval: Duration::from_secs(1),
        };
        let logger = Logger::try_with_str("info")?.format(flexi_logger::json_format);
        Ok(Self(logger.log_to_file(file).write_mode(mode).start()?))
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
        self.0.shutdown();
    }
}
