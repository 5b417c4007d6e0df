//! Check: whether a run wrote what it should have. Its figures count only then.

use serde::de::IgnoredAny;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

/// What is in the files of a directory.
#[derive(Default, Debug)]
pub struct Written {
    /// Lines with the message of the records.
    pub records: u64,
    /// Lines, whatever they say, that are not JSON.
    pub invalid: u64,
    pub bytes: u64,
    /// A line, for people who want to see what was compared.
    pub example: String,
}

/// Reads every line in every file of `dir`.
pub fn read(dir: &Path) -> io::Result<Written> {
    let mut written = Written::default();
    let mut line = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let mut file = BufReader::with_capacity(1 << 20, File::open(entry?.path())?);
        loop {
            line.clear();
            let length = file.read_until(b'\n', &mut line)?;
            if length == 0 {
                break;
            }
            written.bytes += length as u64;
            written.invalid += u64::from(serde_json::from_slice::<IgnoredAny>(&line).is_err());
            if contains(&line, b"API request handled") {
                written.records += 1;
                if written.example.is_empty() {
                    written.example = String::from_utf8_lossy(&line).trim_end().to_owned();
                }
            }
        }
    }
    Ok(written)
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    line.windows(text.len()).any(|window| window == text)
}
