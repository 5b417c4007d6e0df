//! Processes: several with one path, and one that is killed.

use super::*;
use std::process::{Child, Stdio};

/// This process's part in a test, if it was started by [`start`]: its name and the directory.
fn part() -> Option<(String, PathBuf)> {
    let name = std::env::var("LOGWELL_TEST_PART").ok()?;
    Some((name, std::env::var_os("LOGWELL_TEST_DIRECTORY")?.into()))
}

fn start(test: &str, name: &str, directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("rotate::tests::processes::{test}"), "--nocapture"])
        .env("LOGWELL_TEST_PART", name)
        .env("LOGWELL_TEST_DIRECTORY", directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn options(directory: &Path, backup_count: u32) -> FileOptions {
    let path = directory.join("app.log");
    FileOptions { max_bytes: 1_000, backup_count, ..FileOptions::new(path) }
}

/// Writes numbered lines under a name, each flushed.
fn write_numbered(name: &str, options: FileOptions, count: u32) {
    let mut file = RotatingFile::open(options).unwrap();
    for n in 0..count {
        file.append(format!("{name} {n}\n").as_bytes(), Instant::now()).unwrap();
        file.flush(Instant::now()).unwrap();
    }
}

/// The numbers in the lines of one writer, in order.
fn numbers(text: &str, name: &str) -> Vec<u32> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    lines.map(|number| number.trim().parse().unwrap()).collect()
}

#[test]
fn three_processes_with_one_path_lose_no_line_and_none_panics() {
    if let Some((name, directory)) = part() {
        return write_numbered(&name, options(&directory, 9_000), 2_000);
    }
    let directory = tempdir().unwrap();
    let test = "three_processes_with_one_path_lose_no_line_and_none_panics";
    let names = ["a", "b", "c"];
    let writers = names.map(|name| start(test, name, directory.path()));
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("panicked"), "{text}");
    }
    let text = everything(&RotatingFile::open(options(directory.path(), 9_000)).unwrap());
    for name in names {
        assert_eq!(numbers(&text, name), (0..2_000).collect::<Vec<_>>());
    }
    let strange: Vec<&str> =
        text.lines().filter(|line| !line.starts_with(['a', 'b', 'c'])).collect();
    assert_eq!((text.lines().count(), strange), (6_000, vec![]));
}

#[test]
fn a_killed_process_leaves_every_flushed_line_and_the_next_goes_on() {
    use std::io::{BufRead, BufReader};
    if let Some((_, directory)) = part() {
        let mut file = RotatingFile::open(options(&directory, 9_000)).unwrap();
        for n in 0.. {
            file.append(format!("a {n}\n").as_bytes(), Instant::now()).unwrap();
            file.flush(Instant::now()).unwrap();
            writeln!(io::stdout(), "flushed {n}").unwrap();
        }
    }
    let test = "a_killed_process_leaves_every_flushed_line_and_the_next_goes_on";
    let directory = tempdir().unwrap();
    for after in [1, 150, 333, 700] {
        let mut writer = start(test, "a", directory.path());
        let mut output = BufReader::new(writer.stdout.take().unwrap()).lines();
        let heard = (&mut output).map_while(Result::ok).filter(|line| line.contains("flushed"));
        let mut last = heard.take(after).last().unwrap();
        writer.kill().unwrap();
        writer.wait().unwrap();
        for line in output.map_while(Result::ok).filter(|line| line.starts_with("flushed ")) {
            last = line;
        }
        let mut file = RotatingFile::open(options(directory.path(), 9_000)).unwrap();
        file.append(b"end\n", Instant::now()).unwrap();
        file.flush(Instant::now()).unwrap();
        let text = everything(&file);
        let (_, run) = text.trim_end_matches("end\n").rsplit_once("end\n").unwrap_or(("", &text));
        let found = numbers(run.trim_end_matches("end\n"), "a");
        let flushed: u32 = last.rsplit_once(' ').unwrap().1.parse().unwrap_or(0);
        assert_eq!(found, (0..found.len() as u32).collect::<Vec<_>>());
        assert!(found.len() as u32 > flushed, "{} {flushed}", found.len());
    }
}
