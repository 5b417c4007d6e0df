//! How do I start? One call at start-up, one at exit, ordinary `tracing` macros in between.
//!
//! ```sh
//! cargo run --example quickstart
//! cat logs/app.log
//! ```
//!
//! You will see the records as text on the terminal, and as lines of JSON in `logs/app.log` (errors
//! in `logs/errors.log` too). `LOG_DIR` and `LOG_LEVEL` change where and what.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    logwell::init_logging()?;

    tracing::info!(
        endpoint = "/api/ai/chat",
        user_id = "user_001",
        latency_ms = 234,
        "API request handled"
    );
    let request = tracing::info_span!("request", path = "/buy", user = tracing::field::Empty);
    request.in_scope(|| {
        request.record("user", "ann");
        tracing::warn!(attempt = 2, "payment was slow");
        if let Err(error) = "12x".parse::<u32>() {
            tracing::error!(error = &error as &dyn std::error::Error, "order refused");
        }
    });
    logwell::critical!(pool = "orders", "no database connection left");

    let report = logwell::shutdown_logging();
    println!("{report}");
    Ok(())
}
