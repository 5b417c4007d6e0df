//! Boxes: the black boxes beside the log: what is in them, and which cannot be read.
//!
//! They are looked at before the files: what leaves a box meanwhile is then in the files. Knows
//! numbers; that records go on from there is the matter of `boot.rs`.

use super::boot::MAX_NUMBER;
use logwell::black_box::{self, Contents};
use logwell::stats::Dropped;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What the boxes in a directory hold.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    pub(super) all: Vec<BlackBox>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// What is on its way in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlackBox {
    pub(super) process: u64,
    pub(super) boot_id: String,
    pub(super) is_in_use: bool,
    /// All records up to this number are handed on.
    pub(super) handed_on: u64,
    /// The numbers of those after it that are in the box, in order.
    pub(super) numbers: Vec<u64>,
    /// Numbers after `handed_on` that are not.
    pub(super) without_copy: Vec<u64>,
    /// How many entries cannot be read.
    pub(super) damaged: u64,
    /// Dropped before the queue and not reported, by level and reason.
    pub(super) dropped: BTreeMap<String, u64>,
    /// When the first and the last of its records happened; 0 if there is none.
    pub(super) times: [i64; 2],
}

/// A box that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) process: u64,
    pub(super) boot_id: String,
    pub(super) state: State,
    /// Whether it leaves open what became of its boot.
    pub(super) is_open: bool,
}

/// Why a box cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A start could not read it, or not all of it, and has put it aside.
    PutAside,
    /// We may not read it; what is in it nobody here can say.
    Forbidden,
    /// It is damaged, or no box.
    Damaged(String),
}

impl BlackBox {
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
            && self.without_copy.is_empty()
            && self.dropped.is_empty()
            && self.damaged == 0
    }
}

impl Unreadable {
    pub(super) fn is_put_aside(&self) -> bool {
        self.state == State::PutAside
    }

    /// Whether nobody can say what is missing until it is dealt with.
    pub(super) fn leaves_open(&self) -> bool {
        self.is_open && self.state != State::Forbidden
    }
}

impl Boxes {
    /// Looks at the boxes in that directory that belong to the log of `app_log`.
    pub(super) fn read(directory: &Path, app_log: &Path) -> io::Result<Self> {
        let mut boxes = Self::default();
        for path in black_box::list(directory)? {
            match black_box::read(&path).and_then(|contents| checked(contents, app_log)) {
                Ok(found) => boxes.all.extend(found),
                // It was recovered meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    boxes.add_unreadable(path, State::Forbidden);
                }
                Err(error) => boxes.add_unreadable(path, State::Damaged(error.to_string())),
            }
        }
        for entry in directory.read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "bad") {
                boxes.add_unreadable(path, State::PutAside);
            }
        }
        boxes.unreadable.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(boxes)
    }

    fn add_unreadable(&mut self, path: PathBuf, state: State) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some((process, boot_id)) = named(name) {
            self.unreadable.push(Unreadable { path, process, boot_id, state, is_open: true });
        }
    }
}

/// Process and boot in the name of a box: `.logwell-4711-00c0ffee00c0ffee.box`, or `….box.bad`.
fn named(name: &str) -> Option<(u64, String)> {
    let name = name.strip_suffix(".bad").unwrap_or(name);
    let (process, boot) = name.strip_prefix(".logwell-")?.strip_suffix(".box")?.split_once('-')?;
    let is_id = boot.len() == 16 && boot.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((process.parse().ok()?, boot.to_owned())).filter(|_| is_id)
}

/// What a box holds, if it is one of this log's and has not ended in order.
fn checked(contents: Contents, app_log: &Path) -> io::Result<Option<BlackBox>> {
    if contents.is_ended || !contents.is_of(app_log) {
        return Ok(None);
    }
    let numbers: Vec<_> = contents.records.iter().map(|record| record.seq()).collect();
    let last = [Some(&contents.handed_on), numbers.last(), contents.without_copy.last()];
    if last.into_iter().flatten().any(|number| *number > MAX_NUMBER) {
        return Err(io::Error::other("it has numbers that no process reaches"));
    }
    let moment = |record: Option<&logwell::record::Record>| {
        record.map_or(0, |record| i64::try_from(record.unix_ns()).unwrap_or(0))
    };
    Ok(Some(BlackBox {
        process: contents.process.into(),
        boot_id: contents.boot_id,
        is_in_use: contents.is_in_use,
        handed_on: contents.handed_on,
        times: [moment(contents.records.first()), moment(contents.records.last())],
        numbers,
        without_copy: contents.without_copy,
        damaged: contents.damaged,
        dropped: by_name(&contents.dropped),
    }))
}

fn by_name(dropped: &Dropped) -> BTreeMap<String, u64> {
    let named = |(level, reason, count): (_, logwell::stats::Reason, _)| {
        (format!("{level} {}", reason.as_str()), count)
    };
    dropped.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_box_says_whose_it_is() {
        let whose = Some((4711, "00c0ffee00c0ffee".to_owned()));
        assert_eq!(named(".logwell-4711-00c0ffee00c0ffee.box"), whose);
        assert_eq!(named(".logwell-4711-00c0ffee00c0ffee.box.bad"), whose);
        for name in [
            "logwell-4711-00c0ffee00c0ffee.box",
            ".logwell-4711-00c0ffee00c0ffee.bad",
            ".logwell-4711-c0ffee.box",
            ".logwell-4711-00c0ffee00c0ffeg.box",
            ".logwell-x-00c0ffee00c0ffee.box",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
