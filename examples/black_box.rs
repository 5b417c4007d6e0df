//! What is left of a program that is killed? All of it.
//!
//! ```sh
//! cargo run --example black_box
//! ```
//!
//! You will see this program start itself, kill that other process while it logs as fast as it can,
//! and look at what it left: some records in `logs/app.log`, the rest in the black box. The next
//! start of logging writes those too, with `recovered: true`, and says so in a record of kind
//! `logwell.black_box`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::{LoggingConfig, black_box};
use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const LOGS: &str = "logs";
/// The program prints a number after each so many records.
const SOME: u64 = 1_000;

fn config() -> Result<LoggingConfig, logwell::Error> {
    LoggingConfig::builder().log_dir(LOGS).console(false).build()
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("log") {
        return log_without_end();
    }
    let mut program =
        Command::new(std::env::current_exe()?).arg("log").stdout(Stdio::piped()).spawn()?;
    let output = program.stdout.take().ok_or("it has no output")?;
    let mut lines = BufReader::new(output).lines();
    // It is killed (SIGKILL on Unix) when it says so for the twentieth time.
    let said = lines.nth(19).ok_or("it has ended")??;
    program.kill()?;
    program.wait()?;
    println!("killed process {} after it had logged at least {said} records", program.id());

    let pid = program.id();
    println!("in the files now:       {} of them", written_by(pid)?);
    for path in black_box::list(LOGS.as_ref())? {
        let contents = black_box::read(&path)?;
        if contents.process == pid {
            println!(
                "in the black box:       {} of them, some of which are written already",
                contents.records.len()
            );
        }
    }

    logwell::init_logging_with(config()?)?;
    logwell::shutdown_logging();
    println!("after the next start:   {} of them", written_by(pid)?);
    Ok(())
}

fn log_without_end() -> Result<(), Box<dyn Error>> {
    logwell::init_logging_with(config()?)?;
    for number in 1_u64.. {
        tracing::info!(number, "on its way");
        if number.is_multiple_of(SOME) {
            println!("{number}");
        }
    }
    Ok(())
}

/// How many records of that process are in `app.log` and its backups.
fn written_by(pid: u32) -> Result<usize, Box<dyn Error>> {
    let mut count = 0;
    for entry in Path::new(LOGS).read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("app.log") {
            let process = format!("\"process\":{pid},");
            let lines = BufReader::new(std::fs::File::open(path)?).lines();
            let texts = lines.map_while(Result::ok);
            count +=
                texts.filter(|line| line.contains(&process) && line.contains("number")).count();
        }
    }
    Ok(count)
}
