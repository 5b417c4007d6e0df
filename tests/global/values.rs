//! Each kind of value that tracing's macros take arrives in the record as what it is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use crate::support;

use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use std::num::{NonZeroI64, NonZeroU8, Wrapping};
use support::{logged, messages, one};
use tracing::field::Empty;
use tracing::{Level, debug, error, event, info, trace, warn};

#[test]
fn integers_are_numbers_as_far_as_json_has_them() {
    let record = one(logged(|| {
        info!(
            a = i8::MIN,
            b = i16::MIN,
            c = i32::MIN,
            d = i64::MIN,
            e = isize::MIN,
            f = u8::MAX,
            g = u16::MAX,
            h = u32::MAX,
            i = u64::MAX,
            j = usize::MAX,
            k = 7_i128,
            l = 7_u128,
        );
    }));
    assert_eq!(record["a"], -128);
    assert_eq!(record["b"], -32_768);
    assert_eq!(record["c"], i32::MIN);
    assert_eq!(record["d"], i64::MIN);
    assert_eq!(record["e"], isize::MIN);
    assert_eq!(record["f"], 255);
    assert_eq!(record["g"], 65_535);
    assert_eq!(record["h"], u32::MAX);
    assert_eq!(record["i"], u64::MAX);
    assert_eq!(record["j"], usize::MAX);
    assert_eq!((&record["k"], &record["l"]), (&json!(7), &json!(7)));
}

#[test]
fn integers_beyond_64_bits_are_texts_and_lose_no_digit() {
    let record = one(logged(|| {
        info!(low = i128::MIN, high = u128::MAX, edge = u128::from(u64::MAX), over = 1_u128 << 64);
    }));
    assert_eq!(record["low"], i128::MIN.to_string());
    assert_eq!(record["high"], u128::MAX.to_string());
    assert_eq!(record["edge"], u64::MAX);
    assert_eq!(record["over"], "18446744073709551616");
}

#[test]
fn floats_are_numbers_and_what_json_cannot_say_is_a_text() {
    let record = one(logged(|| {
        info!(
            single = 0.5_f32,
            double = 0.1_f64,
            tiny = f64::MIN_POSITIVE,
            huge = f64::MAX,
            zero = -0.0,
            nan = f64::NAN,
            up = f64::INFINITY,
            down = f32::NEG_INFINITY,
        );
    }));
    assert_eq!((&record["single"], &record["double"]), (&json!(0.5), &json!(0.1)));
    assert_eq!(record["tiny"].as_f64(), Some(f64::MIN_POSITIVE));
    assert_eq!(record["huge"].as_f64(), Some(f64::MAX));
    assert!(record["zero"].as_f64().unwrap().is_sign_negative());
    assert_eq!(record["nan"], "NaN");
    assert_eq!((&record["up"], &record["down"]), (&json!("Infinity"), &json!("-Infinity")));
}

#[test]
fn texts_and_truth_values_are_what_they_are() {
    let owned = String::from("owned");
    let record = one(logged(|| {
        info!(
            yes = true,
            no = false,
            borrowed = "line\n\"two\" \u{1b}[31m ü 🦀",
            owned,
            by_reference = &owned,
            boxed_text = Box::<str>::from("boxed"),
            empty = "",
        );
    }));
    assert_eq!((&record["yes"], &record["no"]), (&json!(true), &json!(false)));
    assert_eq!(record["borrowed"], "line\n\"two\" \u{1b}[31m ü 🦀");
    assert_eq!((&record["owned"], &record["by_reference"]), (&json!("owned"), &json!("owned")));
    assert_eq!((&record["boxed_text"], &record["empty"]), (&json!("boxed"), &json!("")));
}

