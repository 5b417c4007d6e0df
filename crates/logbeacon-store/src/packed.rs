//! Records as bytes: what a frame of the journal holds, and what the head is searched in.
//!
//! Knows: the layout of a packed record (docs/store-format.md, "Records"). Must not know: frames,
//! files, columns. In: records, or bytes of any origin. Out: rows that read the bytes in place.

use crate::record::{Record, WELL_KNOWN};
use logwell_query::{Level, Row, Value, ValueRef};

/// Records packed one after the other, and where each begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Packed {
    /// Packs records, which are tidy.
    pub(crate) fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut packed = Self::default();
        for record in records {
            pack(record, &mut packed.bytes);
            packed.ends.push(packed.bytes.len() as u32);
        }
        packed
    }

    /// Takes bytes that [`Packed::bytes`] returned. `None` if they are not rows from end to end.
    pub(crate) fn parse(bytes: Vec<u8>, rows: usize) -> Option<Self> {
        let mut ends = Vec::with_capacity(rows.min(bytes.len() / FIXED_BYTES));
        let mut cursor = Cursor { bytes: &bytes };
        while !cursor.bytes.is_empty() {
            let row = PackedRow::read(&mut cursor)?;
            for value in row.fields() {
                value?;
            }
            ends.push((bytes.len() - cursor.bytes.len()) as u32);
        }
        (ends.len() == rows).then_some(Self { bytes, ends })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn row(&self, index: usize) -> Option<PackedRow<'_>> {
        let start = match index {
            0 => 0,
            _ => *self.ends.get(index - 1)? as usize,
        };
        let end = *self.ends.get(index)? as usize;
        PackedRow::read(&mut Cursor { bytes: self.bytes.get(start..end)? })
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = PackedRow<'_>> {
        let mut cursor = Cursor { bytes: &self.bytes };
        std::iter::from_fn(move || PackedRow::read(&mut cursor))
    }

    /// The bytes held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    /// The same without the rows for which `keep` is false.
    pub(crate) fn filtered(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let mut kept = Self::default();
        let mut start = 0;
        for (index, end) in self.ends.iter().map(|end| *end as usize).enumerate() {
            if keep(index) {
                kept.bytes.extend_from_slice(self.bytes.get(start..end).unwrap_or_default());
                kept.ends.push(kept.bytes.len() as u32);
            }
            start = end;
        }
        kept
    }
}

/// One packed record, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedRow<'a> {
    pub(crate) time_ns: i64,
    pub(crate) arrived_ns: i64,
    pub(crate) hash: u128,
    pub(crate) level: Level,
    pub(crate) stream: &'a str,
    pub(crate) service: &'a str,
    pub(crate) host: &'a str,
    pub(crate) logger: &'a str,
    pub(crate) message: &'a str,
    pub(crate) trace_id: Option<&'a str>,
    pub(crate) span_id: Option<&'a str>,
    fields: &'a [u8],
}

impl<'a> PackedRow<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let length = cursor.varint()?;
        let mut row = Cursor { bytes: cursor.take(usize::try_from(length).ok()?)? };
        Some(Self {
            time_ns: i64::from_le_bytes(row.array()?),
            arrived_ns: i64::from_le_bytes(row.array()?),
            hash: u128::from_le_bytes(row.array()?),
            level: Level::ALL.get(usize::from(row.byte()?)).copied()?,
            stream: row.text()?,
            service: row.text()?,
            host: row.text()?,
            logger: row.text()?,
            message: row.text()?,
            trace_id: row.optional()?,
            span_id: row.optional()?,
            fields: row.bytes,
        })
    }

    /// The fields that are no members, sorted by name. The last item is `None` if the bytes are
    /// no fields from there on.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Option<(&'a str, ValueRef<'a>)>> + use<'a> {
        let mut cursor = Cursor { bytes: self.fields };
        std::iter::from_fn(move || {
            if cursor.bytes.is_empty() {
                return None;
            }
            let field = cursor.field();
            if field.is_none() {
                cursor.bytes = &[];
            }
            Some(field)
        })
    }

    /// The record that was packed.
    #[cfg(test)]
    pub(crate) fn to_record(self) -> Record {
        let owned = |text: &str| text.to_owned();
        Record {
            time_ns: self.time_ns,
            arrived_ns: self.arrived_ns,
            hash: self.hash,
            stream: owned(self.stream),
            level: self.level,
            service: owned(self.service),
            host: owned(self.host),
            logger: owned(self.logger),
            message: owned(self.message),
            trace_id: self.trace_id.map(owned),
            span_id: self.span_id.map(owned),
            fields: self
                .fields()
                .flatten()
                .map(|(name, value)| (name.to_owned(), value.to_value()))
                .collect(),
        }
    }

    fn member(&self, name: &str) -> Option<ValueRef<'a>> {
        let text = match name {
            "level" => self.level.name(),
            "message" => return Some(ValueRef::Text(self.message)),
            "logger" => self.logger,
            "service" => self.service,
            "host" => self.host,
            "stream" => self.stream,
            "trace_id" => return self.trace_id.map(ValueRef::Text),
            "span_id" => return self.span_id.map(ValueRef::Text),
            _ => return None,
        };
        (!text.is_empty()).then_some(ValueRef::Text(text))
    }
}

