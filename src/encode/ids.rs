//! Ids: the trace id and the span id of a record. Both are the event's own or both are those of
//! the context around it, so that no record names a span of another trace.
//!
//! Knows records. Does not know keys of any encoder, nor which ids W3C allows.

use crate::record::Record;
use crate::record::fields::{Entry, Value};
use crate::record::span::Id;
use std::borrow::Cow;

/// The ids of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) trace: Option<Given<'a>>,
    pub(crate) span: Option<Given<'a>>,
    /// Whether the event has a `span_id` that is not the record's: it is a field like any other.
    pub(crate) leaves_span_aside: bool,
}

/// An id, and who gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    /// A field of the event, a text that is not empty.
    Own { text: &'a str, original_bytes: Option<u64> },
    /// The context around it.
    Inherited(&'a Id),
}

impl<'a> Ids<'a> {
    /// An event with a `trace_id` of another trace has left the context around it: its `span_id` is
    /// its own too, or it has none. Without a `trace_id` the context's pair counts.
    pub(crate) fn of(record: &'a Record) -> Self {
        let own = |name| {
            let named = record.fields().filter(|(field, _)| *field == name);
            named.filter_map(|(_, entry)| Given::own(&entry)).last()
        };
        let (trace, span) = (own("trace_id"), own("span_id"));
        let Some(context) = record.context() else {
            return Self { trace, span, leaves_span_aside: false };
        };
        let inherited = Given::Inherited(context.span_id());
        match trace {
            None => Self {
                trace: Some(Given::Inherited(context.trace_id())),
                span: Some(inherited),
                leaves_span_aside: span.is_some(),
            },
            Some(trace) => {
                let is_the_same = trace.text() == context.trace_id().to_string();
                let around = is_the_same.then_some(inherited);
                Self { trace: Some(trace), span: span.or(around), leaves_span_aside: false }
            }
        }
    }

    /// Whether this field of the event is one of these ids, and so no field.
    pub(crate) fn has(&self, name: &str, entry: &Entry<'_>) -> bool {
        let is_place = name == "trace_id" || name == "span_id" && !self.leaves_span_aside;
        is_place && Given::own(entry).is_some()
    }
}

impl<'a> Given<'a> {
    /// The id that a field gives: a number or an empty text is none.
    fn own(entry: &Entry<'a>) -> Option<Self> {
        match entry.value {
            Value::Str(text) if !text.is_empty() => {
                Some(Self::Own { text, original_bytes: entry.original_bytes })
            }
            _ => None,
        }
    }

    /// The id as text.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Own { text, .. } => Cow::Borrowed(text),
            Self::Inherited(id) => Cow::Owned(id.to_string()),
        }
    }

    /// How long it was, if it was cut on capture.
    pub(crate) fn original_bytes(&self) -> Option<u64> {
        match self {
            Self::Own { original_bytes, .. } => *original_bytes,
            Self::Inherited(_) => None,
        }
    }
}

