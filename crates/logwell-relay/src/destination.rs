//! Destination: which queue a worker works on, and with it where messages go.
//!
//! Plain data. Knows the names of queues. Knows neither AMQP nor HTTP.

use std::time::Duration;

use crate::options::{LogBeacon, Settings, Telegram};

/// Which queue, and with it which destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Destination {
    /// The log server.
    #[value(name = "logbeacon")]
    LogBeacon,
    /// The groups of people.
    Telegram,
}

impl Destination {
    /// Both, in the order in which they are shown.
    pub(crate) const ALL: [Self; 2] = [Self::LogBeacon, Self::Telegram];

    /// Its name on the command line and in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LogBeacon => "logbeacon",
            Self::Telegram => "telegram",
        }
    }

    /// The queue of that domain.
    pub(crate) fn queue(self, domain: &str) -> String {
        match self {
            Self::LogBeacon => format!("{domain}_logbeacon"),
            Self::Telegram => format!("{domain}_tg"),
        }
    }

    /// How patient a worker is with it.
    pub(crate) fn patience(self, settings: &Settings) -> Patience {
        match self {
            Self::LogBeacon => {
                let LogBeacon { tries, pause, longest_pause, blocked_rest, blocked_alone, .. } =
                    settings.logbeacon;
                let blocked =
                    logwell::forward::Patience { rest: blocked_rest, alone: blocked_alone };
                Patience { tries, pause, longest_pause, blocked }
            }
            Self::Telegram => {
                let Telegram { tries, pause, longest_pause, blocked_rest, blocked_alone, .. } =
                    settings.telegram;
                let blocked =
                    logwell::forward::Patience { rest: blocked_rest, alone: blocked_alone };
                Patience { tries, pause, longest_pause, blocked }
            }
        }
    }
}

/// The queue of what was given up from that queue.
pub(crate) fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// How often a message is tried, and how far apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) tries: u32,
    pub(crate) pause: Duration,
    /// When the other side asks for a longer pause than this, the message is given up.
    pub(crate) longest_pause: Duration,
    /// With what a person must fix.
    pub(crate) blocked: logwell::forward::Patience,
}
