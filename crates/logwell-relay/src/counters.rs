//! Counters: what a worker has done, and how its queues are. Declared once.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::destination::Destination;

/// `name, kind, help;`: the field, its Prometheus kind, and what it counts.
macro_rules! counters {
    ($( $name:ident, $kind:literal, $help:literal; )+) => {
        /// Everything a worker counts. The worker's thread writes, others read.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $( #[doc = $help] pub(crate) $name: AtomicU64, )+
        }

        impl Counters {
            /// The text that Prometheus reads.
            pub(crate) fn exposition(&self, destination: Destination) -> String {
                let mut text = String::new();
                let destination = destination.name();
                $(
                    let name = concat!("logwell_relay_", stringify!($name));
                    let value = self.$name.load(Relaxed);
                    // Writing to a String cannot fail.
                    let _ = write!(
                        text,
                        "# HELP {name} {}\n# TYPE {name} {}\n{name}{{destination=\"{destination}\"}} {value}\n",
                        $help, $kind,
                    );
                )+
                text
            }
        }
    };
}

counters! {
    delivered_total, "counter", "Messages the destination has taken.";
    tries_total, "counter", "Posts that were made.";
    tries_failed_total, "counter", "Posts that failed; the message was tried again or given up.";
    given_up_total, "counter", "Messages put into the dead queue because they could not be delivered.";
    unreadable_total, "counter", "Messages put into the dead queue because they can never be delivered.";
    put_off_total, "counter", "Messages put at the end of their queue because a person must fix something first.";
    blocked, "gauge", "Whether messages wait until a person fixes something (1) or not (0).";
    given_back_total, "counter", "Messages given back to the queue, at a stop or when the dead queue did not take them.";
    connections_lost_total, "counter", "Times the broker was lost.";
    connected, "gauge", "Whether the broker is connected (1) or not (0).";
    in_hand, "gauge", "Messages the worker is delivering now.";
    waiting_messages, "gauge", "Messages in the queue, as of the last look.";
    dead_messages, "gauge", "Messages in the dead queue, as of the last look.";
    queue_workers, "gauge", "Workers on the queue, as of the last look.";
    last_delivery_timestamp_seconds, "gauge", "When a message was last delivered; 0 if none was yet.";
}

impl Counters {
    /// Counts one more.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// What it says.
    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Relaxed)
    }

    /// Sets a gauge.
    pub(crate) fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exposition_keeps_the_rules_of_prometheus() {
        let counters = Counters::default();
        Counters::count(&counters.delivered_total);
        let text = counters.exposition(Destination::Telegram);
        assert!(text.contains("logwell_relay_delivered_total{destination=\"telegram\"} 1\n"));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len() % 3, 0);
        for metric in lines.chunks(3) {
            let words: Vec<_> = metric[1].split(' ').collect();
            let name = words[2];
            assert!(metric[0].starts_with(&format!("# HELP {name} ")), "{name}");
            assert!(metric[2].starts_with(&format!("{name}{{")), "{name}");
            assert_eq!(name.ends_with("_total"), words[3] == "counter", "{name}");
        }
    }
}
