//! Verify: whether all records are there, and if not, which are missing and what the log says of
//! it.
//!
//! Joins the parts: looks at the black boxes, reads `app.log` into boots, judges each, compares the
//! side files. `report_text.rs` and `json.rs` print it.

mod boot;
mod boots;
mod boxes;
mod classify;
mod companions;
mod gaps;
mod json;
mod report;
mod report_text;
mod scan;
mod sent;

pub use report::{Report, SentByBoot, Verdict};
pub(crate) use report_text::visible;

use crate::files::{Family, LogFile, families};
use crate::identity::Identity;
use boots::Boots;
use boxes::Boxes;
use classify::classify;
use companions::SideFile;
use logwell::Level;
use report::BootReport;
use scan::{Scan, Trouble};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
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
    /// Where the black boxes are, if not beside the files.
    pub black_box_dir: Option<PathBuf>,
    /// How long is waited for the side files to have what `app.log` has, while a program logs.
    pub settle: Duration,
    /// Whether the numbers of records of this level and above are kept, for
    /// [`Report::sent`].
    pub sent_from: Option<Level>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            app: "app.log".to_owned(),
            errors: "errors.log".to_owned(),
            ai: "ai_responses.log".to_owned(),
            black_box_dir: None,
            settle: Duration::from_millis(200),
            sent_from: None,
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
    let box_dir = options.black_box_dir.as_deref().unwrap_or(directory);
    let boxes = Boxes::read(box_dir, &directory.join(&options.app));
    let mut boxes = boxes.map_err(|error| Trouble::Unreadable(box_dir.to_owned(), error))?;
    let snapshot = Snapshot::take(directory, options).map_err(unreadable)?;
    if snapshot.app.is_empty() {
        let text = format!("there is no {} in it", options.app);
        return Err(unreadable(io::Error::new(io::ErrorKind::NotFound, text)));
    }
    let box_waits = boxes.all.iter().any(|found| !found.is_in_use && !found.is_empty());
    let mut scan = Scan { box_waits, ..Scan::default() };
    let mut boots = Boots::default();
    boots.sent_from = options.sent_from;
    for family in &snapshot.app {
        boots.begin_family(family.has_backups());
        scan.family(family, |file| snapshot.settled(file), |found| boots.take(found))?;
    }
    boots.settle();
    boxes.all.iter().for_each(|found| boots.take_box(found));
    boxes.unreadable.iter_mut().for_each(|unreadable| boots.note_unreadable(unreadable));
    let errors = read_side(&mut scan, &boots, ("errors", &options.errors), &snapshot.errors)?;
    let ai = read_side(&mut scan, &boots, ("ai", &options.ai), &snapshot.ai)?;
    let sides: Vec<_> = [errors, ai].into_iter().flatten().collect();
    let reports = boots.all.iter().enumerate().map(|(at, boot)| {
        let sides = sides.iter().map(|side| side.report(at, boot)).collect();
        BootReport::new(boot, classify(boot, boots.is_cut(at)), boots.is_last(at), sides)
    });
    let reports = reports.collect();
    let strangers = sides.iter().map(|side| side.strangers).sum();
    let not_compared = [strangers, boots.not_judged];
    Ok(Report::new(directory, scan, reports, boxes.unreadable, not_compared))
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
        file.begin_family();
        scan.family(
            family,
            |_| u64::MAX,
            |found| {
                let process = found.line.number("process").unwrap_or(0);
                file.take(found, &boots.all, boots.of_process(process));
            },
        )?;
    }
    Ok(Some(file))
}
