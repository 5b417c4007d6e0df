//! Format: the bytes on the disk are those of `docs/spool-format.md`, forever.

use super::super::entry;
use super::super::names;
use super::*;

/// The blocks of hexadecimal bytes in the document, in their order.
fn golden() -> Vec<Vec<u8>> {
    let text = include_str!("../../../docs/spool-format.md");
    let blocks = text.split("```hex\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let byte = |text: &str| u8::from_str_radix(text, 16).unwrap();
    let line = |line: &str| line.split('#').next().unwrap().split_whitespace().map(byte).collect();
    blocks.map(|block| block.lines().map(line).collect::<Vec<Vec<u8>>>().concat()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X} ")).collect()
}

#[test]
fn what_is_written_is_byte_for_byte_what_the_format_says() {
    let place = Place::new(16);
    place.clock.set_unix_ms(1_700_000_000_000);
    let (mut writer, mut reader, _) = place.open().unwrap();
    writer.append(b"first", Urgency::Ordinary).unwrap();
    writer.append(b"second", Urgency::Urgent).unwrap();
    writer.append("dr\u{ec}tte".as_bytes(), Urgency::Ordinary).unwrap();
    writer.flush().unwrap();
    let batch = reader.next_batch(ALL).unwrap();
    reader.acknowledge(batch[0].id).unwrap();
    reader.acknowledge(batch[1].id).unwrap();
    let golden = golden();
    let written = |name: &str| hex(&place.disk.content(name));
    assert_eq!(written("ordinary-00000000000000000001.spool"), hex(&golden[0]));
    let cursor = place.disk.content(names::CURSOR);
    assert_eq!(cursor.len(), 8_192);
    assert_eq!(hex(&cursor[..44]), hex(&golden[1]));
    assert!(cursor[44..4_096].iter().all(|byte| *byte == 0));
}

#[test]
fn what_the_format_says_is_read() {
    let place = Place::new(16);
    place.clock.set_unix_ms(1_700_000_000_000);
    place.disk.put("ordinary-00000000000000000001.spool", &golden()[0]);
    let mut cursor = golden()[1].clone();
    let all = |place: &Place| {
        let (_writer, mut reader, _) = place.open().unwrap();
        let batch = reader.next_batch(ALL).unwrap();
        let entry = |it: SpoolEntry| (it.id, it.at_unix_ms, String::from_utf8(it.bytes).unwrap());
        batch.into_iter().map(entry).collect::<Vec<_>>()
    };
    let first = (1, 1_700_000_000_000, "first".to_owned());
    let third = (3, 1_700_000_000_000, "dr\u{ec}tte".to_owned());
    assert_eq!(all(&place), [first, third.clone()]);
    cursor.resize(8_192, 0);
    place.disk.put(names::CURSOR, &cursor);
    assert_eq!(all(&place), [third]);
}

#[test]
fn no_text_holds_what_an_entry_begins_with() {
    let mut buffer = [0; 4];
    for c in '\0'..=char::MAX {
        assert!(!c.encode_utf8(&mut buffer).as_bytes().contains(&entry::MARKER[0]));
    }
}
