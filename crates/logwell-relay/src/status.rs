//! Status: what is logged from time to time about the queues and the worker.
//!
//! Knows queues and counters. Knows no message.

use std::time::Duration;

use logwell::forward::amqp::{Broker, Trouble};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

use crate::counters::Counters;
use crate::destination::dead_queue;

/// Tells the state of the queue again and again, while a message is delivered too, which may take
/// minutes. Notifies `lost` when the broker does not answer.
pub(crate) async fn keep_telling(
    every: Duration,
    (broker, queue): (&Broker, &str),
    counters: &Counters,
    lost: &Notify,
) {
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(trouble) = tell(broker, queue, counters).await {
            tracing::warn!(queue, %trouble, "no status from the broker");
            lost.notify_one();
        }
    }
}

/// Looks how full the queues are, and logs that and the counters.
pub(crate) async fn tell(broker: &Broker, queue: &str, counters: &Counters) -> Result<(), Trouble> {
    let depth = broker.depth(queue).await?.unwrap_or_default();
    let dead = broker.depth(&dead_queue(queue)).await?.unwrap_or_default();
    Counters::set(&counters.waiting_messages, depth.waiting.into());
    Counters::set(&counters.dead_messages, dead.waiting.into());
    Counters::set(&counters.queue_workers, depth.workers.into());
    tracing::info!(
        queue,
        waiting = depth.waiting,
        dead = dead.waiting,
        workers = depth.workers,
        delivered = Counters::get(&counters.delivered_total),
        given_up = Counters::get(&counters.given_up_total),
        unreadable = Counters::get(&counters.unreadable_total),
        given_back = Counters::get(&counters.given_back_total),
        tries_failed = Counters::get(&counters.tries_failed_total),
        in_hand = Counters::get(&counters.in_hand),
        "status"
    );
    Ok(())
}
