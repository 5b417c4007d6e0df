//! What about code that uses the `log` crate, or loggers whose names are known only at run time?
//! Both arrive in the same files, with the trace id of the request they belong to.
//!
//! ```sh
//! cargo run --example log_crate
//! ```
//!
//! Logs go to the terminal and to `target/log_crate-logs`, or where `LOG_DIR` says.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::{Level, LoggerFactory, LoggingConfig, LoggingContext};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let config = LoggingConfig::builder()
        .log_level("info,billing=debug")
        .log_dir("target/log_crate-logs")
        .build()?
        .with_env(std::env::vars_os())?;
    let app_log = config.files.dir.join("app.log");
    let logging = LoggerFactory::init(config)?;

    let request = LoggingContext::new().trace_id("abc-123");
    request.in_scope(|| {
        // Older code and most libraries: nothing changes for them.
        log::info!("order {} accepted", 7);
        log::warn!(target: "legacy::stock", "only {} left", 2);

        // New code.
        tracing::info!(order = 7, "order accepted");

        // Names that come from data: one logger for each tenant, with fields of its own.
        for tenant in ["acme", "umbrella"] {
            let logger = logging.logger(format!("billing.{tenant}")).with("tenant", tenant);
            logger.info("invoice sent");
            if logger.is_enabled(Level::Debug) {
                logger.debug(&format!("details: {}", expensive_summary(tenant)));
            }
        }
        logging.logger("billing").critical("no printer left");
    });

    println!("\n{}", logging.shutdown());
    println!("\n{}, newest first:", app_log.display());
    for line in std::fs::read_to_string(app_log)?.lines().rev().take(4) {
        println!("{line}");
    }
    Ok(())
}

fn expensive_summary(tenant: &str) -> String {
    format!("{} letters in {tenant}", tenant.len())
}
