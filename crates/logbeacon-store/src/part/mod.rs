//! A part: one Parquet file with the records of one day, and what is known of it in memory.
//!
//! Knows: the schema (docs/store-format.md, "Parts"), how a part is opened and its columns are
//! read. Must not know: queries, which parts there are. In: a file. Out: columns of row groups.

mod about;
mod columns;
mod file;
mod rest;
mod template;
mod tokens;
pub(crate) mod view;
pub(crate) mod write;

pub(crate) use about::Group;
pub(crate) use columns::{Kind, Origin, unhex};
pub(crate) use rest::fields as rest_fields;
pub(crate) use template::decides;
pub(crate) use tokens::Needle;

use crate::record::WELL_KNOWN;
use crate::rollup::{Devices, Minutes};
use crate::world::Input;
use about::{About, KEY};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use file::{PartFile, TAIL_BYTES, footer_bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaData;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// The columns that have a meaning of their own.
pub(crate) const TIME: &str = "time";
pub(crate) const ARRIVED: &str = "arrived";
pub(crate) const MESSAGE: &str = "message";
pub(crate) const TEMPLATE: &str = "message_template";
pub(crate) const TRACE_ID: &str = "trace_id";
pub(crate) const SPAN_ID: &str = "span_id";
pub(crate) const REST: &str = "rest";

/// Names that no column of a field may have.
const RESERVED: [&str; 14] = [
    TIME,
    ARRIVED,
    MESSAGE,
    TEMPLATE,
    TRACE_ID,
    SPAN_ID,
    REST,
    "level",
    "stream",
    "service",
    "host",
    "logger",
    "trace_id.text",
    "span_id.text",
];

/// An open part.
pub(crate) struct Part {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
    pub(crate) footer_checksum: u32,
    pub(crate) rows: u64,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    pub(crate) groups: Vec<Group>,
    pub(crate) minutes: Minutes,
    pub(crate) devices: Devices,
    pub(crate) replaces: Vec<u64>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) rest: Vec<String>,
    file: PartFile,
    metadata: ArrowReaderMetadata,
    columns: HashMap<String, usize>,
    /// The columns of each field, by the field's name.
    fields: HashMap<String, Vec<(usize, Kind)>>,
}

impl Part {
    /// Opens a part: reads its footer, compares its checksum if that is known, and nothing else.
    pub(crate) fn open(
        input: Arc<dyn Input>,
        number: u64,
        footer_checksum: Option<u32>,
    ) -> io::Result<Self> {
        let bytes = input.len();
        let (body_bytes, checksum) = footer(&*input)?;
        if footer_checksum.is_some_and(|expected| expected != checksum) {
            return Err(damaged("its footer is damaged".to_owned()));
        }
        let file = PartFile::unchecked(input);
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(write::failed)?;
        let parquet = Arc::clone(metadata.metadata());
        let about = about(&parquet)?;
        let file = file
            .checked(body_bytes, &about.checksums)
            .ok_or_else(|| damaged("it has too few checksums".to_owned()))?;
        if about.groups.len() != parquet.num_row_groups() {
            return Err(damaged("its row groups are not those it says".to_owned()));
        }
        let schema = with_dictionaries(metadata.schema(), &parquet);
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let metadata = ArrowReaderMetadata::try_new(parquet, options).map_err(write::failed)?;
        let names = metadata.schema().fields().iter().enumerate();
        let columns: HashMap<String, usize> =
            names.map(|(at, field)| (field.name().clone(), at)).collect();
        let fields = fields(&columns, &about.origins);
        Ok(Self {
            number,
            bytes,
            footer_checksum: checksum,
            rows: about.groups.iter().map(|group| group.rows).sum(),
            first_ns: about.groups.iter().map(|group| group.first_ns).min().unwrap_or(i64::MAX),
            last_ns: about.groups.iter().map(|group| group.last_ns).max().unwrap_or(i64::MIN),
            groups: about.groups,
            minutes: about.minutes,
            devices: about.devices,
            replaces: about.replaces,
            origins: about.origins,
            rest: about.rest,
            file,
            metadata,
            columns,
            fields,
        })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    fn parquet(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// The columns of a field.
    pub(crate) fn columns_of(&self, field: &str) -> &[(usize, Kind)] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// The names of the fields that have columns, in no order.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Reads columns of a row group: all rows, or those selected.
    pub(crate) fn read(
        &self,
        group: usize,
        columns: &[usize],
        selection: Option<RowSelection>,
    ) -> io::Result<RecordBatch> {
        let rows = self.groups.get(group).map_or(0, |group| group.rows as usize);
        let schema = self.metadata.parquet_schema();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.clone(),
            self.metadata.clone(),
        )
        .with_row_groups(vec![group])
        .with_batch_size(rows.max(1))
        .with_projection(ProjectionMask::roots(schema, columns.iter().copied()));
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let mut reader = builder.build().map_err(write::failed)?;
        let schema = arrow_array::RecordBatchReader::schema(&reader);
        match reader.next() {
            Some(batch) => batch.map_err(io::Error::other),
            None => Ok(RecordBatch::new_empty(schema)),
        }
    }

    /// Whether a column's texts in a row group may have all the tokens. A column without a
    /// filter is empty there: it came with another part that was joined.
    pub(crate) fn may_have(
        &self,
        group: usize,
        column: usize,
        needle: &Needle,
    ) -> io::Result<bool> {
        let Some(group) = self.groups.get(group) else { return Ok(false) };
        let name = self.schema().field(column).name();
        let Some(place) = group.filters.iter().find(|place| place.column == *name) else {
            return Ok(false);
        };
        needle.may_be_in(place.bytes as usize, &|at, length| {
            self.file.read(place.at + at as u64, length)
        })
    }

    /// Whether a row group may have the trace whose id has these bytes.
    pub(crate) fn may_have_trace(&self, group: usize, id: &[u8]) -> io::Result<bool> {
        let Some(column) = self.column(TRACE_ID) else { return Ok(false) };
        let column = self.parquet().row_group(group).column(column);
        let filter = Sbbf::read_from_column_chunk(column, &self.file).map_err(write::failed)?;
        Ok(filter.is_none_or(|filter| filter.check(id)))
    }

    /// The bytes that columns of a row group take in the file.
    pub(crate) fn column_bytes(&self, group: usize, columns: &[usize]) -> u64 {
        let group = self.parquet().row_group(group);
        let bytes = |column: &usize| group.column(*column).compressed_size().cast_unsigned();
        columns.iter().map(bytes).sum()
    }

    /// Reads every byte and compares every checksum.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.file.check_all()
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("number", &self.number).field("rows", &self.rows).finish()
    }
}

