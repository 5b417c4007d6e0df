//! The start: from whatever is on the disk to a store that answers.
//!
//! Knows: which files are believed, and what is done with the others. Must not know: how they
//! came about. In: a directory. Out: the shared state, and a report.

use super::manifest::{FILES, Manifest, PartEntry};
use super::{
    Books, Committer, Counters, DAMAGED, Deletion, HeadBatch, JOURNAL, LISTS, LivePart, OpenReport,
    Options, PARTS, Shared, State, TRACES,
};
use crate::identities::{Identities, List};
use crate::journal::{Journal, Replay};
use crate::part::Part;
use crate::store::{Certificate, Damage};
use crate::traces::Traces;
use crate::world::Fs;
use logwell_query::{Query, TimeRange};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, RwLock};

impl Shared {
    /// Opens a directory. Only what the disk refuses is an error.
    pub(super) fn open(dir: &Path, options: Options) -> io::Result<(Self, OpenReport)> {
        let fs = Arc::clone(&options.fs);
        for name in ["", PARTS, LISTS, TRACES, JOURNAL] {
            fs.create_dir(&dir.join(name))?;
        }
        let guard = fs.lock(dir)?;
        let mut report = OpenReport::default();
        let (manifest, older) = find_manifest(&*fs, dir, &mut report)?;
        let mut books = Books {
            leaving: leaving(&manifest, older.as_ref(), dir),
            sealed_before: older.as_ref().map_or(manifest.sealed_to, |older| older.sealed_to),
            manifest,
        };
        remove_strays(&*fs, dir, &books, &mut report)?;
        let parts = open_parts(&*fs, dir, &mut books.manifest, &mut report)?;
        let lists = open_lists(&*fs, dir, &mut books.manifest, &mut report);
        let (journal, replay) =
            Journal::open(Arc::clone(&fs), &dir.join(JOURNAL), books.manifest.sealed_to)?;
        let mut identities = Identities::default();
        identities.set_lists(lists, std::iter::empty());
        let deletions = books.manifest.deletions.iter().filter(|one| one.erased_ns.is_none());
        let mut state = State {
            parts: Arc::new(parts),
            deletions: Arc::new(deletions.filter_map(Deletion::of).map(Arc::new).collect()),
            traces: Arc::new(open_traces(&*fs, dir)?),
            ..State::default()
        };
        state.extend_head(replay_head(
            replay,
            &mut identities,
            options.clock.now_ns(),
            &mut report,
        ));
        let epoch = books.manifest.deletions.last().map_or(0, |deletion| deletion.number);
        let shared = Self {
            dir: dir.to_owned(),
            options,
            sealing: Mutex::default(),
            upkeep: Mutex::default(),
            queue: super::commit::Queue::default(),
            committer: Mutex::new(Committer { journal, identities, epoch }),
            manifest: Mutex::new(books),
            state: RwLock::new(state),
            wake: (Mutex::new(true), Condvar::new()),
            is_closed: AtomicBool::new(false),
            counters: Counters::default(),
            damaged: Mutex::new(report.damaged.clone()),
            faults: Mutex::new(BTreeMap::new()),
            read_only: Mutex::new(None),
            _lock: guard,
        };
        Ok((shared, report))
    }
}

impl Deletion {
    /// The deletion of a certificate; `None` if its query cannot be read any more.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let query = Query::parse_at(&certificate.query, certificate.requested_ns).ok()?;
        let (number, range) = (certificate.number, certificate.range);
        Some(Self { number, filter: query.filter, range })
    }
}

/// The manifest to go on from, and the one before it. If both files are damaged, the parts
/// themselves say which of them belong together.
fn find_manifest(
    fs: &dyn Fs,
    dir: &Path,
    report: &mut OpenReport,
) -> io::Result<(Manifest, Option<Manifest>)> {
    let found = Manifest::find(fs, dir)?;
    for (file, reason) in found.damaged {
        let file = file.to_owned();
        report.damaged.push(Damage { file, reason, rows: None, range: None });
    }
    match found.newest {
        Some(newest) => Ok((newest, found.older)),
        None if report.damaged.is_empty() => Ok((Manifest::default(), None)),
        None => {
            report.rebuilt = true;
            for file in FILES.iter().map(|file| dir.join(file)) {
                // A file that is not there need not be moved.
                let _ = put_aside(fs, dir, &file);
            }
            Ok((rebuild(fs, dir)?, None))
        }
    }
}

