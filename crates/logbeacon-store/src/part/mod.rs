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

    /// Whether a row group's texts may have all the tokens.
    pub(crate) fn may_have(&self, group: usize, needle: &Needle) -> io::Result<bool> {
        let Some(group) = self.groups.get(group) else { return Ok(false) };
        needle.may_be_in(group.filter_bytes as usize, &|at, length| {
            self.file.read(group.filter_at + at as u64, length)
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
