//! Subject: a logger that is measured. Each file below sets one up and logs the same records with
//! it.

use logwell_benches::Order;
use std::path::Path;

mod emit;
mod fast_log;
mod flexi;
mod log_crate;
mod logforth;
mod logwell;
mod reference;
mod slog;
#[cfg(spdlog)]
mod spdlog;
mod spdlog_rs;
mod tracing_crate;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A logger that writes JSON lines into a directory and loses nothing.
pub trait Subject: Sync + Sized {
    /// Starts it. It writes into `dir` and no other place.
    fn start(dir: &Path) -> Outcome<Self>;

    /// A message with five typed fields.
    fn five_fields(&self, number: u64);

    /// Runs `work` inside two spans with three fields each, if the subject has spans.
    fn in_spans(&self, work: impl FnOnce(&Self)) {
        work(self);
    }

    /// What is called inside the spans; a subject without spans repeats their fields in each
    /// record.
    fn five_fields_in_spans(&self, number: u64) {
        self.five_fields(number);
    }

    /// A message with a value of 1 KB made by `Debug`.
    fn debug_value(&self, order: &Order);

    /// A call whose level is off.
    fn disabled(&self, number: u64);

    /// A message with a text that may have to be escaped.
    fn text(&self, text: &str);

    /// Called each few thousand records by workloads that do not pause: a subject that can neither
    /// block nor keep everything waits here.
    fn catch_up(&self) {}

    /// Waits until every byte is in the file.
    fn finish(self);
}

/// What is done with a subject, whichever it is.
pub trait Visitor {
    fn visit<S: Subject>(self) -> Outcome<()>;
}

/// All subjects that were compiled, the reference first.
pub fn names() -> Vec<&'static str> {
    let mut names = vec!["tracing-appender", "logwell", "slog-async", "logforth", "flexi_logger"];
    names.extend(["fast_log", "spdlog-rs", "emit"]);
    if cfg!(spdlog) {
        names.push(CPP);
    }
    names
}

/// The name of the C++ subject.
pub const CPP: &str = "C++ spdlog";

/// The subject that ratios are given against.
pub const REFERENCE: &str = "tracing-appender";

/// Calls `visitor` with the subject of that name.
pub fn with(name: &str, visitor: impl Visitor) -> Outcome<()> {
    match name {
        "logwell" => visitor.visit::<logwell::Logwell>(),
        REFERENCE => visitor.visit::<reference::Reference>(),
        "slog-async" => visitor.visit::<slog::Slog>(),
        "logforth" => visitor.visit::<logforth::Logforth>(),
        "flexi_logger" => visitor.visit::<flexi::Flexi>(),
        "fast_log" => visitor.visit::<fast_log::FastLog>(),
        "spdlog-rs" => visitor.visit::<spdlog_rs::SpdlogRs>(),
        "emit" => visitor.visit::<emit::Emit>(),
        #[cfg(spdlog)]
        CPP => visitor.visit::<spdlog::Spdlog>(),
        other => Err(format!("no subject is called {other}; there are {:?}", names()).into()),
    }
}

/// The version of the subject, as the lock file or the C++ headers say it.
pub fn version(name: &str) -> String {
    if name == CPP {
        #[cfg(spdlog)]
        return spdlog::version();
    }
    let package = if name == "emit" { "emit_file" } else { name };
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{package}\"\nversion = \"");
    let rest = lock.split(entry.as_str()).nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}
