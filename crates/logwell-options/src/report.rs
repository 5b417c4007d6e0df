//! Report: where each option was given, and every fault found so far.
//!
//! Knows places. Does not know how options are read; it only turns faults into [`ConfigProblem`]s.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::yaml;
use crate::problem::ConfigProblem;
use crate::problem::Origin;
use crate::raw_value::Problem;

/// Where each option was given, and every fault found so far.
#[derive(Debug, Default)]
pub struct Report {
    /// The file that was read, with its text, to find the places of nodes.
    pub file: Option<(PathBuf, String)>,
    /// Where the value of a key was given last; keys left at their default are absent.
    given: HashMap<String, Place>,
    faults: Vec<Fault>,
    /// What is no fault and should be known, by kind.
    remarks: Vec<(String, String)>,
}

/// Where a value was given, in the order in which mistakes are reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line and column of the file, from 1; 0 when unknown.
    At(usize, usize),
    /// A node of the file.
    Node(usize),
    /// An environment variable.
    Env(String),
    /// A flag of the command line.
    Flag(String),
    /// The program.
    Code,
}

#[derive(Debug)]
struct Fault {
    place: Place,
    key: String,
    wrong: Problem,
}

/// Values that do not go together; the first key gets the mistake.
#[derive(Debug)]
pub struct Conflict {
    /// The keys; the first one is reported.
    pub keys: Vec<&'static str>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

impl Report {
    /// Remembers where the key's value comes from.
    pub fn give(&mut self, key: &str, place: Place) {
        self.given.insert(key.to_owned(), place);
    }

    /// Notes a fault.
    pub fn fault(&mut self, place: Place, key: &str, wrong: Problem) {
        self.faults.push(Fault { place, key: key.to_owned(), wrong });
    }

    /// Notes what is no fault and should be known: its kind, and what it is.
    pub fn remark(&mut self, kind: String, text: String) {
        self.remarks.push((kind, text));
    }

    /// What is no fault and should be known, each with its kind.
    #[must_use]
    pub fn remarks(&self) -> &[(String, String)] {
        &self.remarks
    }

    /// Whether a fault of that key is noted.
    pub fn is_faulty(&self, key: &str) -> bool {
        self.faults.iter().any(|fault| fault.key == key)
    }

    /// Whether so many faults are noted that more would not be reported one by one.
    pub fn is_full(&self) -> bool {
        self.faults.len() > MAX_MISTAKES
    }

    /// Where the first of the keys that was given at all was given.
    pub fn place(&self, keys: &[&str]) -> Place {
        let place = keys.iter().find_map(|&key| self.given.get(key));
        place.cloned().unwrap_or(Place::Code)
    }

    /// All mistakes as one error, if there are any.
    pub fn finish(mut self) -> Result<(), Vec<ConfigProblem>> {
        if self.faults.is_empty() {
            return Ok(());
        }
        self.faults.sort_by(|a, b| a.place.cmp(&b.place));
        let file = self.file;
        let told = file.as_ref().map_or(MAX_MISTAKES, |(_, text)| told_of(text.len()));
        let more = self.faults.len() > told;
        self.faults.truncate(told);
        let to_mistake = |fault: Fault| ConfigProblem {
            origin: origin(fault.place, file.as_ref()),
            key: fault.key,
            problem: fault.wrong.problem,
            help: fault.wrong.help,
        };
        let mut mistakes: Vec<_> = self.faults.into_iter().map(to_mistake).collect();
        if more {
            mistakes.push(ConfigProblem {
                origin: Origin::Code,
                key: String::new(),
                problem: "there are more mistakes".to_owned(),
                help: "they are reported once these are fixed".to_owned(),
            });
        }
        Err(mistakes)
    }
}

fn origin(place: Place, file: Option<&(PathBuf, String)>) -> Origin {
    let in_file =
        |path: &Path, (line, column)| Origin::File { path: path.to_owned(), line, column };
    match (place, file) {
        (Place::Env(name), _) => Origin::Env { name },
        (Place::Flag(name), _) => Origin::Flag { name },
        (Place::At(line, column), Some((path, _))) => in_file(path, (line, column)),
        (Place::Node(number), Some((path, text))) => {
            in_file(path, yaml::locate(text, number).unwrap_or_default())
        }
        _ => Origin::Code,
    }
}

/// How many mistakes are reported for a file of so many bytes. Each place costs one reading of the
/// text, so that absurdly long files are reported less; below 80 KiB it is all of [`MAX_MISTAKES`].
fn told_of(bytes: usize) -> usize {
    (MAX_READ_BYTES / bytes.max(1)).clamp(4, MAX_MISTAKES)
}

/// How many mistakes are reported.
const MAX_MISTAKES: usize = 50;

/// How many bytes are read again to find the places of mistakes.
const MAX_READ_BYTES: usize = 4 << 20;
