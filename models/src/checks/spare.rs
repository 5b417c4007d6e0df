//! Spare: records go round; none is in two hands and none is lost.

use super::Model;
use crate::record::number_from_0;
use crate::spare::{Chain, Spare, Spares};
use crate::sync::channel::bounded;
use crate::sync::thread::{spawn, yield_now};
use std::sync::Arc;

pub(super) const ALL: [Model; 2] = [
    Model {
        name: "records that are taken and given back at once all come out again",
        preemptions: Some(3),
        run: || {
            number_from_0();
            let spares = Arc::new(Spares::new(MADE));
            let taken = Arc::clone(&spares);
            // Two threads that log, one of which is the listener too.
            let other = spawn(move || take(&taken, CHAIN));
            let mut records = take(&spares, CHAIN);
            let mut chain = Chain::default();
            records.drain(..).for_each(|spare| spares.give_back(spare, &mut chain));
            let rest = other.join().unwrap();
            rest.into_iter().for_each(|spare| spares.give_back(spare, &mut chain));
            come_out(&spares);
        },
    },
    Model {
        name: "and so do those that go through the queue",
        preemptions: Some(2),
        run: || {
            number_from_0();
            let spares = Arc::new(Spares::new(MADE));
            let (sender, receiver) = bounded(MADE);
            let taken = Arc::clone(&spares);
            let caller = spawn(move || {
                for at in 0..CHAIN + 2 {
                    let mut spare = taken.take();
                    assert!(!spare.record.is_filled, "it is in another hand");
                    spare.record.is_filled = true;
                    if at == 1 {
                        spare.reuse(); // as if the queue had been full
                    } else if sender.try_send(spare).is_err() {
                        unreachable!("there is room for all");
                    }
                }
            });
            let mut chain = Chain::default();
            let mut left = CHAIN + 1;
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
        },
    },
];

/// How many records make a chain, and how many are made: two chains.
const CHAIN: usize = 32;
const MADE: usize = 2 * CHAIN;

fn take(spares: &Spares, many: usize) -> Vec<Box<Spare>> {
    let fill = |_| {
        let mut spare = spares.take();
        assert!(!spare.record.is_filled, "it is in another hand");
        spare.record.is_filled = true;
        spare
    };
    (0..many).map(fill).collect()
}

/// Each record that was made at the start can be taken once, unless it was made in excess.
fn come_out(spares: &Spares) {
    let mut numbers: Vec<_> = take(spares, MADE).iter().map(|spare| spare.record.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), MADE);
}
