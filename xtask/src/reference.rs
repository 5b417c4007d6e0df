//! Reference: writes the files of `config/` that are made from the list of options.
//!
//! A test of logwell says when they are out of date.

use std::error::Error;
use std::fs;
use std::path::Path;

/// Writes `config/logging.yaml` and `config/logging.schema.json`.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask is at the root")?;
    let config = root.join("config");
    fs::create_dir_all(&config)?;
    fs::write(config.join("logging.yaml"), logwell::config::reference_yaml())?;
    fs::write(config.join("logging.schema.json"), logwell::config::json_schema())?;
    Ok(())
}
