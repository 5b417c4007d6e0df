//! Drive: runs subjects and workloads in turns, checks what they wrote, keeps the results.

use crate::subject::{self, Outcome};
use crate::workload::{ALL, Workload};
use crate::{check, plot, table};
use logwell_benches::{Scratch, replace_in_docs};
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
        .arg(dir.path())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the run of {subject}, {name}, failed: {}", output.status).into());
    }
    let mut row: Value = serde_json::from_slice(&output.stdout)?;
    let written = check::read(dir.path())?;
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

/// Replaces the tables in docs/performance.md and the plots beside it.
fn write_docs(rows: &[Value], tables: &str) -> Outcome<()> {
    replace_in_docs("peers", tables)?;
    let plots = root().join("docs/performance");
    fs::create_dir_all(&plots)?;
    fs::write(plots.join("latency.svg"), plot::latency(rows))?;
    fs::write(plots.join("threads.svg"), plot::threads(rows))?;
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
