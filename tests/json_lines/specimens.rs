//! Records that show each rule once, and the golden files of their lines.

use super::{moment, place, record, record_at, span};
use logwell::record::{Callsite, Fields, Id, Key, Kind, Level, Place, Record, SpanContext, Value};
use logwell::testing;
use std::path::Path;
use std::sync::Arc;

pub(crate) type Text = Value<'static>;

pub(crate) fn text(text: &'static str) -> Text {
    Value::Str(text)
}

/// Two spans, one in the other, with ids that do not change.
pub(crate) fn two_spans() -> Arc<SpanContext> {
    let outside = SpanContext::new(Id::Trace(0xabc), Id::Span(1));
    let root = span(
        "request",
        &[("path", text("/buy")), ("user", text("ann")), ("span_id", text("root"))],
        Some(&outside),
    );
    let leaf = span("charge", &[("user", text("bob")), ("span_id", text("leaf"))], Some(&root));
    Arc::new(leaf)
}

/// An error with its sources, outermost first.
#[derive(Debug)]
pub(crate) struct Chain(&'static str, Option<Box<Self>>);

impl Chain {
    pub(crate) fn of(texts: &[&'static str]) -> Self {
        let mut texts = texts.iter().rev();
        let root = Self(texts.next().unwrap(), None);
        texts.fold(root, |source, text| Self(text, Some(Box::new(source))))
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Chain {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// The fields of an event that holds that error as `error`, captured as they are in a program.
pub(crate) fn error_fields(error: &Chain) -> Record {
    let logs = testing::capture();
    tracing::error!(error = error as &dyn std::error::Error, "failed");
    logs.records().remove(0)
}

/// Records that show each rule once.
pub(crate) fn specimens() -> Vec<Record> {
    let failed = error_fields(&Chain::of(&["cannot save", "disk full", "quota of user 7"]));
    let error = failed.get("error").unwrap();
    let mut cut = Fields::new();
    cut.push_cut(Key::Index(0), text("a message of some length"), 9);
    cut.push_cut(Key::Index(1), Value::Bytes(&[1, 2, 3, 4]), 3);
    let cut_at = Callsite::leak(Place { fields: Box::new(["message", "body"]), ..place() });
    let log = Place { target: "log", kind: Kind::LogCrate, ..place() };
    let bare = Place { module: None, file: None, line: None, ..place() };
    vec![
        record(&[("message", text("API request handled")), ("latency_ms", Value::U64(234))]),
        record_at(bare, &[]),
        record_at(Place { level: Level::Warn, ..place() }, &[("message", text("slow"))]),
        record_at(Place { level: Level::Critical, ..place() }, &[("message", text("gone"))]),
        record(&[
            ("u", Value::U64(u64::MAX)),
            ("i", Value::I64(-7)),
            ("f", Value::F64(0.1)),
            ("whole", Value::F64(3.0)),
            ("nan", Value::F64(f64::NAN)),
            ("inf", Value::F64(f64::INFINITY)),
            ("yes", Value::Bool(true)),
            ("wide", Value::U128(u128::MAX)),
            ("body", Value::Bytes(b"\0\xff")),
        ]),
        record(&[("message", text("\u{1b}[31mred\n\u{202e}evil\u{2028}\u{9b}\u{7f}\"\\"))]),
        record(&[("level", text("forged")), ("a", Value::U64(1)), ("a", Value::U64(2))]),
        record(&[("message", text("failed")), ("error", error)]),
        record(&[("message", text("in spans")), ("user", text("eve"))]).with_context(two_spans()),
        record(&[("function", text("buy")), ("trace_id", text("mine"))]),
        Record::new(cut_at, moment(), cut).with_thread("7").with_seq(12),
        record_at(
            log,
            &[
                ("message", text("pooled")),
                ("log.target", text("hyper")),
                ("log.line", Value::U64(7)),
            ],
        ),
    ]
}

/// Compares with `tests/golden/<name>.jsonl`, or writes it if `UPDATE_GOLDEN` is set.
pub(crate) fn compare_golden(name: &str, lines: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.jsonl"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(&path, lines).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (number, (line, golden)) in lines.lines().zip(golden.lines()).enumerate() {
        assert_eq!(
            line,
            golden,
            "{}:{}; a wanted change? UPDATE_GOLDEN=1",
            path.display(),
            number + 1
        );
    }
    assert_eq!(lines.len(), golden.len(), "{}: more or fewer lines", path.display());
}
