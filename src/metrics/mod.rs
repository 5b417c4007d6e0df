//! Metrics: counters, gauges and histograms for Prometheus, and what logging itself counts.
//!
//! Needs the cargo feature `metrics`, and no further crate. Configured in the section `metrics`;
//! [`_documentation::metrics`](crate::_documentation::metrics) is its manual. Knows records and
//! their callsites; knows no queue, no sink and no tracing.
//!
//! ```
//! use logwell::metrics::{self, Format};
//!
//! let paid = metrics::global().counters("shop_orders_paid_total", "Orders paid.", ["method"]);
//! paid.with(["card"]).inc();
//! let page = metrics::global().render(Format::Text);
//! assert!(page.contains("shop_orders_paid_total{method=\"card\"} 1"));
//! ```

mod callsite_table;
mod cgroup;
pub(crate) mod exemplar;
mod exposition;
mod family;
mod format;
pub(crate) mod guard;
mod instruments;
mod log_records;
mod name;
pub(crate) mod options;
mod own;
mod pipeline;
mod process;
mod registry;
mod server;
mod spans;
mod system;

pub use exposition::{Exposition, FamilyWriter, LabelSlice};
pub use family::Family;
pub use format::{Format, Kind, Number};
pub use instruments::{Counter, Gauge, Histogram, Instrument, SECONDS, Tracked};
pub(crate) use log_records::LogRecords;
pub(crate) use own::Look;
pub(crate) use pipeline::{Opened, PipelineMetrics, Setup};
pub use registry::{Registry, global};
pub(crate) use spans::{SpanTimer, SpanTimes};
