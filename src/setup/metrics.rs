//! Metrics of a handle: where the running program finds its registry, and what the pipeline shows
//! there.
//!
//! Joins the handle's counters and health to `src/metrics/`, which does not know them. Holds the
//! pipeline only weakly: a registry may outlive it.

use crate::metrics::{Look, Registry};
use crate::pipeline::internal_records;
use crate::pipeline::listener::Control;
use crate::record::Record;
use crate::setup::handle::LoggingHandle;
use crossbeam_channel::bounded;
use std::net::SocketAddr;
use std::sync::Arc;

impl LoggingHandle {
    /// The metrics of this pipeline: its own counters, spans, process and system, and what the
    /// program creates there. That of [`init_logging`](crate::init_logging) is
    /// [`metrics::global`](crate::metrics::global).
    ///
    /// ```
    /// use logwell::metrics::Format;
    ///
    /// let logs = logwell::testing::capture();
    /// tracing::warn!(target: "shop", "payment was slow");
    /// let _ = logs.records(); // the listener counts them
    /// let page = logs.handle().metrics().render(Format::Text);
    /// assert!(page.contains("log_records_total{level=\"WARN\",logger=\"shop\"} 1\n"));
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Registry {
        self.0.metrics.registry().clone()
    }

    /// Where `/metrics` is served, if `metrics.listen` names an address; with port 0 there, the
    /// port that the system chose.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.0.metrics.address()
    }

    /// Has the pipeline's counters shown, and its overflows recorded, as long as it lives.
    pub(crate) fn show_metrics(&self) {
        let pipeline = Arc::downgrade(&self.0);
        let here = move || pipeline.upgrade().map(Self);
        let looked_at = here.clone();
        self.0.metrics.show(move || {
            let handle = looked_at()?;
            let queue_size = handle.0.config.queue.size;
            let problems = handle.health().problems.len();
            Some(Look { stats: handle.stats(), problems, queue_size })
        });
        self.0.metrics.on_overflow(move |overflow| {
            if let Some(handle) = here() {
                handle.write_internal_later(internal_records::too_many_series(overflow));
            }
        });
    }

    /// Has a record of the framework's own written soon, and waits for nothing: with no room for
    /// the question there is none. The self-log has said it already.
    fn write_internal_later(&self, record: Record) {
        let (done, _nobody_waits) = bounded(1);
        let _no_room = self.0.control.try_send(Control::Write(Box::new(record), done));
        self.0.queue.waker.wake();
    }
}
