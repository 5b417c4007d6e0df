//! Import: `logbeacon import`: sends log files of logwell to a running server.
//!
//! Files are read in the order of their names, packed ones too. Each line is identified by its
//! content, so an import that was interrupted can simply be run again.

use super::remote::Remote;
use super::{Failure, Target};
use clap::Args;
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is to be sent.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    target: Target,
    /// The directory of the files: `*.log`, `*.log.N`, and the same with `.gz` and `.zst`.
    dir: PathBuf,
    /// The stream for the records.
    #[arg(long, default_value = "default")]
    stream: String,
}

/// Lines of one request.
const BATCH_LINES: usize = 500;
/// Bytes of one request, about.
const BATCH_BYTES: usize = 4 << 20;

#[derive(Debug, Default)]
struct Total {
    accepted: u64,
    duplicate: u64,
    refused: u64,
}

/// Sends all files.
pub(super) fn run(args: ImportArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let remote = Remote::new(&args.target)?;
    let path = format!("/api/logs?dedup=content&stream={}", args.stream);
    let mut all = Total::default();
    for file in files(&args.dir)? {
        let total = send(&remote, &path, &file)
            .map_err(|failure| format!("{}: {failure}", file.display()))?;
        let Total { accepted, duplicate, refused } = total;
        let shown = file.display();
        writeln!(out, "{shown}: {accepted} accepted, {duplicate} duplicate, {refused} refused")?;
        all.accepted += accepted;
        all.duplicate += duplicate;
        all.refused += refused;
    }
    let Total { accepted, duplicate, refused } = all;
    writeln!(out, "all: {accepted} accepted, {duplicate} duplicate, {refused} refused")?;
    Ok(())
}

/// The log files of a directory, by name.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && path.file_name().is_some_and(|name| is_log(&name.to_string_lossy())) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_log(name: &str) -> bool {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once('.') {
        Some((_, "log")) => true,
        Some((rest, number)) => is_number(number) && rest.ends_with(".log"),
        None => false,
    }
}

fn send(remote: &Remote, path: &str, file: &Path) -> Result<Total, Failure> {
    let mut reader = BufReader::new(open(file)?);
    let (mut total, mut batch, mut lines) = (Total::default(), Vec::new(), 0);
    loop {
        let read = reader.read_until(b'\n', &mut batch)?;
        lines += 1;
        if read == 0 || lines == BATCH_LINES || batch.len() >= BATCH_BYTES {
            if !batch.trim_ascii().is_empty() {
                post(remote, path, &batch, &mut total)?;
            }
            batch.clear();
            lines = 0;
        }
        if read == 0 {
            return Ok(total);
        }
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, Failure> {
    let opened = File::open(file)?;
    Ok(match file.extension().and_then(|end| end.to_str()) {
        Some("gz") => Box::new(MultiGzDecoder::new(opened)),
        Some("zst") => Box::new(zstd::Decoder::new(opened)?),
        _ => Box::new(opened),
    })
}

/// Posts a batch; waits and tries again while the server wants that.
fn post(remote: &Remote, path: &str, batch: &[u8], total: &mut Total) -> Result<(), Failure> {
    loop {
        let answer = remote.post(path, batch)?;
        if let 429 | 503 | 507 = answer.status {
            std::thread::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1)));
            continue;
        }
        let receipt: Value = serde_json::from_str(&answer.body)
            .map_err(|_| format!("status {}: {}", answer.status, answer.body))?;
        let count = |name: &str| receipt.get(name).and_then(Value::as_u64);
        let (Some(accepted), Some(duplicate), Some(refused)) =
            (count("accepted"), count("duplicate"), count("refused"))
        else {
            return Err(format!("status {}: {}", answer.status, answer.body).into());
        };
        total.accepted += accepted;
        total.duplicate += duplicate;
        total.refused += refused;
        return Ok(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_files_are_known_by_their_names() {
        for name in ["app.log", "app.log.1", "errors.log.12.gz", "app.log.zst"] {
            assert!(is_log(name), "{name}");
        }
        for name in ["app.txt", "app.log.bak", "log", "app.log.", "tokens.json", ".gz"] {
            assert!(!is_log(name), "{name}");
        }
    }
}
