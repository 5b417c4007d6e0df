//! The whole, against real directories: what is read back is what was taken.
//!
//! Faults that need a kernel's help (full disk, immutable files, limits) say loudly when they
//! cannot be had; with `CI` set that is a failure.

mod durable;
mod endurance;
mod full;
mod limit;
#[cfg(unix)]
mod modes;
mod moved;
mod opening;
mod packing;
mod processes;
mod promises;
mod refused;
mod retained;
mod scheduled;
mod shifting;

use super::FileOptions;
use super::RotatingFile;
use super::Trouble;
use super::file::{BATCH_BYTES, LOOK_INTERVAL, ROTATE_PAUSE, WRITE_PAUSE};
use super::names::Names;
use super::shift;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

/// A directory, options for a file in it, and a clock that is moved by hand.
struct Place {
    directory: TempDir,
    options: FileOptions,
    now: Instant,
}

impl Place {
    fn new(max_bytes: u64, backup_count: u32) -> Self {
        Self::within(tempdir().unwrap(), max_bytes, backup_count)
    }

    fn within(directory: TempDir, max_bytes: u64, backup_count: u32) -> Self {
        let path = directory.path().join("app.log");
        let options = FileOptions { max_bytes, backup_count, ..FileOptions::new(path) };
        Self { directory, options, now: Instant::now() }
    }

    fn open(&self) -> RotatingFile {
        RotatingFile::open(self.options.clone()).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn pass(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Appends lines and flushes after each.
    fn write(&self, file: &mut RotatingFile, lines: &[&str]) {
        for line in lines {
            file.append(format!("{line}\n").as_bytes(), self.now).unwrap();
            file.flush(self.now).unwrap();
        }
    }
}

/// Backups from the oldest to the newest, then the current file.
fn everything(file: &RotatingFile) -> String {
    file.files().iter().rev().map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
}

fn run(command: &str, arguments: &[&str]) -> bool {
    Command::new(command).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Says that a fault cannot be had here; with `CI` set that is a failure.
fn cannot(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is not possible here, and CI is set");
    writeln!(io::stderr(), "\n*** NOT TESTED: {what} is not possible here ***").unwrap();
}

/// A file attribute, such as `i` for immutable, until dropped.
struct Attribute(PathBuf, char);

impl Attribute {
    fn new(path: PathBuf, flag: char) -> Option<Self> {
        let made = run("chattr", &[&format!("+{flag}"), path.to_str().unwrap()]);
        if !made {
            cannot("chattr");
        }
        made.then_some(Self(path, flag))
    }
}

impl Drop for Attribute {
    fn drop(&mut self) {
        run("chattr", &[&format!("-{}", self.1), self.0.to_str().unwrap()]);
    }
}

/// Its own small disk.
struct Disk(PathBuf);

impl Disk {
    fn new(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let options = format!("size={size}");
        let text = path.to_str().unwrap();
        let made = run("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", text]);
        if !made {
            cannot("mounting a tmpfs");
        }
        made.then_some(Self(path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

/// Runs one test of this file again in its own process, under a shell command's limits.
///
/// Returns whether this is that process.
fn in_child(test: &str, limits: &str) -> bool {
    if std::env::var_os("LOGWELL_TEST_CHILD").is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let script = format!("{limits}; exec \"$0\" --exact rotate::tests::{test} --nocapture");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env("LOGWELL_TEST_CHILD", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}
