//! Discover: creates black box files, and finds those of processes that have ended.
//!
//! A process locks its box while it lives; a box with a free lock belongs to a process that has
//! ended. Only a file whose name parses back exactly is touched. Does not know the contents of a
//! box, except that they may be damaged.

use super::layout::{CHUNK_WORDS, head};
use crate::base::fs::os;
use crate::base::selflog;
use crate::black_box::reader::{Head, Recovered};
use crate::record::origin::Origin;
use crate::rotate::Mark;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Only the owner may read what people log.
const MODE: u32 = 0o600;
/// What the name of a box in the making ends in.
const UNFINISHED: &str = ".new";
/// So many boxes are looked at in one start.
const MAX_BOXES: usize = 64;
/// So many bad ones are kept for people to look at.
const MAX_BAD: usize = 8;

/// The name of a box: `.logwell-4711-00c0ffee00c0ffee.box`.
pub(super) fn name(origin: Origin) -> String {
    format!(".logwell-{}-{:016x}.box", origin.process, origin.boot)
}

/// Whose box has that name, if it is one's in exactly this spelling.
pub(super) fn origin(file_name: &str) -> Option<Origin> {
    let (process, boot) =
        file_name.strip_prefix(".logwell-")?.strip_suffix(".box")?.split_once('-')?;
    let origin =
        Origin { process: process.parse().ok()?, boot: u64::from_str_radix(boot, 16).ok()? };
    (name(origin) == file_name).then_some(origin)
}

/// A box in the making. It gets its name when it is locked and has its header: who finds one
/// without a lock may be sure that its process is gone.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) file: File,
    path: PathBuf,
    /// For so many of its bytes there is room.
    pub(super) set_aside: u64,
}

/// How long a file is to be, and for how many of its bytes room is set aside at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) bytes: u64,
    pub(super) first: u64,
}

impl Unfinished {
    /// Makes a file of that size, all zero.
    ///
    /// # Errors
    ///
    /// The file cannot be made, there is no room, or the file system has no locks: nobody else
    /// could tell that the box is in use.
    pub(super) fn create(path: &Path, size: Size) -> io::Result<Self> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let path = PathBuf::from(unfinished);
        let file = os::new_file(MODE).open(&path)?;
        let mut made = Self { file, path, set_aside: size.bytes };
        made.file.try_lock()?;
        made.set_aside = set_aside(&made.file, size)?;
        Ok(made)
    }

    /// Gives it its name.
    pub(super) fn finish(mut self, path: &Path) -> io::Result<File> {
        std::fs::rename(&self.path, path)?;
        self.path = PathBuf::new();
        self.file.try_clone()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // It has nothing in it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Gives the file that size, all zero; says for how many bytes there is room.
fn set_aside(file: &File, Size { bytes, first }: Size) -> io::Result<u64> {
    let first = first.min(bytes);
    let last = os::allocate(file, bytes.saturating_sub(1)..bytes);
    match last.and_then(|()| os::allocate(file, 0..first)) {
        Err(error) if error.kind() == ErrorKind::Unsupported => {}
        done => return done.map(|()| first),
    }
    // The file system cannot be asked for room, so it is taken.
    let zeros = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let some = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        (&*file).write_all(zeros.get(..some).unwrap_or_default())?;
        left -= some as u64;
    }
    Ok(bytes)
}

/// The box of a process that has ended. It is locked, so that nobody else recovers it too.
#[derive(Debug)]
pub(crate) struct DeadBox {
    path: PathBuf,
    file: File,
    head: Head,
}

/// The boxes in that directory whose processes are gone and whose logs went where ours go. What
/// cannot be read is set aside and reported; nothing here fails.
pub(crate) fn find(directory: &Path, owner: u64) -> Vec<DeadBox> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(directory) else { return found };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.collect();
    names.retain(|name| match name.strip_suffix(UNFINISHED).and_then(origin) {
        Some(_) => remove_unfinished(&directory.join(name)),
        None => origin(name).is_some(),
    });
    names.sort_unstable();
    for name in names {
        if found.len() == MAX_BOXES {
            selflog::tell("there are more black boxes than are read at once", &directory.display());
            break;
        }
        let path = directory.join(name);
        match DeadBox::open(&path, owner) {
            // Somebody else has recovered it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Another user's, who recovers it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Ok(Some(dead)) if dead.is_ended() => dead.remove(),
            Ok(found_one) => found.extend(found_one),
            Err(error) => quarantine(&path, &error),
        }
    }
    // In the order in which they were: the older records come first.
    found.sort_by_key(|dead| dead.head.unix_ns);
    found
}

