//! Log code: the call of systems whose levels have codes: `log(9, "process_order", …)`.
//!
//! Makes its own events, since level and marker of a tracing macro are constants of the source.
//! Knows no queue and no sink.

use crate::forward::level::EXTRA_INFO;
use crate::forward::level::{ForwardLevel, UnknownLevel};
use crate::record::callsite::marker;
use tracing::callsite::Identifier;
use tracing::dispatcher::get_default;
use tracing::field::{Field, FieldSet, Value, display};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata};

/// Logs with the level code, function name, message and extra information of the LogBeacon system:
/// for code that migrates. Returns at once.
///
/// | code | name | in files | forwarded by default to |
/// |---|---|---|---|
/// | 0 | Debug | DEBUG | nobody |
/// | 1 | Info | INFO | LogBeacon |
/// | 9 | Error | ERROR | LogBeacon, developers |
/// | 11 | Info_CTG | INFO | LogBeacon, customer |
/// | 91 | Error_CTG | ERROR | LogBeacon, developers, customer |
/// | 99 | Monitor | INFO | nobody |
///
/// The record's logger is `logwell::log`; `def_name` is its `function`. `extra_info` is any value:
/// it is written as it is under that key, and in LogBeacon's messages its members are those of
/// `extra_info`.
///
/// # Errors
///
/// There is no level of that code: nothing was logged. The text lists those there are.
///
/// ```
/// use serde_json::json;
///
/// logwell::log(9, "process_order", "order failed", json!({ "order_id": 123 }))?;
/// let error = logwell::log(10, "process_order", "order failed", ()).unwrap_err();
/// assert!(error.to_string().starts_with("there is no level 10; use 0 (Debug)"));
/// # Ok::<(), logwell::UnknownLevel>(())
/// ```
pub fn log(
    level_code: u8,
    def_name: &str,
    message: &str,
    extra_info: impl Into<serde_json::Value>,
) -> Result<(), UnknownLevel> {
    let callsite: &'static Callsite = match ForwardLevel::from_code(level_code)? {
        ForwardLevel::Debug => &DEBUG,
        ForwardLevel::Info => &INFO,
        ForwardLevel::Error => &ERROR,
        ForwardLevel::InfoCtg => &INFO_CTG,
        ForwardLevel::ErrorCtg => &ERROR_CTG,
        ForwardLevel::Monitor => &MONITOR,
    };
    let extra_info = extra_info.into();
    get_default(|dispatch| {
        let metadata = callsite.metadata;
        if *metadata.level() > tracing::level_filters::LevelFilter::current()
            || !dispatch.enabled(metadata)
        {
            return;
        }
        // Its text is made only for a record that somebody takes.
        let extra_info = (!extra_info.is_null()).then(|| display(&extra_info));
        let extra_info = extra_info.as_ref().map(|value| value as &dyn Value);
        let values: [Option<&dyn Value>; 4] =
            [Some(&message), Some(&def_name), extra_info, Some(&true)];
        let fields = metadata.fields();
        let values = values.get(..fields.len()).unwrap_or_default();
        dispatch.event(&Event::new(metadata, &fields.value_set_all(values)));
    });
    Ok(())
}

/// Whether the field holds JSON: the extra information of [`log()`].
pub(crate) fn is_json(field: &Field) -> bool {
    let ours = [&DEBUG, &INFO, &ERROR, &INFO_CTG, &ERROR_CTG, &MONITOR];
    let is_ours = |of: &&Callsite| field.callsite() == of.metadata.callsite();
    field.name() == EXTRA_INFO && ours.iter().any(is_ours)
}

struct Callsite {
    metadata: &'static Metadata<'static>,
}

impl tracing::Callsite for Callsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata
    }
}

macro_rules! callsites {
    ($($name:ident = $level:ident $(, $marker:expr)?;)+) => { $(
        static $name: Callsite = Callsite {
            metadata: {
                static METADATA: Metadata<'static> = Metadata::new(
                    "log by code",
                    "logwell::log",
                    Level::$level,
                    None,
                    None,
                    None,
                    FieldSet::new(
                        &["message", "function", EXTRA_INFO $(, $marker)?],
                        Identifier(&$name),
                    ),
                    Kind::EVENT,
                );
                &METADATA
            },
        };
    )+ };
}

callsites! {
    DEBUG = DEBUG;
    INFO = INFO;
    ERROR = ERROR;
    INFO_CTG = INFO, marker::INFO_CTG;
    ERROR_CTG = ERROR, marker::ERROR_CTG;
    MONITOR = INFO, marker::MONITOR;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_code_is_a_record_of_its_level_with_function_and_extra_information() {
        let logs = crate::testing::capture();
        for level in ForwardLevel::ALL {
            log(level.code(), "process_order", "order failed", json!({"id": [1, 2.5, null]}))
                .unwrap();
        }
        log(1, "ping", "no extra", ()).unwrap();
        assert!(log(2, "never", "never", ()).is_err());
        let records = logs.records();
        assert_eq!(records.len(), 7);
        for (record, level) in records.iter().zip(ForwardLevel::ALL) {
            assert_eq!(record.level(), level.level());
            assert_eq!(record.function(), Some("process_order"));
            assert_eq!(record.message(), "order failed");
            let extra = record.get(EXTRA_INFO);
            assert_eq!(extra, Some(crate::record::Value::Json(r#"{"id":[1,2.5,null]}"#)));
            let is_plain = level.code() < 11;
            assert_eq!(
                ForwardLevel::marked(record.callsite().fields()),
                (!is_plain).then_some(level)
            );
        }
        assert_eq!(records[6].get(EXTRA_INFO), None);
    }

    #[test]
    fn a_field_of_the_same_name_elsewhere_is_a_text() {
        let logs = crate::testing::capture();
        tracing::info!(extra_info = %r#"{"a":1}"#, "x");
        let value = crate::record::Value::Str(r#"{"a":1}"#);
        assert_eq!(logs.records()[0].get(EXTRA_INFO), Some(value));
    }

    #[test]
    fn in_files_the_extra_information_is_json_on_one_line() {
        let logs = crate::testing::capture();
        log(9, "f", "m", json!({"a\u{202e}\n": "\u{9b}\u{7f}\"\\", "deep": {"x": [true]}}))
            .unwrap();
        let mut line = Vec::new();
        let options = crate::encode::json::JsonOptions::default();
        let mut encoder = crate::encode::json::JsonEncoder::new(options);
        crate::encode::Encode::encode(&mut encoder, &logs.records()[0], &mut line);
        let text = String::from_utf8(line).unwrap();
        assert!(!text.trim_end().contains(crate::encode::escape::must_escape), "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = json!({"a\u{202e}\n": "\u{9b}\u{7f}\"\\", "deep": {"x": [true]}});
        assert_eq!(line["extra_info"], expected);
    }

    #[test]
    fn extra_information_that_is_too_long_is_cut_and_the_record_says_so() {
        let logs = crate::testing::capture();
        log(9, "f", "m", json!({ "long": "x".repeat(100_000) })).unwrap();
        let mut line = Vec::new();
        let options = crate::encode::json::JsonOptions::default();
        let mut encoder = crate::encode::json::JsonEncoder::new(options);
        crate::encode::Encode::encode(&mut encoder, &logs.records()[0], &mut line);
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert!(line["extra_info"].as_str().unwrap().ends_with("xx…"));
        // Its text comes in parts and is stopped: nobody knows how long it would have been.
        assert!(line["truncated"]["extra_info"].is_null(), "{}", line["truncated"]);
        assert!(line["truncated"].as_object().unwrap().contains_key("extra_info"));
    }
}
