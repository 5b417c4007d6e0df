//! Commands: the command line, and what each command does.
//!
//! Knows words and exit codes. A command returns what went wrong; the program prints it.

mod check;
mod demo;
mod import;
mod remote;
mod serve;
mod stress;
mod token;

use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;

/// LogBeacon: a log server in one binary. A 200 means: on disk, found at once, there exactly once.
#[derive(Debug, Parser)]
#[command(name = "logbeacon", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(serve::ServeArgs),
    /// Reads every byte of the store and reports what is damaged. The server must not run.
    Check(check::CheckArgs),
    /// Gets back what can be read of damaged files. The server must not run.
    Salvage(check::CheckArgs),
    /// Makes, lists and revokes tokens. Works on the data directory, beside a running server too.
    Token(token::TokenArgs),
    /// Shows or replaces the rules of retention of a running server.
    Retention(remote::RetentionArgs),
    /// Deletes records from a running server, and prints the certificate.
    Delete(remote::DeleteArgs),
    /// Sends logwell's log files to a running server. Sending them again doubles nothing.
    Import(import::ImportArgs),
    /// Loads a running server as many devices do, and looks up afterwards what it acknowledged.
    Stress(stress::StressArgs),
}

/// A running server.
#[derive(Debug, Clone, Args)]
struct Target {
    /// Its address.
    #[arg(long, default_value = "http://127.0.0.1:8514", env = "LOGBEACON_URL")]
    url: String,
    /// A token that allows what is asked.
    #[arg(long, env = "LOGBEACON_TOKEN", hide_env_values = true)]
    token: String,
    /// Certificates to trust, in PEM, if its own is not signed by a public authority.
    #[arg(long)]
    ca_file: Option<PathBuf>,
}

/// What went wrong, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Cli {
    /// Does what was asked; texts go to `out`.
    ///
    /// # Errors
    ///
    /// What was asked could not be done.
    pub fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        match self.command {
            Command::Serve(args) => serve::run(args, out),
            Command::Check(args) => check::run(&args, out),
            Command::Salvage(args) => check::salvage(&args, out),
            Command::Token(args) => token::run(args, out),
            Command::Retention(args) => remote::retention(args, out),
            Command::Delete(args) => remote::delete(args, out),
            Command::Import(args) => import::run(args, out),
            Command::Stress(args) => stress::run(args, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
