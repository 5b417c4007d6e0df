//! spdlog-rs: values are copied on the caller, JSON is made and written by its thread. A queue of
//! 10 000 records that blocks when it is full. No spans: the fields are repeated.

use super::{Outcome, Subject};
use logwell_benches::Order;
use spdlog::formatter::JsonFormatter;
use spdlog::sink::{AsyncPoolSink, FileSink, OverflowPolicy};
use spdlog::{Level, LevelFilter, Logger, ThreadPool, debug, info};
use std::path::Path;
use std::sync::Arc;

pub struct SpdlogRs {
    logger: Arc<Logger>,
    pool: Arc<ThreadPool>,
}

impl Subject for SpdlogRs {
    fn start(dir: &Path) -> Outcome<Self> {
        let queue = 10_000.try_into()?;
        let pool = ThreadPool::builder().capacity(queue).build_arc()?;
        let file = FileSink::builder()
            .path(dir.join("app.log"))
            .formatter(JsonFormatter::new())
            .build_arc()?;
        let sink = AsyncPoolSink::builder()
            .thread_pool(pool.clone())
            .overflow_policy(OverflowPolicy::Block)
            .sink(file)
            .build_arc()?;
        let logger = Logger::builder()
            .name("peers")
            .level_filter(LevelFilter::MoreSevereEqual(Level::Info))
            .sink(sink)
            .build_arc()?;
        Ok(Self { logger, pool })
    }

    fn five_fields(&self, number: u64) {
        info!(logger: self.logger, "API request handled", kv: {
            user_id = number,
            endpoint = "/api/ai/chat",
            latency_ms = 12.5,
            status = 200_u64,
            cached = true,
        });
    }

    fn five_fields_in_spans(&self, number: u64) {
        info!(logger: self.logger, "API request handled", kv: {
            method = "GET",
            path = "/chat",
            request_id = 77,
            table = "orders",
            rows = 5,
            cold = false,
            user_id = number,
            endpoint = "/api/ai/chat",
            latency_ms = 12.5,
            status = 200_u64,
            cached = true,
        });
    }

    fn debug_value(&self, order: &Order) {
        info!(logger: self.logger, "API request handled", kv: { order:? = order });
    }

    fn disabled(&self, number: u64) {
        debug!(logger: self.logger, "off", kv: { number });
    }

    fn text(&self, text: &str) {
        info!(logger: self.logger, "API request handled", kv: { text });
    }

    fn finish(self) {
        // The pool ends when it has done everything; the sink's buffer goes with the sink.
        drop(self.logger);
        drop(self.pool);
    }
}
