//! Tidy: the house rules that a program can count, and the places that do not keep them yet.
//!
//! Each rule is a function from the source to findings. Knows neither how the source is read nor
//! where findings go; `exceptions.rs` knows which are excused.

use crate::finding::Finding;
use crate::imports;
use crate::program::{self, Outcome};
use crate::source::{self, SourceFile};
use std::error::Error;
use std::path::Path;

mod calls;
mod exceptions;
mod headers;
mod lengths;
mod parameters;

/// Reports every place that breaks a rule and is not excused, and every excuse that is not needed.
///
/// `--shrink` removes from the list of exceptions what is not needed any more; `--list` prints all
/// places, the excused ones too.
pub(crate) fn run(options: &[String]) -> Outcome {
    let root = program::root()?;
    let Looked { found, files, imports } = look(root)?;
    match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        ["--shrink"] => exceptions::shrink(root, &found)?,
        ["--list"] => {
            found.iter().for_each(|finding| println!("{finding}"));
            println!("{} places", found.len());
            return Ok(());
        }
        _ => return Err("cargo x tidy takes --list or --shrink".into()),
    }
    let wrong = exceptions::judge(root, &found)?;
    wrong.iter().for_each(|line| println!("{line}"));
    match wrong.len() {
        0 => {
            let excused = found.len();
            println!("tidy: {files} files, {imports} imports, {excused} places excused");
            Ok(())
        }
        count => Err(format!("tidy: {count} places to mend").into()),
    }
}

/// What there is, and all places that do not keep a rule.
struct Looked {
    found: Vec<Finding>,
    files: usize,
    imports: usize,
}

fn look(root: &Path) -> Result<Looked, Box<dyn Error>> {
    let files = source::read(root)?;
    let product: Vec<&SourceFile> = files.iter().filter(|file| !file.is_test).collect();
    let mut found = Vec::new();
    for file in &product {
        lengths::functions(file, &mut found);
        lengths::file(file, &mut found);
        parameters::check(file, &mut found);
        headers::check(file, &mut found);
        calls::check(file, &mut found);
    }
    for (path, text) in source::texts(root)? {
        lengths::columns(&path, &text, &mut found);
    }
    let imports = imports::check(&files, &mut found);
    Ok(Looked { found, files: product.len(), imports })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_keeps_the_rules_or_is_excused_with_a_reason() {
        let root = program::root().unwrap();
        let wrong = exceptions::judge(root, &look(root).unwrap().found).unwrap();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
