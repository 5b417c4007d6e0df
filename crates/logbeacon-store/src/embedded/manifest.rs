//! The manifest: which files belong to the store, and what is true of it beyond them.
//!
//! Knows: its two files and their text (docs/store-format.md, "Manifest"). Must not know: what is
//! in the other files. In: entries. Out: a durable manifest; at the start the newest whole one.
//!
//! It is written to two files in turn. What the older one names is kept until the newer one is
//! replaced too, so that a damaged manifest costs nothing.

use crate::store::{Certificate, RetentionRule};
use crate::world::Fs;
use logwell_query::{Level, TimeRange};
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::time::Duration;

/// What the store is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// Rises with each manifest that is written.
    pub(crate) edition: u64,
    /// The number of the next file.
    pub(crate) next_number: u64,
    /// Every frame before is in parts.
    pub(crate) sealed_to: u64,
    pub(crate) parts: Vec<PartEntry>,
    pub(crate) lists: Vec<u64>,
    /// Every deletion, those that are done too; by number.
    pub(crate) deletions: Vec<Certificate>,
    pub(crate) retention: Vec<RetentionRule>,
}

/// A part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartEntry {
    pub(crate) number: u64,
    pub(crate) footer_checksum: u32,
    pub(crate) rows: u64,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// The last deletion whose records are not in the part any more.
    pub(crate) clean: u64,
}

/// What the start found of manifests.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The newest whole one.
    pub(crate) newest: Option<Manifest>,
    /// The one before, if it is whole.
    pub(crate) older: Option<Manifest>,
    /// Files that are no manifests, and why.
    pub(crate) damaged: Vec<(&'static str, String)>,
}

impl Manifest {
    /// Reads both files.
    pub(crate) fn find(fs: &dyn Fs, dir: &Path) -> io::Result<Found> {
        let names = fs.list(dir)?;
        let mut found = Found::default();
        let mut whole = Vec::new();
        for file in FILES.into_iter().filter(|file| names.iter().any(|name| name == file)) {
            let input = fs.open(&dir.join(file))?;
            let mut bytes = vec![0; input.len() as usize];
            input.read_exact_at(&mut bytes, 0)?;
            match Self::parse(&bytes) {
                Ok(manifest) => whole.push(manifest),
                Err(why) => found.damaged.push((file, why)),
            }
        }
        whole.sort_by_key(|manifest| manifest.edition);
        found.newest = whole.pop();
        found.older = whole.pop();
        Ok(found)
    }

    /// Writes the next edition over the older of the two files. After an error the edition before
    /// is what the next start finds.
    pub(crate) fn write(&mut self, fs: &dyn Fs, dir: &Path) -> io::Result<()> {
        self.edition += 1;
        let [even, odd] = FILES;
        let file = if self.edition.is_multiple_of(2) { even } else { odd };
        let beside = dir.join("manifest.new");
        let written = (|| {
            let mut output = fs.create(&beside)?;
            output.write_all(self.to_text().as_bytes())?;
            output.sync()?;
            fs.rename(&beside, &dir.join(file))?;
            fs.sync_dir(dir)
        })();
        if written.is_err() {
            self.edition -= 1;
        }
        written
    }

    fn to_text(&self) -> String {
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|p| json!([p.number, p.footer_checksum, p.rows, p.first_ns, p.last_ns, p.clean]))
            .collect();
        let text = json!({
            "version": VERSION,
            "edition": self.edition,
            "next_number": self.next_number,
            "sealed_to": self.sealed_to,
            "parts": parts,
            "lists": self.lists,
            "deletions": self.deletions.iter().map(deletion_to_json).collect::<Vec<_>>(),
            "retention": self.retention.iter().map(rule_to_json).collect::<Vec<_>>(),
        })
        .to_string();
        let checksum = crc32c::crc32c(text.as_bytes());
        format!("{text}\n{checksum:08x}\n")
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let mut lines = text.split_inclusive('\n');
        let (Some(body), Some(checksum), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err("it does not have two lines".to_owned());
        };
        let body = body.trim_end_matches('\n');
        if checksum != format!("{:08x}\n", crc32c::crc32c(body.as_bytes())) {
            return Err("its checksum is wrong".to_owned());
        }
        let value: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            version => return Err(format!("version {version:?}, and this reads {VERSION}")),
        }
        Self::read(&value).ok_or_else(|| "a member is missing or malformed".to_owned())
    }

    fn read(value: &Value) -> Option<Self> {
        let long = |name: &str| value.get(name)?.as_u64();
        let list = |name: &str| value.get(name)?.as_array();
        let part = |part: &Value| {
            Some(PartEntry {
                number: part.get(0)?.as_u64()?,
                footer_checksum: u32::try_from(part.get(1)?.as_u64()?).ok()?,
                rows: part.get(2)?.as_u64()?,
                first_ns: part.get(3)?.as_i64()?,
                last_ns: part.get(4)?.as_i64()?,
                clean: part.get(5)?.as_u64()?,
            })
        };
        Some(Self {
            edition: long("edition")?,
            next_number: long("next_number")?,
            sealed_to: long("sealed_to")?,
            parts: list("parts")?.iter().map(part).collect::<Option<_>>()?,
            lists: list("lists")?.iter().map(Value::as_u64).collect::<Option<_>>()?,
            deletions: list("deletions")?.iter().map(deletion_of_json).collect::<Option<_>>()?,
            retention: list("retention")?.iter().map(rule_of_json).collect::<Option<_>>()?,
        })
    }
}

