//! Parquet: rows with the common columns, and one of JSON for all other fields.
//!
//! The only file of this crate that names `parquet` and `arrow`. Does not know searches. Rows are
//! held until they fill a row group, so memory is bounded by one.

use super::{COLUMNS, File, others, whole};
use arrow_array::builder::{StringBuilder, TimestampNanosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use logbeacon_store::Summary;
use logwell_query::{NO_TIME, Row};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

/// A Parquet file.
pub(super) struct Parquet {
    writer: Option<ArrowWriter<Vec<u8>>>,
    schema: Arc<Schema>,
    columns: Vec<String>,
    times: TimestampNanosecondBuilder,
    texts: Vec<StringBuilder>,
    rows: usize,
    bytes: usize,
}

/// Rows that become a row group.
const GROUP_ROWS: usize = 8192;
/// Bytes of rows that become one earlier.
const GROUP_BYTES: usize = 8 << 20;

impl Parquet {
    /// An empty file.
    pub(super) fn new() -> Result<Self, String> {
        let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let fields = COLUMNS.map(|name| match name {
            "time" => Field::new(name, time.clone(), true),
            _ => Field::new(name, DataType::Utf8, true),
        });
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let level = ZstdLevel::try_new(3).map_err(|error| error.to_string())?;
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            writer: Some(writer),
            schema,
            columns: COLUMNS.map(str::to_owned).to_vec(),
            times: TimestampNanosecondBuilder::new().with_timezone("UTC"),
            texts: COLUMNS.iter().skip(1).map(|_| StringBuilder::new()).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    /// Writes the rows that are held as a row group.
    fn group(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if self.rows > 0 {
            let mut columns: Vec<ArrayRef> = vec![Arc::new(self.times.finish())];
            columns.extend(self.texts.iter_mut().map(|text| Arc::new(text.finish()) as ArrayRef));
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
                .map_err(|error| error.to_string())?;
            writer
                .write(&batch)
                .and_then(|()| writer.flush())
                .map_err(|error| error.to_string())?;
            (self.rows, self.bytes) = (0, 0);
        }
        // The writer counts what it has written: taking it out moves nothing.
        out.append(writer.inner_mut());
        Ok(())
    }
}

impl File for Parquet {
    fn kind(&self) -> (&'static str, &'static str) {
        ("application/vnd.apache.parquet", "parquet")
    }

    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), String> {
        Ok(())
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), String> {
        self.times.append_option(Some(row.time_ns()).filter(|time| *time != NO_TIME));
        for (name, column) in self.columns.iter().skip(1).zip(&mut self.texts) {
            let text = match (name.as_str(), row.get(name)) {
                (_, Some(value)) => Some(value.text().into_owned()),
                ("fields", None) => {
                    Some(others(row, &self.columns)).filter(|json| !json.is_empty())
                }
                (_, None) => None,
            };
            self.bytes += text.as_ref().map_or(0, String::len);
            column.append_option(text);
        }
        self.rows += 1;
        match self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            true => self.group(out),
            false => Ok(()),
        }
    }

    fn end(&mut self, summary: &Summary, out: &mut Vec<u8>) -> Result<(), String> {
        whole(summary)?;
        self.group(out)?;
        if let Some(writer) = self.writer.take() {
            let mut rest = writer.into_inner().map_err(|error| error.to_string())?;
            out.append(&mut rest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::TimestampNanosecondType;
    use logbeacon_store::Record;
    use logwell_query::Value;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    #[test]
    fn a_file_has_every_row_with_its_columns() {
        let mut file = Parquet::new().unwrap();
        let mut out = Vec::new();
        let rows = GROUP_ROWS + 5;
        for number in 0..rows {
            let number = i64::try_from(number).unwrap();
            let record = Record {
                time_ns: number,
                message: format!("m{number}"),
                fields: vec![("n".to_owned(), Value::Int(number))],
                ..Record::default()
            };
            file.row(&record, &mut out).unwrap();
        }
        file.end(&Summary { complete: true, ..Summary::default() }, &mut out).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(out)).unwrap();
        let batches: Vec<RecordBatch> =
            reader.with_batch_size(100_000).build().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), rows);
        let first = &batches[0];
        let times = first.column(0).as_primitive::<TimestampNanosecondType>();
        assert_eq!(times.value(7), 7);
        assert_eq!(first.column(2).as_string::<i32>().value(7), "m7");
        assert_eq!(first.column(9).as_string::<i32>().value(7), "{\"n\":7}");
        assert!(first.column(3).is_nullable() && first.column(3).null_count() > 0);
    }

    #[test]
    fn a_file_that_lacks_something_has_no_end() {
        let mut file = Parquet::new().unwrap();
        assert!(file.end(&Summary::default(), &mut Vec::new()).is_err());
    }
}
