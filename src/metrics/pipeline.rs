//! PipelineMetrics: what one pipeline measures of itself, as its configuration says.
//!
//! Joins the parts of this folder; the only file that the set-up needs. Does not know the pipeline:
//! it is handed a function that looks at the counters. A configuration goes in; out come the
//! counters that capture and listener feed, and the page.

use crate::base::error::Error;
use crate::base::selflog;
use crate::metrics::guard::Overflow;
use crate::metrics::log_records::LogRecords;
use crate::metrics::options::MetricsConfig;
use crate::metrics::own::{self, Look};
use crate::metrics::registry::Registry;
use crate::metrics::server::{self, Server};
use crate::metrics::spans::SpanTimes;
use crate::metrics::{cgroup, process, system};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// What measuring needs to know.
pub(crate) type Setup<'a> = &'a MetricsConfig;

/// An address that was opened, if one is wanted.
#[derive(Debug)]
pub(crate) struct Opened(Option<server::Opened>);

impl Opened {
    /// Opens the address, if there is one.
    pub(crate) fn open(config: Setup<'_>) -> Result<Self, Error> {
        let address = config.listen.trim();
        let opened = (!address.is_empty()).then(|| server::Opened::at(address));
        Ok(Self(opened.transpose()?))
    }
}

/// What one pipeline measures. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct PipelineMetrics {
    registry: Registry,
    records: LogRecords,
    spans: SpanTimes,
    server: Arc<OnceLock<Server>>,
}

impl PipelineMetrics {
    pub(crate) fn new(config: Setup<'_>, registry: Option<Registry>) -> Self {
        let registry = registry.unwrap_or_default();
        registry.guard().limit(config.max_series, config.expire_after);
        let (mut records, mut spans) = Default::default();
        if config.enabled {
            records = LogRecords::new(config.max_loggers);
            spans = SpanTimes::new(&registry, &config.spans);
            let (is_process, is_system) = (config.process, config.system);
            registry.collect(move |page| {
                if is_process {
                    process::write(page);
                    cgroup::write(page);
                }
                if is_system {
                    system::write(page);
                }
            });
        }
        Self { registry, records, spans, server: Arc::default() }
    }

    /// What the listener and the layer count.
    pub(crate) fn records(&self) -> LogRecords {
        self.records.clone()
    }

    /// What the layer times.
    pub(crate) fn spans(&self) -> SpanTimes {
        self.spans.clone()
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Shows the pipeline's counters, which `look` returns until the pipeline is gone.
    pub(crate) fn show(&self, look: impl Fn() -> Option<Look> + Send + Sync + 'static) {
        if !self.records.is_on() {
            return;
        }
        let (records, guard) = (self.records.clone(), Arc::downgrade(self.registry.guard()));
        self.registry.collect(move |page| {
            // A pipeline that is gone leaves the page to the one that comes after it.
            if let (Some(look), Some(guard)) = (look(), guard.upgrade()) {
                records.write(page, &guard);
                own::write(&look, page);
            }
        });
    }

    /// Calls `tell` for each metric that has too many series.
    pub(crate) fn on_overflow(&self, tell: impl Fn(&Overflow) + Send + Sync + 'static) {
        self.registry.guard().on_overflow(tell);
    }

    /// Serves the page where that is wanted. Returns what is wrong if it cannot.
    pub(crate) fn serve(&self, opened: Opened) -> Option<String> {
        match opened.0?.serve(self.registry.clone()) {
            Ok(server) => {
                let _once_for_each_pipeline = self.server.set(server);
                None
            }
            Err(error) => {
                selflog::tell("metrics are not served", &error);
                Some(format!("metrics are not served: {error}"))
            }
        }
    }

    /// Where the page is served, if it is.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.server.get().map(Server::address)
    }

    /// What is wrong with metrics, for people.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.registry.problems().into_iter().map(|problem| format!("metrics: {problem}")).collect()
    }

    /// Ends the server.
    pub(crate) fn stop(&self) {
        if let Some(server) = self.server.get() {
            server.stop();
        }
    }
}