/// Removes a box that has nothing in it any more, and says so if it cannot.
pub(super) fn remove(path: &Path) -> bool {
    let removed = std::fs::remove_file(path);
    if let Err(error) = &removed {
        let text = format!("{}: {error}", path.display());
        selflog::tell("a black box cannot be removed", &text);
    }
    removed.is_ok()
}

/// Removes a box that its process did not live to finish. Never keeps it in a list.
fn remove_unfinished(path: &Path) -> bool {
    if let Ok(file) = open(path)
        && is_old(&file)
        && file.try_lock().is_ok()
    {
        let _ = std::fs::remove_file(path);
    }
    false
}

/// Whether nobody can be about to lock it any more.
fn is_old(file: &File) -> bool {
    const OLD: Duration = Duration::from_secs(60);
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > OLD))
}

/// Puts a box aside that cannot be read.
pub(crate) fn quarantine(path: &Path, why: &dyn std::fmt::Display) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".bad");
    let aside = PathBuf::from(aside);
    let is_full = path.parent().is_some_and(|directory| bad_ones(directory) >= MAX_BAD);
    let done = match is_full {
        true => std::fs::remove_file(path),
        false => std::fs::rename(path, &aside),
    };
    let done = match (done, is_full) {
        (Ok(()), false) => format!("it is now called {}", aside.display()),
        (Ok(()), true) => format!("there are {MAX_BAD} bad ones already; it was removed"),
        (Err(error), _) => format!("it cannot be renamed: {error}"),
    };
    selflog::tell("a black box cannot be read", &format!("{}: {why}; {done}", path.display()));
}

fn bad_ones(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| origin(name.strip_suffix(".bad")?)).count()
}

/// A box that is only looked at.
pub(super) struct LookedAt {
    pub(super) dead: DeadBox,
    /// Whether its process lives.
    pub(super) is_in_use: bool,
}

