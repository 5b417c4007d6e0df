//! Process: real directories, killed processes, full disks.
//!
//! What needs a kernel's help says loudly when it cannot be had; with `CI` set that is a failure.

use super::*;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::tempdir;

/// Where the child is to work.
const CHILD: &str = "LOGWELL_TEST_SPOOL";

fn options(directory: &Path) -> SpoolOptions {
    SpoolOptions { segment_bytes: 64 << 10, ..SpoolOptions::new(directory) }
}

/// Appends forever, and says after each flush how far it has come.
#[test]
fn child_that_appends() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let (mut writer, _reader, _) = open(&options(directory.as_ref()), &Clock::System).unwrap();
    let mut stdout = io::stdout().lock();
    for n in 0.. {
        writer.append(&content(n, 50 + n * 13 % 500), Urgency::ALL[n % 2]).unwrap();
        if n % 10 == 9 {
            writer.flush().unwrap();
            writeln!(stdout, "flushed {}", n + 1).unwrap();
        }
    }
}

fn start(directory: &Path) -> Child {
    let test = "spool::tests::process::child_that_appends";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, directory);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// How far a child has said that it has come.
fn flushed(line: &str) -> Option<usize> {
    line.rsplit_once("flushed ")?.1.parse().ok()
}

#[test]
fn what_a_process_has_flushed_outlives_its_being_killed() {
    for lines in [1, 7, 100, 400] {
        let directory = tempdir().unwrap();
        let mut child = start(directory.path());
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let progress = told.by_ref().filter_map(|line| flushed(&line.unwrap()));
        let before = progress.take(lines).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let after = told.filter_map(|line| flushed(&line.ok()?)).last().unwrap_or(before);
        let (mut writer, mut reader, status) =
            open(&options(directory.path()), &Clock::System).unwrap();
        writer.append(&content(999_999, 50), Urgency::Ordinary).unwrap();
        writer.flush().unwrap();
        let mut out = drain(&mut reader);
        assert_eq!(out.pop(), Some(999_999));
        // Of the batch that was being written when it died there may be a part of each urgency.
        assert!(out.len() >= after && out.len() <= after + 20, "{} of {after}", out.len());
        assert_eq!(out[..after], (0..after).collect::<Vec<_>>());
        assert!(out.is_sorted());
        assert_eq!(status.counts().damaged, 0);
    }
}

#[test]
fn a_spool_that_another_process_has_is_refused_until_that_process_is_gone() {
    let directory = tempdir().unwrap();
    let mut child = start(directory.path());
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    told.by_ref().find(|line| flushed(line.as_ref().unwrap()).is_some()).unwrap().unwrap();
    let error = open(&options(directory.path()), &Clock::System).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let path = directory.path().to_str().unwrap();
    assert!(error.to_string().contains(path), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    open(&options(directory.path()), &Clock::System).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_spool() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempdir().unwrap();
    let path = directory.path().join("spool");
    let (mut writer, mut reader, _) = open(&options(&path), &Clock::System).unwrap();
    writer.append(b"000001", Urgency::Ordinary).unwrap();
    writer.append(b"000002", Urgency::Urgent).unwrap();
    writer.sync().unwrap();
    assert_eq!(drain(&mut reader), [1, 2]);
    reader.sync().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 4);
    files.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{}", file.display()));
}

#[test]
fn a_directory_that_is_deleted_is_made_again() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("spool");
    let clock = ManualClock::new();
    let (mut writer, mut reader, status) =
        open(&options(&path), &Clock::Manual(clock.clone())).unwrap();
    writer.append(b"000001", Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    fs::remove_dir_all(&path).unwrap();
    clock.advance(std::time::Duration::from_secs(1));
    writer.append(b"000002", Urgency::Ordinary).unwrap();
    writer.sync().unwrap();
    assert_eq!(drain(&mut reader), [2]);
    assert_eq!(status.counts().damaged, 1);
    reader.sync().unwrap();
    assert!(path.join("cursor").exists());
}

#[cfg(unix)]
#[test]
fn what_stands_in_the_way_of_a_segment_is_neither_followed_nor_opened() {
    let directory = tempdir().unwrap();
    let mine = directory.path().join("mine");
    fs::write(&mine, "mine").unwrap();
    let path = directory.path().join("spool");
    fs::create_dir(&path).unwrap();
    std::os::unix::fs::symlink(&mine, path.join("ordinary-00000000000000000001.spool")).unwrap();
    fs::create_dir(path.join("urgent-00000000000000000001.spool")).unwrap();
    let (mut writer, mut reader, _) = open(&options(&path), &Clock::System).unwrap();
    writer.append(b"000001", Urgency::Ordinary).unwrap();
    writer.append(b"000002", Urgency::Urgent).unwrap();
    writer.flush().unwrap();
    assert_eq!(drain(&mut reader), [1, 2]);
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
}

/// Its own small disk.
struct Disk(std::path::PathBuf);

impl Disk {
    fn new(path: std::path::PathBuf) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=256k", "tmpfs"];
        let mounted = Command::new("mount").args(arguments).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        assert!(std::env::var_os("CI").is_none(), "a tmpfs cannot be mounted, and CI is set");
        writeln!(io::stderr(), "\n*** NOT TESTED: a tmpfs cannot be mounted here ***").unwrap();
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_costs_no_entry_and_tears_none() {
    let directory = tempdir().unwrap();
    let Some(disk) = Disk::new(directory.path().join("disk")) else { return };
    let clock = ManualClock::new();
    let options = options(&disk.0.join("spool"));
    let (mut writer, mut reader, status) = open(&options, &Clock::Manual(clock.clone())).unwrap();
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 150 << 10]).unwrap();
    let mut failures = 0;
    for n in 0..400 {
        writer.append(&content(n, 500), Urgency::ALL[n % 3 / 2]).unwrap();
        failures += u32::from(writer.flush().is_err());
        clock.advance(std::time::Duration::from_millis(60));
    }
    assert!(failures > 50, "the disk was not full: {failures}");
    fs::remove_file(&ballast).unwrap();
    writer.flush().unwrap();
    let mut out = drain(&mut reader);
    out.sort_unstable();
    assert_eq!(out, (0..400).collect::<Vec<_>>());
    assert_adds_up(&status);
    drop((writer, reader));
}
