//! Verify: whether all records are there, and if not, which are missing and what the log says of
//! it.
//!
//! Joins the parts: reads `app.log` into boots, judges each, compares the side files. How it is
//! said is in `people.rs` and `json.rs`.

mod boot;
mod gaps;
mod json;
mod judge;
mod people;
mod report;
mod scan;
mod side;

pub use report::Report;

use crate::files::{Family, LogFile, families};
use crate::identity::Identity;
use boot::{Boot, Found, Turn};
use judge::judge;
use report::BootReport;
use scan::{Scan, Trouble};
use side::SideFile;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What is verified, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file that has all records.
    pub app: String,
    /// The file that has those of ERROR and CRITICAL.
    pub errors: String,
    /// The file that has those about AI models.
    pub ai: String,
    /// How long is waited for the side files to have what `app.log` has, while a program logs.
    pub settle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            app: "app.log".to_owned(),
            errors: "errors.log".to_owned(),
            ai: "ai_responses.log".to_owned(),
            settle: Duration::from_millis(200),
        }
    }
}

/// When files are deleted or packed while they are read, all are read again, so often.
const ATTEMPTS: u32 = 10;

/// Reads all files of a directory and says what is missing.
///
/// # Errors
///
/// The directory has no log files, or one cannot be read.
pub fn verify(directory: &Path, options: &Options) -> Result<Report, String> {
    for _ in 0..ATTEMPTS {
        match attempt(directory, options) {
            Ok(report) => return Ok(report),
            Err(Trouble::Moved) => {}
            Err(Trouble::Unreadable(path, error)) => {
                return Err(format!("{} cannot be read: {error}", path.display()));
            }
        }
    }
    Err(format!(
        "files of {} were deleted {ATTEMPTS} times while they were read; copy them first",
        directory.display()
    ))
}

/// The families of the three files, as they are now.
struct Snapshot {
    app: Vec<Family>,
    errors: Vec<Family>,
    ai: Vec<Family>,
    /// How far each file of `app.log` was written before the others were looked at.
    settled: HashMap<Identity, u64>,
}

impl Snapshot {
    /// The listener writes `app.log` before the others. What it had at first must be in the others
    /// a moment later; and what the others have then must be in it at last.
    fn take(directory: &Path, options: &Options) -> io::Result<Self> {
        let settled = families(directory, &options.app)?
            .into_iter()
            .flat_map(|family| family.files)
            // Nobody appends to a backup, and what a packed one holds is longer than it.
            .map(|file| (file.identity, if file.number.is_some() { u64::MAX } else { file.bytes }))
            .collect();
        let errors = families(directory, &options.errors)?;
        let ai = families(directory, &options.ai)?;
        let has_sides = !errors.is_empty() || !ai.is_empty();
        let (errors, ai) = match has_sides && !options.settle.is_zero() {
            true => {
                std::thread::sleep(options.settle);
                (families(directory, &options.errors)?, families(directory, &options.ai)?)
            }
            false => (errors, ai),
        };
        Ok(Self { app: families(directory, &options.app)?, errors, ai, settled })
    }

    /// Up to which offset the records of the file must be in the side files.
    ///
    /// A file is known by its identity: it may have been rotated since.
    fn settled(&self, file: &LogFile) -> u64 {
        self.settled.get(&file.identity).copied().unwrap_or(0)
    }
}

fn attempt(directory: &Path, options: &Options) -> Result<Report, Trouble> {
    let unreadable = |error| Trouble::Unreadable(directory.to_owned(), error);
    let snapshot = Snapshot::take(directory, options).map_err(unreadable)?;
    if snapshot.app.is_empty() {
        let text = format!("there is no {} in it", options.app);
        return Err(unreadable(io::Error::new(io::ErrorKind::NotFound, text)));
    }
    let mut scan = Scan::default();
    let mut boots = Boots::default();
    for family in &snapshot.app {
        boots.begin_family(family.has_backups());
        scan.family(family, |file| snapshot.settled(file), |found| boots.take(found))?;
    }
    let errors = read_side(&mut scan, &boots, ("errors", &options.errors), &snapshot.errors)?;
    let ai = read_side(&mut scan, &boots, ("ai", &options.ai), &snapshot.ai)?;
    let sides: Vec<_> = [errors, ai].into_iter().flatten().collect();
    let reports = boots.all.iter().enumerate().map(|(at, boot)| {
        let sides = sides.iter().map(|side| side.report(at, boot)).collect();
        BootReport::new(boot, judge(boot, boots.is_cut(at)), boots.is_last(at), sides)
    });
    let reports = reports.collect();
    let strangers = sides.iter().map(|side| side.strangers).sum();
    Ok(Report::new(directory, scan, reports, [strangers, boots.not_judged]))
}

