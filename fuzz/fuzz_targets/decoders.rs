//! Any body is read or refused by every decoder of the log server, packed or not, and what is read
//! becomes a record within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logbeacon::body::{Encoding, unpack};
use logbeacon::decode::cut::cut;
use logbeacon::decode::draft::{Item, Unreadable};
use logbeacon::decode::frames::Frames;
use logbeacon::decode::json::Shape;
use logbeacon::decode::limits::Limits;
use logbeacon::decode::{bulk, gelf, json, loki, otlp, syslog};
use logbeacon::logql::LogQl;

const LIMITS: Limits = Limits {
    record_bytes: 2000,
    fields: 20,
    name_bytes: 16,
    depth: 3,
    records: 50,
    refused_bytes: 100,
};

fn of_bulk(body: &[u8]) -> Result<Vec<Item>, Unreadable> {
    Ok(bulk::decode(body, "web", &LIMITS)?.into_iter().map(|(_, item)| item).collect())
}

fn of_syslog(body: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let (mut frames, mut items) = (Frames::new(LIMITS.record_bytes), Vec::new());
    let mut take = |message: Vec<u8>| items.push(Ok(syslog::decode(&message, 0, &LIMITS)));
    frames.push(body, &mut take);
    frames.end(&mut take);
    Ok(items)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (which, body) = input;
    let encodings =
        [Encoding::Identity, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd, Encoding::Snappy];
    let encoding = encodings[usize::from(which) % encodings.len()];
    let Ok(body) = unpack(body, encoding, 1 << 16) else { return };
    let _any = std::str::from_utf8(&body).map(LogQl::parse);
    for items in [
        json::decode(&body, Shape::Beacon, &LIMITS),
        json::decode(&body, Shape::Any, &LIMITS),
        of_bulk(&body),
        loki::decode_json(&body, &LIMITS),
        loki::decode_protobuf(&body, &LIMITS),
        otlp::decode_json(&body, &LIMITS),
        otlp::decode_protobuf(&body, &LIMITS),
        gelf::decode(&body, &LIMITS),
        of_syslog(&body),
    ] {
        for mut draft in items.into_iter().flatten().flatten() {
            cut(&mut draft, &LIMITS);
            let fields = draft.fields.into_sorted();
            assert!(fields.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(draft.message.len() <= LIMITS.record_bytes + 3);
        }
    }
});
