//! Alert: what one record tells people, as plain data of bounded size.
//!
//! Knows what is shown and which alerts are of one kind. Does not know chats, texts or time limits.

use crate::forward::destination::Taken;
use crate::forward::fingerprint::shape;
use crate::record::level::Level;

/// What one record tells people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alert {
    /// What identifies the record: equal for each delivery of it.
    pub(super) hash: String,
    pub(super) unix_ms: u64,
    pub(super) level: Level,
    /// Whether others of its kind may be sent together with it: failures may, news may not,
    /// since of "order 17 has arrived" each is worth a word.
    pub(super) is_failure: bool,
    /// Where in the program: target, function, file and line, as far as known.
    pub(super) place: Vec<String>,
    pub(super) message: String,
    /// The other fields, with the sources of an error behind it.
    pub(super) fields: Vec<(String, String)>,
    pub(super) trace_id: String,
}

/// What alerts of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Failures at one place with messages of one shape.
    Failure { level: Level, place: String, shape: String },
    /// A piece of news: its own kind.
    News { id: u64 },
    /// Kinds treated as one, because there are too many.
    Others { level: Level },
}

impl Alert {
    /// What is sent for an entry that cannot be read: that there was one.
    pub(super) fn unreadable(taken: &Taken<'_>) -> Self {
        Self {
            hash: format!("unreadable-{}-{}", taken.at_unix_ms, taken.id),
            unix_ms: taken.at_unix_ms,
            level: Level::Error,
            is_failure: true,
            place: vec!["logwell".to_owned()],
            message: "an entry of the spool could not be read; the record is in the log files"
                .to_owned(),
            fields: Vec::new(),
            trace_id: String::new(),
        }
    }

    /// The kind it belongs to; `id` is its own in the spool.
    pub(super) fn kind(&self, id: u64) -> Kind {
        match self.is_failure {
            true => Kind::Failure {
                level: self.level,
                place: self.place.join(" "),
                shape: shape(&self.message),
            },
            false => Kind::News { id },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn alert(message: &str) -> Alert {
        Alert {
            hash: "9f2c".to_owned(),
            unix_ms: 1_771_497_000_123,
            level: Level::Error,
            is_failure: true,
            place: ["billing::orders", "charge", "src/orders.rs:42"].map(str::to_owned).to_vec(),
            message: message.to_owned(),
            fields: Vec::new(),
            trace_id: String::new(),
        }
    }

    pub(in super::super) fn news(message: &str) -> Alert {
        Alert { level: Level::Info, is_failure: false, ..alert(message) }
    }

    #[test]
    fn failures_of_one_place_and_shape_are_of_one_kind_and_each_piece_of_news_is_its_own() {
        assert_eq!(alert("order 1 failed").kind(1), alert("order 2 failed").kind(2));
        assert_ne!(alert("order 1 failed").kind(1), alert("order 1 lost").kind(1));
        assert_ne!(news("order 1 arrived").kind(1), news("order 1 arrived").kind(2));
    }
}
