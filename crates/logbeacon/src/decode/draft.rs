//! Draft: a record as its sender meant it, and why something is not one.
//!
//! Plain data: what every decoder returns. Knows no protocol, no stream's owner, no store.

use super::fields::Fields;
use logwell_query::Level;

/// A record as its sender meant it, before admission.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The event's time in nanoseconds since the epoch; without one it is the time of arrival.
    pub time_ns: Option<i64>,
    /// The level, if the sender gave one that is known.
    pub level: Option<Level>,
    /// What tells a repeated delivery from another record.
    pub identity: Identity,
    /// The text for people.
    pub message: String,
    /// The part of the program that logged it.
    pub logger: String,
    /// The program.
    pub service: String,
    /// The device.
    pub host: String,
    /// The trace it belongs to; empty if there is none.
    pub trace_id: String,
    /// The span it belongs to; empty if there is none.
    pub span_id: String,
    /// The stream that the sender named for this record.
    pub stream: Option<String>,
    /// Everything else.
    pub fields: Fields,
}

/// What tells a repeated delivery of a record from another record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Identity {
    /// Nothing does: every delivery is a record.
    #[default]
    None,
    /// The sender's id: a LogBeacon `hash`, an Elasticsearch `_id`.
    Given(String),
    /// The record itself: two that are equal in everything are one. For protocols whose own server
    /// does so (Loki), and for records that carry their number (logwell).
    Content,
}

/// Something in a request that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The class, for counters and programs.
    pub reason: Reason,
    /// What is wrong, for people.
    pub detail: String,
    /// What was sent, to be found again in the stream `_refused`. It may be cut.
    pub raw: String,
}

impl Refusal {
    /// A refusal of `raw`.
    pub fn new(reason: Reason, detail: impl Into<String>, raw: &[u8]) -> Self {
        Self { reason, detail: detail.into(), raw: String::from_utf8_lossy(raw).into_owned() }
    }
}

/// One thing of a request, in the order in which it was sent.
pub type Item = Result<Draft, Refusal>;

/// Why something is refused. Each is final: sending the same again ends the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Not JSON, or JSON nested more than 128 levels deep.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// Not what the protocol has at this place.
    NotProtocol,
    /// A stream's name has other characters than `A-Z a-z 0-9 . _ - :`, begins with `_`, or is
    /// longer than 128 bytes.
    BadStream,
    /// The token may not write into that stream.
    Forbidden,
    /// The whole request cannot be read.
    Unreadable,
}

impl Reason {
    /// All reasons, for counters.
    pub const ALL: [Self; 6] = [
        Self::NotJson,
        Self::NotAnObject,
        Self::NotProtocol,
        Self::BadStream,
        Self::Forbidden,
        Self::Unreadable,
    ];

    /// Its name in answers and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NotProtocol => "not_protocol",
            Self::BadStream => "bad_stream",
            Self::Forbidden => "forbidden",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A request that cannot be read at all: nothing of it was taken. HTTP status 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