/// Where the footer begins, and its checksum.
fn footer(input: &dyn Input) -> io::Result<(u64, u32)> {
    let short = || damaged("it is too short".to_owned());
    let tail_at = input.len().checked_sub(TAIL_BYTES as u64).ok_or_else(short)?;
    let mut tail = [0; TAIL_BYTES];
    input.read_exact_at(&mut tail, tail_at)?;
    let footer_at = tail_at.checked_sub(footer_bytes(&tail)).ok_or_else(short)?;
    let mut footer = vec![0; (input.len() - footer_at) as usize];
    input.read_exact_at(&mut footer, footer_at)?;
    Ok((footer_at, crc32c::crc32c(&footer)))
}

fn about(parquet: &ParquetMetaData) -> io::Result<About> {
    let values = parquet.file_metadata().key_value_metadata();
    let value = values.into_iter().flatten().find(|value| value.key == KEY);
    let text = value.and_then(|value| value.value.as_deref());
    let text = text.ok_or_else(|| damaged(format!("its footer has no key `{KEY}`")))?;
    About::parse(text).map_err(|why| damaged(format!("the key `{KEY}` of its footer: {why}")))
}

/// The schema in which texts that the file has a dictionary of are read as codes.
fn with_dictionaries(schema: &Schema, parquet: &ParquetMetaData) -> Schema {
    let field = |(at, field): (usize, &Arc<Field>)| {
        let has = |group: &parquet::file::metadata::RowGroupMetaData| {
            group.column(at).dictionary_page_offset().is_some()
        };
        if field.data_type() == &DataType::Utf8 && parquet.row_groups().iter().any(has) {
            let codes = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Field::new(field.name(), codes, field.is_nullable())
        } else {
            field.as_ref().clone()
        }
    };
    Schema::new(schema.fields().iter().enumerate().map(field).collect::<Vec<_>>())
}

/// Which columns each field has: the well-known ones by their names, others by their origins.
fn fields(
    columns: &HashMap<String, usize>,
    origins: &[Origin],
) -> HashMap<String, Vec<(usize, Kind)>> {
    let mut fields: HashMap<String, Vec<(usize, Kind)>> = HashMap::new();
    for name in WELL_KNOWN.into_iter().filter(|name| *name != TRACE_ID && *name != SPAN_ID) {
        if let Some(at) = columns.get(name) {
            fields.insert(name.to_owned(), vec![(*at, Kind::Text)]);
        }
    }
    for origin in origins {
        if let Some(at) = columns.get(&origin.column) {
            fields.entry(origin.field.clone()).or_default().push((*at, origin.kind));
        }
    }
    fields
}

