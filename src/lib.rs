//! logwell.

pub mod config;
pub mod encode;
pub mod record;
pub mod rotate;
pub mod sink;
pub mod stats;
pub mod terminal;
pub mod testing;
pub mod trace_context;

mod bytes;
mod caller;
mod callsite;
mod capture;
mod clock;
mod context;
mod error;
mod fields;
mod filter;
mod handle;
mod layer;
mod level;
mod listener;
mod log_bridge;
mod logger;
mod macros;
mod metadata;
mod own;
mod queue;
mod report;
mod route;
mod selflog;
mod setup;
mod span;
mod waker;

pub use config::{LoggingConfig, load_config};
pub use context::{ContextGuard, ContextValue, InContext, LoggingContext};
pub use error::{Error, Mistake, Origin};
pub use handle::{Health, LoggingHandle, Unanswered};
pub use layer::QueueLayer;
pub use level::Level;
pub use logger::{Logger, LoggerFactory};
pub use report::ShutdownReport;
pub use selflog::set_self_log;
pub use setup::{
    Builder, handle, init_logging, init_logging_from_config, init_logging_with, shutdown_logging,
};
pub use trace_context::TraceContext;
/// Whether an event of that level and target would be captured: ask before preparing expensive
/// arguments. Takes what [`tracing::enabled!`] takes.
pub use tracing::enabled;

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use tracing;
}