/// The event's field of that name; of several the last.
pub(crate) fn last_entry<'a>(record: &'a Record, name: &str) -> Option<Entry<'a>> {
    record.fields().filter(|(field, _)| *field == name).map(|(_, entry)| entry).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LoggingConfig, Schema};
    use crate::encode::{Encode as _, encoder_for};
    use crate::record::callsite::{Callsite, Kind, Place};
    use crate::record::fields::{Fields, Key};
    use crate::record::level::Level;
    use crate::record::span::SpanContext;
    use std::sync::Arc;
    use std::time::SystemTime;

    const TRACE: &str = "0000000000000000000000000000000a";
    const SPAN: &str = "000000000000000b";

    fn record(trace: Option<&str>, span: Option<&str>, has_context: bool) -> Record {
        let callsite = Callsite::leak(Place {
            level: Level::Info,
            target: "app",
            name: "event",
            module: None,
            file: None,
            line: None,
            fields: Box::default(),
            kind: Kind::Plain,
        });
        let mut fields = Fields::new();
        for (name, id) in [("trace_id", trace), ("span_id", span)] {
            if let Some(id) = id {
                fields.push(Key::Name(name), Value::Str(id));
            }
        }
        let record = Record::new(callsite, SystemTime::UNIX_EPOCH, fields);
        let context = SpanContext::new(Id::Trace(10), Id::Span(11));
        if has_context { record.with_context(Arc::new(context)) } else { record }
    }

    fn check(given: (Option<&str>, Option<&str>), has_context: bool, expected: [&str; 2]) {
        let record = record(given.0, given.1, has_context);
        let ids = Ids::of(&record);
        let found = [ids.trace, ids.span].map(|id| id.map_or("".into(), |id| id.text()));
        assert_eq!(found, expected, "{given:?} in a context: {has_context}");
        let is_aside = has_context && given.0.is_none() && given.1.is_some();
        assert_eq!(ids.leaves_span_aside, is_aside, "{given:?}");
    }

    #[test]
    fn the_ids_of_a_record_are_of_one_trace() {
        for (trace, span) in
            [(None, None), (Some("t"), None), (None, Some("s")), (Some("t"), Some("s"))]
        {
            check((trace, span), false, [trace.unwrap_or(""), span.unwrap_or("")]);
        }
        check((None, None), true, [TRACE, SPAN]);
        check((None, Some("s")), true, [TRACE, SPAN]);
        check((Some("t"), None), true, ["t", ""]);
        check((Some("t"), Some("s")), true, ["t", "s"]);
        check((Some(TRACE), None), true, [TRACE, SPAN]);
        check((Some(TRACE), Some("s")), true, [TRACE, "s"]);
    }

    fn lines(record: &Record) -> Vec<String> {
        let of_schema = |schema| {
            let config = LoggingConfig::builder().schema(schema).build().unwrap();
            let mut line = Vec::new();
            encoder_for(&config, usize::MAX).encode(record, &mut line);
            String::from_utf8(line).unwrap()
        };
        #[cfg_attr(not(feature = "forward"), expect(unused_mut, reason = "a part is missing"))]
        let mut all =
            [Schema::Native, Schema::Ecs, Schema::Gcp, Schema::Otel].map(of_schema).to_vec();
        #[cfg(feature = "forward")]
        {
            use crate::encode::schema::SchemaOptions;
            use crate::forward::logbeacon::encoder::LogBeaconEncoder;
            let zone = crate::config::TimeZone::Utc;
            let mut encoder = LogBeaconEncoder::new(SchemaOptions::default(), zone);
            let mut line = Vec::new();
            encoder.encode(record, (crate::forward::level::ForwardLevel::Info, "0"), &mut line);
            all.push(String::from_utf8(line).unwrap());
        }
        all
    }

    #[test]
    fn no_encoder_writes_a_span_id_beside_the_trace_id_of_another_trace() {
        let other = "0000000000000000000000000000000c";
        for line in lines(&record(Some(other), None, true)) {
            assert!(line.contains(other), "{line}");
            assert!(!line.contains(SPAN) && !line.contains(TRACE), "{line}");
        }
        for line in lines(&record(None, Some("mine"), true)) {
            assert!(line.contains(SPAN) && line.contains(TRACE) && line.contains("mine"), "{line}");
            // Labels of ECS have names of their own.
            let ids = line.replace(r#""labels":{"span_id":"mine"}"#, "");
            assert!(!ids.contains(r#""span_id":"mine""#), "{line}");
            assert!(!ids.contains(r#""span.id":"mine""#), "{line}");
        }
    }

    #[test]
    fn in_no_encoder_a_value_that_is_no_id_replaces_those_around() {
        for value in [Value::Str(""), Value::U64(42), Value::Bool(true)] {
            let mut record = record(None, None, true);
            record.fields.push(Key::Name("trace_id"), value);
            record.fields.push(Key::Name("span_id"), value);
            for line in lines(&record) {
                assert!(line.contains(SPAN) && line.contains(TRACE), "{line}");
                assert!(line.matches("trace_id").count() > 0, "the value is not lost: {line}");
            }
        }
    }

    #[test]
    fn the_line_for_people_names_the_trace_that_is_the_records() {
        use crate::encode::text::{TextEncoder, TextOptions};
        let text = |record: &Record| {
            let mut line = Vec::new();
            TextEncoder::new(TextOptions::default()).encode(record, &mut line);
            String::from_utf8(line).unwrap()
        };
        let line = text(&record(Some("mine"), None, true));
        assert!(line.ends_with("  trace=mine\n") && !line.contains(TRACE), "{line}");
        let line = text(&record(None, Some("mine"), true));
        assert!(line.contains("  field.span_id=mine  trace=0000"), "{line}");
    }
}
