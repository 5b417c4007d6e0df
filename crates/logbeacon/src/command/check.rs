//! Check: `logbeacon check` and `logbeacon salvage`: reads the whole store, reports what is
//! damaged, and gets back what can be read of it.

use super::Failure;
use super::serve::STORE;
use clap::Args;
use logbeacon_store::{Damage, Embedded, OpenReport, Options, Store as _};
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
    let (store, report) = open(args)?;
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
    list(&damaged, out)?;
    match damaged.len() {
        0 => Ok(()),
        count => Err(format!("{count} damaged files were put aside: try `salvage`").into()),
    }
}

/// Makes new files of what can be read, and fails if something is lost.
pub(super) fn salvage(args: &CheckArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let (store, _) = open(args)?;
    let report = store.salvage()?;
    writeln!(out, "{} records can be found again", report.records)?;
    for file in &report.files {
        writeln!(out, "read: {file}")?;
    }
    list(&report.lost, out)?;
    match report.lost.len() {
        0 => Ok(()),
        count => Err(format!("of {count} files not everything could be read").into()),
    }
}

fn open(args: &CheckArgs) -> Result<(Embedded, OpenReport), Failure> {
    let dir = args.data_dir.join(STORE);
    if !dir.is_dir() {
        return Err(format!("{}: there is no store", dir.display()).into());
    }
    Ok(Embedded::open(&dir, Options { background: false, ..Options::default() })?)
}

fn list(damaged: &[Damage], out: &mut dyn Write) -> Result<(), Failure> {
    for Damage { file, reason, rows, .. } in damaged {
        let rows = rows.map(|rows| format!(", {rows} records")).unwrap_or_default();
        writeln!(out, "damaged: {file}: {reason}{rows}")?;
    }
    Ok(())
}