#[test]
fn wrappers_show_the_value_inside() {
    let record = one(logged(|| {
        info!(
            boxed = Box::new(5_i64),
            wrapping = Wrapping(250_u8),
            nonzero = NonZeroU8::new(3).unwrap(),
            negative = NonZeroI64::new(-3).unwrap(),
            some = Some(1_u64),
            reference = &&7_u32,
        );
    }));
    assert_eq!((&record["boxed"], &record["wrapping"]), (&json!(5), &json!(250)));
    assert_eq!((&record["nonzero"], &record["negative"]), (&json!(3), &json!(-3)));
    assert_eq!((&record["some"], &record["reference"]), (&json!(1), &json!(7)));
}

#[test]
fn what_has_no_value_has_no_key() {
    let record = one(logged(|| {
        info!(none = None::<u64>, nothing = Empty, none_text = None::<&str>, here = 1);
    }));
    let keys: Vec<_> = ["none", "nothing", "none_text"].map(|key| record.get(key)).into();
    assert_eq!(keys, [None, None, None]);
    assert_eq!(record["here"], 1);
}

#[test]
fn bytes_are_base64_under_a_key_that_says_so() {
    let record = one(logged(|| info!(raw = &[0_u8, 255, 16][..], "bytes")));
    assert_eq!(record["raw_b64"], "AP8Q");
    assert_eq!(record.get("raw"), None);
}

