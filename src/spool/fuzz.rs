//! Fuzz: a directory made of any bytes, for the fuzzer alone.
//!
//! Bytes drawn at random never have a right checksum, so they are read as a script: pieces that are
//! entries, whole or not, between pieces that are anything.

use super::entry::{self, Stub};
use super::names;
use super::*;
use crate::base::clock::Clock;

/// Opens a spool on what the script puts into a directory: it must open, come to an end, and let a
/// new entry through.
///
/// # Panics
///
/// When it does not.
#[expect(clippy::unwrap_used, reason = "for the fuzzer, which looks for panics")]
pub fn fuzz(script: &[u8]) {
    let dir = std::env::temp_dir().join(format!("logwell-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let mut parts = script.split(|byte| *byte == b'\n');
    for name in [
        names::segment(Urgency::Ordinary, 1),
        names::segment(Urgency::Ordinary, 9),
        names::segment(Urgency::Urgent, 1),
    ] {
        let bytes = write(parts.next().unwrap_or_default(), entry::seed(&name));
        std::fs::write(dir.join(&name), bytes).unwrap();
    }
    std::fs::write(dir.join(names::CURSOR), parts.next().unwrap_or_default()).unwrap();
    let (mut writer, mut reader, status) = open(&SpoolOptions::new(&dir), &Clock::System).unwrap();
    assert!(writer.append(b"new", Urgency::Urgent).is_ok());
    writer.flush().unwrap();
    let mut came = false;
    loop {
        let batch = reader.next_batch(BatchLimits { entries: 3, bytes: 100 }).unwrap();
        let Some(entry) = batch.last() else { break };
        came |= batch.iter().any(|entry| entry.bytes == b"new");
        reader.acknowledge(entry.id).unwrap();
    }
    let counts = status.counts();
    assert!(came, "{counts:?}");
    assert_eq!(counts.found + counts.written, counts.acknowledged + counts.damaged, "{counts:?}");
    assert_eq!(counts.waiting, 0, "{counts:?}");
}

/// The bytes of a file: each command is a byte, with what follows it.
fn write(mut script: &[u8], seed: u32) -> Vec<u8> {
    let mut file = Vec::new();
    while let [command, number, length, rest @ ..] = script {
        let content = rest.get(..usize::from(*length)).unwrap_or(rest);
        script = rest.get(content.len()..).unwrap_or_default();
        let begin = file.len();
        let (id, n) = (u64::from(*number), u64::from(*number >> (command % 3)));
        entry::push(&mut file, Stub { id, n, at_unix_ms: id << 32 }, content);
        if let Some(entry) = file.get_mut(begin..) {
            entry::seal(entry, seed);
        }
        match command >> 5 {
            0 => file.truncate(file.len().saturating_sub(usize::from(*number))),
            1 => file.extend_from_slice(content),
            2 => file.extend_from_slice(&entry::MARKER),
            3 => {
                if let Some(byte) = file.get_mut(begin + usize::from(*length) % 40) {
                    *byte ^= number;
                }
            }
            _ => {}
        }
    }
    file
}
