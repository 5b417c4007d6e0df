//! Pool: an object pool of records, with a free list, so that a log call neither allocates nor
//! moves one.
//!
//! A record is some 300 bytes, and to copy it on its way into a channel took a sixth of a call. So
//! the queue carries boxes, and boxes go round: from the listener, which is done with their
//! records, to the threads that log, in chains so that few exchanges carry many. Knows neither
//! queue nor listener.

use crate::base::sync::{Mutex, PoisonError, thread_local};
use crate::black_box::Place;
use crate::record::Record;
use std::cell::Cell;

/// How many records go round together.
const CHAIN: usize = 32;
/// So many are made at the start; a larger queue makes the rest when it first needs them.
const MADE_AT_START: usize = 10_000;

/// A record in its box, perhaps the first of a chain.
#[derive(Debug)]
pub(crate) struct PooledRecord {
    pub(crate) record: Record,
    /// When it was made, which the listener turns into the record's time.
    pub(crate) ticks: u64,
    /// Where its copy is in the black box.
    pub(crate) place: Place,
    /// The thread whose name the record has: mostly it goes round to the same one.
    pub(crate) thread: u64,
    next: Option<Box<Self>>,
}

thread_local! {
    /// What this thread has in hand: at most a chain. It serves every queue of the process.
    static IN_HAND: Cell<Option<Box<PooledRecord>>> = const { Cell::new(None) };
}

/// The spare records of one queue, in chains. The last that came back is the first to go out again:
/// it is most likely still in the processor's cache.
#[derive(Debug)]
pub(crate) struct RecordPool {
    /// Locked for a push or a pop, once for a chain; whoever logs does not wait for it.
    #[expect(clippy::vec_box, reason = "each is the first of a chain of boxes")]
    chains: Mutex<Vec<Box<PooledRecord>>>,
    most: usize,
}

impl RecordPool {
    /// As many as a queue of that size needs.
    pub(crate) fn new(queue_size: usize) -> Self {
        let most = queue_size.div_ceil(CHAIN);
        let spares = Self { chains: Mutex::new(Vec::with_capacity(most)), most };
        let mut chain = FreeList::default();
        for _ in 0..queue_size.min(MADE_AT_START) {
            spares.give_back(PooledRecord::new(), &mut chain);
        }
        spares
    }

    /// An empty record. One is made if none is to be had.
    #[inline]
    pub(crate) fn take(&self) -> Box<PooledRecord> {
        let from_hand = |in_hand: &Cell<Option<Box<PooledRecord>>>| {
            let mut spare = in_hand.take()?;
            in_hand.set(spare.next.take());
            Some(spare)
        };
        match IN_HAND.try_with(from_hand) {
            Ok(Some(spare)) => spare,
            _ => self.take_chain(),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_chain(&self) -> Box<PooledRecord> {
        let chain = self.chains.try_lock().ok().and_then(|mut chains| chains.pop());
        let Some(mut spare) = chain else { return PooledRecord::new() };
        if let Some(next) = spare.next.take() {
            put_in_hand(next);
        }
        spare
    }

    /// Empties a record and keeps it in `chain`, which goes round when it is long enough.
    pub(crate) fn give_back(&self, mut spare: Box<PooledRecord>, chain: &mut FreeList) {
        spare.record.clear();
        spare.next = chain.first.take();
        chain.len += 1;
        if chain.len < CHAIN {
            chain.first = Some(spare);
            return;
        }
        chain.len = 0;
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        // With more than the queue holds the rest is given back to the allocator.
        if chains.len() < self.most {
            chains.push(spare);
        }
    }
}

impl PooledRecord {
    fn new() -> Box<Self> {
        Box::new(Self {
            record: Record::empty(),
            ticks: 0,
            place: Place::NOWHERE,
            thread: 0,
            next: None,
        })
    }

    /// Empties a record that the queue has not taken, for the thread's next call.
    pub(crate) fn reuse(mut self: Box<Self>) {
        self.record.clear();
        self.next = IN_HAND.try_with(Cell::take).ok().flatten();
        put_in_hand(self);
    }
}

fn put_in_hand(chain: Box<PooledRecord>) {
    // A thread that is being torn down gives it to the allocator.
    let _torn_down = IN_HAND.try_with(|in_hand| in_hand.set(Some(chain)));
}

/// Records on their way back.
#[derive(Debug, Default)]
pub(crate) struct FreeList {
    first: Option<Box<PooledRecord>>,
    len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fields::{Key, Value};

    fn filled(spares: &RecordPool) -> Box<PooledRecord> {
        let mut spare = spares.take();
        spare.record.fields.push(Key::Name("a"), Value::U64(1));
        spare
    }

    #[test]
    fn a_record_that_comes_round_again_is_empty() {
        let spares = RecordPool::new(2 * CHAIN);
        let mut chain = FreeList::default();
        for _ in 0..10 * CHAIN {
            let spare = filled(&spares);
            spares.give_back(spare, &mut chain);
            let spare = spares.take();
            assert!(spare.record.fields.is_empty());
            spare.reuse();
        }
    }

    #[test]
    fn records_go_round_and_none_is_made_anew() {
        std::thread::spawn(|| {
            let spares = RecordPool::new(2 * CHAIN);
            let mut chain = FreeList::default();
            let made: Vec<_> = (0..2 * CHAIN).map(|_| filled(&spares)).collect();
            let addresses = |spares: &[Box<PooledRecord>]| {
                let mut all: Vec<_> =
                    spares.iter().map(|s| std::ptr::from_ref(&**s).addr()).collect();
                all.sort_unstable();
                all
            };
            let before = addresses(&made);
            made.into_iter().for_each(|spare| spares.give_back(spare, &mut chain));
            let again: Vec<_> = (0..2 * CHAIN).map(|_| spares.take()).collect();
            assert_eq!(addresses(&again), before);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn more_than_there_are_can_be_taken_and_more_than_fit_given_back() {
        let spares = RecordPool::new(1);
        let mut chain = FreeList::default();
        let many: Vec<_> = (0..5 * CHAIN).map(|_| filled(&spares)).collect();
        many.into_iter().for_each(|spare| spares.give_back(spare, &mut chain));
        assert!(spares.chains.lock().unwrap().len() <= 1);
    }
}