#[derive(Debug)]
struct Layered(&'static str, Option<Box<Self>>);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Layered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[test]
fn an_error_is_its_text_and_its_chain_of_sources() {
    let root = Layered("root", None);
    let outer = Layered("outer", Some(Box::new(Layered("middle", Some(Box::new(root))))));
    let lonely = Layered("lonely", None);
    let record = one(logged(|| {
        let boxed: Box<dyn Error + Send + Sync> = "from a text".into();
        error!(
            error = &outer as &(dyn Error + 'static),
            lonely = &lonely as &(dyn Error + 'static),
            boxed = &*boxed as &(dyn Error + Send + Sync + 'static),
            "failed"
        );
    }));
    assert_eq!(record["error"], "outer");
    assert_eq!(record["error_chain"], json!(["middle", "root"]));
    assert_eq!((&record["lonely"], &record["boxed"]), (&json!("lonely"), &json!("from a text")));
    assert_eq!(record.get("lonely_chain"), None);
}

#[test]
fn debug_and_display_are_the_text_they_print() {
    #[derive(Debug)]
    struct Point {
        #[expect(dead_code, reason = "printed")]
        x: u8,
    }
    let point = Point { x: 1 };
    let shown = 2.5;
    let record = one(logged(|| {
        info!(?point, %shown, debug = ?[1, 2], display = %"text", by_hand = debug("q"), too = display('c'));
    }));
    assert_eq!((&record["point"], &record["shown"]), (&json!("Point { x: 1 }"), &json!("2.5")));
    assert_eq!((&record["debug"], &record["display"]), (&json!("[1, 2]"), &json!("text")));
    assert_eq!((&record["by_hand"], &record["too"]), (&json!("\"q\""), &json!("c")));
}

#[test]
fn the_message_may_be_a_literal_formatted_a_value_or_absent() {
    let records = logged(|| {
        let what = "inline";
        info!("literal");
        info!("{} and {what}", "positional");
        info!(field = 1, "after fields");
        info!(message = "as a field");
        info!(message = 5);
        info!(message = ?Some(1));
        info!(message = %"shown");
        info!(message = true, "both");
        info!(only = "a field");
        info!({ braced = 1 }, "old style");
        info!("{{not a field}}");
    });
    let expected = [
        "literal",
        "positional and inline",
        "after fields",
        "as a field",
        "5",
        "Some(1)",
        "shown",
        "true", // of two fields of one name the last wins; tracing puts the literal first
        "",
        "old style",
        "{not a field}",
    ];
    assert_eq!(messages(&records), expected);
    assert_eq!(records[8]["only"], "a field");
    assert_eq!(records[9]["braced"], 1);
}

#[test]
fn names_may_be_raw_dotted_or_literals() {
    const CONST_NAME: &str = "from.a.const";
    let record = one(logged(|| {
        info!(
            r#type = "raw",
            http.request.method = "GET",
            "string literal with spaces" = 1,
            "guid:x-request-id" = "abc",
            { CONST_NAME } = 2,
        );
    }));
    assert_eq!((&record["type"], &record["http.request.method"]), (&json!("raw"), &json!("GET")));
    assert_eq!(record["string literal with spaces"], 1);
    assert_eq!(record["guid:x-request-id"], "abc");
    assert_eq!(record["from.a.const"], 2);
}

#[test]
fn a_name_that_is_given_twice_appears_once_with_the_last_value() {
    let record = one(logged(|| info!(twice = 1, other = 2, twice = 3)));
    assert_eq!((&record["twice"], &record["other"]), (&json!(3), &json!(2)));
}

#[test]
fn forty_fields_all_arrive() {
    let record = one(logged(|| {
        info!(
            f0 = 0,
            f1 = 1,
            f2 = 2,
            f3 = 3,
            f4 = 4,
            f5 = 5,
            f6 = 6,
            f7 = 7,
            f8 = 8,
            f9 = 9,
            f10 = 10,
            f11 = 11,
            f12 = 12,
            f13 = 13,
            f14 = 14,
            f15 = 15,
            f16 = 16,
            f17 = 17,
            f18 = 18,
            f19 = 19,
            f20 = 20,
            f21 = 21,
            f22 = 22,
            f23 = 23,
            f24 = 24,
            f25 = 25,
            f26 = 26,
            f27 = 27,
            f28 = 28,
            f29 = 29,
            f30 = 30,
            f31 = 31,
            f32 = 32,
            f33 = 33,
            f34 = 34,
            f35 = 35,
            f36 = 36,
            f37 = 37,
            f38 = 38,
            f39 = 39
        );
    }));
    for at in 0..40 {
        assert_eq!(record[format!("f{at}")], at);
    }
}

#[test]
fn every_level_has_its_name_and_place() {
    let records = logged(|| {
        trace!("t");
        debug!("d");
        info!("i");
        warn!("w");
        error!("e");
        logwell::critical!("c");
        event!(target: "elsewhere", Level::INFO, "own target");
        event!(name: "own name", Level::INFO, "named");
    });
    let levels: Vec<&Value> = records.iter().take(6).map(|record| &record["level"]).collect();
    assert_eq!(levels, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
    assert_eq!(records[6]["logger"], "elsewhere");
    assert_eq!(records[7]["message"], "named");
    for record in &records {
        assert_eq!(record["module"], "global::values");
        assert!(record["file"].as_str().unwrap().ends_with("values.rs"));
        assert!(record["line"].as_u64().unwrap() > 200);
    }
}

#[test]
fn reserved_keys_keep_their_meaning_when_fields_have_their_names() {
    let record = one(logged(|| {
        info!(level = "mine", timestamp = 1, seq = "x", logger = 2, spans = "none", "kept");
    }));
    assert_eq!((&record["level"], &record["field.level"]), (&json!("INFO"), &json!("mine")));
    assert!(record["seq"].is_u64());
    assert_eq!(record["field.timestamp"], 1);
    assert_eq!((&record["field.logger"], &record["field.spans"]), (&json!(2), &json!("none")));
}

#[test]
fn a_backtrace_is_written_where_one_was_captured_and_left_out_elsewhere() {
    use std::backtrace::Backtrace;
    let records = logged(|| {
        let (none, some) = (Backtrace::disabled(), Backtrace::force_capture());
        info!(backtrace = %none, code = 1, "without");
        info!(backtrace = ?none, code = 1, "without");
        info!(backtrace = %some, code = 1, "with");
        info!(other = %none, code = 1, "only the field backtrace is meant");
    });
    for record in &records {
        assert_eq!(record["code"], 1);
    }
    assert_eq!((records[0].get("backtrace"), records[1].get("backtrace")), (None, None));
    let frames = records[2]["backtrace"].as_str().unwrap();
    assert!(frames.contains("a_backtrace_is_written_where_one_was_captured"), "{frames}");
    assert_eq!(records[3]["other"], "disabled backtrace");
}
