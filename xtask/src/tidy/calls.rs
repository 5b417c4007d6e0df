//! Calls: what only certain files of the library may ask of the process: the time and the
//! environment.
//!
//! `clippy.toml` bans what nobody may call; it cannot tell product code from tests. Sees the code
//! without its tests and comments, line by line.

use crate::finding::Finding;
use crate::source::SourceFile;

/// A call, the only places in `src/` for it, and what to do elsewhere.
struct Rule {
    name: &'static str,
    calls: &'static [&'static str],
    places: &'static [&'static str],
    advice: &'static str,
}

const RULES: [Rule; 2] = [
    Rule {
        name: "clock",
        calls: &["SystemTime::now", "Instant::now"],
        places: &["src/base/clock.rs"],
        advice: "take the time as an argument, or a `Clock`",
    },
    Rule {
        name: "environment",
        calls: &["env::var", "env::vars", "env::var_os", "env::vars_os"],
        places: &["src/setup/", "src/config/"],
        advice: "take what it says as an argument",
    },
];

pub(super) fn check(file: &SourceFile, found: &mut Vec<Finding>) {
    let here = |rule: &&Rule| !rule.places.iter().any(|place| file.path.starts_with(place));
    for rule in RULES.iter().filter(|_| file.path.starts_with("src/")).filter(here) {
        let is_call = |line: &str| {
            !line.trim_start().starts_with("//")
                && rule.calls.iter().any(|call| {
                    line.contains(&format!("{call}(")) || line.contains(&format!("({call})"))
                })
        };
        let lines = file.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let lines: Vec<usize> = lines
            .filter(|(number, line)| is_call(line) && !file.is_test_line(*number))
            .map(|(number, _)| number)
            .collect();
        let Some(first) = lines.first() else { continue };
        found.push(Finding {
            rule: rule.name,
            path: file.path.clone(),
            item: "-".to_owned(),
            line: *first,
            count: lines.len(),
            advice: format!("{} calls, first on line {first}: {}", lines.len(), rule.advice),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_outside_of_its_places_is_found_in_code_and_not_in_tests_or_comments() {
        let lines = [
            "fn f() {",
            "    // Instant::now()",
            "    g(Instant::now(), x.unwrap_or_else(Instant::now));",
            "}",
            "",
            "fn t() { Instant::now() }",
        ];
        let text = lines.join("\n");
        let file = |path: &str| SourceFile {
            path: path.to_owned(),
            krate: "logwell".to_owned(),
            module: Vec::new(),
            is_test: false,
            text: text.clone(),
            syntax: syn::parse_file("").unwrap(),
            test_lines: vec![(6, 6)],
        };
        let count = |path: &str| {
            let mut found = Vec::new();
            check(&file(path), &mut found);
            found
                .iter()
                .map(|finding| (finding.rule, finding.line, finding.count))
                .collect::<Vec<_>>()
        };
        assert_eq!(count("src/rotate/policy.rs"), [("clock", 3, 1)]);
        assert!(count("src/base/clock.rs").is_empty() && count("xtask/src/main.rs").is_empty());
    }
}
