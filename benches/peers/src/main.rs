//! peers: logwell beside its peers, the same workloads, one process a run.
//!
//! `peers --help` says how to use it. The driver starts this program again as `peers run SUBJECT
//! WORKLOAD DIR` for each run, so that no subject sees what another has left behind.

mod check;
mod drive;
mod plot;
mod subject;
mod table;
mod workload;

use std::path::Path;
use subject::{Outcome, Subject, Visitor};
use workload::Workload;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", name, workload, dir] => {
            subject::with(name, Run { workload: Workload::named(workload)?, dir: Path::new(dir) })
        }
        others => drive::main(others),
    }
}

/// One run: prints its figures as a line of JSON.
struct Run<'a> {
    workload: Workload,
    dir: &'a Path,
}

impl Visitor for Run<'_> {
    fn visit<S: Subject>(self) -> Outcome<()> {
        let figures = self.workload.run::<S>(self.dir)?;
        println!("{}", serde_json::Value::Object(figures));
        Ok(())
    }
}