/// Opens a box to look at it. It is not locked meanwhile: a start would take it for one in use.
pub(super) fn look_at(path: &Path) -> io::Result<LookedAt> {
    let file = open(path)?;
    let is_in_use = match file.try_lock_shared() {
        Ok(()) => {
            file.unlock()?;
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok(LookedAt { dead: DeadBox::with_head(path, file)?, is_in_use })
}

/// Opens a regular file, and no other.
fn open(path: &Path) -> io::Result<File> {
    let found = path.symlink_metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = OpenOptions::new().read(true).open(path)?;
    if os::id(&file.metadata()?) != os::id(&found) {
        return Err(io::Error::other("it was replaced while it was opened"));
    }
    Ok(file)
}

impl DeadBox {
    /// `None` if it is in use, or about other logs.
    fn open(path: &Path, owner: u64) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let metadata = file.metadata()?;
        if os::id(&path.symlink_metadata()?) != os::id(&metadata) {
            // Somebody had it between our two steps and is done with it.
            return Err(ErrorKind::NotFound.into());
        }
        if !os::is_mine(&metadata) {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let dead = Self::with_head(path, file)?;
        Ok((dead.head.owner == owner).then_some(dead))
    }

    fn with_head(path: &Path, file: File) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(head::END * 8);
        (&file).take(head::END as u64 * 8).read_to_end(&mut bytes)?;
        let head = Head::read(&words_of(&bytes)).map_err(io::Error::other)?;
        Ok(Self { path: path.to_owned(), file, head })
    }

    pub(super) fn is_ended(&self) -> bool {
        self.head.is_ended
    }

    pub(crate) fn handed_on(&self) -> u64 {
        self.head.done_seq
    }

    pub(super) fn owner(&self) -> u64 {
        self.head.owner
    }

    /// Where the file of that sink stood; of one that had none, when that was.
    pub(crate) fn mark(&self, sink: &str) -> Mark {
        self.head.mark(sink)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.head.origin
    }

    /// What was on its way when the process ended. Of a box that others have cut, what is left.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn read(&self) -> io::Result<Recovered> {
        let front = self.words(0, self.head.front_words())?;
        let mut chunks = Vec::new();
        for start in self.head.chunk_starts() {
            // Most were never used.
            let is_used = self.words(start, 1)?.first().is_some_and(|word| *word != 0);
            chunks.push(if is_used { self.words(start, CHUNK_WORDS)? } else { Vec::new() });
        }
        let mut left = Recovered::read(&self.head, &front, &chunks);
        // Who can say what was in the rest?
        left.damaged += u64::from(self.file.metadata()?.len() < self.head.bytes());
        Ok(left)
    }

    fn words(&self, start: usize, count: usize) -> io::Result<Vec<u64>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start as u64 * 8))?;
        let mut bytes = Vec::with_capacity(count * 8);
        file.take(count as u64 * 8).read_to_end(&mut bytes)?;
        // Beyond the end there was never anything, or it is lost.
        bytes.resize(count * 8, 0);
        Ok(words_of(&bytes))
    }

    /// It has nothing in it any more that is not elsewhere.
    pub(crate) fn remove(self) {
        if !remove(&self.path) {
            // Else the next start would recover it again, and once more when its lines are rotated
            // away.
            let ended = self.end();
            ended.unwrap_or_else(|error| selflog::tell("a black box cannot be ended", &error));
        }
    }

    fn end(&self) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        if os::id(&file.metadata()?) != os::id(&self.file.metadata()?) {
            return Ok(()); // another one's
        }
        file.seek(SeekFrom::Start(head::ENDED as u64 * 8))?;
        file.write_all(&1_u64.to_ne_bytes())
    }

    pub(crate) fn quarantine(self, why: &dyn std::fmt::Display) {
        quarantine(&self.path, why);
    }
}

fn words_of(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::black_box::BlackBox;

    #[test]
    fn a_box_that_is_done_with_and_cannot_be_removed_is_not_recovered_again() {
        let directory = tempfile::tempdir().unwrap();
        let origin = Origin { process: 4711, boot: 0xc0ffee };
        drop(BlackBox::create(directory.path(), 1 << 20, origin, 7).unwrap());
        let path = directory.path().join(name(origin));
        let found = || DeadBox::open(&path, 7).unwrap().unwrap();
        assert!(!found().is_ended());
        let dead = found();
        assert!(!remove(directory.path()), "a directory is no file");
        dead.end().unwrap();
        drop(dead);
        assert!(found().is_ended());
        assert_eq!(find(directory.path(), 7).len(), 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_start_recovers_a_box_while_somebody_looks_at_it() {
        let directory = tempfile::tempdir().unwrap();
        let origin = Origin { process: 4711, boot: 0xc0ffee };
        drop(BlackBox::create(directory.path(), 1 << 20, origin, 7).unwrap());
        let path = directory.path().join(name(origin));
        let looked_at = look_at(&path).unwrap();
        assert!(!looked_at.is_in_use);
        let dead = find(directory.path(), 7);
        assert_eq!(dead.len(), 1);
        assert!(look_at(&path).unwrap().is_in_use, "it is being recovered");
        assert!(looked_at.dead.read().unwrap().records.is_empty());
    }

    #[test]
    fn a_name_in_any_other_spelling_is_not_ours() {
        let ours = Origin { process: 4711, boot: 0xc0ffee };
        assert_eq!(name(ours), ".logwell-4711-0000000000c0ffee.box");
        assert_eq!(origin(&name(ours)), Some(ours));
        for name in [
            ".logwell-04711-0000000000c0ffee.box",
            ".logwell-4711-c0ffee.box",
            ".logwell-4711-0000000000C0FFEE.box",
            ".logwell-4711-0000000000c0ffee.box.bad",
            "logwell-4711-0000000000c0ffee.box",
            ".logwell--1-0000000000c0ffee.box",
            ".logwell-.box",
        ] {
            assert_eq!(origin(name), None, "{name}");
        }
    }
}
