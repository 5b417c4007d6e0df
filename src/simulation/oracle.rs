//! Oracle: what must be true of the files in the end.
//!
//! Knows what each process has accepted, what it said was written, and what was taken from the
//! files. A line that was written is there once, whole and in order, unless somebody has provably
//! taken it.

use super::names::{self, FAMILIES};
use super::outside::{self, Outside, THEIRS};
use super::process::Boot;
use super::world;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// Checks all files against all that is known.
pub(super) fn check(boots: &[Boot], outside: &Outside) {
    let (removed, wrongs) =
        world::with(|world| (world.removed.clone(), world.wrongs.clone())).unwrap();
    assert!(wrongs.is_empty(), "{wrongs:?}");
    for (path, bytes) in &outside.foreign {
        let found = fs::read(path).unwrap_or_default();
        assert!(found == *bytes, "{} is another", path.display());
    }
    for boot in boots {
        check_accepted(boot);
    }
    let mut torn = Vec::new();
    for (family, name) in FAMILIES.into_iter().enumerate() {
        let mut gone = HashSet::new();
        let of_family = |path: &Path| names::family(&outside::name(path)) == Some(family);
        for (path, bytes) in removed.iter().chain(&outside.taken) {
            if of_family(path) {
                gone.extend(lines(&unpacked(path, bytes)).map(<[u8]>::to_vec));
            }
        }
        let mut files = Vec::new();
        for directory in outside.directories() {
            for path in outside::files(&directory).into_iter().filter(|path| of_family(path)) {
                let name = outside::name(&path);
                if names::is_unfinished(&name) || outside.foreign.contains_key(&path) {
                    continue;
                }
                let bytes = fs::read(&path).unwrap();
                files.push((path.clone(), unpacked(&path, &bytes)));
            }
        }
        let known = Known::new(boots, family);
        torn.extend(known.check(name, &files, &gone, outside));
    }
    let (count, may) = (torn.len() as u64, outside.torn);
    assert!(count <= may, "{count} lines are torn, and {may} may be: {torn:#?}");
}

/// What was queued was accepted, in order and without a gap, up to a kill.
fn check_accepted(boot: &Boot) {
    boot.accepted.with(|lines| {
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(line.seq, at as u64 + 1, "the numbers have no gap");
            let json: Result<serde_json::Value, _> = serde_json::from_slice(&line.bytes);
            assert!(json.is_ok_and(|json| json.is_object()), "{:?} is no JSON", text(&line.bytes));
            assert_eq!(line.bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        }
        let numbers: Vec<u64> = lines.iter().filter_map(|line| line.number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "accepted in order, and once");
        let accepted: HashSet<u64> = numbers.into_iter().collect();
        let missing = boot.queued.iter().filter(|number| !accepted.contains(number));
        let missing: Vec<_> = missing.collect();
        assert!(boot.is_killed || missing.is_empty(), "{missing:?} were queued and not accepted");
    });
}

/// The lines of a family of files, as they were accepted.
struct Known {
    name: &'static str,
    lines: Vec<KnownLine>,
    /// Where each line is in the list; some of logwell's own may be equal.
    places: HashMap<Vec<u8>, Vec<usize>>,
}

struct KnownLine {
    bytes: Vec<u8>,
    is_written: bool,
    may_repeat: bool,
}

impl Known {
    fn new(boots: &[Boot], family: usize) -> Self {
        let mut lines = Vec::new();
        let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for boot in boots {
            for (at, line) in boot.lines(family).into_iter().enumerate() {
                places.entry(line.bytes.clone()).or_default().push(lines.len());
                lines.push(KnownLine {
                    bytes: line.bytes,
                    is_written: (at as u64) < boot.written[family],
                    may_repeat: boot.may_repeat,
                });
            }
        }
        Self { name: FAMILIES[family], lines, places }
    }

    /// Checks the files; returns the torn lines they have.
    fn check(
        &self,
        name: &str,
        files: &[(std::path::PathBuf, Vec<u8>)],
        gone: &HashSet<Vec<u8>>,
        outside: &Outside,
    ) -> Vec<String> {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        let mut torn = Vec::new();
        let mut chain = Vec::new();
        for (path, bytes) in files {
            let mut places: Vec<usize> = Vec::new();
            for line in lines(bytes) {
                match self.places.get(line) {
                    Some(at) => {
                        *counts.entry(line).or_default() += 1;
                        // Of equal ones it cannot be said which it is, and of one that was written
                        // again, with one of both gone, where it was.
                        let is_sure =
                            at.len() == 1 && !(self.lines[at[0]].may_repeat && gone.contains(line));
                        places.extend(at.first().filter(|_| is_sure));
                    }
                    None if line.starts_with(THEIRS.as_bytes()) => {}
                    None => {
                        let told = format!("{}: {:?}", path.display(), text(line));
                        assert!(self.may_be_torn(line), "{told}");
                        torn.push(told);
                    }
                }
            }
            let file_name = outside::name(path);
            let number = names::number(&file_name).or((file_name == name).then_some(0));
            match number.filter(|_| path.starts_with(&outside.logs)) {
                Some(number) => chain.push((number, places)),
                // Alone, a file may have what was written again before it, and not what came first.
                None if places.iter().any(|place| self.lines[*place].may_repeat) => {}
                None => self.check_order(&path.display().to_string(), places),
            }
        }
        chain.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        self.check_order(name, chain.into_iter().flat_map(|(_, places)| places).collect());
        for line in &self.lines {
            let equal = &self.places[&line.bytes];
            let may_repeat = equal.iter().any(|at| self.lines[*at].may_repeat);
            let found = counts.get(line.bytes.as_slice()).copied().unwrap_or_default();
            let is_there = found > 0 || gone.contains(&line.bytes);
            assert!(is_there || !line.is_written, "{name} has not {:?}", text(&line.bytes));
            assert!(
                found <= equal.len() || may_repeat,
                "{name} has {found} × {:?}",
                text(&line.bytes)
            );
        }
        torn
    }

    /// Files have lines in the order in which they were accepted. Lines that were written again are
    /// there twice: either the first or the last of them are in order.
    fn check_order(&self, what: &str, places: Vec<usize>) {
        let mut seen = HashSet::new();
        let firsts = places.iter().copied().filter(|place| seen.insert(*place)).collect::<Vec<_>>();
        let mut seen = HashSet::new();
        let lasts = places.iter().copied().rev().filter(|place| seen.insert(*place));
        if lasts.is_sorted_by(|a, b| a > b) {
            return;
        }
        let wrong = firsts.windows(2).find(|pair| pair[0] > pair[1]);
        let lines = wrong.map(|pair| [0, 1].map(|at| text(&self.lines[pair[at]].bytes)));
        assert!(lines.is_none(), "{what} ({}) is out of order: {lines:#?} {places:?}", self.name);
    }

    /// Whether it is the beginning of a line, with perhaps somebody else's behind it.
    fn may_be_torn(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let theirs = line.windows(THEIRS.len()).position(|window| window == THEIRS.as_bytes());
        let ours = &line[..theirs.unwrap_or(line.len())];
        self.lines.iter().any(|known| known.bytes.starts_with(ours))
    }
}

/// Lines with their ends; the last may have none.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

fn unpacked(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let name = outside::name(path);
    if !name.ends_with(".gz") || !names::is_backup(&name) {
        return bytes.to_owned();
    }
    let mut plain = Vec::new();
    let read = flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain);
    assert!(read.is_ok(), "{} is no archive", path.display());
    plain
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned()
}
