//! Checks: the models, and how one is explored.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

mod chunks;
mod moves;
mod queue;
mod sleep;
mod spare;

pub(crate) const ALL: [&[Model]; 5] =
    [&sleep::ALL, &queue::ALL, &moves::ALL, &spare::ALL, &chunks::ALL];

/// What a few threads do, and what must be true of it in each order.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    /// How often a thread is interrupted that could go on; `None` is as often as can be. Few
    /// mistakes need more than two or three, and each more makes a model some ten times as long.
    pub(crate) preemptions: Option<usize>,
    pub(crate) run: fn(),
}

impl Model {
    /// Runs it in every order. What is not true panics, and loom says so of a deadlock.
    pub(crate) fn check(&self) {
        let orders = Arc::new(AtomicUsize::new(0));
        let mut explorer = loom::model::Builder::new();
        explorer.preemption_bound = explorer.preemption_bound.or(self.preemptions);
        explorer.max_branches = 10_000;
        let (start, run, counted) = (Instant::now(), self.run, Arc::clone(&orders));
        println!("{}", self.name);
        explorer.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            run();
        });
        let (orders, took) = (orders.load(Ordering::Relaxed), start.elapsed());
        println!("    {orders} orders in {:.1} s", took.as_secs_f64());
    }
}
