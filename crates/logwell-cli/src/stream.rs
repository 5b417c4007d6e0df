//! Stream: the lines of one log, from its oldest file to its current one, and on.
//!
//! Knows files, rotation and what to do when the current file is moved, cut or made again. Gives
//! lines that a filter lets through. Does not know how they are shown.

use crate::files::{Family, LogFile, family_of};
use crate::filter::Filter;
use crate::identity::Identity;
use crate::line::{Flaw, Line};
use crate::lines::{Lines, RawLine};
use crate::open::{Opened, Source};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A line that is wanted.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// A record: the line and what it says.
    Record(&'a [u8], &'a Line<'a>),
    /// A line that is no record, when everything is wanted.
    Foreign(&'a [u8]),
    /// A line that is too long to be read, and its length.
    TooLong(u64),
}

/// The lines of one log.
#[derive(Debug)]
pub struct Stream {
    /// Files that come next.
    next: VecDeque<Next>,
    open: Option<Open>,
    /// The file that comes after the one that is open.
    successor: Option<Open>,
    /// Where the current file is.
    current: Option<PathBuf>,
    /// Whether it continues with what is written from now on.
    follows: bool,
    /// What went wrong, to be reported.
    troubles: Vec<String>,
    has_failed: bool,
}

/// A file to be read, and where to begin.
#[derive(Debug)]
struct Next {
    path: PathBuf,
    /// What it was when the directory was read: it may have been moved since.
    file: Option<LogFile>,
    offset: u64,
}

/// The file that is being read.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    /// Which file it is, if it is one.
    identity: Option<Identity>,
    lines: Lines<Source>,
}

impl Stream {
    /// The files of a family, the oldest first.
    #[must_use]
    pub fn of(family: &Family) -> Self {
        let next =
            |file: &LogFile| Next { path: file.path.clone(), file: Some(file.clone()), offset: 0 };
        Self::over(family.files.iter().map(next).collect(), Some(family.current.clone()))
    }

    /// One file.
    #[must_use]
    pub fn one(path: &Path) -> Self {
        let next = Next { path: path.to_owned(), file: None, offset: 0 };
        Self::over([next].into(), Some(path.to_owned()))
    }

    /// Whatever the source gives.
    #[must_use]
    pub fn from_source(source: Source, name: &str) -> Self {
        let mut stream = Self::over(VecDeque::new(), None);
        let path = PathBuf::from(name);
        stream.open = Some(Open { path, identity: None, lines: Lines::new(source) });
        stream
    }

    fn over(next: VecDeque<Next>, current: Option<PathBuf>) -> Self {
        Self {
            next,
            open: None,
            successor: None,
            current,
            follows: false,
            troubles: Vec::new(),
            has_failed: false,
        }
    }

    /// Goes on with what is written to the current file from now on.
    pub fn follow(&mut self) {
        self.follows = self.current.is_some();
    }

