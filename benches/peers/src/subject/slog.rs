//! slog-async with slog-json: values are captured on the caller, JSON is made by its thread.
//! A queue of 10 000 records that blocks when it is full; a `BufWriter` before the file, since
//! slog-json writes in small pieces. Spans are child loggers, as slog has them.

use super::{Outcome, Subject};
use logwell_benches::Order;
use slog::{Drain as _, Level, LevelFilter, Logger, debug, info, o};
use slog_async::{Async, AsyncGuard, OverflowStrategy};
use slog_json::Json;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub struct Slog {
    logger: Logger,
    guard: Option<AsyncGuard>,
}

impl Subject for Slog {
    fn start(dir: &Path) -> Outcome<Self> {
        let file = BufWriter::with_capacity(64 << 10, File::create(dir.join("app.log"))?);
        let (drain, guard) = Async::new(Json::default(file).fuse())
            .chan_size(10_000)
            .overflow_strategy(OverflowStrategy::Block)
            .build_with_guard();
        let logger = Logger::root(LevelFilter::new(drain, Level::Info).fuse(), o!());
        Ok(Self { logger, guard: Some(guard) })
    }

    fn five_fields(&self, number: u64) {
        info!(self.logger, "API request handled";
            "user_id" => number,
            "endpoint" => "/api/ai/chat",
            "latency_ms" => 12.5,
            "status" => 200_u64,
            "cached" => true);
    }

    fn in_spans(&self, work: impl FnOnce(&Self)) {
        let request = o!("method" => "GET", "path" => "/chat", "request_id" => 77);
        let query = o!("table" => "orders", "rows" => 5, "cold" => false);
        let logger = self.logger.new(request).new(query);
        work(&Self { logger, guard: None });
    }

    fn debug_value(&self, order: &Order) {
        info!(self.logger, "API request handled"; "order" => ?order);
    }

    fn disabled(&self, number: u64) {
        debug!(self.logger, "off"; "number" => number);
    }

    fn text(&self, text: &str) {
        info!(self.logger, "API request handled"; "text" => text);
    }

    fn finish(self) {
        // The guard waits for the queue; the last logger takes the file with it.
        drop(self.guard);
        drop(self.logger);
    }
}
