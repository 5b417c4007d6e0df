//! Options: the queue and what happens when it is full.

use logwell_options::choices;
use logwell_options::section;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, optional_time, time};
use std::time::Duration;

section! {
    /// The queue between your threads and the listener thread.
    pub struct QueueConfig {
        /// How many records it holds. When it is full, `when_full` decides. A larger queue absorbs
        /// longer bursts.
        /// Memory for up to 10 000 is allocated at start-up, about 320 bytes each; more when
        /// needed.
        size: usize = 10_000 => count(1, 1_000_000);
        /// How many bytes of records it holds, whichever limit is reached first. It must fit one
        /// record of the largest size in `limits`.
        max_bytes: u64 = 64 * MIB => bytes(64 * KIB, 64 * GIB);
        /// What happens to a new record when there is no room.
        when_full: WhenFull = WhenFull::Shed => choice();
        /// With `shed`: how long an ERROR or CRITICAL waits when there is no room at all.
        /// After that it is dropped and counted. `0s` never waits.
        max_wait: Duration = Duration::from_millis(100) => time(Duration::ZERO, MINUTE);
        /// With `block`: how long a caller waits for room before its record is dropped. `none`
        /// waits forever: a stuck disk then stops your program.
        block_timeout: Option<Duration> = None => optional_time(Duration::from_millis(1), HOUR);
        /// With `shed`: drop TRACE and DEBUG when the queue is this full, in percent.
        shed_debug_percent: u8 = 50 => count(1, 100);
        /// With `shed`: drop INFO when the queue is this full, in percent. Not below
        /// shed_debug_percent.
        shed_info_percent: u8 = 75 => count(1, 100);
        /// With `shed`: drop WARN when the queue is this full, in percent. Not below
        /// shed_info_percent. The rest is reserved for ERROR and CRITICAL.
        shed_warn_percent: u8 = 90 => count(1, 100);
    }
}

choices! {
    /// What happens to a new record when the queue has no room.
    pub enum WhenFull: Shed {
        /// drop the less important first, from the percentages below; only errors wait
        Shed = "shed",
        /// the caller waits for room: nothing is lost, but a slow disk slows your program
        Block = "block",
        /// the record is dropped and counted, whatever its level
        Drop = "drop",
    }
}