    /// Whether there can be more later.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.follows
    }

    /// What went wrong since it was last asked.
    pub fn take_troubles(&mut self) -> Vec<String> {
        std::mem::take(&mut self.troubles)
    }

    /// Whether a file could not be read.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Gives the next wanted line to `then`; `None` if there is none (for now).
    pub fn next<T>(&mut self, filter: &Filter, then: impl FnOnce(Shown<'_>) -> T) -> Option<T> {
        let mut then = Some(then);
        loop {
            if let Some(open) = &mut self.open {
                match open.lines.next_line() {
                    Ok(Some(line)) => {
                        if let Some(given) = offer(line, filter, &mut then) {
                            return Some(given);
                        }
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => self.fail(&error.to_string()),
                }
            }
            let is_at_end = self.open.is_some() && self.next.is_empty();
            if is_at_end && self.follows && self.successor.is_none() {
                if !self.go_on() {
                    return None;
                }
                continue;
            }
            if let Some(open) = &mut self.open
                && let Some(rest) = open.lines.rest()
                && let Some(given) = offer(rest, filter, &mut then)
            {
                return Some(given);
            }
            self.open = None;
            if !self.open_next() {
                return None;
            }
        }
    }

    /// Opens the next file that can be opened; false if there is none.
    fn open_next(&mut self) -> bool {
        if let Some(successor) = self.successor.take() {
            self.open = Some(successor);
            return true;
        }
        while let Some(next) = self.next.pop_front() {
            match next.open(self.current.as_deref()) {
                Ok(open) => {
                    self.open = Some(open);
                    return true;
                }
                Err(error) => {
                    self.has_failed = true;
                    self.troubles.push(format!("{} cannot be read: {error}", next.path.display()));
                }
            }
        }
        // A followed file may not be there yet.
        let Some(path) = self.current.as_ref().filter(|_| self.follows) else { return false };
        match open(path, 0) {
            Ok(open) => self.open = Some(open),
            Err(_not_there_yet) => return false,
        }
        true
    }

    /// At the end of a followed file: looks whether it goes on elsewhere. False if there is no more
    /// for now.
    fn go_on(&mut self) -> bool {
        let (Some(open), Some(path)) = (&mut self.open, &self.current) else { return false };
        let Ok(metadata) = fs::metadata(path) else { return false };
        if open.identity == Some(Identity::of(&metadata)) {
            if metadata.len() >= open.lines.offset() {
                return false;
            }
            self.troubles.push(format!("{} was cut: going on at its beginning", path.display()));
            self.successor = self::open(path, 0).ok();
            if self.successor.is_some() {
                // What was there without a line end is gone.
                self.open = None;
            }
        } else {
            // There is a new file, so nobody writes to the old one any more; but somebody may have
            // since it was last read, so it is read to its end once more.
            self.successor = successor(path, open);
        }
        self.successor.is_some()
    }

    fn fail(&mut self, problem: &str) {
        self.has_failed = true;
        if let Some(open) = self.open.take() {
            let offset = open.lines.offset();
            let path = open.path.display();
            self.troubles.push(format!("{path} cannot be read after byte {offset}: {problem}"));
        }
    }

    /// Begins with the last `count` wanted lines; how many there are.
    pub fn start_at_last(&mut self, count: usize, filter: &Filter) -> usize {
        let mut found = 0;
        let mut start = self.next.len();
        for (at, next) in self.next.iter_mut().enumerate().rev() {
            // What cannot be read is told when it is its turn.
            let Ok(last) = last_in(next, self.current.as_deref(), count - found, filter) else {
                continue;
            };
            start = at;
            found += last.places.len();
            next.offset = last.places.front().copied().unwrap_or(last.end);
            if found >= count {
                break;
            }
        }
        self.next.drain(..start.min(self.next.len()));
        found
    }
}

impl Next {
    /// Opens the file, wherever it is now.
    fn open(&self, current: Option<&Path>) -> io::Result<Open> {
        match (&self.file, current) {
            (Some(file), Some(current)) => {
                let source = file.open(current)?;
                Open::new(
                    file.path.clone(),
                    Opened { source, identity: file.identity },
                    self.offset,
                )
            }
            _ => open(&self.path, self.offset),
        }
    }
}

impl Open {
    fn new(path: PathBuf, opened: Opened, offset: u64) -> io::Result<Self> {
        let Opened { mut source, identity } = opened;
        source.skip_to(offset)?;
        Ok(Self { path, identity: Some(identity), lines: Lines::at(source, offset) })
    }
}

fn open(path: &Path, offset: u64) -> io::Result<Open> {
    Open::new(path.to_owned(), Source::open(path)?, offset)
}

/// The file that was begun after the one that was read: the next newer backup, if rotations came
/// fast, else the current file. Nothing while the files are being moved.
fn successor(current: &Path, read: &Open) -> Option<Open> {
    let family = family_of(current).ok()?;
    let next = match place_of(read, &family) {
        Some(at) => family.files.get(at + 1)?,
        // It was deleted, so it continues with what was written after it.
        None => {
            let last_write = read.lines.source().modified();
            let is_newer = |file: &&LogFile| last_write.is_some() && file.modified > last_write;
            family.files.iter().find(is_newer).or(family.files.last())?
        }
    };
    let open = open(&next.path, 0).ok()?;
    (open.identity == Some(next.identity)).then_some(open)
}

/// Which of the files it is, itself or packed.
fn place_of(read: &Open, family: &Family) -> Option<usize> {
    let is_it = |file: &LogFile| Some(file.identity) == read.identity;
    family.files.iter().position(is_it).or_else(|| {
        let head = read.lines.source().head()?;
        let holds = |file: &LogFile| {
            file.number.is_some()
                && file.open(&family.current).is_ok_and(|source| source.holds(&head))
        };
        family.files.iter().rposition(holds)
    })
}

/// Gives a line to `then`, if it is wanted.
fn offer<T, F: FnOnce(Shown<'_>) -> T>(
    line: RawLine<'_>,
    filter: &Filter,
    then: &mut Option<F>,
) -> Option<T> {
    let give = |shown: Shown<'_>, then: &mut Option<F>| then.take().map(|then| then(shown));
    if let Some(bytes) = line.too_long {
        return if filter.is_open() { give(Shown::TooLong(bytes), then) } else { None };
    }
    if filter.rejects(line.bytes) {
        return None;
    }
    match Line::parse(line.bytes) {
        Ok(record) if filter.wants(&record) => give(Shown::Record(line.bytes, &record), then),
        Err(Flaw::NotJson(_) | Flaw::NotUtf8(_)) if filter.is_open() => {
            give(Shown::Foreign(line.bytes), then)
        }
        _ => None,
    }
}

/// The last wanted lines of a file.
struct Last {
    /// Where they begin.
    places: VecDeque<u64>,
    /// Where the file ends.
    end: u64,
}

fn last_in(next: &Next, current: Option<&Path>, count: usize, filter: &Filter) -> io::Result<Last> {
    let mut window = FIRST_WINDOW_BYTES;
    loop {
        let Open { lines, .. } = next.open(current)?;
        let mut source = lines.into_source();
        let start = match &source {
            Source::Plain(file) => file.metadata()?.len().saturating_sub(window),
            Source::Packed(_) => 0,
        };
        if start > 0 {
            source.skip_to(start)?;
        }
        let mut lines = Lines::at(source, start);
        if start > 0 {
            // The line in which the window begins.
            lines.next_line()?;
        }
        let mut places = VecDeque::new();
        while let Some(line) = lines.next_line()? {
            let offset = line.offset;
            if count > 0 && offer(line, filter, &mut Some(|_: Shown<'_>| ())).is_some() {
                places.push_back(offset);
                if places.len() > count {
                    places.pop_front();
                }
            }
        }
        if places.len() == count || start == 0 {
            return Ok(Last { places, end: lines.offset() });
        }
        window = window.saturating_mul(8);
    }
}

/// The end of a file that is looked at first.
const FIRST_WINDOW_BYTES: u64 = 1 << 20;