/// Reads the families of a side file, if there are any.
fn read_side(
    scan: &mut Scan,
    boots: &Boots,
    (sink, name): (&'static str, &str),
    families: &[Family],
) -> Result<Option<SideFile>, Trouble> {
    if families.is_empty() {
        return Ok(None);
    }
    let is_cut = families.iter().any(Family::has_backups);
    let mut file = SideFile::new(sink, name, is_cut);
    for family in families {
        scan.family(
            family,
            |_| u64::MAX,
            |found| {
                let process = found.line.number("process").unwrap_or(0);
                let of_process = boots.by_process.get(&process).map_or(&[][..], Vec::as_slice);
                file.take(found, &boots.all, of_process);
            },
        )?;
    }
    Ok(Some(file))
}

/// So many boots are kept: no directory has more, unless somebody wants to fill our memory.
const MAX_BOOTS: usize = 10_000;

/// The boots of all families, in the order in which they were found.
#[derive(Debug, Default)]
struct Boots {
    all: Vec<Boot>,
    /// Those of each process, oldest first.
    by_process: HashMap<u64, Vec<usize>>,
    /// Records of more boots than are kept.
    not_judged: u64,
    /// For each family where its boots begin, and whether its beginning may have been rotated away.
    families: Vec<(usize, bool)>,
}

impl Boots {
    fn begin_family(&mut self, is_cut: bool) {
        self.families.push((self.all.len(), is_cut));
    }

    fn take(&mut self, found: &Found<'_>) {
        let process = found.line.number("process").unwrap_or(0);
        let known = self.by_process.entry(process).or_default();
        if let Some(at) = earlier(&self.all, known, found) {
            if let Some(boot) = self.all.get_mut(at) {
                boot.take_stray(found);
            }
            return;
        }
        let last = known.last().and_then(|at| self.all.get_mut(*at));
        let is_here = last
            .is_some_and(|boot| !boot.is_begun_anew_by(found) && boot.take(found) == Turn::Here);
        if is_here {
            return;
        }
        if self.all.len() >= MAX_BOOTS {
            self.not_judged += 1;
            return;
        }
        known.push(self.all.len());
        self.all.push(Boot::begin(process, found));
    }

    /// Whether the beginning of the boot may have been rotated away: it is the first of its family.
    fn is_cut(&self, at: usize) -> bool {
        self.families.iter().any(|(first, is_cut)| *first == at && *is_cut)
    }

    /// Whether no other boot begins after it in its family: it may be running.
    fn is_last(&self, at: usize) -> bool {
        let family = self.families.iter().rposition(|(first, _)| *first <= at);
        let next = family.and_then(|family| self.families.get(family + 1));
        at + 1 == next.map_or(self.all.len(), |(first, _)| *first)
    }
}

/// The boot of the process that a line in the wrong place belongs to, if it is not the last one.
fn earlier(all: &[Boot], of_process: &[usize], found: &Found<'_>) -> Option<usize> {
    let (last, before) = of_process.split_last()?;
    let last = all.get(*last)?;
    if found.line.own_kind().is_some_and(|kind| kind == "logwell.started") {
        let id = found.line.text("boot_id");
        let is_it =
            |at: &&usize| all.get(**at).is_some_and(|boot| boot.id.as_deref() == id.as_deref());
        return before.iter().rev().find(is_it).copied();
    }
    if found.unix_ns >= last.first_ns || found.seq == last.last_seq + 1 {
        return None;
    }
    let had_begun = |at: &&usize| all.get(**at).is_some_and(|boot| boot.first_ns <= found.unix_ns);
    before.iter().rev().find(had_begun).copied()
}

impl Boot {
    /// Whether the record begins another boot than this one.
    fn is_begun_anew_by(&self, found: &Found<'_>) -> bool {
        if found.line.own_kind().is_none_or(|kind| kind != "logwell.started") {
            return false;
        }
        match self.is_begun {
            true => self.id.as_deref() != found.line.text("boot_id").as_deref(),
            // It may stand behind records that it should precede.
            false => found.unix_ns > self.first_ns,
        }
    }
}
