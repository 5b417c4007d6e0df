//! Reference: writes the files of `config/` that are made from the list of options.
//!
//! The tests that compare them write them when they are asked to, so that the project's commands
//! need not be built with the library.

use crate::program::{self, Outcome};
use std::process::Command;

/// Writes `config/logging.yaml` and `config/logging.schema.json`, with the options of all features.
pub(crate) fn run() -> Outcome {
    let test = ["test", "--package", "logwell", "--all-features", "--lib", "generated_files"];
    program::run(Command::new("cargo").args(test).env("UPDATE_GOLDEN", "1"))
}
