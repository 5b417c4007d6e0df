//! The program `logwell`: shows the log files that [logwell](../logwell/index.html) wrote, follows
//! them, says whether a record is missing, and sends dead letters again.
//!
//! The parts are public for tests and fuzzers; the program is what is promised. `logwell help` and
//! the README of this crate say how to use it.

mod against;
mod args;
mod dead;
pub mod files;
pub mod filter;
pub mod identity;
mod level_name;
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
        Command::Dead(asked) => dead::act(&asked, out, errors),
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
        sent_from: asked.against.url.as_ref().map(|_| asked.against.against_level.level()),
        ..verify::Options::default()
    };
    let server = match against::Server::of(&asked.against) {
        Ok(server) => server,
        Err(problem) => return told(writeln!(errors, "logwell: {problem}"), FAILED, errors),
    };
    let mut code = FINE;
    for directory in &asked.directories {
        let found = verify::verify(directory, &options).and_then(|report| {
            let compared = server.as_ref().map(|server| server.compare(&report)).transpose()?;
            Ok((report, compared))
        });
        let (this, said) = match found {
            Ok((report, compared)) => {
                let said = match asked.json {
                    true => {
                        let mut json = report.json(asked.accept_declared);
                        if let (Some(object), Some(compared)) = (json.as_object_mut(), &compared) {
                            object.insert("server".to_owned(), compared.json());
                        }
                        writeln!(out, "{json}")
                    }
                    false => {
                        let text = report.text(asked.accept_declared, asked.all);
                        let compared = compared.as_ref().map(|it| it.text(asked.all));
                        write!(out, "{text}{}", compared.unwrap_or_default())
                    }
                };
                let code = match report.verdict(asked.accept_declared) {
                    verify::Verdict::Complete => FINE,
                    verify::Verdict::Incomplete => INCOMPLETE,
                    verify::Verdict::Unknown => FAILED,
                };
                let is_there = compared.is_none_or(|compared| compared.is_complete());
                (if is_there { code } else { code.max(INCOMPLETE) }, said)
            }
            Err(problem) => (FAILED, writeln!(errors, "logwell: {problem}")),
        };
        code = code.max(told(said, this, errors));
    }
    code
}

/// What has been said is said; a reader that has gone away is no error.
pub(crate) fn told(said: io::Result<()>, code: u8, errors: &mut dyn Write) -> u8 {
    match said {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _nobody_to_tell = writeln!(errors, "logwell: cannot write: {error}");
            FAILED
        }
        _ => code,
    }
}
