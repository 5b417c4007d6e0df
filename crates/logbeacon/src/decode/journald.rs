//! Journald: systemd's Journal Export Format → drafts, as its bytes come.
//!
//! Knows the format and the meaning of journald's own fields. Does not know HTTP. An entry is
//! identified by its cursor, so one that is uploaded twice is there once.

use super::draft::{Draft, Identity, Item, Reason, Refusal};
use super::level;
use super::limits::Limits;
use logwell_query::Value;

/// Entries in the making.
#[derive(Debug, Default)]
pub struct Entries {
    buffer: Vec<u8>,
    /// Fields of the entry that is not complete yet.
    fields: Vec<(String, String)>,
    bytes: usize,
}

/// Why the bytes cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoExport(pub &'static str);

/// A field of an entry may be so large; journald's own limit is 768 MiB for core dumps.
const FIELD_BYTES: usize = 16 << 20;

impl Entries {
    /// Takes bytes, and gives the entries that are complete.
    ///
    /// # Errors
    ///
    /// The bytes are not of this format.
    pub fn push(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        entry: &mut dyn FnMut(Item),
    ) -> Result<(), NoExport> {
        self.buffer.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest: &[u8] = &buffer;
        while let Some((field, after)) = field(rest)? {
            rest = after;
            match field {
                Some(field) => self.add(field),
                None => self.finish(limits, entry),
            }
        }
        self.buffer = rest.to_vec();
        Ok(())
    }

    /// Gives what is left: the last entry may end without a blank line.
    pub fn end(&mut self, limits: &Limits, entry: &mut dyn FnMut(Item)) {
        self.finish(limits, entry);
    }

    fn add(&mut self, (name, value): (&[u8], &[u8])) {
        // What is over this is cut from a record anyway.
        if self.bytes <= FIELD_BYTES {
            self.bytes += name.len() + value.len();
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            self.fields.push((text(name), text(value)));
        }
    }

    fn finish(&mut self, limits: &Limits, entry: &mut dyn FnMut(Item)) {
        let fields = std::mem::take(&mut self.fields);
        self.bytes = 0;
        if !fields.is_empty() {
            entry(draft(fields, limits));
        }
    }
}

/// A field, or the end of an entry; and what follows.
type Step<'a> = Option<(Option<(&'a [u8], &'a [u8])>, &'a [u8])>;

/// Reads a line, or a name with a length and as many bytes. Nothing, if there is less.
fn field(bytes: &[u8]) -> Result<Step<'_>, NoExport> {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return match bytes.len() > FIELD_BYTES {
            true => Err(NoExport("a field is longer than 16 MiB")),
            false => Ok(None),
        };
    };
    let (line, after) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..));
    let after = after.unwrap_or_default();
    if line.is_empty() {
        return Ok(Some((None, after)));
    }
    if let Some(at) = memchr::memchr(b'=', line) {
        let (name, value) = line.split_at(at);
        return Ok(Some((Some((name, value.get(1..).unwrap_or_default())), after)));
    }
    // A name alone: its value is binary.
    let Some((length, after)) = after.split_first_chunk::<8>() else { return Ok(None) };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > FIELD_BYTES {
        return Err(NoExport("a field is longer than 16 MiB"));
    }
    let Some((value, after)) = after.split_at_checked(length) else { return Ok(None) };
    match after.split_first() {
        None => Ok(None),
        Some((b'\n', after)) => Ok(Some((Some((line, value)), after))),
        Some(_) => Err(NoExport("a binary field does not end with its length")),
    }
}

fn draft(fields: Vec<(String, String)>, limits: &Limits) -> Item {
    let mut draft = Draft::default();
    let mut source_us = None;
    for (name, value) in fields {
        match name.as_str() {
            "__CURSOR" => draft.identity = Identity::Given(value),
            "__REALTIME_TIMESTAMP" => {
                draft.time_ns = draft.time_ns.or_else(|| nanoseconds(&value));
            }
            "_SOURCE_REALTIME_TIMESTAMP" => source_us = nanoseconds(&value),
            "MESSAGE" => draft.message = value,
            "PRIORITY" => {
                let severity = value.parse().ok().filter(|severity: &u8| *severity < 8);
                draft.level = severity.map(level::from_severity);
            }
            "_HOSTNAME" => draft.host = value,
            "SYSLOG_IDENTIFIER" => draft.service = value,
            "_COMM" if draft.service.is_empty() => draft.service = value,
            "_SYSTEMD_UNIT" => draft.logger = value,
            // Positions in a journal of another machine say nothing here.
            name if name.starts_with("__") => {}
            name => draft.fields.push(name, Value::Text(value), limits),
        }
    }
    draft.time_ns = source_us.or(draft.time_ns);
    let has_something = !draft.message.is_empty() || !draft.fields.is_empty();
    match has_something || draft.time_ns.is_some() {
        true => Ok(draft),
        false => Err(Refusal::new(Reason::NotProtocol, "the entry has no field", b"")),
    }
}

fn nanoseconds(microseconds: &str) -> Option<i64> {
    microseconds.parse::<i64>().ok()?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    fn drafts(pieces: &[&[u8]]) -> Result<Vec<Draft>, NoExport> {
        let (mut entries, mut drafts) = (Entries::default(), Vec::new());
        let limits = Limits::default();
        let mut take = |item: Item| drafts.push(item.unwrap());
        for piece in pieces {
            entries.push(piece, &limits, &mut take)?;
        }
        entries.end(&limits, &mut take);
        Ok(drafts)
    }

    const EXPORT: &[u8] = b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1771497000250000\n\
        __MONOTONIC_TIMESTAMP=7\nPRIORITY=3\n_HOSTNAME=web-1\nSYSLOG_IDENTIFIER=shop\n\
        MESSAGE\n\x0b\0\0\0\0\0\0\0first\nlines\n_PID=42\n\n__CURSOR=s=1;i=3\nMESSAGE=second\n\n";

    #[test]
    fn entries_become_drafts_that_their_cursors_identify() {
        let drafts = drafts(&[EXPORT]).unwrap();
        let first = &drafts[0];
        assert_eq!((&*first.message, &*first.host), ("first\nlines", "web-1"));
        assert_eq!((&*first.service, first.level), ("shop", Some(Level::Error)));
        assert_eq!(first.time_ns, Some(1_771_497_000_250_000_000));
        assert_eq!(first.identity, Identity::Given("s=1;i=2".to_owned()));
        assert_eq!(first.fields.get("_PID"), Some(&Value::Text("42".to_owned())));
        assert_eq!(first.fields.len(), 1);
        assert_eq!(drafts[1].message, "second");
    }

    proptest! {
        #[test]
        fn entries_do_not_depend_on_where_the_bytes_are_cut(
            cuts in proptest::collection::btree_set(0..EXPORT.len(), 0..6),
        ) {
            let (mut pieces, mut start) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&EXPORT[start..cut]);
                start = cut;
            }
            pieces.push(&EXPORT[start..]);
            prop_assert_eq!(drafts(&pieces).unwrap(), drafts(&[EXPORT]).unwrap());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut entries = Entries::default();
            let _any = entries.push(&bytes, &Limits::default(), &mut drop);
            entries.end(&Limits::default(), &mut drop);
        }
    }
}