/// A manifest of all parts and lists that can be read, but for parts that others replace. The
/// whole journal is read again; what is in a part already is known by its identity.
fn rebuild(fs: &dyn Fs, dir: &Path) -> io::Result<Manifest> {
    let mut manifest = Manifest { edition: 2, next_number: 1, ..Manifest::default() };
    let mut replaced = HashSet::new();
    for name in fs.list(&dir.join(PARTS))? {
        let Some(number) = number_of(&name) else { continue };
        manifest.next_number = manifest.next_number.max(number + 1);
        let path = dir.join(PARTS).join(&name);
        let Ok(part) = fs.open(&path).and_then(|input| Part::open(input, number, None)) else {
            continue;
        };
        let footer_checksum = part.footer_checksum;
        let (rows, first_ns, last_ns) = (part.rows, part.first_ns, part.last_ns);
        replaced.extend(part.replaces);
        manifest.parts.push(PartEntry {
            number,
            footer_checksum,
            rows,
            first_ns,
            last_ns,
            clean: 0,
        });
    }
    manifest.parts.retain(|part| !replaced.contains(&part.number));
    for name in fs.list(&dir.join(LISTS))? {
        if let Some(number) = number_of(&name) {
            manifest.next_number = manifest.next_number.max(number + 1);
            manifest.lists.push(number);
        }
    }
    Ok(manifest)
}

/// The files that only the older manifest names: they go with the next edition.
fn leaving(newest: &Manifest, older: Option<&Manifest>, dir: &Path) -> Vec<PathBuf> {
    let kept = files(newest, dir);
    let older = older.map(|older| files(older, dir)).unwrap_or_default();
    older.into_iter().filter(|file| !kept.contains(file)).collect()
}

/// The files that a manifest names.
fn files(manifest: &Manifest, dir: &Path) -> HashSet<PathBuf> {
    let parts = manifest.parts.iter().map(|part| part_path(dir, part.number, part.first_ns));
    let lists = manifest.lists.iter().map(|number| list_path(dir, *number));
    parts.chain(lists).collect()
}

/// Removes files that no manifest names: work that a crash interrupted.
fn remove_strays(
    fs: &dyn Fs,
    dir: &Path,
    books: &Books,
    report: &mut OpenReport,
) -> io::Result<()> {
    let mut kept = files(&books.manifest, dir);
    kept.extend(books.leaving.iter().cloned());
    for below in [PARTS, LISTS] {
        for name in fs.list(&dir.join(below))? {
            let path = dir.join(below).join(&name);
            // Files that the store would not have named are none of its own.
            let is_own = number_of(&name).is_some() || name.ends_with(super::seal::BESIDE);
            if is_own && !kept.contains(&path) && !report.rebuilt {
                fs.remove(&path)?;
                report.removed += 1;
            }
        }
    }
    Ok(())
}

fn open_parts(
    fs: &dyn Fs,
    dir: &Path,
    manifest: &mut Manifest,
    report: &mut OpenReport,
) -> io::Result<Vec<LivePart>> {
    let mut parts = Vec::new();
    let mut whole = Vec::new();
    for entry in &manifest.parts {
        let path = part_path(dir, entry.number, entry.first_ns);
        let input = fs.open(&path);
        match input.and_then(|input| Part::open(input, entry.number, Some(entry.footer_checksum))) {
            Ok(part) => {
                whole.push(*entry);
                parts.push(LivePart { part: Arc::new(part), clean: entry.clean });
            }
            Err(error) => {
                report.damaged.push(damage(&path, &error, Some(entry)));
                if error.kind() != io::ErrorKind::NotFound {
                    put_aside(fs, dir, &path)?;
                }
            }
        }
    }
    manifest.parts = whole;
    Ok(parts)
}

