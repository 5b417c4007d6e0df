//! Archive: the backups of one file: which are to go, which to be compressed.
//!
//! Looks at the directory and changes names in it; knows no line and not the current file. All
//! names are changed on the thread that owns it. What takes long is left to others, who need no
//! name for it: a backup that is deleted is handed on open, since to give back a hundred megabytes
//! takes the file system twenty milliseconds, and one that is compressed is known by its identity.
//! So they need no lock, and nobody waits.

use super::current::told;
use super::names::{Backup, Form, Names};
use super::options::FileOptions;
use super::pack::{self, Pack, Packed};
use super::policy::{self, Kept, Pause, Retention, SteadyClock};
use super::shift;
use crate::base::fs::calls;
use crate::base::fs::os::{self, FileId};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant, SystemTime};

/// How often retention is looked at, and backups that are not compressed are looked for, even if
/// nothing has happened.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// So many deleted files are kept open for a helper to let go of; more are let go of at once.
const MAX_RELEASED: usize = 8;

/// The backups of one file.
#[derive(Debug)]
pub(super) struct Archive {
    names: Names,
    retention: Retention,
    form: Form,
    clock: Option<SteadyClock>,
    /// The time since 1970 that is believed, when it is known.
    wall: Option<Duration>,
    look_at: Option<Instant>,
    /// How large the current file may be before backups have to go.
    room_bytes: u64,
    wants_pack: bool,
    in_work: bool,
    /// Whether the last look found no backup that is to be compressed.
    is_packed: bool,
    pack_pause: Pause,
    /// What could not be compressed; others come first.
    failed: Option<FileId>,
    shifts: u64,
    /// Whether a backup may be beside its complete copy.
    may_have_twins: bool,
    /// Whether somebody takes what is released.
    is_helped: bool,
    released: Vec<File>,
}

impl Archive {
    pub(super) fn new(names: Names, options: &FileOptions) -> Self {
        Self {
            names,
            retention: Retention {
                count: options.backup_count,
                max_age: options.max_age,
                max_total_bytes: options.max_total_bytes,
            },
            form: options.form(),
            clock: None,
            wall: None,
            look_at: None,
            room_bytes: u64::MAX,
            wants_pack: true,
            in_work: false,
            is_packed: false,
            pack_pause: Pause::default(),
            failed: None,
            shifts: 0,
            may_have_twins: true,
            is_helped: false,
            released: Vec::new(),
        }
    }

    /// Finishes what a crash has left half done: an unfinished copy is deleted, and so is a backup
    /// beside its complete copy.
    pub(super) fn finish_half_done(&mut self) -> io::Result<()> {
        for form in Form::ALL.into_iter().filter(|form| *form != Form::Plain) {
            let path = self.names.unfinished(form);
            pack::remove(&path).map_err(|error| told("delete", &path, error))?;
        }
        self.part_from_copies()
    }

    /// Deletes backups beside their complete copies, unless it is sure that there are none. To
    /// shift the names would part them.
    pub(super) fn part_from_copies(&mut self) -> io::Result<()> {
        if !self.may_have_twins {
            return Ok(());
        }
        for (first, second) in shift::twins(&shift::backups(&self.names)?) {
            let (plain, packed) = (self.names.backup(first), self.names.backup(second));
            // What cannot be read is no copy; both stay.
            if first.form == Form::Plain
                && pack::is_copy(&plain, &packed, second.form).unwrap_or(false)
            {
                pack::remove(&plain).map_err(|error| told("delete", &plain, error))?;
            }
        }
        self.may_have_twins = false;
        Ok(())
    }

    /// The names were shifted.
    pub(super) fn shifted(&mut self) {
        self.shifts += 1;
        self.look_at = None;
    }

    /// Takes the time of day, in time since 1970.
    pub(super) fn tell_time(&mut self, wall: Duration, now: Instant) {
        let clock = self.clock.get_or_insert_with(|| SteadyClock::new(wall, now));
        self.wall = Some(clock.at(wall, now));
    }

    /// Deletes what is beyond the limits, if it is time to look for it; else there is no result.
    pub(super) fn retain_when_due(
        &mut self,
        current_bytes: u64,
        now: Instant,
    ) -> Option<io::Result<()>> {
        let is_due = self.look_at.is_none_or(|at| now >= at) || current_bytes > self.room_bytes;
        is_due.then(|| {
            self.look_at = Some(now + LOOK_INTERVAL);
            self.wants_pack = true;
            self.is_packed = false;
            self.retain(current_bytes)
        })
    }

    /// Deletes what is beyond the limits.
    pub(super) fn retain(&mut self, current_bytes: u64) -> io::Result<()> {
        let backups: Vec<Backup> = shift::backups(&self.names)?.into_iter().collect();
        let kept = self.measure(&backups);
        let gone = policy::surplus(&kept, current_bytes, &self.retention);
        for place in &gone {
            if let Some(backup) = backups.get(*place) {
                self.delete(*backup)?;
            }
        }
        self.room_bytes = match self.retention.max_total_bytes {
            // With no backup left there is nothing to make room with.
            Some(max) if gone.len() < backups.len() => {
                let left = (0..kept.len()).filter(|place| !gone.contains(place));
                let bytes: u64 = left.filter_map(|at| kept.get(at)).map(|kept| kept.bytes).sum();
                max.saturating_sub(bytes)
            }
            _ => u64::MAX,
        };
        Ok(())
    }

