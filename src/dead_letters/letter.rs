//! Letter: one dead letter, as a line of its file.
//!
//! Pure. Knows the keys of a line. In: bytes. Out: a letter, and the bytes again.

use super::selection::Facts;
use crate::base::clock;
use crate::encode::push_string;
use serde_json::Value;

/// A message that was refused for good, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Letter {
    /// Whose it is: `logbeacon`, `telegram_developer` or `telegram_customer`.
    pub destination: String,
    /// The `hash` of its record. A receiver recognises duplicates by it.
    pub id: String,
    /// When it was refused, in UTC, as `2026-02-19T10:30:00.000000Z`.
    pub refused_at: String,
    /// Why it was refused.
    pub why: String,
    /// How many records it stands for; of one that is for people it may be many.
    pub records: u64,
    /// The message itself: a JSON object, byte for byte as it was sent, but for tokens.
    pub message: String,
}

impl Letter {
    /// Reads a line; `None` if it is no dead letter.
    pub(crate) fn parse(destination: &str, line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim_end();
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        // The last member; in a text before it the quotes would be escaped.
        let (_, message) = line.split_once(MESSAGE)?;
        let message = message.strip_suffix('}')?.to_owned();
        let inner = value.get("message")?;
        let hash = || inner.get("hash").and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            destination: destination.to_owned(),
            id: text("id").or_else(hash).unwrap_or_default(),
            refused_at: text("refused_at")?,
            why: text("why")?,
            records: value.get("records").and_then(Value::as_u64).unwrap_or(1),
            message,
        })
    }

    /// The line of the file, with its end.
    #[cfg(any(feature = "forward", test))]
    pub(crate) fn to_line(&self) -> String {
        let mut line = b"{".to_vec();
        self.push_members(&mut line);
        line.extend_from_slice(b"}\n");
        String::from_utf8_lossy(&line).into_owned()
    }

    /// The letter as a JSON object in one line, for other programs: the keys of the file, and
    /// `destination` before them.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = b"{\"destination\":".to_vec();
        push_string(&mut line, &self.destination);
        line.push(b',');
        self.push_members(&mut line);
        line.push(b'}');
        String::from_utf8_lossy(&line).into_owned()
    }

    fn push_members(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"\"refused_at\":");
        push_string(line, &self.refused_at);
        line.extend_from_slice(b",\"why\":");
        push_string(line, &self.why);
        line.extend_from_slice(b",\"id\":");
        push_string(line, &self.id);
        line.extend_from_slice(format!(",\"records\":{}", self.records).as_bytes());
        line.extend_from_slice(MESSAGE.as_bytes());
        line.extend_from_slice(self.message.as_bytes());
    }

    /// What a [`Selection`](super::Selection) looks at.
    pub(crate) fn facts(&self) -> Facts<'_> {
        let at_unix_ms = clock::unix_us_of(&self.refused_at).map(|us| us / 1_000);
        Facts { destination: &self.destination, id: &self.id, why: &self.why, at_unix_ms }
    }
}

const MESSAGE: &str = ",\"message\":";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_whatever_is_in_it() {
        let letter = Letter {
            destination: "logbeacon".to_owned(),
            id: "9f2c".to_owned(),
            refused_at: "2026-02-19T10:30:00.000000Z".to_owned(),
            why: "HTTP status 422: \",\"message\":{}\n".to_owned(),
            records: 3,
            message: r#"{"a":1.10,"message":"x","b":[{"message":{}}]}"#.to_owned(),
        };
        let line = letter.to_line();
        assert_eq!(line.lines().count(), 1);
        assert_eq!(Letter::parse("logbeacon", line.as_bytes()), Some(letter));
    }

    #[test]
    fn a_line_of_an_earlier_version_has_its_hash_as_its_id() {
        let line = br#"{"refused_at":"2026-02-19T10:30:00Z","why":"no","message":{"hash":"7a"}}"#;
        let letter = Letter::parse("logbeacon", line).unwrap();
        assert_eq!((letter.id.as_str(), letter.records), ("7a", 1));
        for odd in [&b"{}"[..], b"", b"\xff", b"{\"refused_at\":\"x\",\"why\":\"y\",\"mess"] {
            assert_eq!(Letter::parse("logbeacon", odd), None);
        }
    }
}
