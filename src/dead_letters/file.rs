//! LetterFile: the dead letters of one destination on the disk, behind a lock.
//!
//! Knows lines, two files and an inbox; does not know what a line says. The process that forwards
//! appends, people take out: each holds a lock on the directory while it does, and nobody keeps a
//! file open between. So people need not stop the process.
//!
//! ```text
//! <name>.dead      the newer letters        append ─▶ when it is full it becomes <name>.dead.1
//! <name>.dead.1    the older ones
//! <name>.replay/   the inbox: files of letters that are to be sent again
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Another process holds the lock no longer than it takes to copy some files.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A file of the inbox is not longer, so that it fits into memory; a longer letter is alone in one.
const INBOX_FILE_BYTES: u64 = 1 << 20;

/// The dead letters of one destination.
#[derive(Debug, Clone)]
pub(crate) struct LetterFile {
    dir: PathBuf,
    newer: PathBuf,
    older: PathBuf,
    inbox: PathBuf,
}

impl LetterFile {
    /// Those of the destination of that name. Nothing is made yet.
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        Self {
            dir: dir.to_owned(),
            newer: dir.join(format!("{name}.dead")),
            older: dir.join(format!("{name}.dead.1")),
            inbox: inbox(dir, name),
        }
    }

    /// The file of the newer letters.
    pub(crate) fn path(&self) -> &Path {
        &self.newer
    }

    /// Adds a line. When the file would be longer than `max_bytes`, it becomes the older one first,
    /// and what was in that is gone.
    #[cfg(any(feature = "forward", test))]
    pub(crate) fn append(&self, line: &[u8], max_bytes: u64) -> io::Result<()> {
        let _lock = self.lock()?;
        let bytes = match fs::metadata(&self.newer) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if bytes > 0 && bytes.saturating_add(length(line)) >= max_bytes {
            fs::rename(&self.newer, &self.older)?;
        }
        let mut file = open(OpenOptions::new().read(true).append(true).create(true), &self.newer)?;
        // A kill may have left half of a line.
        let is_whole = ends_with_line(&mut file)?;
        let end: &[u8] = if is_whole { b"" } else { b"\n" };
        file.write_all(&[end, line].concat())
    }

    /// Makes durable what was added.
    #[cfg(feature = "forward")]
    pub(crate) fn sync(&self) -> io::Result<()> {
        match File::open(&self.newer) {
            Ok(file) => file.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Calls `each` with every line, the oldest first.
    pub(crate) fn each(&self, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let _lock = self.lock()?;
        [&self.older, &self.newer].into_iter().try_for_each(|path| each_line(path, each))
    }

    /// Deletes the lines that are meant; says how many.
    pub(crate) fn discard(&self, is_meant: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<u64> {
        self.take_out(is_meant, None)
    }

    /// Moves the lines that are meant into the inbox; says how many.
    ///
    /// They are durable there before they leave the file.
    pub(crate) fn replay(&self, is_meant: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<u64> {
        let mut inbox = InboxWriter::new(&self.inbox);
        let count = self.take_out(is_meant, Some(&mut inbox));
        if count.is_err() {
            inbox.abandon();
        }
        count
    }

    /// Puts lines straight into the inbox. They are durable there when it returns.
    #[cfg(feature = "forward")]
    pub(crate) fn hand_over(&self, lines: &[String]) -> io::Result<()> {
        let mut inbox = InboxWriter::new(&self.inbox);
        let written = lines.iter().try_for_each(|line| inbox.add(line.as_bytes()));
        let done = written.and_then(|()| inbox.hand_over());
        if done.is_err() {
            inbox.abandon();
        }
        done
    }

    fn take_out(
        &self,
        is_meant: &mut dyn FnMut(&[u8]) -> bool,
        mut inbox: Option<&mut InboxWriter>,
    ) -> io::Result<u64> {
        let _lock = self.lock()?;
        let mut count = 0;
        for path in [&self.older, &self.newer] {
            if path.exists() {
                count += split(path, is_meant, inbox.as_deref_mut())?;
            }
        }
        sync_names(&self.dir);
        Ok(count)
    }

    /// The lock on the directory. It ends with the value.
    fn lock(&self) -> io::Result<File> {
        // On Unix the directory itself can be locked; so there is no file whose owner could be
        // another.
        let lock = match cfg!(unix) {
            true => File::open(&self.dir)?,
            false => {
                let path = self.dir.join("dead.lock");
                OpenOptions::new().create(true).truncate(false).write(true).open(path)?
            }
        };
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(
                        io::ErrorKind::WouldBlock,
                        "another process keeps the dead letters locked",
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

/// The directory of letters of that destination that are to be sent again.
pub(crate) fn inbox(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.replay"))
}

/// Whether a file of the inbox is whole: one that is being written has another name.
#[cfg(feature = "forward")]
pub(crate) fn is_handed_over(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

/// Writes files of the inbox.
struct InboxWriter {
    dir: PathBuf,
    open: Option<(BufWriter<File>, PathBuf, u64)>,
    /// Written and durable, and not handed over.
    ready: Vec<PathBuf>,
    number: u64,
}

impl InboxWriter {
    fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: None, ready: Vec::new(), number: 0 }
    }

    fn add(&mut self, line: &[u8]) -> io::Result<()> {
        let is_full = |(_, _, bytes): &(BufWriter<File>, PathBuf, u64)| {
            bytes.saturating_add(length(line)) > INBOX_FILE_BYTES
        };
        if self.open.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        let (file, path, bytes) = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let (file, ..) = self.open.insert((file, path, bytes + length(line)));
        file.write_all(line)
    }

    fn begin(&mut self) -> io::Result<(BufWriter<File>, PathBuf, u64)> {
        let parent = self.dir.parent().unwrap_or(&self.dir).to_owned();
        if !self.dir.is_dir() {
            make_directory(&self.dir)?;
            same_owner(&self.dir, &parent);
        }
        self.number += 1;
        let now = crate::base::clock::unix_ns();
        let name = format!("{now:020}-{}-{:06}.tmp", std::process::id(), self.number);
        let path = self.dir.join(name);
        Ok((BufWriter::new(create(&path, &parent)?), path, 0))
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some((file, path, _)) = self.open.take() {
            self.ready.push(path);
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.close()?;
        for path in self.ready.drain(..) {
            fs::rename(&path, path.with_extension("jsonl"))?;
        }
        sync_names(&self.dir);
        Ok(())
    }

    /// Deletes what was not handed over.
    fn abandon(&mut self) {
        let open = self.open.take().map(|(_, path, _)| path);
        for path in self.ready.drain(..).chain(open) {
            let _gone = fs::remove_file(path);
        }
    }
}

/// Takes the lines that are meant out of a file, and hands them to the inbox, if there is one; says
/// how many. The file is replaced as a whole once they are safe.
fn split(
    path: &Path,
    is_meant: &mut dyn FnMut(&[u8]) -> bool,
    mut inbox: Option<&mut InboxWriter>,
) -> io::Result<u64> {
    let rest = path.with_extension("tmp");
    let mut kept = BufWriter::new(create(&rest, path)?);
    let (mut count, mut kept_bytes) = (0, 0);
    each_line(path, &mut |line| {
        if !is_meant(line) {
            kept_bytes += length(line);
            return kept.write_all(line);
        }
        count += 1;
        inbox.as_mut().map_or(Ok(()), |inbox| inbox.add(line))
    })?;
    kept.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    if count > 0 {
        inbox.map_or(Ok(()), InboxWriter::hand_over)?;
    }
    if count > 0 && kept_bytes > 0 {
        fs::rename(&rest, path)?;
        return Ok(count);
    }
    if count > 0 {
        fs::remove_file(path)?;
    }
    fs::remove_file(&rest)?;
    Ok(count)
}

fn each_line(path: &Path, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        each(&line)?;
        line.clear();
    }
    Ok(())
}

#[cfg(any(feature = "forward", test))]
fn ends_with_line(file: &mut File) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Makes a file for its owner only, who is that of `like`: an administrator must not take the files
/// away from the program.
fn create(path: &Path, like: &Path) -> io::Result<File> {
    let file = open(OpenOptions::new().write(true).create(true).truncate(true), path)?;
    same_owner(path, like);
    Ok(file)
}

#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600).open(path)
}

#[cfg(not(unix))]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Best effort: a process that is not root owns the files it creates, which is usually right.
#[cfg(unix)]
fn same_owner(path: &Path, like: &Path) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if let (Ok(like), Ok(own)) = (fs::metadata(like), fs::metadata(path))
        && (like.uid(), like.gid()) != (own.uid(), own.gid())
    {
        let _ = chown(path, Some(like.uid()), Some(like.gid()));
    }
}

#[cfg(not(unix))]
fn same_owner(_: &Path, _: &Path) {}

/// Makes names durable where directories can be synced.
fn sync_names(dir: &Path) {
    if let Ok(dir) = File::open(dir) {
        let _ = dir.sync_all();
    }
}