fn damaged(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Reads bytes as what is in a part: its JSON object, an object of rare fields, a token filter.
#[cfg(fuzzing)]
pub(crate) fn fuzz_part(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = About::parse(text);
        let _ = rest::fields(text);
    }
    let needle = Needle::of(&logwell_query::Clue::Part("payment 支付失败".to_owned()));
    let read = |at: usize, length: usize| match data.get(at..at + length) {
        Some(read) => Ok(bytes::Bytes::copy_from_slice(read)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let _ = needle.may_be_in(data.len(), &read);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::Packed;
    use crate::testing::record;
    use crate::testing::world::TestWorld;
    use crate::world::Fs;
    use crate::{Record, part::view::records};
    use proptest::prelude::*;
    use std::path::Path;

    /// Writes records of one day as a part, sorted by time.
    fn write_part(world: &TestWorld, records: &[Record], columns_max: usize) -> write::Written {
        let packed = Packed::of(records);
        let rows: Vec<_> = packed.rows().collect();
        write::rows(&rows, columns_max, vec![7], world.create(Path::new("part")).unwrap()).unwrap()
    }

    fn open(world: &TestWorld, written: write::Written) -> io::Result<Part> {
        Part::open(world.open(Path::new("part"))?, 1, Some(written.footer_checksum))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 48,
            max_shrink_iters: 50,
            ..ProptestConfig::default()
        })]

        #[test]
        fn records_come_back_from_a_part_and_from_joined_parts(
            mut list in prop::collection::vec(record(), 1..30), columns_max in 0_usize..6,
        ) {
            list.sort_by_key(|record| record.time_ns);
            // A part has no hashes.
            list.iter_mut().for_each(|record| record.hash = 0);
            let world = TestWorld::default();
            let written = write_part(&world, &list, columns_max);
            let part = Arc::new(open(&world, written).unwrap());
            prop_assert_eq!(part.replaces.as_slice(), [7]);
            prop_assert_eq!(&records(&part, 0, |_| true).unwrap(), &list);
            part.check().unwrap();
            let both = [Arc::clone(&part), Arc::clone(&part)];
            prop_assert!(write::can_join(&both, 100));
            let output = world.create(Path::new("joined")).unwrap();
            let written = write::joined(&both, output).unwrap();
            let input = world.open(Path::new("joined")).unwrap();
            let joined = Part::open(input, 2, Some(written.footer_checksum)).unwrap();
            prop_assert_eq!(joined.rows, 2 * list.len() as u64);
            for group in 0..2 {
                prop_assert_eq!(&records(&joined, group, |_| true).unwrap(), &list);
            }
            joined.check().unwrap();
        }
    }

    #[test]
    fn parts_whose_columns_differ_are_joined_with_nulls() {
        let world = TestWorld::default();
        let field = |name: &str, value: i64| (name.to_owned(), logwell_query::Value::Int(value));
        let first = Record { fields: vec![field("a", 1)], ..Record::default() };
        let second = Record { fields: vec![field("b", 2)], ..Record::default() };
        let mut parts = Vec::new();
        for record in [&first, &second] {
            let written = write_part(&world, std::slice::from_ref(record), 9);
            parts.push(Arc::new(open(&world, written).unwrap()));
        }
        let written = write::joined(&parts, world.create(Path::new("joined")).unwrap()).unwrap();
        let input = world.open(Path::new("joined")).unwrap();
        let joined = Part::open(input, 2, Some(written.footer_checksum)).unwrap();
        assert_eq!(records(&joined, 0, |_| true).unwrap(), [first]);
        assert_eq!(records(&joined, 1, |_| true).unwrap(), [second]);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_of_a_part_is_noticed() {
        let world = TestWorld::default();
        let record = Record {
            message: "payment 7 failed".to_owned(),
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
            fields: vec![("user".to_owned(), logwell_query::Value::Int(7))],
            ..Record::default()
        };
        let written = write_part(&world, &[record.clone(), record], 9);
        let path = Path::new("part");
        let (_, bytes) = world.files(path).remove(0);
        assert_eq!(bytes.len() as u64, written.bytes);
        let is_whole = || open(&world, written).and_then(|part| part.check()).is_ok();
        assert!(is_whole());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            world.put(path, &flipped);
            assert!(!is_whole(), "byte {at}");
            world.put(path, &bytes[..at]);
            assert!(!is_whole(), "{at} bytes");
        }
    }
}
