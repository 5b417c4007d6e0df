//! Recover: the records of a process that is gone go to the sinks that do not have them.
//!
//! Knows black boxes, routes and sinks in their slots. Does not know what a sink does with a record.

use crate::black_box::DeadBox;
use crate::own::{self, FoundInBox};
use crate::route::Routes;
use crate::slot::SinkSlot;
use std::collections::HashSet;
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
    sinks: &mut [SinkSlot],
    routes: &mut Routes,
    now: Instant,
) -> io::Result<FoundInBox> {
    let left = dead.read()?;
    let process = dead.origin().process;
    let mut have = Vec::new();
    for slot in sinks.iter_mut() {
        let mark = dead.mark(&slot.name);
        let numbers = match slot.takes_part {
            true => slot.call(now, |sink| sink.numbers_since(mark, process)).transpose()?,
            false => None,
        };
        have.push(numbers);
    }
    let mut found = FoundInBox {
        origin: dead.origin(),
        last_seq: left.last_seq,
        recovered: 0,
        lost: 0,
        damaged: left.damaged,
    };
    let own = own::untold(&left, dead.origin());
    found.last_seq += u64::from(own.is_some());
    for record in left.records.iter().chain(&own) {
        let mut is_new = false;
        for at in routes.of(record).iter() {
            let (Some(slot), Some(Some(numbers))) = (sinks.get_mut(at), have.get(at)) else {
                continue;
            };
            if numbers.contains(&record.seq()) {
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
    let written: HashSet<_> = have.iter().flatten().flatten().copied().collect();
    let is_lost = |seq: &&u64| !written.contains(*seq);
    found.lost = left.without_copy.iter().filter(is_lost).count() as u64;
    Ok(found)
}
