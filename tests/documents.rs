//! Documents: what they name exists, and their numbers are those of the code.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use logwell::config::{LoggingConfig, json_schema, load_config};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 11] = [
    "README.md",
    "MIGRATION.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/decisions/README.md",
    "docs/deployment.md",
    "docs/failures.md",
    "docs/secrets.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// The default of each option by its key, as the reference shows it.
fn defaults() -> BTreeMap<String, String> {
    fn walk(object: &Value, section: &str, found: &mut BTreeMap<String, String>) {
        for (name, property) in object["properties"].as_object().into_iter().flatten() {
            let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
            match &property["default"] {
                Value::Null => walk(property, &key, found),
                Value::String(text) => drop(found.insert(key, text.clone())),
                other => drop(found.insert(key, other.to_string())),
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&serde_json::from_str(&json_schema()).unwrap(), "", &mut found);
    found
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// All Rust files there and below, without what was built.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true if path.ends_with("target") => Vec::new(),
        true => rust_files(&path),
        false => vec![path],
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    paths.flat_map(of).filter(is_rust).collect()
}

/// The names of all tests, and the sentences of those that are processes.
fn tests() -> Vec<String> {
    let name = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let name = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('));
        let sentence = || line.split('"').nth(1);
        name.map(|(name, _)| name).or_else(sentence).map(str::to_owned)
    };
    let folders = ["src", "tests", "crates", "benches/benches", "xtask/src"];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    files
        .flat_map(|file| {
            fs::read_to_string(file).unwrap().lines().filter_map(name).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_test_that_shows_a_promise_is_there() {
    let (page, tests) = (read("docs/reliability.md"), tests());
    let is_sentence =
        |name: &&str| name.matches('_').count() >= 3 && !name.contains(['/', '.', ' ', '=']);
    let mut rows = 0;
    for name in quoted(&page).filter(is_sentence).filter(|name| name.to_lowercase() == **name) {
        let is_there = match name.strip_suffix('…') {
            Some(beginning) => tests.iter().any(|test| test.starts_with(beginning)),
            None => tests.iter().any(|test| test == name),
        };
        assert!(is_there, "docs/reliability.md names {name}");
        rows += 1;
    }
    assert!(rows > 100, "{rows}");
}

#[test]
fn the_options_table_has_the_keys_and_defaults_of_the_code() {
    let (page, defaults) = (read("docs/configuration.md"), defaults());
    let table = page.split("| YAML key |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut rows = 0;
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let default = quoted(cells[3]).next().unwrap();
        for key in quoted(cells[1]) {
            assert_eq!(defaults.get(key).map(String::as_str), Some(default), "{key}");
        }
        rows += 1;
    }
    assert!(rows > 15, "{rows} rows");
}

#[test]
fn the_size_on_disk_that_the_manual_states_is_that_of_the_defaults() {
    let files = LoggingConfig::default().files;
    let all = [&files.app, &files.errors, &files.ai];
    let bytes: u64 =
        all.map(|file| file.max_bytes * (u64::from(file.backup_count) + 1)).iter().sum();
    assert_eq!(bytes >> 20, 3_260);
    assert!(read("src/lib.rs").contains("at most 3 260 MiB"));
}

#[test]
fn every_variable_that_a_document_names_is_one_of_ours() {
    // The file, not the function: a build without `forward` has fewer options.
    let reference = read("config/logging.yaml");
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    for document in DOCUMENTS {
        let text = read(document);
        let names = text.split(|c| !is_name(c)).filter(|name| {
            (name.starts_with("LOG_") && name.len() > 4) || name.starts_with("USE_UNIFIED")
        });
        for name in names.filter(|name| *name != "LOG_CONFIG") {
            let ends = [format!(" {name}."), format!(" {name} or ")];
            assert!(ends.iter().any(|end| reference.contains(end)), "{document}: {name}");
        }
    }
}

#[test]
fn the_configurations_that_migration_proposes_are_right() {
    let migration = read("MIGRATION.md");
    let blocks = migration.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (theirs, ours): (Vec<_>, Vec<_>) =
        blocks.partition(|block| block.starts_with("refresh_rate:"));
    assert_eq!((theirs.len(), ours.len()), (1, 1));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("logging.yaml");
    for block in ours {
        fs::write(&path, block).unwrap();
        let config = load_config(&path).unwrap();
        assert_eq!(config.level.to_string(), "info,my_crate::db=debug,hyper=warn");
        assert_eq!(config.files.app.max_bytes, 10 << 20);
    }
}

#[test]
fn every_path_that_a_contributor_is_sent_to_is_there() {
    let folders =
        ["src/", "crates/", "tests/", "docs/", "config/", "examples/", "xtask/", "models/"];
    let is_path = |quoted: &&str| {
        folders.iter().any(|folder| quoted.starts_with(folder)) && !quoted.contains([' ', '…'])
    };
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/first-change.md"] {
        let text = prose(&read(document));
        let paths: Vec<_> = quoted(&text).filter(is_path).collect();
        assert!(paths.len() > 5, "{document}: {paths:?}");
        for path in paths {
            assert!(root().join(path).exists(), "{document}: {path}");
        }
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in DOCUMENTS {
        let text = prose(&read(document));
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let file = root().join(document);
            let target = if path.is_empty() { file } else { file.parent().unwrap().join(path) };
            assert!(target.exists(), "{document}: {link}");
            if place.is_empty() {
                continue; // it may be a picture
            }
            let target = prose(&fs::read_to_string(target).unwrap());
            let headings = target.lines().filter(|line| line.starts_with('#'));
            let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#')));
            assert!(anchors.any(|known| known == place), "{document}: {link}");
        }
    }
}
