//! Measure: requests as metrics, under OpenTelemetry's names.
//!
//! Knows two families of logwell's registry. Does not know records. Requests that begin and end go
//! in.

use logwell::metrics::{Family, Gauge, Histogram, Registry, SECONDS, Tracked};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Into which registry is measured; the families are made with the first request.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    registry: Option<Registry>,
    families: Arc<OnceLock<Families>>,
}

#[derive(Debug, Clone)]
struct Families {
    durations: Family<Histogram, 5>,
    active: Family<Gauge, 2>,
}

/// What of a request is a label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labels<'a> {
    /// A registered method, or `_OTHER`.
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) scheme: &'a str,
    /// Whether it is not measured.
    pub(crate) is_skipped: bool,
}

/// How a request has ended.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) status: Option<i64>,
    pub(crate) error_type: Option<&'a str>,
    pub(crate) took: Duration,
}

/// A request that is being measured.
#[derive(Debug)]
pub(crate) struct Running {
    families: Families,
    _active: Option<Tracked>,
}

impl Measure {
    /// Measures into the registry of the process's logging.
    pub(crate) fn global() -> Self {
        Self { registry: None, families: Arc::default() }
    }

    /// Measures into that registry.
    pub(crate) fn into_registry(registry: Registry) -> Self {
        Self { registry: Some(registry), families: Arc::default() }
    }

    pub(crate) fn begin(&self, labels: Labels<'_>) -> Running {
        let families = self.families.get_or_init(|| {
            let registry = self.registry.clone().unwrap_or_else(logwell::metrics::global);
            let names = [
                "http_request_method",
                "http_route",
                "http_response_status_code",
                "error_type",
                "url_scheme",
            ];
            let (duration, active) =
                ("http_server_request_duration_seconds", "http_server_active_requests");
            let help = "Requests, from their heads to the end of their responses.";
            Families {
                durations: registry.histograms(duration, help, names, SECONDS),
                active: registry.gauges(
                    active,
                    "Requests under way.",
                    ["http_request_method", "url_scheme"],
                ),
            }
        });
        let of = [labels.method, labels.known_scheme()];
        let active = (!labels.is_skipped).then(|| families.active.with(of).track());
        Running { families: families.clone(), _active: active }
    }
}

impl Running {
    /// The request has ended; called inside its trace, which becomes an exemplar.
    pub(crate) fn end(&self, labels: Labels<'_>, outcome: &Outcome<'_>) {
        let status = outcome.status.map(|status| status.to_string()).unwrap_or_default();
        let error_type = outcome.error_type.unwrap_or_default();
        let values = [labels.method, labels.route, &status, error_type, labels.known_scheme()];
        self.families.durations.with(values).observe_duration(outcome.took);
    }
}

impl<'a> Labels<'a> {
    /// A caller can send any word, which must not become a series.
    fn known_scheme(&self) -> &'a str {
        match self.scheme {
            known @ ("http" | "https") => known,
            _ => "_OTHER",
        }
    }
}
