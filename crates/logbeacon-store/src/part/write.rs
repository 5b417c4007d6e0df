//! Writes parts: from rows, or from the row groups of other parts.
//!
//! Knows: Parquet's writer, and how each column is encoded. Must not know: names of files, the
//! manifest. In: sorted rows or open parts, and a file to write to. Out: what was written.

use super::about::{About, FilterPlace, Group, KEY};
use super::columns::{Column, Columns, Origin};
use super::file::Sums;
use super::template::cut;
use super::tokens::Tokens;
use super::{MESSAGE, Part, REST, SPAN_ID, TEMPLATE, TRACE_ID};
use crate::packed::PackedRow;
use crate::world::Output;
use arrow_array::cast::AsArray;
use arrow_array::{StringArray, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use foldhash::fast::RandomState;
use logwell_query::LEVEL;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

/// A part that was written and is durable, under whatever name its file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    /// The checksum of the footer, which covers all others.
    pub(crate) footer_checksum: u32,
}

/// Writes rows, which are in the order of their times, as one row group.
pub(crate) fn rows(
    rows: &[PackedRow<'_>],
    columns_max: usize,
    replaces: Vec<u64>,
    output: Box<dyn Output>,
) -> io::Result<Written> {
    let Columns { columns, origins, rest } = Columns::of(rows, columns_max);
    let schema = Arc::new(Schema::new(columns.iter().map(|c| c.field.clone()).collect::<Vec<_>>()));
    let mut about = About { origins, rest, replaces, ..About::default() };
    for row in rows {
        about.minutes.add(row.time_ns, row.stream, row.level);
        about.devices.add(row.host, row.time_ns, row.arrived_ns);
    }
    let mut writer = Writer::new(schema, &properties(&columns, rows.len()), about, output)?;
    let group = Group {
        rows: rows.len() as u64,
        first_ns: rows.first().map_or(0, |row| row.time_ns),
        last_ns: rows.last().map_or(0, |row| row.time_ns),
        ..Group::default()
    };
    let filters = columns.iter().filter_map(tokens).collect();
    writer.encode(columns, group, filters)?;
    writer.finish()
}

/// Writes the row groups of parts one after the other, without decoding them. The parts are of
/// one day, and no column has two types among them.
pub(crate) fn joined(parts: &[Arc<Part>], output: Box<dyn Output>) -> io::Result<Written> {
    let schema = Arc::new(Schema::new(union(parts)));
    let mut about = About::default();
    for part in parts {
        about.replaces.push(part.number);
        about.minutes.merge(&part.minutes);
        about.devices.merge(&part.devices);
        about.origins.extend(part.origins.iter().cloned());
        about.rest.extend(part.rest.iter().cloned());
    }
    about.origins.sort();
    about.origins.dedup();
    about.rest.sort();
    about.rest.dedup();
    let mut writer = Writer::new(schema, &properties(&[], 0), about, output)?;
    for part in parts {
        for group in 0..part.groups.len() {
            writer.copy(part, group)?;
        }
    }
    writer.finish()
}

/// Whether the parts can be [`joined`] into one with at most so many columns.
pub(crate) fn can_join(parts: &[Arc<Part>], columns_max: usize) -> bool {
    let mut columns: HashMap<&str, (&DataType, Option<&Origin>)> = HashMap::new();
    let agree = parts.iter().all(|part| {
        part.schema().fields().iter().all(|field| {
            let origin = part.origins.iter().find(|origin| origin.column == *field.name());
            let is = (plain(field.data_type()), origin);
            *columns.entry(field.name()).or_insert(is) == is
        })
    });
    agree && columns.len() <= columns_max
}

/// The type a column is written as: dictionaries are how it is read.
fn plain(kind: &DataType) -> &DataType {
    match kind {
        DataType::Dictionary(_, values) => values,
        kind => kind,
    }
}

/// The columns of all parts.
fn union(parts: &[Arc<Part>]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for field in parts.iter().flat_map(|part| part.schema().fields().iter()) {
        if !fields.iter().any(|known| known.name() == field.name()) {
            let kind = plain(field.data_type()).clone();
            fields.push(Field::new(field.name(), kind, field.is_nullable()));
        }
    }
    fields
}

/// A part that is being written.
struct Writer {
    schema: SchemaRef,
    file: SerializedFileWriter<Sums>,
    about: About,
}

impl Writer {
    fn new(
        schema: SchemaRef,
        properties: &WriterPropertiesPtr,
        about: About,
        output: Box<dyn Output>,
    ) -> io::Result<Self> {
        let root = ArrowSchemaConverter::new().convert(&schema).map_err(failed)?.root_schema_ptr();
        let file = SerializedFileWriter::new(Sums::new(output), root, Arc::clone(properties));
        Ok(Self { schema, file: file.map_err(failed)?, about })
    }

    /// Writes a row group of columns, in the order of the schema.
    fn encode(
        &mut self,
        columns: Vec<Column>,
        group: Group,
        filters: Vec<(String, Vec<u8>)>,
    ) -> io::Result<()> {
        let factory = ArrowRowGroupWriterFactory::new(&self.file, Arc::clone(&self.schema));
        let writers = factory.create_column_writers(self.about.groups.len()).map_err(failed)?;
        let mut row_group = self.file.next_row_group().map_err(failed)?;
        for (mut writer, column) in writers.into_iter().zip(columns) {
            for leaf in compute_leaves(&column.field, &column.array).map_err(failed)? {
                writer.write(&leaf).map_err(failed)?;
            }
            writer
                .close()
                .and_then(|chunk| chunk.append_to_row_group(&mut row_group))
                .map_err(failed)?;
        }
        row_group.close().map_err(failed)?;
        self.put_filters(group, filters)
    }

    /// Writes a row group of another part. Columns that the part lacks are empty.
    fn copy(&mut self, part: &Part, index: usize) -> io::Result<()> {
        let Some(group) = part.groups.get(index) else { return Ok(()) };
        let mut empty = self.empty_chunks(part, group.rows as usize)?;
        let metadata = part.parquet().row_group(index);
        let mut row_group = self.file.next_row_group().map_err(failed)?;
        for field in self.schema.fields() {
            match part.column(field.name()) {
                Some(at) => {
                    let column = metadata.column(at);
                    let filter =
                        Sbbf::read_from_column_chunk(column, &part.file).map_err(failed)?;
                    let close = ColumnCloseResult {
                        bytes_written: column.compressed_size().cast_unsigned(),
                        rows_written: group.rows,
                        metadata: column.clone(),
                        bloom_filter: filter,
                        column_index: None,
                        offset_index: None,
                    };
                    row_group.append_column(&part.file, close).map_err(failed)?;
                }
                None => {
                    if let Some(chunk) = empty.remove(field.name()) {
                        chunk.append_to_row_group(&mut row_group).map_err(failed)?;
                    }
                }
            }
        }
        row_group.close().map_err(failed)?;
        let mut filters = Vec::new();
        for place in &group.filters {
            let filter = part.file.read(place.at, place.bytes as usize)?;
            filters.push((place.column.clone(), filter.to_vec()));
        }
        self.put_filters(group.clone(), filters)
    }

    fn empty_chunks(
        &self,
        part: &Part,
        rows: usize,
    ) -> io::Result<HashMap<String, ArrowColumnChunk>> {
        let factory = ArrowRowGroupWriterFactory::new(&self.file, Arc::clone(&self.schema));
        let writers = factory.create_column_writers(self.about.groups.len()).map_err(failed)?;
        let mut chunks = HashMap::new();
        for (mut writer, field) in writers.into_iter().zip(self.schema.fields()) {
            if part.column(field.name()).is_none() {
                let nulls = new_null_array(field.data_type(), rows);
                for leaf in compute_leaves(field, &nulls).map_err(failed)? {
                    writer.write(&leaf).map_err(failed)?;
                }
                chunks.insert(field.name().clone(), writer.close().map_err(failed)?);
            }
        }
        Ok(chunks)
    }

    /// Writes token filters behind their row group, where other readers do not look.
    fn put_filters(&mut self, group: Group, filters: Vec<(String, Vec<u8>)>) -> io::Result<()> {
        let mut places = Vec::new();
        for (column, filter) in filters {
            let at = self.file.bytes_written() as u64;
            self.file.write_all(&filter)?;
            places.push(FilterPlace { column, at, bytes: filter.len() as u64 });
        }
        self.about.groups.push(Group { filters: places, ..group });
        Ok(())
    }

    fn finish(mut self) -> io::Result<Written> {
        self.file.flush()?;
        self.about.checksums = self.file.inner_mut().begin_footer();
        self.file.append_key_value_metadata(KeyValue::new(KEY.to_owned(), self.about.to_text()));
        self.file.finish().map_err(failed)?;
        self.file.flush()?;
        let (bytes, footer_checksum) = self.file.inner_mut().finish()?;
        Ok(Written { bytes, footer_checksum })
    }
}

/// The filter of a column's texts, under the column's name. `None` if the column has no texts, or
/// they are asked in another way.
fn tokens(column: &Column) -> Option<(String, Vec<u8>)> {
    let name = column.field.name();
    let texts = column.array.as_string_opt::<i32>()?;
    let mut tokens = Tokens::new(texts.value_data().len());
    match name.as_str() {
        LEVEL | TEMPLATE => return None,
        MESSAGE => add_messages(texts, &mut tokens),
        REST => {
            let fields = texts.iter().flatten().flat_map(super::rest::fields);
            for (_, value) in fields {
                value.as_ref().as_text().into_iter().for_each(|text| tokens.add(text));
            }
        }
        _ if column.repeats => {
            let distinct: HashSet<&str, RandomState> = texts.iter().flatten().collect();
            distinct.into_iter().for_each(|text| tokens.add(text));
        }
        _ => texts.iter().flatten().for_each(|text| tokens.add(text)),
    }
    Some((name.clone(), tokens.encode()))
}

/// Adds messages: what is constant in them once, not for each.
fn add_messages(messages: &StringArray, tokens: &mut Tokens) {
    let mut seen: HashSet<String, RandomState> = HashSet::default();
    let mut template = String::new();
    for message in messages.iter().flatten() {
        cut(message, &mut template, |word| tokens.add_words(word));
        tokens.add_runs(message);
        if !seen.contains(&template) {
            tokens.add_words(message);
            seen.insert(template.clone());
        }
    }
}

fn properties(columns: &[Column], rows: usize) -> WriterPropertiesPtr {
    let level = ZstdLevel::try_new(3).unwrap_or_default();
    let by_time = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("logbeacon-store {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(4 << 20)
        .set_max_row_group_row_count(None)
        .set_sorting_columns(Some(vec![by_time]));
    for column in columns {
        let name = column.field.name().as_str();
        let path = ColumnPath::from(name);
        builder = match column.field.data_type() {
            DataType::Timestamp(..) => {
                builder.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            }
            _ if column.repeats => builder.set_column_dictionary_enabled(path.clone(), true),
            DataType::Int64 | DataType::UInt64 => {
                builder.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            }
            DataType::Utf8 => {
                builder.set_column_encoding(path.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
            }
            _ => builder,
        };
        builder = match name {
            TRACE_ID => builder
                .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_max_ndv(path.clone(), (rows as u64 / 4).max(64))
                .set_column_bloom_filter_fpp(path, 0.005),
            SPAN_ID | MESSAGE | TEMPLATE => {
                builder.set_column_statistics_enabled(path, EnabledStatistics::None)
            }
            _ => builder,
        };
    }
    Arc::new(builder.build())
}

pub(super) fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// The rows of a page: the unit that is decompressed.
const PAGE_ROWS: usize = 8192;
