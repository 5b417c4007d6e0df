//! Drive: runs subjects and workloads in turns, checks what they wrote, keeps the results.

use crate::subject::{self, Outcome};
use crate::workload::{ALL, Workload};
use crate::{check, plot, table};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "\
cargo x bench peers [OPTION]…
  --rounds N          runs of each subject and workload (3)
  --only NAME…        these subjects and the reference
  --workload NAME…    workloads whose names begin so (all)
  --keep              adds to the results that are there
  --report            runs nothing: prints the tables of the results that are there
  --write-docs        also writes them, and the plots, into docs/
Results: target/peers/results.jsonl, one line a run.";

#[derive(Default)]
struct Options {
    rounds: usize,
    only: Vec<String>,
    workloads: Vec<String>,
    keep: bool,
    report: bool,
    write_docs: bool,
}

impl Options {
    fn read(words: &[&str]) -> Outcome<Self> {
        let mut options = Self { rounds: 3, ..Self::default() };
        let mut words = words.iter().peekable();
        while let Some(&word) = words.next() {
            let mut list = Vec::new();
            while let Some(value) = words.next_if(|next| !next.starts_with("--")) {
                list.push((*value).to_owned());
            }
            match (word, list.as_slice()) {
                ("--rounds", [number]) => options.rounds = number.parse()?,
                ("--only", [_, ..]) => options.only = list,
                ("--workload", [_, ..]) => options.workloads = list,
                ("--keep", []) => options.keep = true,
                ("--report", []) => options.report = true,
                ("--write-docs", []) => options.write_docs = true,
                _ => return Err(format!("{word} {list:?} is not understood\n{HELP}").into()),
            }
        }
        let known = subject::names();
        match options.only.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!("no subject is called {name}: {known:?}").into()),
            None => Ok(options),
        }
    }

    fn subjects(&self) -> Vec<&'static str> {
        let wanted = |name: &&str| {
            self.only.is_empty()
                || *name == subject::REFERENCE
                || self.only.iter().any(|o| o == name)
        };
        subject::names().into_iter().filter(wanted).collect()
    }

    fn workloads(&self) -> Vec<(&'static str, Workload)> {
        let wanted = |name: &str| {
            self.workloads.is_empty() || self.workloads.iter().any(|o| name.starts_with(o.as_str()))
        };
        ALL.into_iter().filter(|(name, _)| wanted(name)).collect()
    }
}

/// What the words on the command line ask for.
pub fn main(words: &[&str]) -> Outcome<()> {
    if words.contains(&"--help") {
        println!("{HELP}");
        return Ok(());
    }
    let options = Options::read(words)?;
    let results = root().join("target/peers/results.jsonl");
    if !options.report {
        if !subject::names().contains(&subject::CPP) {
            eprintln!("!! {} is NOT measured: it needs g++ and libspdlog-dev", subject::CPP);
        }
        run_all(&options, &results)?;
    }
    let rows: Vec<Value> = fs::read_to_string(&results)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let tables = table::all(&rows);
    println!("{tables}");
    fs::write(results.with_file_name("table.md"), &tables)?;
    if options.write_docs {
        write_docs(&rows, &tables)?;
    }
    Ok(())
}

/// A B C A B C …, so that a machine that slows down slows all of them.
fn run_all(options: &Options, results: &Path) -> Outcome<()> {
    fs::create_dir_all(results.parent().unwrap_or(Path::new(".")))?;
    let mut file = fs::OpenOptions::new();
    let file = if options.keep { file.append(true) } else { file.write(true).truncate(true) };
    let mut file = file.create(true).open(results)?;
    for round in 1..=options.rounds {
        for (workload_name, workload) in options.workloads() {
            for subject in options.subjects() {
                let row = run(subject, workload_name, workload)?;
                eprintln!("round {round} {workload_name} {subject}: {}", table::brief(&row));
                writeln!(file, "{row}")?;
            }
        }
    }
    Ok(())
}

/// One run in a process and a directory of its own, checked.
fn run(subject: &str, name: &str, workload: Workload) -> Outcome<Value> {
    let dir = Scratch::new()?;
    let output = Command::new(std::env::current_exe()?)
        .args(["run", subject, name])
        .arg(&dir.0)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the run of {subject}, {name}, failed: {}", output.status).into());
    }
    let mut row: Value = serde_json::from_slice(&output.stdout)?;
    let written = check::read(&dir.0)?;
    row["subject"] = json!(subject);
    row["version"] = json!(subject::version(subject));
    row["workload"] = json!(name);
    row["records"] = json!(workload.records());
    row["found"] = json!(written.records);
    row["invalid"] = json!(written.invalid);
    row["bytes"] = json!(written.bytes);
    row["example"] = json!(written.example);
    // Only the escapes may be wrong: that is what they are for.
    let is_complete = written.records == workload.records() && written.invalid == 0;
    row["counts"] = json!(is_complete || workload == Workload::Escapes);
    Ok(row)
}

/// Replaces what stands between the two marks in docs/performance.md, and draws the plots.
fn write_docs(rows: &[Value], tables: &str) -> Outcome<()> {
    let docs = root().join("docs");
    let page = docs.join("performance.md");
    let text = fs::read_to_string(&page)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("docs/performance.md has lost its marks")?;
    let (_, after) = rest.split_once(END).ok_or("docs/performance.md has lost its end mark")?;
    fs::write(page, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))?;
    fs::create_dir_all(docs.join("performance"))?;
    fs::write(docs.join("performance/latency.svg"), plot::latency(rows))?;
    fs::write(docs.join("performance/threads.svg"), plot::threads(rows))?;
    Ok(())
}

const BEGIN: &str = "<!-- begin: written by `cargo x bench peers --write-docs` -->";
const END: &str = "<!-- end -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A directory that goes away; in memory where there is such a place, so that the loggers are
/// measured and not the disk.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = base.join(format!("logwell-peers-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
