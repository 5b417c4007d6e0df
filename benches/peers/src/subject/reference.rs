//! The reference: tracing-subscriber's JSON made on the caller, tracing-appender's thread writes
//! it. A queue of 10 000 lines that blocks when it is full.

use super::{Outcome, Subject, tracing_crate};
use logwell_benches::Order;
use std::path::Path;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

pub struct Reference(WorkerGuard);

impl Subject for Reference {
    fn start(dir: &Path) -> Outcome<Self> {
        let file = std::fs::File::create(dir.join("app.log"))?;
        let builder = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(10_000);
        let (writer, guard) = builder.finish(file);
        let format = tracing_subscriber::fmt().json().with_writer(writer);
        tracing::subscriber::set_global_default(format.finish())?;
        Ok(Self(guard))
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
        drop(self.0);
    }
}