fn open_lists(
    fs: &dyn Fs,
    dir: &Path,
    manifest: &mut Manifest,
    report: &mut OpenReport,
) -> Vec<Arc<List>> {
    let mut lists = Vec::new();
    manifest.lists.retain(|number| match List::open(fs, &list_path(dir, *number), *number) {
        Ok(list) => {
            lists.push(Arc::new(list));
            true
        }
        Err(error) => {
            report.damaged.push(damage(&list_path(dir, *number), &error, None));
            false
        }
    });
    lists
}

/// The head, from the frames that are in no part. A record whose identity is known is in a part,
/// or was written twice by a commit that failed and was sent again.
fn replay_head(
    replay: Replay,
    identities: &mut Identities,
    now_ns: i64,
    report: &mut OpenReport,
) -> Vec<Arc<HeadBatch>> {
    report.cut_bytes = replay.cut_bytes;
    report.damaged.extend(replay.damaged);
    let mut head = Vec::new();
    for (place, packed) in replay.frames {
        let hashes: Vec<u128> = packed.rows().map(|row| row.hash).collect();
        let (is_new, _) = identities.admit(&hashes);
        let packed = packed.filtered(|row| is_new.get(row) == Some(&true));
        report.replayed += packed.len() as u64;
        if packed.len() > 0 {
            head.push(Arc::new(HeadBatch::new(place, packed, now_ns)));
        }
    }
    head
}

/// Moves a file that cannot be believed to where `salvage` looks for it.
pub(super) fn put_aside(fs: &dyn Fs, dir: &Path, path: &Path) -> io::Result<()> {
    let aside = dir.join(DAMAGED);
    fs.create_dir(&aside)?;
    let Some(name) = path.file_name() else { return Ok(()) };
    fs.rename(path, &aside.join(name))?;
    fs.sync_dir(&aside)
}

pub(super) fn damage(path: &Path, error: &io::Error, entry: Option<&PartEntry>) -> Damage {
    let names: Vec<_> = path.iter().rev().take(2).map(|name| name.to_string_lossy()).collect();
    Damage {
        file: names.into_iter().rev().collect::<Vec<_>>().join("/"),
        reason: error.to_string(),
        rows: entry.map(|entry| entry.rows),
        range: entry.map(|entry| TimeRange { first_ns: entry.first_ns, last_ns: entry.last_ns }),
    }
}

/// What the manifest says of a part.
pub(super) fn entry_of(live: &LivePart) -> PartEntry {
    let LivePart { part, clean } = live;
    PartEntry {
        number: part.number,
        footer_checksum: part.footer_checksum,
        rows: part.rows,
        first_ns: part.first_ns,
        last_ns: part.last_ns,
        clean: *clean,
    }
}

/// Where a part is: its day is in its name for those who read the files with other tools.
pub(super) fn part_path(dir: &Path, number: u64, first_ns: i64) -> PathBuf {
    let moment = logwell_query::time_text(first_ns);
    let day = moment.split('T').next().unwrap_or_default();
    dir.join(PARTS).join(format!("{day}-{number:010}.parquet"))
}

/// Where a list of identities is.
pub(super) fn list_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(LISTS).join(format!("{number:010}.ids"))
}

/// The number in the name of a part or a list.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let name = name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".ids"))?;
    name.rsplit('-').next()?.parse().ok()
}

/// Opens the indexes that there are, and removes what is none.
fn open_traces(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<Arc<Traces>>> {
    let mut all = Vec::new();
    for name in fs.list(&dir.join(TRACES))? {
        let path = dir.join(TRACES).join(&name);
        match fs.open(&path).and_then(Traces::open) {
            Ok(traces) if path == traces_path(dir, traces.day) => all.push(Arc::new(traces)),
            // It is made again.
            _ if name.ends_with(".traces") || name.ends_with(super::seal::BESIDE) => {
                fs.remove(&path)?
            }
            _ => {}
        }
    }
    Ok(all)
}

/// Where the index of a day is.
pub(super) fn traces_path(dir: &Path, day: i64) -> PathBuf {
    let moment = logwell_query::time_text(day.saturating_mul(86_400_000_000_000));
    let day = moment.split('T').next().unwrap_or_default();
    dir.join(TRACES).join(format!("{day}.traces"))
}
