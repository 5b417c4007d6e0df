//! Lengths: of functions, of files without their tests, and of lines.
//!
//! A function in the body of a `macro_rules!` is not seen: it is no function yet.

use crate::finding::Finding;
use crate::source::SourceFile;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FUNCTION_LINES: usize = 60;
const FILE_LINES: usize = 400;
const COLUMNS: usize = 100;

/// Functions of product code that are too long, from `fn` to the closing brace.
pub(super) fn functions(file: &SourceFile, found: &mut Vec<Finding>) {
    Functions { file, found }.visit_file(&file.syntax);
}

struct Functions<'a> {
    file: &'a SourceFile,
    found: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn check(&mut self, signature: &syn::Signature, body: &impl Spanned) {
        let from = signature.span().start().line;
        let lines = body.span().end().line + 1 - from;
        if lines > FUNCTION_LINES && !self.file.is_test_line(from) {
            self.found.push(Finding {
                rule: "function-length",
                path: self.file.path.clone(),
                item: signature.ident.to_string(),
                line: from,
                count: lines,
                advice: format!(
                    "`{}` has {lines} lines of {FUNCTION_LINES}: give a part of it a name",
                    signature.ident
                ),
            });
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.check(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// A file that is too long without its tests.
pub(super) fn file(file: &SourceFile, found: &mut Vec<Finding>) {
    let lines = (1..=file.text.lines().count()).filter(|line| !file.is_test_line(*line)).count();
    if lines > FILE_LINES {
        found.push(Finding {
            rule: "file-length",
            path: file.path.clone(),
            item: "-".to_owned(),
            line: 1,
            count: lines,
            advice: format!(
                "{lines} lines of {FILE_LINES} without tests: move a type to a file of its name"
            ),
        });
    }
}

/// Lines that are too wide. An address cannot be broken, nor a row of a table.
pub(super) fn columns(path: &str, text: &str, found: &mut Vec<Finding>) {
    let is_table =
        |line: &str| line.trim_start().trim_start_matches(['/', '!']).trim_start().starts_with('|');
    let is_wide =
        |line: &str| line.chars().count() > COLUMNS && !line.contains("://") && !is_table(line);
    let wide: Vec<usize> =
        text.lines().enumerate().filter(|(_, line)| is_wide(line)).map(|(at, _)| at + 1).collect();
    if let Some(first) = wide.first() {
        let lines = wide.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        found.push(Finding {
            rule: "columns",
            path: path.to_owned(),
            item: "-".to_owned(),
            line: *first,
            count: wide.len(),
            advice: format!("wider than {COLUMNS} columns: break line {lines}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_line_is_found_unless_it_is_an_address_or_a_row_of_a_table() {
        let long = "x".repeat(101);
        let text = format!("{long}\n// https://{long}\n/// | {long} |\nfine\n// {long}\n");
        let mut found = Vec::new();
        columns("a.rs", &text, &mut found);
        let found: Vec<_> = found.iter().map(|finding| (finding.line, finding.count)).collect();
        assert_eq!(found, [(1, 2)]);
    }
}
