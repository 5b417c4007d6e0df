//! Spare: records go round. None is in two hands, none is lost, and none is made while there are
//! some to be had.

use super::Model;
use crate::pool::{FreeList, PooledRecord, RecordPool};
use crate::record::Record;
use crate::sync::FOUND_LOCKED;
use crate::sync::channel::bounded;
use crate::sync::thread::{spawn, yield_now};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) const ALL: [Model; 2] = [
    Model {
        name: "records that two threads take are given back and come out again",
        preemptions: None,
        run: || {
            let spares = spares();
            let taken = Arc::clone(&spares);
            let other = spawn(move || (0..CHAIN).map(|_| take(&taken)).collect::<Vec<_>>());
            let mut chain = FreeList::default();
            let records: Vec<_> = (0..CHAIN).map(|_| take(&spares)).collect();
            for spare in records.into_iter().chain(other.join().unwrap()) {
                spares.give_back(spare, &mut chain);
            }
            assert_none_was_made();
            let _all: Vec<_> = (0..MADE).map(|_| take(&spares)).collect();
            assert_none_was_made();
        },
    },
    Model {
        name: "and so do those that go through the queue",
        preemptions: Some(2),
        run: || {
            let spares = spares();
            let (sender, receiver) = bounded(MADE);
            let taken = Arc::clone(&spares);
            let caller = spawn(move || {
                take(&taken).reuse(); // as if the queue had been full
                for _ in 0..MADE {
                    if sender.try_send(take(&taken)).is_err() {
                        unreachable!("there is room for all");
                    }
                }
            });
            let mut chain = FreeList::default();
            let mut left = MADE;
            while left > 0 {
                match receiver.try_recv() {
                    Ok(spare) => {
                        assert!(spare.record.is_filled);
                        spares.give_back(spare, &mut chain);
                        left -= 1;
                    }
                    Err(_) => yield_now(),
                }
            }
            caller.join().unwrap();
            assert_none_was_made();
        },
    },
];

/// How many records make a chain, and how many are made: two chains.
const CHAIN: usize = 32;
const MADE: usize = 2 * CHAIN;

fn spares() -> Arc<RecordPool> {
    Record::count_from_0();
    FOUND_LOCKED.store(0, Ordering::Relaxed);
    Arc::new(RecordPool::new(MADE))
}

fn take(spares: &RecordPool) -> Box<PooledRecord> {
    let mut spare = spares.take();
    assert!(!spare.record.is_filled, "it is in another hand");
    spare.record.is_filled = true;
    spare
}

/// None but instead of waiting for another thread.
fn assert_none_was_made() {
    assert_eq!(Record::made(), MADE + FOUND_LOCKED.load(Ordering::Relaxed));
}
