//! Encode: a record becomes one line of bytes. The trait, and the encoders of the crate.
//!
//! An encoder knows records and bytes. It does not know where the bytes go.

pub mod json;
pub mod schema;
pub mod stamp;
pub mod terminal_safe;
pub mod text;

pub(crate) mod escape;
pub(crate) mod ids;
pub(crate) mod members;
pub(crate) mod options;
pub(crate) mod reserved;
pub(crate) mod value;

pub use reserved::RECORD_KEYS;
pub(crate) use value::push_string;

pub use crate::setup::encoder::encoder_for;

use crate::base::clock;
use crate::encode::options::Schema;
use crate::record::Record;
use crate::record::line_id::LineId;
use json::JsonEncoder;
use schema::{SchemaOptions, ecs::EcsEncoder, gcp::GcpEncoder, otel::OtelEncoder};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Turns records into lines.
#[doc(alias = "formatter")]
#[doc(alias = "layout")]
pub trait Encode: Send {
    /// Appends `record` to `out` as exactly one line: it ends in `\n` and has no other one.
    ///
    /// What was in `out` before stays. There is no error: whatever the record holds, the encoder
    /// finds bytes for it.
    fn encode(&mut self, record: &Record, out: &mut Vec<u8>);

    /// Reads back which record a line holds; `None` if it is no line of this encoder. Asked when
    /// records are recovered after a kill, so that none is written twice. The default cannot tell.
    fn id_in(&self, line: &[u8]) -> Option<LineId> {
        let _ = line;
        None
    }
}

/// The id in a line whose members have these names.
fn id_at(line: &[u8], names: [&str; 3]) -> Option<LineId> {
    let line = std::str::from_utf8(line).ok()?;
    let mut reader = serde_json::Deserializer::from_str(line);
    let (time, process, seq) = reader.deserialize_map(Members(names)).ok()?;
    reader.end().ok()?;
    Some(LineId {
        process: u32::try_from(process?).ok()?,
        seq: seq?,
        unix_us: clock::unix_us_of(&time?)?,
    })
}

/// Takes the moment and two numbers out of a line, and only reads over the rest: a start may have
/// many lines to look at.
struct Members<'a>([&'a str; 3]);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = (Option<String>, Option<u64>, Option<u64>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut time, mut process, mut seq) = (None, None, None);
        while let Some(which) = members.next_key_seed(Which(self.0))? {
            match which {
                Some(0) => time = Some(members.next_value()?),
                Some(1) => process = Some(members.next_value()?),
                Some(_) => seq = Some(members.next_value()?),
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok((time, process, seq))
    }
}

/// Which of the names a key is.
struct Which<'a>([&'a str; 3]);

impl<'de> DeserializeSeed<'de> for Which<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Which<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// The encoder of JSON lines of the schema that the options name.
#[must_use]
pub fn encoder(options: SchemaOptions) -> Box<dyn Encode> {
    match options.json.record.schema {
        Schema::Native => Box::new(JsonEncoder::new(options.json)),
        Schema::Ecs => Box::new(EcsEncoder::new(options)),
        Schema::Gcp => Box::new(GcpEncoder::new(options)),
        Schema::Otel => Box::new(OtelEncoder::new(options)),
    }
}
