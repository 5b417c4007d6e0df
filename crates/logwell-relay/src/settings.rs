//! Settings: all settings of a worker, as plain values.
//!
//! Knows neither where a value comes from (`sources.rs`) nor how an option is called and what its
//! default is (`options.rs`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use logwell::forward::{Secret, SecretUrl};

/// All settings of a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Whose queues: `{domain}_logbeacon` and `{domain}_tg`.
    pub(crate) domain: String,
    pub(crate) broker: Broker,
    pub(crate) logbeacon: LogBeacon,
    pub(crate) telegram: Telegram,
    pub(crate) http: Http,
    pub(crate) status: Status,
    /// A configuration file of logwell for the worker's own log.
    pub(crate) logging_file: Option<PathBuf>,
}

/// The broker and how patient the worker is with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) vhost: String,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) heartbeat: Duration,
    /// How long connecting, and each answer of the broker, may take.
    pub(crate) timeout: Duration,
    /// How often it is tried to connect; 0 is forever.
    pub(crate) tries: u32,
    pub(crate) pause: Duration,
    pub(crate) prefetch: u16,
}

/// How often a message is tried, and how far apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience {
    pub(crate) tries: u32,
    pub(crate) pause: Duration,
    /// When the other side asks for a longer pause than this, the message is given up.
    pub(crate) longest_pause: Duration,
    /// The longest rest while nothing passes because a person must fix something.
    pub(crate) blocked_rest: Duration,
    /// A message for which a person must fix something is given up when it is blocked so long while
    /// others pass.
    pub(crate) blocked_alone: Duration,
}

impl Patience {
    /// With what a person must fix, in the words of logwell.
    pub(crate) fn with_blocked(&self) -> logwell::forward::Patience {
        logwell::forward::Patience { rest: self.blocked_rest, alone: self.blocked_alone }
    }
}

/// Where LogBeacon is.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogBeacon {
    pub(crate) url: SecretUrl,
    pub(crate) token: Secret,
    pub(crate) patience: Patience,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
}

/// Where Telegram is, and what it allows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telegram {
    pub(crate) base_url: String,
    pub(crate) developer: Group,
    pub(crate) customer: Group,
    pub(crate) per_second: u32,
    pub(crate) per_chat_per_minute: u32,
    pub(crate) patience: Patience,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
}

/// A Telegram group: for messages that come without their own token or chat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) token: Secret,
    pub(crate) chat_id: String,
}

/// What both destinations share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Http {
    pub(crate) proxy: Secret,
    pub(crate) ca_file: Option<PathBuf>,
}

/// How the worker shows how it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    pub(crate) every: Duration,
    pub(crate) listen: Option<SocketAddr>,
}

/// Which queue, and with it which destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The log server.
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

    /// The destination of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|destination| destination.name() == name)
    }

    /// The queue of that domain.
    pub(crate) fn queue(self, domain: &str) -> String {
        match self {
            Self::LogBeacon => format!("{domain}_logbeacon"),
            Self::Telegram => format!("{domain}_tg"),
        }
    }
}

/// The queue of what was given up from that queue.
pub(crate) fn dead_queue(queue: &str) -> String {
    format!("{queue}.dead")
}
