//! Reserved: the keys that the framework writes itself, in one list.
//!
//! Knows names only. A field of the application that has one of these names moves to
//! `field.<name>`, whatever writes it: the event, a span, a logging context, a pair of the `log`
//! crate. Keys of one schema are in the schema's file.

use crate::record::callsite::marker;
use std::borrow::Cow;

/// The keys of a native record itself, in no order. A field of the application that has such a name
/// is written as `field.<name>`.
///
/// ```
/// assert!(logwell::encode::RECORD_KEYS.contains(&"timestamp"));
/// ```
pub const RECORD_KEYS: [&str; 15] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "module",
    "function",
    "file",
    "line",
    "thread",
    "process",
    "seq",
    "trace_id",
    "span_id",
    "spans",
    "truncated",
];

/// What makes a record one of the framework's own, and its marks on records of the application. The
/// other keys of its own records are common words, such as `version`: they say nothing of the
/// framework without `kind`, so they stay free.
const FRAMEWORK: [&str; 3] = ["boot_id", "kind", "recovered"];

/// The beginning of keys that the framework makes: `logwell.fields`.
const BEGINNING: &str = "logwell.";

/// Whether the framework writes a key of that name, whatever the encoder.
pub(crate) fn is_of_framework(name: &str) -> bool {
    FRAMEWORK.contains(&name) || name.starts_with(BEGINNING)
}

/// Whether it is a key of every native record.
pub(crate) fn is_of_record(name: &str) -> bool {
    RECORD_KEYS.contains(&name)
}

/// Whether a field says something about the record and is not written.
pub(crate) fn is_marker(name: &str) -> bool {
    matches!(
        name,
        marker::CRITICAL | marker::AI | marker::INFO_CTG | marker::ERROR_CTG | marker::MONITOR
    )
}

/// The name for a field of the application, in any encoder. Markers keep theirs.
pub(crate) fn of_application(name: &str) -> Cow<'_, str> {
    aside_if(is_of_framework(name) && !is_marker(name), name)
}

