//! xtask: the project's own commands, `cargo x <command>`.

use std::error::Error;

mod reference;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("reference") => reference::run(),
        Some(other) => Err(format!("unknown command {other:?}; {COMMANDS}").into()),
        None => Err(COMMANDS.into()),
    }
}

const COMMANDS: &str = "commands: reference";
