//! Source: the Rust files of the workspace, parsed, each with its crate, its module and its tests.
//!
//! Follows `mod` items from each crate's root, as the compiler does, so that it knows which files
//! are compiled for tests only. Knows no rule.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// One file of Rust.
pub(crate) struct SourceFile {
    /// Relative to the root of the workspace, with `/`.
    pub(crate) path: String,
    /// The library or program it belongs to, as code names it: `logwell_options`.
    pub(crate) krate: String,
    /// Its module inside the crate: `["rotate", "policy"]`; empty for a crate's root.
    pub(crate) module: Vec<String>,
    /// Compiled for tests only, as a whole.
    pub(crate) is_test: bool,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    /// First and last line of each item that is compiled for tests only.
    pub(crate) test_lines: Vec<(usize, usize)>,
}

impl SourceFile {
    /// Whether the line (from 1) belongs to tests.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|(from, to)| (*from..=*to).contains(&line))
    }

    /// The text of the header: the `//!` lines at the top of the file, without their marks.
    pub(crate) fn header(&self) -> String {
        let lines = self.text.lines().take_while(|line| line.starts_with("//!"));
        let bare = lines.map(|line| line.trim_start_matches("//!").trim());
        bare.collect::<Vec<_>>().join("\n")
    }
}

/// Crates of the workspace: the folder of each, and the name that code gives it.
fn crates(root: &Path) -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let mut folders = vec![root.to_owned(), root.join("xtask"), root.join("benches")];
    for entry in fs::read_dir(root.join("crates"))? {
        folders.push(entry?.path());
    }
    let mut crates = Vec::new();
    for folder in folders {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = "));
        let name = name.ok_or_else(|| format!("{} has no name", folder.display()))?;
        crates.push((folder, name.trim_matches('"').replace('-', "_")));
    }
    crates.sort();
    Ok(crates)
}

/// All files that belong to a library or a program of the workspace, tests beside the code
/// included.
pub(crate) fn read(root: &Path) -> Result<Vec<SourceFile>, Box<dyn Error>> {
    let mut reader = Reader { root, seen: BTreeSet::new(), files: Vec::new() };
    for (folder, krate) in crates(root)? {
        let src = folder.join("src");
        for entry in ["lib.rs", "main.rs"].map(|name| src.join(name)) {
            if entry.exists() {
                reader.file(&entry, &krate, Vec::new(), false)?;
            }
        }
        for program in fs::read_dir(src.join("bin")).into_iter().flatten() {
            reader.file(&program?.path(), &krate, Vec::new(), false)?;
        }
    }
    reader.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(reader.files)
}

/// The path and text of every Rust file of the workspace: integration tests, examples and models
/// too.
pub(crate) fn texts(root: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut texts = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                texts.push((relative(root, &path), fs::read_to_string(&path)?));
            }
        }
    }
    texts.sort();
    Ok(texts)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

struct Reader<'a> {
    root: &'a Path,
    seen: BTreeSet<PathBuf>,
    files: Vec<SourceFile>,
}

impl Reader<'_> {
    /// Reads a file and the files of the modules that it declares.
    fn file(
        &mut self,
        path: &Path,
        krate: &str,
        module: Vec<String>,
        is_test: bool,
    ) -> Result<(), Box<dyn Error>> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let syntax = syn::parse_file(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let owns_folder = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
        let folder = path.parent().unwrap_or(path);
        let children = if owns_folder { folder.to_owned() } else { path.with_extension("") };
        for item in &syntax.items {
            let syn::Item::Mod(child) = item else { continue };
            if child.content.is_some() {
                continue;
            }
            let name = child.ident.to_string();
            let places = match attribute_path(&child.attrs) {
                Some(given) => vec![folder.join(given)],
                None => {
                    let inside = children.join(&name).join("mod.rs");
                    vec![children.join(format!("{name}.rs")), inside]
                }
            };
            let place = places.into_iter().find(|place| place.exists());
            let place = place.ok_or_else(|| format!("{}: mod {name}: no file", path.display()))?;
            // Helpers that tests borrow from `tests/` are read there.
            if place.components().any(|part| part.as_os_str() == "..") {
                continue;
            }
            let module = module.iter().cloned().chain([name]).collect();
            self.file(&place, krate, module, is_test || is_for_tests(&child.attrs))?;
        }
        let mut tests = TestLines::default();
        tests.visit_file(&syntax);
        let (path, krate) = (relative(self.root, path), krate.to_owned());
        let test_lines = tests.0;
        self.files.push(SourceFile { path, krate, module, is_test, text, syntax, test_lines });
        Ok(())
    }
}

/// The path of `#[path = "…"]`.
fn attribute_path(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(literal) = &pair.value else { return None };
    let syn::Lit::Str(text) = &literal.lit else { return None };
    Some(text.value())
}

/// Whether the attributes keep an item out of a build for users: `#[cfg(test)]`, `#[test]`.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return attribute.path().is_ident("test");
        };
        let condition = list.tokens.to_string();
        let mut words = condition.split(|c: char| !c.is_alphanumeric());
        list.path.is_ident("cfg") && !condition.contains("not") && words.any(|word| word == "test")
    })
}

/// Collects what is compiled for tests only.
#[derive(Default)]
struct TestLines(Vec<(usize, usize)>);

impl TestLines {
    /// Notes the lines of `node` if it is for tests; says whether it is.
    fn note(&mut self, attributes: &[syn::Attribute], node: &impl syn::spanned::Spanned) -> bool {
        let is_test = is_for_tests(attributes);
        if is_test {
            self.0.push((node.span().start().line, node.span().end().line));
        }
        is_test
    }
}

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !self.note(attributes_of(item), item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !self.note(&function.attrs, function) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.note(&field.attrs, field);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !self.note(&local.attrs, local) {
            visit::visit_local(self, local);
        }
    }

    fn visit_expr_if(&mut self, expression: &'ast syn::ExprIf) {
        if !self.note(&expression.attrs, expression) {
            visit::visit_expr_if(self, expression);
        }
    }

    fn visit_expr_block(&mut self, expression: &'ast syn::ExprBlock) {
        if !self.note(&expression.attrs, expression) {
            visit::visit_expr_block(self, expression);
        }
    }
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_for_tests_only_is_known_from_its_attributes() {
        let is = |text: &str| is_for_tests(&syn::parse_str::<syn::ItemFn>(text).unwrap().attrs);
        assert!(is("#[cfg(test)] fn f() {}") && is("#[test] fn f() {}"));
        assert!(is("#[cfg(all(test, feature = \"forward\"))] fn f() {}"));
        assert!(!is("#[cfg(not(test))] fn f() {}") && !is("#[cfg(doctest)] fn f() {}"));
        assert!(!is("#[cfg(feature = \"forward\")] fn f() {}") && !is("fn f() {}"));
    }

    #[test]
    fn every_file_of_the_workspace_is_read_with_its_module() {
        let files = read(crate::program::root().unwrap()).unwrap();
        let find = |path: &str| files.iter().find(|file| file.path == path).unwrap();
        assert!(files.len() > 200, "{}", files.len());
        assert_eq!(find("src/rotate/policy.rs").module, ["rotate", "policy"]);
        assert_eq!(find("src/rotate/mod.rs").module, ["rotate"]);
        assert!(find("src/simulation/world.rs").is_test);
        assert!(!find("src/pipeline/queue.rs").is_test);
        let queue = find("src/pipeline/queue.rs");
        let tests = queue.text.lines().position(|line| line == "mod tests {").unwrap() + 1;
        assert!(queue.is_test_line(tests + 1) && !queue.is_test_line(tests - 3));
    }
}