/// The name itself, or `field.<name>`.
pub(crate) fn aside_if(is_reserved: bool, name: &str) -> Cow<'_, str> {
    match is_reserved {
        true => Cow::Owned(format!("field.{name}")),
        false => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::black_box::Recovered;
    use crate::config::{LoggingConfig, Schema, Spans};
    use crate::encode::encoder_for;
    use crate::encode::text::{TextEncoder, TextOptions};
    use crate::encode::{Encode, json::JsonOptions};
    use crate::pipeline::internal_records::{
        self, Filtered, InternalRecords, Panic, Receipt, RecoveredRecords, SinkRecovered,
    };
    use crate::record::Record;
    use crate::record::callsite::{Callsite, Kind, Place};
    use crate::record::fields::{Fields, Key, Value};
    use crate::record::level::Level;
    use crate::record::origin::Origin;
    use crate::record::span::{Id, SpanContext};
    use crate::record::stats::{Dropped, Reason, SinkStats};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    const ORIGIN: Origin = Origin { process: 7, boot: 1 };

    /// One of each record that the framework makes, with all that it can say.
    fn own_records() -> Vec<Record> {
        let own = InternalRecords::new(1, "config".to_owned());
        let own = own.diverted(Some("diverted".to_owned()));
        let mut dropped = Dropped::default();
        dropped.set(Level::Info, Reason::Full, 3);
        let sinks = vec![SinkStats { name: "app".to_owned(), ..SinkStats::default() }];
        let mut filtered = Filtered::default();
        filtered.count(1);
        let seconds = Duration::from_secs(1);
        let left = Recovered {
            records: Vec::new(),
            last_seq: 1,
            without_copy: Vec::new(),
            unix_ns: 0,
            damaged: 0,
            dropped,
        };
        let counts = [1, 2, 3, 4, 5, 6];
        let [first_seq, last_seq, filtered_count, recovered, lost, damaged] = counts;
        vec![
            own.started(),
            own.dropped(&dropped, (0, 1)),
            own.filtered("app", &filtered),
            own.recovered(&SinkRecovered {
                sink: "app".to_owned(),
                problem: "full".to_owned(),
                failed_for: seconds,
                dropped: 1,
            }),
            own.found(&RecoveredRecords {
                origin: ORIGIN,
                first_seq,
                last_seq,
                filtered: filtered_count,
                recovered,
                lost,
                damaged,
            }),
            own.stopped(&Receipt {
                received: 1,
                dropped,
                sinks,
                unsent: vec![("logbeacon".to_owned(), 1)],
                elapsed: seconds,
            }),
            internal_records::panicked(Panic {
                message: "on purpose",
                location: Some("src/main.rs:1".to_owned()),
                backtrace: Some("0: main".to_owned()),
                context: None,
                max_text_bytes: 100,
            }),
            internal_records::signalled("SIGTERM"),
            internal_records::untold(&left, ORIGIN).unwrap(),
        ]
    }

    /// What by itself tells a record of the framework, or marks one of the application: the keys
    /// that each of its own records has, and the marks.
    fn telling_names() -> Vec<String> {
        let names = |record: &Record| -> Vec<String> {
            record.fields().map(|(name, _)| name.to_owned()).collect()
        };
        let records = own_records();
        let mut told = names(&records[0]);
        told.retain(|name| records.iter().all(|record| names(record).contains(name)));
        told.retain(|name| name != "message");
        let mut recovered = forged("anything", 0);
        recovered.origin = Some(Arc::new(ORIGIN));
        told.extend(recovered.mark().map(|(name, _)| name.to_owned()));
        told.extend(["logwell.fields", "logwell.spans"].map(str::to_owned));
        told
    }

    /// A record of the application with that field in the event, in its span or in a pair.
    fn forged(name: &str, place: usize) -> Record {
        let name: &'static str = name.to_owned().leak();
        let callsite = |names: Box<[&'static str]>| {
            Callsite::leak(Place {
                level: Level::Info,
                target: "app",
                name: "span",
                module: None,
                file: None,
                line: None,
                fields: names,
                kind: Kind::Plain,
            })
        };
        let mut fields = Fields::new();
        fields.push(Key::Index(0), Value::Str("forged"));
        let record = |names, fields| Record::new(callsite(names), SystemTime::UNIX_EPOCH, fields);
        let mut context = SpanContext::new(Id::Trace(1), Id::Span(1));
        match place {
            0 => return record(Box::new([name]), fields),
            1 => context = SpanContext::of_new_span(callsite(Box::new([name])), fields, None),
            _ => {
                let mut pairs = Fields::new();
                pairs.push(Key::Name(name), Value::Str("forged"));
                context.extras = Some(Arc::new(pairs));
            }
        }
        record(Box::default(), Fields::new()).with_context(Arc::new(context))
    }

    fn line(encoder: &mut dyn Encode, record: &Record) -> String {
        let mut line = Vec::new();
        encoder.encode(record, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_tells_a_record_of_the_framework_is_reserved_and_common_words_are_free() {
        let names = telling_names();
        for name in ["kind", "recovered"] {
            assert!(names.iter().any(|telling| telling == name), "{names:?}");
        }
        for name in names {
            assert!(is_of_framework(&name), "{name}");
        }
        for name in ["version", "first", "total", "config", "signal", "elapsed_ms", "dropped"] {
            assert_eq!(of_application(name), name);
        }
    }

    #[test]
    fn the_framework_itself_writes_its_keys_as_they_are() {
        for schema in [Schema::Native, Schema::Ecs, Schema::Gcp, Schema::Otel] {
            let config = LoggingConfig::builder().schema(schema).build().unwrap();
            let mut encoder = encoder_for(&config, usize::MAX);
            for record in own_records() {
                let line = line(&mut *encoder, &record);
                assert!(!line.contains("field.") && !line.contains("field_"), "{line}");
            }
        }
    }

    #[test]
    fn no_field_of_the_application_is_written_as_one_of_the_framework() {
        for name in &telling_names() {
            for schema in [Schema::Native, Schema::Ecs, Schema::Gcp, Schema::Otel] {
                let mut config = LoggingConfig::builder().schema(schema).build().unwrap();
                config.record.spans = Spans::Flat;
                let mut encoder = encoder_for(&config, usize::MAX);
                for place in 0..3 {
                    let line = line(&mut *encoder, &forged(name, place));
                    let moved = match schema {
                        Schema::Ecs => format!("field_{}", name.replace('.', "_")),
                        _ => format!("field.{name}"),
                    };
                    assert!(line.contains(&format!("\"{moved}\"")), "{schema:?} {place}: {line}");
                    assert!(!line.contains(&format!("\"{name}\"")), "{schema:?} {place}: {line}");
                }
            }
        }
    }

    #[test]
    fn no_field_is_shown_to_people_as_one_of_the_framework() {
        let mut encoder = TextEncoder::new(TextOptions::default());
        let names = telling_names();
        let told = names.iter().filter(|name| !name.starts_with("logwell."));
        for name in told.map(String::as_str).chain(["trace"]) {
            for place in [0, 2] {
                let line = line(&mut encoder, &forged(name, place));
                assert!(line.contains(&format!(" field.{name}=forged")), "{line}");
            }
        }
    }

    #[cfg(feature = "forward")]
    #[test]
    fn no_extra_information_passes_for_that_of_the_framework() {
        use crate::config::TimeZone;
        use crate::encode::schema::SchemaOptions;
        use crate::forward::level::ForwardLevel;
        use crate::forward::logbeacon::encoder::LogBeaconEncoder;
        let mut encoder = LogBeaconEncoder::new(SchemaOptions::default(), TimeZone::Utc);
        let mut extra_info = |record: &Record| {
            let mut out = Vec::new();
            encoder.encode(record, (ForwardLevel::Info, "0"), &mut out);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()["extra_info"].clone()
        };
        for name in &telling_names() {
            let mut object = forged("extra_info", 0);
            object.fields = Fields::new();
            object.fields.push(Key::Index(0), Value::Json(&format!("{{\"{name}\":1}}")));
            for record in (0..3).map(|place| forged(name, place)).chain([object]) {
                let extra_info = extra_info(&record);
                assert_eq!(extra_info.get(name), None, "{extra_info}");
                assert!(extra_info.get(format!("field.{name}")).is_some(), "{extra_info}");
            }
        }
    }

    #[test]
    fn a_recovered_record_says_so_in_every_encoder() {
        let mut record = forged("recovered", 0);
        record.origin = Some(Arc::new(ORIGIN));
        for schema in [Schema::Native, Schema::Ecs, Schema::Gcp, Schema::Otel] {
            let config = LoggingConfig::builder().schema(schema).build().unwrap();
            let line =
                line(&mut *encoder_for(&config, JsonOptions::default().max_line_bytes), &record);
            assert!(line.contains("\"recovered\"") && line.contains("forged"), "{line}");
        }
        let line = line(&mut TextEncoder::new(TextOptions::default()), &record);
        assert!(line.contains("field.recovered=forged recovered=true"), "{line}");
    }
}
