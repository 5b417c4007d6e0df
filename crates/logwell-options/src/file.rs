//! File: a configuration file is read into a tree.
//!
//! Knows what a file can be instead of a text: a directory, a pipe, too long, in another encoding.
//! Knows no option.

use crate::raw_value::Problem;
use crate::report::{Place, Report};
use crate::yaml::{self, Node};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::string::FromUtf8Error;

/// The tree of the file; `None` if its text is no configuration, which the report then says.
///
/// # Errors
///
/// The file cannot be read, or is no regular file.
pub fn read(path: &Path, report: &mut Report) -> io::Result<Option<Node>> {
    let bytes = bytes(path)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => parse(path, text, report),
        Err(error) => {
            not_utf8(path, &error, report);
            None
        }
    })
}

/// The tree of a text, which the report calls `path`; `None` if it is no configuration, which the
/// report then says.
pub fn parse(path: &Path, mut text: String, report: &mut Report) -> Option<Node> {
    if text.starts_with(BYTE_ORDER_MARK) {
        // The parser would take it for a first, empty document.
        text.remove(0);
    }
    let tree = match yaml::parse(&text) {
        Ok(tree) => Some(tree),
        Err(error) => {
            let wrong = Problem { problem: error.problem, help: error.help.to_owned() };
            report.fault(Place::At(error.line, error.column), "", wrong);
            None
        }
    };
    report.file = Some((path.to_owned(), text));
    tree
}

fn not_utf8(path: &Path, error: &FromUtf8Error, report: &mut Report) {
    let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let good = String::from_utf8_lossy(good);
    let line = 1 + good.matches('\n').count();
    let column = 1 + good.chars().rev().take_while(|&c| c != '\n').count();
    let wrong = Problem {
        problem: "is not valid UTF-8".to_owned(),
        help: "save the file as UTF-8".to_owned(),
    };
    report.fault(Place::At(line, column), "", wrong);
    report.file = Some((path.to_owned(), String::new()));
}

/// Reads a little more than the longest text, so that a longer one is noticed.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a named pipe would wait for somebody to write into it.
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory"));
    }
    if !kind.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let most = u64::try_from(yaml::MAX_TEXT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
