//! A unit of a search: a row group of a part, or a batch of the head.
//!
//! Knows: how each of the two is filtered and its rows are made. Must not know: order, limits,
//! pipes. In: a filter. Out: matching rows by place, and rows to look at.

use super::eval::GroupReader;
use super::mask::Mask;
use super::prune::may_match;
use crate::embedded::HeadBatch;
use crate::part::Part;
use crate::part::view::{Rows, batch_times};
use logwell_query::{Filter, Need, Row, TimeRange};
use parquet::arrow::arrow_reader::RowSelection;
use std::io;
use std::sync::Arc;

/// What is filtered at one go.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) source: Source,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// What the query and the deletions say of its rows.
    pub(crate) filter: Arc<Wanted>,
}

/// Where rows are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Group(Arc<Part>, usize),
    Head(Arc<HeadBatch>),
}

/// Which rows are wanted, and what they need to have.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) need: Need,
    pub(crate) range: TimeRange,
}

/// The rows of a unit that match, in the order of their times.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    pub(crate) rows: Vec<u32>,
    pub(crate) times: Vec<i64>,
    pub(crate) scan: Scan,
}

/// What looking at a unit cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Unit {
    /// The name by which a summary calls it.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Group(part, group) => format!("part {}, row group {group}", part.number),
            Source::Head(batch) => format!("batch {}", batch.place.seq),
        }
    }

    /// The rows of a row group that match. `None` if no row can.
    pub(crate) fn group_mask(&self, reader: &GroupReader<'_>) -> io::Result<Option<Mask>> {
        self.group_mask_by(&self.filter.filter, reader)
    }

    /// The same by a copy of the unit's filter.
    pub(crate) fn group_mask_by(
        &self,
        filter: &Filter,
        reader: &GroupReader<'_>,
    ) -> io::Result<Option<Mask>> {
        if !may_match(reader.part, reader.group, &self.filter.need)? {
            return Ok(None);
        }
        let mask = reader.matching(filter, Mask::all(reader.rows()))?;
        Ok((!mask.is_empty()).then_some(mask))
    }

    /// The rows that match.
    pub(crate) fn matches(&self) -> io::Result<Matches> {
        match &self.source {
            Source::Group(part, group) => {
                let reader = GroupReader::new(part, *group);
                let Some(mask) = self.group_mask(&reader)? else { return Ok(Matches::default()) };
                let batch = reader.times()?;
                let all = batch_times(&batch);
                let rows: Vec<u32> = mask.iter().map(|row| row as u32).collect();
                let times = mask.iter().filter_map(|row| all.get(row).copied()).collect();
                let scan = Scan { rows: reader.rows() as u64, bytes: reader.read_bytes() };
                Ok(Matches { rows, times, scan })
            }
            Source::Head(batch) => {
                let mut found: Vec<(i64, u32)> = Vec::new();
                for (place, row) in batch.packed.rows().enumerate() {
                    if self.filter.filter.matches(&row) {
                        found.push((row.time_ns, place as u32));
                    }
                }
                found.sort_unstable();
                let (times, rows) = found.into_iter().unzip();
                Ok(Matches { rows, times, scan: head_scan(batch) })
            }
        }
    }

    /// Visits rows, given by their places in ascending order of time, last first if `is_reversed`.
    /// Reads the columns of `fields` only, or all if that is `None`.
    pub(crate) fn visit(
        &self,
        rows: &[u32],
        fields: Option<&[String]>,
        visit: &mut dyn FnMut(usize, &dyn Row),
    ) -> io::Result<()> {
        match &self.source {
            Source::Group(part, group) => {
                let columns = Rows::needed(part, fields);
                let total = part.groups.get(*group).map_or(0, |group| group.rows as usize);
                let selection = select(rows, total);
                let batch = part.read(*group, &columns, selection)?;
                let columns = Rows::of(part, &batch).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "a column has an unknown type")
                })?;
                for place in 0..rows.len().min(columns.len()) {
                    visit(place, &columns.row(place));
                }
            }
            Source::Head(batch) => {
                for (place, row) in rows.iter().enumerate() {
                    if let Some(row) = batch.packed.row(*row as usize) {
                        visit(place, &row);
                    }
                }
            }
        }
        Ok(())
    }
}

/// What looking at every row of a batch of the head costs.
pub(crate) fn head_scan(batch: &HeadBatch) -> Scan {
    Scan { rows: batch.packed.len() as u64, bytes: batch.packed.bytes().len() as u64 }
}

/// Ascending rows as ranges; `None` if they are all.
pub(crate) fn select(rows: &[u32], total: usize) -> Option<RowSelection> {
    if rows.len() == total {
        return None;
    }
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for row in rows.iter().map(|row| *row as usize) {
        match ranges.last_mut() {
            Some(range) if range.end == row => range.end += 1,
            _ => ranges.push(row..row + 1),
        }
    }
    Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
}
