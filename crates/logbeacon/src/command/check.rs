//! `logbeacon check`: reads the whole store, and reports what is damaged.

use super::Failure;
use super::serve::STORE;
use clap::Args;
use logbeacon_store::{Damage, Embedded, Options, Store as _};
use std::io::Write;
use std::path::PathBuf;

/// What is checked.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The server's data directory.
    #[arg(long, default_value = "logbeacon-data", value_name = "DIR")]
    data_dir: PathBuf,
}

/// Checks, and fails if something is damaged.
pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let dir = args.data_dir.join(STORE);
    if !dir.is_dir() {
        return Err(format!("{}: there is no store", dir.display()).into());
    }
    let (store, report) =
        Embedded::open(&dir, Options { background: false, ..Options::default() })?;
    let mut damaged = report.damaged;
    for damage in store.check()? {
        if !damaged.contains(&damage) {
            damaged.push(damage);
        }
    }
    let health = store.health();
    writeln!(out, "{} records, {} parts, {} bytes", health.rows, health.parts, health.part_bytes)?;
    if report.cut_bytes > 0 {
        writeln!(out, "cut off an unfinished write of {} bytes", report.cut_bytes)?;
    }
    for damage in &damaged {
        writeln!(out, "{}", text(damage))?;
    }
    match damaged.len() {
        0 => Ok(()),
        count => Err(format!(
            "{count} files are damaged; they are put aside in {}/damaged",
            dir.display()
        )
        .into()),
    }
}

fn text(damage: &Damage) -> String {
    let rows = damage.rows.map(|rows| format!(", {rows} records")).unwrap_or_default();
    format!("damaged: {}: {}{rows}", damage.file, damage.reason)
}
