//! The program `logbeacon`: reads the command line, and says with its exit code how it went.

#![expect(clippy::print_stderr, reason = "a program speaks to its user")]

use clap::Parser as _;
use logbeacon::command::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("logbeacon: {failure}");
            ExitCode::FAILURE
        }
    }
}