impl Row for PackedRow<'_> {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        if WELL_KNOWN.contains(&field) {
            return self.member(field);
        }
        self.fields().flatten().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        for name in WELL_KNOWN {
            if let Some(value) = self.member(name) {
                visit(name, value);
            }
        }
        for (name, value) in self.fields().flatten() {
            visit(name, value);
        }
    }
}

fn pack(record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&record.time_ns.to_le_bytes());
    out.extend_from_slice(&record.arrived_ns.to_le_bytes());
    out.extend_from_slice(&record.hash.to_le_bytes());
    out.push(record.level.rank());
    for text in [&record.stream, &record.service, &record.host, &record.logger, &record.message] {
        pack_text(text, out);
    }
    for id in [&record.trace_id, &record.span_id] {
        out.push(u8::from(id.is_some()));
        if let Some(id) = id {
            pack_text(id, out);
        }
    }
    for (name, value) in &record.fields {
        pack_text(name, out);
        pack_value(value, out);
    }
    // The length goes in front, once it is known: short, so moving the row costs little.
    let mut length = Vec::with_capacity(3);
    pack_varint((out.len() - start) as u64, &mut length);
    out.splice(start..start, length);
}

fn pack_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(tag::NULL),
        Value::Bool(false) => out.push(tag::FALSE),
        Value::Bool(true) => out.push(tag::TRUE),
        Value::Int(value) => {
            out.push(tag::INT);
            // Zigzag: small numbers of both signs are short.
            pack_varint(((value << 1) ^ (value >> 63)) as u64, out);
        }
        Value::UInt(value) => {
            out.push(tag::UINT);
            pack_varint(*value, out);
        }
        Value::Float(value) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Text(text) => {
            out.push(tag::TEXT);
            pack_text(text, out);
        }
        Value::Json(text) => {
            out.push(tag::JSON);
            pack_text(text, out);
        }
        Value::Time(value) => {
            out.push(tag::TIME);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

fn pack_text(text: &str, out: &mut Vec<u8>) {
    pack_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn pack_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The bytes not read yet.
struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.varint()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn optional(&mut self) -> Option<Option<&'a str>> {
        match self.byte()? {
            0 => Some(None),
            1 => self.text().map(Some),
            _ => None,
        }
    }

    fn field(&mut self) -> Option<(&'a str, ValueRef<'a>)> {
        let name = self.text()?;
        let value = match self.byte()? {
            tag::NULL => ValueRef::Null,
            tag::FALSE => ValueRef::Bool(false),
            tag::TRUE => ValueRef::Bool(true),
            tag::INT => {
                let value = self.varint()?;
                ValueRef::Int((value >> 1) as i64 ^ -((value & 1) as i64))
            }
            tag::UINT => ValueRef::UInt(self.varint()?),
            tag::FLOAT => ValueRef::Float(f64::from_le_bytes(self.array()?)),
            tag::TEXT => ValueRef::Text(self.text()?),
            tag::JSON => ValueRef::Json(self.text()?),
            tag::TIME => ValueRef::Time(i64::from_le_bytes(self.array()?)),
            _ => return None,
        };
        Some((name, value))
    }
}

/// What kind of value follows.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const UINT: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const JSON: u8 = 7;
    pub(super) const TIME: u8 = 8;
}

/// The smallest packed record: its length, two times, hash, level, five empty texts, no ids.
const FIXED_BYTES: usize = 1 + 8 + 8 + 16 + 1 + 5 + 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_records_come_back_as_they_were(
            records in prop::collection::vec(record(), 0..20),
        ) {
            let packed = Packed::of(&records);
            let parsed = Packed::parse(packed.bytes().to_vec(), records.len()).unwrap();
            let back: Vec<Record> = parsed.rows().map(PackedRow::to_record).collect();
            prop_assert_eq!(&back, &records);
            for (index, record) in records.iter().enumerate() {
                prop_assert_eq!(&parsed.row(index).unwrap().to_record(), record);
            }
        }

        #[test]
        fn a_packed_row_answers_as_its_record(record in record()) {
            let packed = Packed::of([&record]);
            let row = packed.row(0).unwrap();
            let list = |row: &dyn Row| {
                let mut all = Vec::new();
                row.for_each(&mut |name, value| all.push((name.to_owned(), value.to_value())));
                all
            };
            prop_assert_eq!(list(&row), list(&record));
            for (name, _) in list(&record) {
                prop_assert_eq!(row.get(&name), record.get(&name));
            }
            prop_assert_eq!(row.get("absent"), None);
        }

        #[test]
        fn any_bytes_are_rows_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..200), rows in 0_usize..5,
        ) {
            let _ = Packed::parse(bytes, rows);
        }
    }

    #[test]
    fn no_shortened_row_is_taken_for_a_row() {
        let record = Record { message: "x".repeat(200), ..Record::default() };
        let bytes = Packed::of([&record]).bytes().to_vec();
        for length in 0..bytes.len() {
            assert!(Packed::parse(bytes[..length].to_vec(), 1).is_none(), "{length} bytes");
        }
    }
}