    /// Sizes and ages, as far as a limit asks for them.
    fn measure(&self, backups: &[Backup]) -> Vec<Kept> {
        let limits = &self.retention;
        let is_asked = limits.max_age.is_some() || limits.max_total_bytes.is_some();
        let unknown = Kept { bytes: 0, age: Duration::ZERO };
        let measure = |backup: &Backup| {
            let metadata = calls::look(&self.names.backup(*backup)).ok()?;
            let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let age = self.wall.map_or(Duration::ZERO, |wall| wall.saturating_sub(modified));
            Some(Kept { bytes: metadata.len(), age })
        };
        let kept = |backup| is_asked.then(|| measure(backup)).flatten().unwrap_or(unknown);
        backups.iter().map(kept).collect()
    }

    /// Takes the name away; the content goes when the file is let go of.
    fn delete(&mut self, backup: Backup) -> io::Result<()> {
        let path = self.names.backup(backup);
        let open = calls::open_to_read(&path);
        pack::remove(&path).map_err(|error| told("delete", &path, error))?;
        if let Ok(file) = open {
            self.release(file);
        }
        Ok(())
    }

    fn release(&mut self, file: File) {
        if self.is_helped && self.released.len() < MAX_RELEASED {
            self.released.push(file);
        }
    }

    /// From now on somebody takes what is released.
    pub(super) fn accept_help(&mut self) {
        self.is_helped = true;
    }

    /// Deleted files that are still open: to let go of them may take a while.
    pub(super) fn take_released(&mut self) -> Vec<File> {
        std::mem::take(&mut self.released)
    }

    /// The oldest backup that is to be compressed, one at a time.
    ///
    /// # Errors
    ///
    /// It could not be looked for.
    pub(super) fn take_pack(&mut self, now: Instant) -> io::Result<Option<Pack>> {
        let may = self.wants_pack && !self.in_work && self.pack_pause.is_over(now);
        if self.form == Form::Plain || !may {
            return Ok(None);
        }
        self.wants_pack = false;
        self.is_packed = false;
        let backups = shift::backups(&self.names)?;
        let plain: Vec<Backup> =
            backups.iter().filter(|backup| backup.form == Form::Plain).copied().collect();
        let mut second_choice = None;
        for backup in plain.into_iter().rev() {
            let path = self.names.backup(backup);
            let source = match calls::open_to_read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened.map_err(|error| told("open", &path, error))?,
            };
            let id =
                os::id(&calls::look_at(&source).map_err(|error| told("look at", &path, error))?);
            let pack = Pack {
                source,
                id,
                path,
                form: self.form,
                unfinished: self.names.unfinished(self.form),
                shifts: self.shifts,
            };
            if self.failed != Some(id) {
                second_choice = Some(pack);
                break;
            }
            second_choice = Some(pack);
        }
        self.in_work = second_choice.is_some();
        self.is_packed = second_choice.is_none();
        Ok(second_choice)
    }

    /// Puts the compressed copy in the place of its backup, whatever that is called by now.
    ///
    /// Two names change. A crash between them leaves both files, which the next start finishes.
    ///
    /// # Errors
    ///
    /// It stays as it was, and is tried again after a while. `Interrupted` is no failure.
    pub(super) fn packed(&mut self, packed: Packed, now: Instant) -> io::Result<()> {
        let Packed { pack, result } = packed;
        self.in_work = false;
        self.wants_pack = true;
        self.is_packed = false;
        let finished = result.and_then(|(copy, bytes)| {
            let put = self.put(&pack, bytes);
            if !put.as_ref().is_ok_and(|is_there| *is_there) {
                let _ = pack::remove(&pack.unfinished);
                self.release(copy);
            }
            put
        });
        if let Ok(true) = finished {
            self.pack_pause.end();
            self.failed = None;
            // Its size is another now.
            self.look_at = None;
            self.release(pack.source);
        } else {
            self.pack_pause.begin(now, LOOK_INTERVAL);
            self.failed = Some(pack.id);
        }
        finished.map(drop)
    }

    /// Whether the copy has taken the place of its backup; if not, that is gone or was written to.
    fn put(&mut self, pack: &Pack, bytes: u64) -> io::Result<bool> {
        if !os::KNOWS_IDENTITY && pack.shifts != self.shifts {
            return Ok(false);
        }
        let is_it = |path: &std::path::Path| {
            let found = calls::look(path);
            found.is_ok_and(|found| os::id(&found) == pack.id && found.len() == bytes)
        };
        let backups = shift::backups(&self.names)?;
        let mut plain = backups.iter().filter(|backup| backup.form == Form::Plain);
        let Some(backup) = plain.find(|backup| is_it(&self.names.backup(**backup))) else {
            return Ok(false);
        };
        let to = Backup { form: pack.form, ..*backup };
        if backups.iter().any(|other| other.number == to.number && other.form != Form::Plain) {
            return Ok(false);
        }
        let (from, to) = (self.names.backup(*backup), self.names.backup(to));
        calls::rename(&pack.unfinished, &to)
            .map_err(|error| told("finish", &pack.unfinished, error))?;
        if let Err(error) = calls::remove(&from) {
            // Without the copy there is exactly one again. What cannot be deleted can be renamed.
            self.may_have_twins = calls::rename(&to, &pack.unfinished).is_err();
            return Err(told("delete", &from, error));
        }
        Ok(true)
    }

    /// Whether backups are to be compressed at all.
    pub(super) fn packs(&self) -> bool {
        self.form != Form::Plain
    }

    /// Whether the last look found no backup that is to be compressed.
    pub(super) fn is_packed(&self) -> bool {
        self.is_packed
    }

    /// Nobody will work on what was taken.
    pub(super) fn not_packed(&mut self) {
        self.in_work = false;
    }
}
