//! Damage: finding it before a query does, and getting back what can still be read.
//!
//! Knows: parts that are searched, and those that were put aside. Must not know: how a part is
//! encoded. In: files. Out: what is damaged, or new parts.

use super::manifest::Manifest;
use super::open::{damage, entry_of, number_of, part_path, put_aside};
use super::seal::day_of;
use super::{DAMAGED, Deletion, LivePart, PARTS, Shared, lock};
use crate::part::Part;
use crate::part::view::records;
use crate::record::Record;
use crate::store::Damage;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What [`Embedded::salvage`](crate::Embedded::salvage) got back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// Records that can be found again.
    pub records: u64,
    /// Files that were read. Their names end in `.salvaged` now, and may be removed.
    pub files: Vec<String>,
    /// What could not be read.
    pub lost: Vec<Damage>,
}

impl Shared {
    /// Reads every part, and puts aside those that are damaged.
    pub(super) fn check(&self) -> io::Result<Vec<Damage>> {
        let _upkeep = lock(&self.upkeep);
        let mut found = Vec::new();
        for live in self.snapshot().parts.iter() {
            found.extend(self.check_part(live)?);
        }
        Ok(found)
    }

    /// Reads a part, and puts it aside if it is damaged.
    fn check_part(&self, live: &LivePart) -> io::Result<Option<Damage>> {
        let Err(error) = live.part.check() else { return Ok(None) };
        let number = live.part.number;
        let path = part_path(&self.dir, number, live.part.first_ns);
        let damage = damage(&path, &error, Some(&entry_of(live)));
        let change = |manifest: &mut Manifest| manifest.parts.retain(|part| part.number != number);
        self.write_manifest(&mut self.books(), change, Vec::new())?;
        put_aside(self.fs(), &self.dir, &path)?;
        self.change_state(|state| {
            let mut parts = Vec::clone(&state.parts);
            parts.retain(|other| other.part.number != number);
            state.parts = Arc::new(parts);
        });
        lock(&self.damaged).push(damage.clone());
        Ok(Some(damage))
    }

    /// What becomes of work on parts that failed: if one of them is damaged it is put aside, and
    /// the work can go on without it.
    pub(super) fn without_damaged(&self, parts: &[&LivePart], error: io::Error) -> io::Result<()> {
        let mut is_damaged = false;
        for live in parts {
            is_damaged |= self.check_part(live)?.is_some();
        }
        if is_damaged { Ok(()) } else { Err(error) }
    }

    /// Makes parts of the row groups that can be read of parts that were put aside.
    pub(super) fn salvage(&self) -> io::Result<SalvageReport> {
        let _upkeep = lock(&self.upkeep);
        let aside = self.dir.join(DAMAGED);
        let mut report = SalvageReport::default();
        let names = match self.fs().list(&aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(report),
            names => names?,
        };
        for name in names {
            let Some(number) = number_of(&name).filter(|_| name.ends_with(".parquet")) else {
                continue;
            };
            let path = aside.join(&name);
            match self.fs().open(&path).and_then(|input| Part::open(input, number, None)) {
                Err(error) => report.lost.push(damage(&path, &error, None)),
                Ok(part) => {
                    report.records += self.salvage_part(&part, &path, &mut report.lost)?;
                    let mut salvaged = path.clone().into_os_string();
                    salvaged.push(".salvaged");
                    self.fs().rename(&path, &PathBuf::from(salvaged))?;
                    self.fs().sync_dir(&aside)?;
                    report.files.push(format!("{DAMAGED}/{name}"));
                }
            }
        }
        Ok(report)
    }

    fn salvage_part(&self, part: &Part, path: &Path, lost: &mut Vec<Damage>) -> io::Result<u64> {
        // A crash after the manifest was written left the file's name as it was.
        let is_done = |live: &LivePart| live.part.replaces.contains(&part.number);
        if self.snapshot().parts.iter().any(is_done) {
            return Ok(0);
        }
        let mut days: BTreeMap<i64, Vec<Record>> = BTreeMap::new();
        for (index, group) in part.groups.iter().enumerate() {
            match records(part, index, |_| true) {
                Ok(records) => {
                    for record in records.into_iter().filter(|record| !self.was_deleted(record)) {
                        days.entry(day_of(record.time_ns)).or_default().push(record);
                    }
                }
                Err(error) => lost.push(Damage {
                    rows: Some(group.rows),
                    range: Some(logwell_query::TimeRange {
                        first_ns: group.first_ns,
                        last_ns: group.last_ns,
                    }),
                    ..damage(path, &error, None)
                }),
            }
        }
        let mut parts = Vec::new();
        let mut count = 0;
        for records in days.values().flat_map(|day| day.chunks(self.options.group_rows.max(1))) {
            count += records.len() as u64;
            parts.push(self.write_records(records, vec![part.number], 0)?);
        }
        self.fs().sync_dir(&self.dir.join(PARTS))?;
        self.replace(&[], parts)?;
        Ok(count)
    }

    /// Whether a deletion concerned the record, by its arrival. The part did not say which
    /// deletions it was clean of.
    fn was_deleted(&self, record: &Record) -> bool {
        let books = self.books();
        let before =
            books.manifest.deletions.iter().filter(|one| record.arrived_ns <= one.requested_ns);
        before.filter_map(Deletion::of).any(|deletion| deletion.filter().matches(record))
    }
}
