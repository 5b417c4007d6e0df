//! Options: what is measured, within which limits, and where it is served.

use crate::metrics::guard::MAX_SERIES;
use logwell_options::section;
use logwell_options::units::{HOUR, MINUTE};
use logwell_options::value::{count, flag, optional_time, text};
use std::time::Duration;

section! {
    /// Metrics of logging, of spans, of the process and of your program, for Prometheus.
    pub struct MetricsConfig {
        /// Whether logging, spans, process and system are measured. Metrics that the program
        /// creates itself work either way.
        enabled: bool = true => flag();
        /// The address on which `/metrics` is served, such as `127.0.0.1:9464`. Empty serves
        /// nothing: a handler of the program's renders the page. Anyone who reaches the address can
        /// read the page, so keep to 127.0.0.1 unless the network is yours.
        listen: String = String::new() => text(256);
        /// Which spans are timed: `all`, `none`, or names separated by commas. Only spans that
        /// `level` lets pass exist at all.
        spans: String = "all".to_owned() => text(4_096);
        /// How many series a metric may have. Further ones are counted together as `_other`, and
        /// the log says so. Raise it for a metric whose labels are known to be few.
        max_series: usize = MAX_SERIES => count(1, 1_000_000);
        /// How many loggers `log_records_total` tells apart. Further ones are `_other`.
        max_loggers: usize = 100 => count(1, 10_000);
        /// When a series of the program's goes that nobody has changed and no code holds. `none`
        /// keeps all: a counter that goes and comes back looks like a restart.
        expire_after: Option<Duration> = None => optional_time(MINUTE, HOUR * 8_760);
        /// Whether processor time, memory, files and threads of the process are read, and the
        /// limits of its control group.
        process: bool = true => flag();
        /// Whether processors, memory and disks of the machine are read. Turn it off where another
        /// exporter does that.
        system: bool = true => flag();
    }
}
