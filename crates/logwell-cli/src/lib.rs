//! The program `logwell`: shows the log files that [logwell](../logwell/index.html) wrote, follows
//! them, and says whether a record is missing.
//!
//! The parts are public for tests and fuzzers; the program is what is promised. `logwell help` and
//! the README of this crate say how to use it.

mod args;
pub mod files;
pub mod filter;
pub mod identity;
pub mod line;
pub mod lines;
pub mod merge;
pub mod open;
pub mod query;
mod schema;
mod show;
pub mod stream;
pub mod text;
pub mod verify;
pub mod when;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
use std::ffi::OsString;
use std::io::{self, Write};

/// All went well, or everything is complete.
pub const FINE: u8 = 0;
/// Something is missing, damaged or out of order; or an answer is incomplete.
pub const INCOMPLETE: u8 = 1;
/// It could not be done: the question was not understood, or a file cannot be read.
pub const FAILED: u8 = 2;

/// Runs the program with those arguments, the first of which is its name; gives the exit code.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _nobody_to_tell = write!(errors, "{}", error.render());
            return FAILED;
        }
        Err(help) => return told(write!(out, "{}", help.render()), FINE, errors),
    };
    match cli.command {
        Command::Verify(verify) => verify_all(&verify, out, errors),
        Command::Show(asked) => show::show(&asked, out, errors),
        Command::Query(asked) => query::query(&asked, out, errors),
        Command::Tail(asked) => show::tail(&asked, out, errors),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "logwell", &mut script);
            told(out.write_all(&script), FINE, errors)
        }
    }
}

fn verify_all(asked: &args::Verify, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let options = verify::Options {
        app: asked.app.clone(),
        errors: asked.errors.clone(),
        ai: asked.ai.clone(),
        black_box_dir: asked.black_box_dir.clone(),
        ..verify::Options::default()
    };
    let mut code = FINE;
    for directory in &asked.directories {
        let (this, said) = match verify::verify(directory, &options) {
            Ok(report) => {
                let said = match asked.json {
                    true => writeln!(out, "{}", report.json(asked.accept_declared)),
                    false => write!(out, "{}", report.text(asked.accept_declared, asked.all)),
                };
                let code = match report.verdict(asked.accept_declared) {
                    verify::Verdict::Complete => FINE,
                    verify::Verdict::Incomplete => INCOMPLETE,
                    verify::Verdict::Unknown => FAILED,
                };
                (code, said)
            }
            Err(problem) => (FAILED, writeln!(errors, "logwell: {problem}")),
        };
        code = code.max(told(said, this, errors));
    }
    code
}

/// What has been said is said; a reader that has gone away is no error.
fn told(said: io::Result<()>, code: u8, errors: &mut dyn Write) -> u8 {
    match said {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _nobody_to_tell = writeln!(errors, "logwell: cannot write: {error}");
            FAILED
        }
        _ => code,
    }
}
