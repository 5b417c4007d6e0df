//! Recover: the records of a process that has ended go to the sinks that do not have them.
//!
//! Knows black boxes, routes and sinks in their slots. Does not know what a sink does with a
//! record.

use crate::black_box::DeadBox;
use crate::pipeline::internal_records::{self, RecoveredRecords};
use crate::pipeline::route::Routes;
use crate::pipeline::sink_state::SupervisedSink;
use crate::record::line_id::LineId;
use std::io;
use std::time::Instant;

/// Gives each record of the box to the sinks that take part and do not have it, in order.
///
/// # Errors
///
/// The box or a file cannot be read, or a sink has refused a record. Nothing is done twice if it is
/// tried again.
pub(crate) fn replay(
    dead: &DeadBox,
    sinks: &mut [SupervisedSink],
    routes: &mut Routes,
    now: Instant,
) -> io::Result<RecoveredRecords> {
    let left = dead.read()?;
    let mut have = Vec::new();
    for slot in sinks.iter_mut() {
        let mark = dead.mark(&slot.name);
        have.push(match slot.is_recoverable {
            true => slot.call(now, |sink| sink.written_since(mark)).transpose()?,
            false => None,
        });
    }
    let mut found = RecoveredRecords {
        origin: dead.origin(),
        first_seq: dead.handed_on().saturating_add(1),
        last_seq: left.last_seq,
        filtered: 0,
        recovered: 0,
        lost: 0,
        damaged: left.damaged,
    };
    let own = internal_records::untold(&left, dead.origin());
    found.last_seq += u64::from(own.is_some());
    for record in left.records.iter().chain(&own) {
        let mut is_new = false;
        let wanted_by = routes.of(record);
        found.filtered += u64::from(!wanted_by.has_all(routes.ledgers()));
        for at in wanted_by.iter() {
            let (Some(slot), Some(Some(written))) = (sinks.get_mut(at), have.get(at)) else {
                continue;
            };
            if written.contains(&LineId::of(record)) {
                continue;
            }
            if !slot.write_recovered(record, now) {
                let text = format!("{} did not take a record of it", slot.name);
                return Err(io::Error::other(text));
            }
            is_new = true;
        }
        found.recovered += u64::from(is_new);
    }
    let is_lost = |id: &&LineId| !have.iter().flatten().any(|written| written.contains(*id));
    found.lost = left.without_copy.iter().filter(is_lost).count() as u64;
    Ok(found)
}
