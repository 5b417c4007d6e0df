//! emit with emit_file: JSON is made on the caller, its thread writes batches and syncs them.
//! Its queue of 10 000 empties itself when it is full: `catch_up` flushes before it can be. The
//! fields of spans are ambient context, entered once.

use super::{Outcome, Subject};
use ::emit::{Emitter as _, Frame, setup::Init};
use logwell_benches::Order;
use std::path::Path;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

pub struct Emit;

impl Subject for Emit {
    fn start(dir: &Path) -> Outcome<Self> {
        let files = emit_file::set(dir.join("app.log")).max_file_size_bytes(usize::MAX).spawn();
        let started = ::emit::setup()
            .emit_to(files)
            .emit_when(::emit::level::min_filter(::emit::Level::Info))
            .init();
        let _: &Init<_, _> = &started;
        Ok(Self)
    }

    fn five_fields(&self, number: u64) {
        ::emit::info!(
            "API request handled",
            user_id: number,
            endpoint: "/api/ai/chat",
            latency_ms: 12.5,
            status: 200_u64,
            cached: true,
        );
    }

    fn in_spans(&self, work: impl FnOnce(&Self)) {
        let context = ::emit::ctxt();
        let request = ::emit::props! { method: "GET", path: "/chat", request_id: 77 };
        let query = ::emit::props! { table: "orders", rows: 5, cold: false };
        Frame::push(context, request).call(|| Frame::push(context, query).call(|| work(self)));
    }

    fn debug_value(&self, order: &Order) {
        ::emit::info!(
            "API request handled",
            #[emit::as_debug]
            order
        );
    }

    fn disabled(&self, number: u64) {
        ::emit::debug!("off", number);
    }

    fn text(&self, text: &str) {
        ::emit::info!("API request handled", text);
    }

    fn catch_up(&self) {
        ::emit::emitter().blocking_flush(LONG);
    }

    fn finish(self) {
        ::emit::blocking_flush(LONG);
    }
}
