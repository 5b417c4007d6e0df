//! Imports: which file uses which, and the rules about it: arrows run one way, and in no circle.
//!
//! Rules ask what a file can reach, by however many steps, not what it mentions. `graph.rs` finds
//! the arrows; the order of folders and what no folder may reach are here.

use crate::finding::Finding;
use crate::source::SourceFile;
use graph::Graph;

mod graph;
mod paths;

/// The folders of `logwell` from the roof to the ground: each may use those after it.
const FOLDERS: [&str; 14] = [
    "setup",
    "config",
    "capture",
    "pipeline",
    "forward",
    "dead_letters",
    "sink",
    "black_box",
    "spool",
    "encode",
    "rotate",
    "metrics",
    "record",
    "base",
];

/// Files of `logwell` outside the folders: the front page, which may use every folder.
const FRONT: [&str; 3] = ["src/lib.rs", "src/testing.rs", "src/_documentation.rs"];

/// What a folder does not reach, though the order would allow it, and why.
const UNREACHABLE: [(&str, &str, &str); 5] = [
    ("rotate", "record", "rotation knows lines"),
    ("spool", "record", "the spool knows bytes"),
    ("spool", "encode", "the spool knows bytes"),
    ("encode", "rotate", "an encoder knows no file"),
    ("black_box", "spool", "the box works without forwarding"),
];

/// All arrows that point up, all circles, and every folder that reaches what it must not know.
/// Returns how many arrows there are.
pub(crate) fn check(files: &[SourceFile], found: &mut Vec<Finding>) -> usize {
    let graph = Graph::of(files);
    upward(&graph, found);
    circles(&graph, found);
    reached(&graph, found);
    graph.arrows().count()
}

/// The place of a file in the order: 0 is the front page. `None` outside of `logwell`.
fn rank(path: &str) -> Option<usize> {
    if FRONT.contains(&path) {
        return Some(0);
    }
    let folder = folder(path)?;
    FOLDERS.iter().position(|known| *known == folder).map(|place| place + 1)
}

fn folder(path: &str) -> Option<&str> {
    path.strip_prefix("src/")?.split_once('/').map(|(folder, _)| folder)
}

fn upward(graph: &Graph, found: &mut Vec<Finding>) {
    for (from, to, line) in graph.arrows().chain(graph.passed_on()) {
        let (Some(here), Some(there)) = (rank(from), rank(to)) else { continue };
        if there < here {
            found.push(Finding {
                rule: "import-order",
                path: from.to_owned(),
                item: to.to_owned(),
                line,
                count: 1,
                advice: format!("uses {to}, which is above it: move what both need down"),
            });
        }
    }
}

fn circles(graph: &Graph, found: &mut Vec<Finding>) {
    for circle in graph.circles() {
        let (Some(first), count) = (circle.first(), circle.len()) else { continue };
        found.push(Finding {
            rule: "import-circle",
            path: (*first).to_owned(),
            item: "-".to_owned(),
            line: 1,
            count,
            advice: format!("{count} files use each other: {}", circle.join(", ")),
        });
    }
}

fn reached(graph: &Graph, found: &mut Vec<Finding>) {
    for (from, to, reason) in UNREACHABLE {
        for start in graph.files().filter(|path| folder(path) == Some(from)) {
            let Some(way) = graph.way(start, |path| folder(path) == Some(to)) else { continue };
            found.push(Finding {
                rule: "import-reach",
                path: start.to_owned(),
                item: to.to_owned(),
                line: 1,
                count: 1,
                advice: format!("{reason}, but there is a way: {}", way.join(" → ")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{program, source};

    fn checked(rule: fn(&Graph, &mut Vec<Finding>)) -> (Vec<SourceFile>, Vec<String>) {
        let files = source::read(program::root().unwrap()).unwrap();
        let mut found = Vec::new();
        rule(&Graph::of(&files), &mut found);
        let keys = found.iter().map(|f| format!("{} {} {}", f.rule, f.path, f.item)).collect();
        (files, keys)
    }

    /// Those that `tidy-exceptions.txt` names with a reason.
    fn excused() -> String {
        std::fs::read_to_string(program::root().unwrap().join("xtask/tidy-exceptions.txt")).unwrap()
    }

    #[test]
    fn imports_between_folders_run_one_way() {
        let (files, found) = checked(upward);
        let excused = excused();
        let new: Vec<_> = found.iter().filter(|key| !excused.contains(key.as_str())).collect();
        assert!(new.is_empty(), "{new:#?}");
        let placed = files.iter().filter(|file| rank(&file.path).is_some()).count();
        assert!(placed > 180, "{placed} files have a place in the order");
    }

    #[test]
    fn every_file_of_the_library_has_a_place_in_the_order() {
        let (files, _) = checked(upward);
        let library = files.iter().filter(|file| file.krate == "logwell" && !file.is_test);
        let lost: Vec<_> =
            library.filter(|file| rank(&file.path).is_none()).map(|f| &f.path).collect();
        assert!(lost.is_empty(), "{lost:?}: add the folder to FOLDERS");
    }

    #[test]
    fn files_use_each_other_in_a_circle_only_where_a_type_is_recursive() {
        let (_, found) = checked(circles);
        let excused = excused();
        let new: Vec<_> = found.iter().filter(|key| !excused.contains(key.as_str())).collect();
        assert!(new.is_empty(), "{new:#?}");
    }

    #[test]
    fn no_folder_reaches_what_it_must_not_know() {
        let (_, found) = checked(reached);
        let excused = excused();
        let new: Vec<_> = found.iter().filter(|key| !excused.contains(key.as_str())).collect();
        assert!(new.is_empty(), "{new:#?}");
    }

    /// The crates of the workspace in the order of `[workspace.dependencies]`.
    fn order(manifest: &str) -> Vec<&str> {
        let lines = manifest.lines().filter(|line| line.contains("{ path = "));
        lines.filter_map(|line| line.split_once(" = ").map(|(name, _)| name)).collect()
    }

    /// Those of `order` that the manifest names under `[dependencies]`, tests' own not among them.
    fn uses<'a>(manifest: &str, order: &[&'a str]) -> Vec<&'a str> {
        let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        let is_named = |name: &&&str| {
            section.lines().any(|line| {
                let rest = line.strip_prefix(**name);
                rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
            })
        };
        order.iter().filter(is_named).copied().collect()
    }

    #[test]
    fn dependencies_between_crates_run_one_way() {
        let root = program::root().unwrap();
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let workspace = read("Cargo.toml");
        let order = order(&workspace);
        assert!(order.contains(&"logwell-options") && order.contains(&"logwell"), "{order:?}");
        let mut arrows = 0;
        for (place, name) in order.iter().enumerate() {
            let line =
                workspace.lines().find(|line| line.starts_with(&format!("{name} = {{ path")));
            let folder = line.unwrap().split('"').nth(1).unwrap();
            let manifest = read(&format!("{folder}/Cargo.toml"));
            for used in uses(&manifest, &order) {
                let below = order.iter().position(|known| *known == used).unwrap();
                assert!(below < place, "{name} uses {used}, which is above it");
                arrows += 1;
            }
        }
        assert!(arrows > 0, "no crate uses another");
    }
}
