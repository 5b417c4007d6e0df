//! Context: the span and logging context of a thread, carried to another thread or task.
//!
//! Knows tracing's current span and [`LoggingContext`]. Does not know threads or runtimes: it wraps
//! what they run. A place in the program goes in, and work that is done as if it were there comes
//! out.

use crate::capture::context::LoggingContext;
use std::future::Future;
use tracing::{Instrument as _, Span};

/// The span and the [`LoggingContext`] that a thread was in, to be taken along.
///
/// A task or thread that is spawned starts with neither. Captured before and carried into it, its
/// records have the same trace and span ids, spans and pairs as those around the spawn.
///
/// ```
/// use logwell::{Context, LoggingContext};
///
/// let logs = logwell::testing::capture();
/// let request = LoggingContext::new().trace_id("abc-123").with("tenant", "acme");
/// request.in_scope(|| {
///     // As for std::thread::spawn and tokio::task::spawn_blocking:
///     let work = Context::capture().wrap(|| tracing::info!("done"));
///     work();
///     // As for tokio::spawn:
///     let _task = Context::capture().instrument(async { tracing::info!("done") });
/// });
/// assert_eq!(logs.json()[0]["trace_id"], "abc-123");
/// ```
///
/// ```no_run
/// # async fn work() {}
/// let here = logwell::Context::capture();
/// tokio::spawn(here.clone().instrument(work()));
/// tokio::task::spawn_blocking(here.clone().wrap(|| tracing::info!("on a blocking thread")));
/// std::thread::spawn(here.wrap(|| tracing::info!("on a thread")));
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    span: Span,
    context: Option<LoggingContext>,
}

impl Context {
    /// What the calling thread is in now. In neither span nor context it carries nothing.
    #[must_use]
    pub fn capture() -> Self {
        Self { span: Span::current(), context: LoggingContext::current() }
    }

    /// Does `work` on this thread as if it were there.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _span = self.span.enter();
        match &self.context {
            Some(context) => context.in_scope(work),
            None => work(),
        }
    }

    /// The work, to be done as if it were there: for a thread.
    pub fn wrap<T>(self, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
        move || self.run(work)
    }

    /// The future, polled as if it were there: for a task.
    pub fn instrument<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        let Self { span, context } = self;
        let work = async move {
            match context {
                Some(context) => context.instrument(future).await,
                None => future.await,
            }
        };
        work.instrument(span)
    }
}
