//! How do I configure logging with a file? `init_logging_from_config`, and the environment over it.
//!
//! ```sh
//! cargo run --example from_yaml
//! LOG_LEVEL=debug cargo run --example from_yaml
//! ```
//!
//! Shows what a file with mistakes is answered with, then sets logging up from a good one and
//! prints the configuration in force. Logs go to `target/from_yaml-logs`, or where `LOG_DIR` says.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::path::Path;

const WITH_MISTAKES: &str = "\
level: inf0
files:
  dri: /var/log/shop
queue:
  size: -1
";

const GOOD: &str = "\
level: info,from_yaml=debug
files:
  dir: target/from_yaml-logs
  app: { max_bytes: 1MiB, backup_count: 3 }
console:
  level: warn
queue:
  size: 20000
";

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new("target/from_yaml-logging.yaml");
    fs::create_dir_all("target")?;

    // All problems are reported at once, each with its place. Nothing has happened yet.
    fs::write(path, WITH_MISTAKES)?;
    if let Err(error) = logwell::load_config(path) {
        println!("{error}\n");
    }

    fs::write(path, GOOD)?;
    let logging = logwell::init_logging_from_config(path)?;
    println!("the configuration in force:\n\n{}", logging.effective_config());

    tracing::debug!(config = %path.display(), "our own crate is logged from DEBUG on");
    tracing::debug!(target: "hyper", "other crates from INFO on, so this is not logged");
    tracing::warn!("the console shows WARN and above");

    // The level can change while the program runs.
    logging.set_level("debug")?;
    tracing::debug!(target: "hyper", "and now it is logged");

    let files = logging.log_files();
    println!("{}", logwell::shutdown_logging());
    if let Some(app_log) = files.first() {
        println!("\n{}, newest first:", app_log.display());
        for line in fs::read_to_string(app_log)?.lines().rev().take(4) {
            println!("{line}");
        }
    }
    Ok(())
}
