//! Headers: each file begins with its noun, and says where its knowledge ends.
//!
//! Knows the form of a header, not whether it is true.

use crate::finding::Finding;
use crate::map::noun;
use crate::source::SourceFile;

/// Folders of `logwell` whose files say what they do not know.
const BOUNDED: [&str; 7] = [
    "src/capture/",
    "src/pipeline/",
    "src/sink/",
    "src/encode/",
    "src/record/",
    "src/black_box/",
    "src/setup/",
];

/// Words with which a header says where its knowledge ends.
const WORDS: [&str; 6] = ["know", "pure", "not ", "never", "only file", "nothing"];

pub(super) fn check(file: &SourceFile, found: &mut Vec<Finding>) {
    let mut report = |rule, advice: &str| {
        let (path, item, advice) = (file.path.clone(), "-".to_owned(), advice.to_owned());
        found.push(Finding { rule, path, item, line: 1, count: 1, advice });
    };
    // The front page of a library is for its users.
    let is_front_page = file.module.is_empty() && file.path.ends_with("lib.rs");
    if !is_front_page && noun(file).is_none() {
        report("header", "begin the file with `//! Noun: what it is.`");
    }
    let is_bounded = BOUNDED.iter().any(|folder| file.path.starts_with(folder));
    let header = file.header().to_lowercase();
    if is_bounded && !WORDS.iter().any(|word| header.contains(word)) {
        report("ignorance", "say in the header what the file does not know");
    }
}
