//! Any bytes are lines, whatever pieces they come in; no line makes a reader or a filter panic; and
//! what is shown of them steers no terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logwell::config::TimeZone;
use logwell_cli::filter::{Filter, Wishes};
use logwell_cli::line::Line;
use logwell_cli::lines::Lines;
use logwell_cli::text::TextWriter;
use std::io::Read;

/// Gives at most so many bytes at once.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.0.get(..self.1.min(self.0.len())).unwrap_or_default();
        let read = (&*piece).read(out)?;
        self.0 = &self.0[read..];
        Ok(read)
    }
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (piece, max, bytes) = input;
    let filter = Filter::new(Wishes { texts: vec!["a b".to_owned()], ..Wishes::default() });
    let mut writer = TextWriter::new(false, TimeZone::Utc);
    let mut lines = Lines::with_limit(Pieces(bytes, usize::from(piece) + 1), usize::from(max) * 16);
    let (mut length, mut shown) = (0, Vec::new());
    while let Some(line) = lines.next_line().expect("memory can be read") {
        assert_eq!(line.offset, length);
        length += line.too_long.unwrap_or(line.bytes.len() as u64) + 1;
        match Line::parse(line.bytes) {
            Ok(record) => {
                assert!(!(filter.rejects(line.bytes) && filter.wants(&record)));
                let _ = (record.repeated_key(), record.own_kind());
                writer.push(&record, &mut shown);
            }
            Err(_no_record) => writer.push_foreign(line.bytes, &mut shown),
        }
    }
    let rest = lines.rest().map_or(0, |rest| rest.too_long.unwrap_or(rest.bytes.len() as u64));
    assert_eq!(length + rest, bytes.len() as u64);
    let shown = String::from_utf8(shown).expect("text");
    assert!(!shown.contains(|c: char| c != '\n' && c.is_control()));
});