fn deletion_to_json(deletion: &Certificate) -> Value {
    json!({
        "number": deletion.number,
        "query": deletion.query,
        "first_ns": deletion.range.first_ns,
        "last_ns": deletion.range.last_ns,
        "requested_by": deletion.requested_by,
        "requested_ns": deletion.requested_ns,
        "hidden": deletion.hidden,
        "erased": deletion.erased,
        "erased_ns": deletion.erased_ns,
        "erase_within_s": deletion.erase_within.as_secs(),
    })
}

fn deletion_of_json(value: &Value) -> Option<Certificate> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let long = |name: &str| value.get(name)?.as_u64();
    Some(Certificate {
        number: long("number")?,
        query: text("query")?,
        range: TimeRange {
            first_ns: value.get("first_ns")?.as_i64()?,
            last_ns: value.get("last_ns")?.as_i64()?,
        },
        requested_by: text("requested_by")?,
        requested_ns: value.get("requested_ns")?.as_i64()?,
        hidden: long("hidden")?,
        erased: long("erased")?,
        erased_ns: value.get("erased_ns")?.as_i64(),
        erase_within: Duration::from_secs(long("erase_within_s")?),
    })
}

fn rule_to_json(rule: &RetentionRule) -> Value {
    json!({
        "stream": rule.stream,
        "level_max": rule.level_max.map(Level::name),
        "age_s": rule.age.map(|age| age.as_secs()),
        "bytes": rule.bytes,
    })
}

fn rule_of_json(value: &Value) -> Option<RetentionRule> {
    Some(RetentionRule {
        stream: value.get("stream")?.as_str().map(str::to_owned),
        level_max: value.get("level_max")?.as_str().and_then(Level::parse),
        age: value.get("age_s")?.as_u64().map(Duration::from_secs),
        bytes: value.get("bytes")?.as_u64(),
    })
}

/// The two files that are written in turn.
pub(crate) const FILES: [&str; 2] = ["manifest.0", "manifest.1"];

/// The version of the manifest.
const VERSION: u64 = 1;

/// Reads bytes as the object of a manifest, whatever their checksum.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        let _ = Manifest::read(&value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemFs;

    fn manifest() -> Manifest {
        let part = PartEntry {
            number: 3,
            footer_checksum: 7,
            rows: 5,
            first_ns: -1,
            last_ns: 9,
            clean: 1,
        };
        let deletion = Certificate {
            number: 1,
            query: "user:\"7\"".to_owned(),
            range: TimeRange::ALL,
            requested_by: "anna".to_owned(),
            requested_ns: 12,
            hidden: 2,
            erased: 1,
            erased_ns: None,
            erase_within: Duration::from_secs(60),
        };
        let rule = RetentionRule {
            stream: Some("audit".to_owned()),
            level_max: Some(Level::Warn),
            age: Some(Duration::from_secs(5)),
            bytes: None,
        };
        Manifest {
            edition: 4,
            next_number: 8,
            sealed_to: 9,
            parts: vec![part],
            lists: vec![2],
            deletions: vec![deletion],
            retention: vec![rule],
        }
    }

    #[test]
    fn a_manifest_comes_back_and_the_one_before_it_too() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        manifest.write(&SystemFs, dir.path()).unwrap();
        let first = manifest.clone();
        manifest.sealed_to = 20;
        manifest.write(&SystemFs, dir.path()).unwrap();
        let found = Manifest::find(&SystemFs, dir.path()).unwrap();
        assert_eq!(found.newest, Some(manifest));
        assert_eq!(found.older, Some(first));
        assert!(found.damaged.is_empty());
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed_and_the_one_before_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        manifest.write(&SystemFs, dir.path()).unwrap();
        let first = manifest.clone();
        manifest.write(&SystemFs, dir.path()).unwrap();
        let path = dir.path().join(FILES[manifest.edition as usize % 2]);
        let bytes = std::fs::read(&path).unwrap();
        let check = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).unwrap();
            let found = Manifest::find(&SystemFs, dir.path()).unwrap();
            assert_eq!(found.newest.as_ref(), Some(&first), "{what}");
            assert_eq!(found.damaged.len(), 1, "{what}");
        };
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            check(&flipped, &format!("byte {at}"));
            check(&bytes[..at], &format!("{at} bytes"));
        }
    }
}
