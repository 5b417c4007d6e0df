//! Program: one program run at the root of the workspace; a failure says which it was.
//!
//! Knows no stage: `steps.rs` says what is run.

use std::error::Error;
use std::path::Path;
use std::process::Command;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Runs cargo at the root.
pub(crate) fn cargo(arguments: &[&str]) -> Outcome {
    run(Command::new("cargo").args(arguments))
}

/// Runs the program to its end, at the root unless it names a directory.
pub(crate) fn run(command: &mut Command) -> Outcome {
    if command.get_current_dir().is_none() {
        command.current_dir(root()?);
    }
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} failed: {status}").into()),
        Err(error) => Err(format!("{shown} could not be started: {error}").into()),
    }
}

/// The directory of the workspace.
pub(crate) fn root() -> Result<&'static Path, Box<dyn Error>> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| "xtask is at the root".into())
}
