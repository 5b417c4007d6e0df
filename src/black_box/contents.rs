//! Contents: what is in a black box, for programs that look at one.
//!
//! Looking changes nothing: what is found is still recovered by the next start (by the one after,
//! if it looks for boxes in the very moment in which this one is opened).

use crate::base::hash::fnv1a;
use crate::black_box::discover::{self, LookedAt};
use crate::record::Record;
use crate::record::stats::Dropped;
use std::io;
use std::path::{Path, PathBuf};

/// What is in a black box.
#[derive(Debug)]
#[non_exhaustive]
pub struct Contents {
    /// The process that it belongs to.
    pub process: u32,
    /// Which start of the process: `boot_id` of its `logwell.started`.
    pub boot_id: String,
    /// Whether the process lives: then this is what was on its way a moment ago.
    pub is_in_use: bool,
    /// Whether logging has ended as it should, so that there is nothing to recover.
    pub is_ended: bool,
    /// All records up to this `seq` are handed to the operating system.
    pub handed_on: u64,
    /// Those after it, in order, with the numbers they have or will have. Some may be in the files
    /// already: the box is reported a moment after they are.
    pub records: Vec<Record>,
    /// Numbers after `handed_on` of records that have no copy, or none that can be read.
    pub without_copy: Vec<u64>,
    /// How many entries cannot be read.
    pub damaged: u64,
    /// What was dropped before the queue and is not reported in the log.
    pub dropped: Dropped,
    owner: u64,
}

impl Contents {
    /// Whether the box belongs to a log whose `app.log` is that file: one that is beside the box
    /// and has that name, or, if its path is what the program calls it too, one that lies
    /// elsewhere.
    #[must_use]
    pub fn is_of(&self, app_log: &Path) -> bool {
        let name = app_log.file_name().map(Path::new);
        let path = std::path::absolute(app_log).ok();
        let mut paths = name.into_iter().chain(path.as_deref());
        paths.any(|path| fnv1a(path.as_os_str().as_encoded_bytes()) == self.owner)
    }
}

/// The black boxes in that directory, in use or not, by their names.
///
/// # Errors
///
/// The directory cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut boxes = Vec::new();
    for entry in directory.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| discover::origin(name).is_some()) {
            boxes.push(path);
        }
    }
    boxes.sort_unstable();
    Ok(boxes)
}

/// Reads a black box.
///
/// Of one in use it is a picture taken while it changes: what was handed on meanwhile may be
/// counted as damaged.
///
/// # Errors
///
/// The file cannot be read, or is no black box of this version of the crate.
///
/// ```no_run
/// use logwell::black_box;
///
/// for path in black_box::list("logs".as_ref())? {
///     let contents = black_box::read(&path)?;
///     println!("process {}: {} records", contents.process, contents.records.len());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read(path: &Path) -> io::Result<Contents> {
    let LookedAt { dead, is_in_use } = discover::look_at(path)?;
    let left = dead.read()?;
    let origin = dead.origin();
    Ok(Contents {
        process: origin.process,
        boot_id: format!("{:016x}", origin.boot),
        is_in_use,
        is_ended: dead.is_ended(),
        handed_on: dead.handed_on(),
        records: left.records,
        without_copy: left.without_copy.iter().map(|id| id.seq).collect(),
        damaged: left.damaged,
        dropped: left.dropped,
        owner: dead.owner(),
    })
}
