//! Delivery: the options that every destination beside LogBeacon and Telegram has.
//!
//! Knows bounds and deadlines. Knows no destination: `destination_section!` declares a section with
//! these options behind those of its own.

use crate::record::level::Level;
use std::time::Duration;

/// What holds for each destination alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) min_level: Level,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
}

/// Declares the section of a destination: its own options, and those of all after them. The level
/// behind the name is the default of `min_level`.
macro_rules! destination_section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident from $level:ident { $($own:tt)+ }
    ) => {
        logwell_options::section! {
            $(#[doc = $about])+
            pub struct $name {
                /// Whether to send records there.
                enabled: bool = false => flag();
                $($own)+
                /// Less important records are not sent.
                min_level: Level = Level::$level => choice();
                /// How long a connection may take.
                connect_timeout: Duration = Duration::from_secs(10)
                    => time(Duration::from_millis(10), 10 * MINUTE);
                /// How long a request may take in all.
                timeout: Duration = Duration::from_secs(30)
                    => time(Duration::from_millis(10), 10 * MINUTE);
                /// How many bytes wait on disk. Above that the oldest are deleted, errors last, and
                /// counted.
                max_bytes: u64 = 256 * MIB => bytes(64 * KIB, 64 * GIB);
                /// How long a record waits on disk. Older ones are deleted and counted.
                max_age: Duration = Duration::from_secs(3 * 24 * 3_600)
                    => time(MINUTE, 9_000 * HOUR);
            }
        }

        impl $name {
            /// What it has in common with the others.
            pub(crate) fn delivery(&self) -> $crate::forward::delivery::Delivery {
                let Self { min_level, connect_timeout, timeout, max_bytes, max_age, .. } = *self;
                $crate::forward::delivery::Delivery {
                    min_level,
                    connect_timeout,
                    timeout,
                    max_bytes,
                    max_age,
                }
            }
        }
    };
}
pub(crate) use destination_section;
