//! What tests draw: records with every kind of value.

pub(crate) mod world;

use crate::record::Record;
use logwell_query::{Level, Value};
use proptest::prelude::*;

/// A value as a field may have it in a tidy record.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3_i64..300).prop_map(Value::Int),
        (i64::MAX as u64 + 1..).prop_map(Value::UInt),
        any::<i32>().prop_map(|thousandths| Value::Float(f64::from(thousandths) / 1000.0)),
        text().prop_map(Value::Text),
        prop::collection::vec(0..10, 0..3)
            .prop_map(|list| Value::Json(format!("{list:?}").replace(' ', ""))),
    ]
}

/// A text of words, numbers, ideographs and odd characters.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("payment"),
        Just("Failed"),
        Just("refused"),
        Just("user7"),
        Just("10.40.3.7:80"),
        Just("支付失败"),
        Just("ÉTÉ"),
        Just("\u{1}"),
        Just("a-b_c"),
        Just("\""),
        Just("\n"),
        Just(""),
    ];
    prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "))
}

/// A tidy record of one of five days, with few different values so that they repeat.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let id = prop_oneof![
        Just(None),
        Just(Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned())),
        Just(Some("00f067aa0ba902b7".to_owned())),
        Just(Some("not hex".to_owned())),
    ];
    let name = prop_oneof![Just("status"), Just("latency_ms"), Just("http.path"), Just("user")];
    let fields = prop::collection::btree_map(name.prop_map(str::to_owned), value(), 0..4);
    let time_ns =
        (0_i64..5, 0_i64..86_400_000).prop_map(|(day, ms)| (day * 86_400_000 + ms) * 1_000_000);
    let members = (time_ns, any::<i32>(), any::<u128>(), 0_usize..6, "[ab]?");
    let names = ("(gateway|checkout)?", "(node1|node2)?", "(shop)?", text(), id.clone(), id);
    (members, names, fields).prop_map(|(members, names, fields)| {
        let (time_ns, arrived, hash, rank, stream) = members;
        let (service, host, logger, message, trace_id, span_id) = names;
        let mut record = Record {
            time_ns,
            arrived_ns: i64::from(arrived),
            hash,
            stream,
            level: Level::ALL[rank],
            service,
            host,
            logger,
            message,
            trace_id,
            span_id,
            fields: fields.into_iter().collect(),
        };
        record.tidy();
        record
    })
}
