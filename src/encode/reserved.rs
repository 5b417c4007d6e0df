//! Reserved: the keys that the framework writes itself, in one list.
//!
//! Knows names only. A field of the application that has one of these names moves to
//! `field.<name>`, whatever writes it: the event, a span, a logging context, a pair of the `log`
//! crate. Keys of one preset are in the preset's file.

use crate::callsite::marker;
use std::borrow::Cow;

/// Keys of every native record.
const RECORD: [&str; 15] = [
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

/// Keys of the framework's own records (`own.rs`), and its marks on records of the application.
/// `backtrace` is missing: applications are asked to write it.
const FRAMEWORK: [&str; 25] = [
    "boot_id",
    "captured",
    "config",
    "damaged",
    "diverted",
    "dropped",
    "elapsed_ms",
    "failed_ms",
    "filtered",
    "first",
    "first_seq",
    "kind",
    "last",
    "last_seq",
    "location",
    "lost",
    "of_process",
    "problem",
    "received",
    "recovered",
    "schema",
    "signal",
    "sink",
    "total",
    "version",
];

/// Beginnings and ends of keys that the framework makes: `dropped.INFO.full`, `unsent.logbeacon`,
/// `app.written`, `logwell.fields`.
const BEGINNINGS: [&str; 3] = ["dropped.", "logwell.", "unsent."];
const ENDS: [&str; 3] = [".dropped", ".routed", ".written"];

/// Whether the framework writes a key of that name, whatever the encoder.
pub(crate) fn is_of_framework(name: &str) -> bool {
    FRAMEWORK.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether it is a key of every native record.
pub(crate) fn is_of_record(name: &str) -> bool {
    RECORD.contains(&name)
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
    use crate::black_box::{Left, Origin};
    use crate::callsite::{Callsite, Kind, Place};
    use crate::config::{LoggingConfig, Schema, Spans};
    use crate::encode::encoder_for;
    use crate::encode::text::{TextEncoder, TextOptions};
    use crate::encode::{Encode, json::JsonOptions};
    use crate::fields::{Fields, Key, Value};
    use crate::level::Level;
    use crate::own::{self, Filtered, FoundInBox, Own, Panic, Receipt, Recovered};
    use crate::record::Record;
    use crate::span::{Id, SpanContext};
    use crate::stats::{Dropped, Reason, SinkStats};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    const ORIGIN: Origin = Origin { process: 7, boot: 1 };

    /// One of each record that the framework makes, with all that it can say.
    fn own_records() -> Vec<Record> {
        let own = Own::new(1, "config".to_owned(), Some("diverted".to_owned()));
        let mut dropped = Dropped::default();
        dropped.set(Level::Info, Reason::Full, 3);
        let sinks = vec![SinkStats { name: "app".to_owned(), ..SinkStats::default() }];
        let mut filtered = Filtered::default();
        filtered.count(1);
        let seconds = Duration::from_secs(1);
        let left = Left {
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
            own.recovered(&Recovered {
                sink: "app".to_owned(),
                problem: "full".to_owned(),
                failed_for: seconds,
                dropped: 1,
            }),
            own.found(&FoundInBox {
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
            own::panicked(Panic {
                message: "on purpose",
                location: Some("src/main.rs:1".to_owned()),
                backtrace: Some("0: main".to_owned()),
                context: None,
                max_text_bytes: 100,
            }),
            own::signalled("SIGTERM"),
            own::untold(&left, ORIGIN).unwrap(),
        ]
    }

    /// Every key that the framework gives a field of its own.
    fn own_names() -> Vec<String> {
        let mut names = vec!["logwell.fields".to_owned(), "logwell.spans".to_owned()];
        for record in own_records() {
            let mark = record.mark().map(|(name, _)| name.to_owned());
            names.extend(record.fields().map(|(name, _)| name.to_owned()).chain(mark));
        }
        names.sort();
        names.dedup();
        names.retain(|name| name != "message");
        names
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
    fn every_key_that_the_framework_writes_is_reserved() {
        let names = own_names();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            let is_reserved = is_of_framework(&name) || is_of_record(&name);
            assert!(is_reserved || name == "backtrace", "{name}");
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
        for name in own_names().iter().filter(|name| *name != "backtrace") {
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
        let names = own_names();
        let told =
            names.iter().filter(|name| *name != "backtrace" && !name.starts_with("logwell."));
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
        use crate::encode::preset::{PresetOptions, logbeacon::LogBeaconEncoder};
        use crate::forward_level::ForwardLevel;
        let mut encoder = LogBeaconEncoder::new(PresetOptions::default(), TimeZone::Utc);
        let mut extra_info = |record: &Record| {
            let mut out = Vec::new();
            encoder.encode(record, (ForwardLevel::Info, "0"), &mut out);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()["extra_info"].clone()
        };
        for name in own_names().iter().filter(|name| *name != "backtrace") {
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
