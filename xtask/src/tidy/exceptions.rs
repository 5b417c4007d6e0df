//! Exceptions: the places that break a rule for now, each with a reason, in `tidy-exceptions.txt`.
//!
//! The list may only shrink: an entry that excuses more than there is, is an error too. Knows no
//! rule; an entry is matched by rule, path and item.

use crate::finding::Finding;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// One line of the list: `rule path item count  # reason`.
struct Exception<'a> {
    line: usize,
    key: [&'a str; 3],
    count: usize,
}

fn list(root: &Path) -> PathBuf {
    root.join("xtask/tidy-exceptions.txt")
}

/// What is wrong: findings that no entry excuses, and entries that excuse too much.
pub(super) fn judge(root: &Path, found: &[Finding]) -> Result<Vec<String>, Box<dyn Error>> {
    let text = fs::read_to_string(list(root))?;
    let (exceptions, mut wrong) = read(&text);
    for finding in found {
        match exceptions.iter().find(|exception| is_for(exception, finding)) {
            Some(exception) if finding.count > exception.count => {
                let excused = exception.count;
                wrong.push(format!("{finding} ({excused} are excused)"));
            }
            Some(_) => {}
            None => wrong.push(finding.to_string()),
        }
    }
    for exception in &exceptions {
        let needed = needed(exception, found);
        if needed < exception.count {
            let (line, key) = (exception.line, exception.key.join(" "));
            wrong.push(format!(
                "xtask/tidy-exceptions.txt:{line}: {key}: excuses {} where there are {needed}: \
                 run `cargo x tidy --shrink`",
                exception.count
            ));
        }
    }
    Ok(wrong)
}

/// Lowers and removes entries that excuse more than there is; adds and raises none.
pub(super) fn shrink(root: &Path, found: &[Finding]) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(list(root))?;
    let (exceptions, _) = read(&text);
    let mut kept = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match exceptions.iter().find(|exception| exception.line == index + 1) {
            Some(exception) => match needed(exception, found) {
                0 => {}
                needed => kept.push(line.replacen(
                    &format!(" {} ", exception.count),
                    &format!(" {} ", needed.min(exception.count)),
                    1,
                )),
            },
            None => kept.push(line.to_owned()),
        }
    }
    fs::write(list(root), kept.join("\n") + "\n")?;
    Ok(())
}

/// The entries, and what is wrong with their form.
fn read(text: &str) -> (Vec<Exception<'_>>, Vec<String>) {
    let (mut exceptions, mut wrong) = (Vec::new(), Vec::new());
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    for (line, content) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let (entry, reason) = content.split_once("  # ").unwrap_or((content, ""));
        let words: Vec<&str> = entry.split_whitespace().collect();
        let count = words.get(3).and_then(|count| count.parse().ok());
        match (words.as_slice(), count) {
            ([rule, path, item, _], Some(count)) if !reason.trim().is_empty() => {
                exceptions.push(Exception { line, key: [*rule, *path, *item], count });
            }
            _ => wrong.push(format!(
                "xtask/tidy-exceptions.txt:{line}: write `rule path item count  # reason`"
            )),
        }
    }
    (exceptions, wrong)
}

fn is_for(exception: &Exception<'_>, finding: &Finding) -> bool {
    exception.key == [finding.rule, &finding.path, &finding.item]
}

/// How much of what the entry excuses is there.
fn needed(exception: &Exception<'_>, found: &[Finding]) -> usize {
    let counts = found.iter().filter(|finding| is_for(exception, finding));
    counts.map(|finding| finding.count).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(count: usize) -> Finding {
        let (path, item, advice) = ("src/a.rs".into(), "f".into(), "split it".into());
        Finding { rule: "function-length", path, item, line: 7, count, advice }
    }

    fn judged(list_text: &str, found: &[Finding]) -> Vec<String> {
        let dir = std::env::temp_dir().join(format!("logwell-tidy-{}", list_text.len()));
        fs::create_dir_all(dir.join("xtask")).unwrap();
        fs::write(list(&dir), list_text).unwrap();
        let wrong = judge(&dir, found).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        wrong
    }

    #[test]
    fn an_entry_excuses_what_is_there_and_not_a_line_more() {
        let entry = "function-length src/a.rs f 70  # one table\n";
        assert!(judged(entry, &[finding(70)]).is_empty());
        assert!(judged("\n# nothing", &[finding(70)])[0].starts_with("src/a.rs:7: "));
        assert!(judged(&format!("{entry}\n"), &[finding(71)])[0].contains("70 are excused"));
        assert!(judged(&format!("{entry}\n\n"), &[finding(69)])[0].contains("--shrink"));
        assert!(judged(&format!("{entry}\n\n\n"), &[])[0].contains("--shrink"));
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let (exceptions, wrong) = read("function-length src/a.rs f 70\n");
        assert!(exceptions.is_empty());
        assert_eq!(wrong.len(), 1);
    }
}
