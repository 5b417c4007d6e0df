//! Map: where everything is: folder by folder each file with the first sentence of its header.
//!
//! The headers are the map; nothing is written down twice. Knows no rule.

use crate::program::{self, Outcome};
use crate::source::{self, SourceFile};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Prints the map of the whole workspace, or of the files whose path has all of the words in it.
pub(crate) fn run(words: &[String]) -> Outcome {
    let is_asked = |path: &str| words.iter().all(|word| path.contains(word.as_str()));
    let files = source::read(program::root()?)?;
    let map = map(files.iter().filter(|file| !file.is_test && is_asked(&file.path)));
    // A pager that was left has seen enough.
    let _closed = std::io::stdout().write_all(map.as_bytes());
    Ok(())
}

fn map<'a>(files: impl Iterator<Item = &'a SourceFile>) -> String {
    let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        folders.entry(folder).or_default().push(format!("  {name:<20} {}\n", sentence(file)));
    }
    let folder = |(folder, files): (&str, Vec<String>)| format!("{folder}/\n{}\n", files.concat());
    folders.into_iter().map(folder).collect()
}

/// The noun of a file: what its header has before the first colon. `None` if there is no such
/// header.
pub(crate) fn noun(file: &SourceFile) -> Option<String> {
    let header = file.header();
    let (noun, rest) = header.split_once(": ").or_else(|| header.split_once(":\n"))?;
    let is_name_of_crate = noun.replace('-', "_") == file.krate;
    let is_noun = noun.starts_with(char::is_uppercase) || is_name_of_crate;
    let is_short = noun.split(' ').count() <= 4 && !noun.contains(['\n', '.', ',']);
    (is_noun && is_short && !rest.trim().is_empty()).then(|| noun.to_owned())
}

/// The first sentence of the header, on one line.
fn sentence(file: &SourceFile) -> String {
    let header = file.header();
    let paragraph = header.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "src/rotate/policy.rs".to_owned(),
            krate: "logwell".to_owned(),
            module: Vec::new(),
            is_test: false,
            text: text.to_owned(),
            syntax: syn::parse_file("").unwrap(),
            test_lines: Vec::new(),
        }
    }

    #[test]
    fn the_map_has_the_folder_the_file_and_the_first_sentence_of_its_header() {
        let file =
            file("//! Policy: what to do next, decided\n//! from numbers. Pure.\n\nuse x;\n");
        let expected = "src/rotate/\n  policy.rs            Policy: what to do next, decided from numbers.\n\n";
        assert_eq!(map([&file].into_iter()), expected);
        assert_eq!(noun(&file).as_deref(), Some("Policy"));
    }

    #[test]
    fn a_header_without_a_noun_is_none() {
        for text in ["", "use x;\n", "//! what it is\n", "//! Pure, and more: so.\n", "//! Noun:\n"]
        {
            assert_eq!(noun(&file(text)), None, "{text}");
        }
    }
}
