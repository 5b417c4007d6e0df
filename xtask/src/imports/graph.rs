//! Graph: an arrow from each file to the files that define what it uses.
//!
//! A name that a module passes on leads to the file that defines it, so neither the front page nor
//! a `mod.rs` stands in the way. What is compiled for tests only is left out. Knows no rule.

use super::paths::{Named, paths};
use crate::source::SourceFile;
use proc_macro2::TokenStream;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many names may be passed on one after another.
const LONGEST_CHAIN: usize = 12;

#[derive(Default)]
pub(super) struct Graph {
    /// The line of the first use, by file and by the file that it uses.
    arrows: BTreeMap<String, BTreeMap<String, usize>>,
    /// The same for what a file passes on without using it.
    passed_on: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Graph {
    pub(super) fn of(files: &[SourceFile]) -> Self {
        let modules = Modules::of(files);
        let mut graph = Self::default();
        for module in &modules.all {
            let path = &module.file.path;
            let arrows = graph.arrows.entry(path.clone()).or_default();
            let passed_on = graph.passed_on.entry(path.clone()).or_default();
            for named in &module.named {
                let arrows = if named.is_reexport { &mut *passed_on } else { &mut *arrows };
                for target in modules.targets(module, &named.parts, LONGEST_CHAIN) {
                    if target != *path {
                        arrows.entry(target).or_insert(named.line);
                    }
                }
            }
        }
        graph
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.arrows.keys().map(String::as_str)
    }

    /// From, to, and the line of the first use.
    pub(super) fn arrows(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        flat(&self.arrows)
    }

    /// From, to and line of what a file passes on to others without using it.
    pub(super) fn passed_on(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        flat(&self.passed_on)
    }

    /// The shortest way from a file to one that `is_end`.
    pub(super) fn way(&self, start: &str, is_end: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
        let (start, _) = self.arrows.get_key_value(start)?;
        let mut ways = VecDeque::from([vec![start.as_str()]]);
        let mut seen = BTreeSet::from([start.as_str()]);
        while let Some(way) = ways.pop_front() {
            let last = *way.last()?;
            if is_end(last) {
                return Some(way);
            }
            for next in self.arrows.get(last).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next) {
                    ways.push_back(way.iter().copied().chain([next.as_str()]).collect());
                }
            }
        }
        None
    }

    /// Groups of files each of which reaches all others of its group.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.files().map(|file| (file, self.reach(file))).collect();
        let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|all| all.contains(to));
        let mut circles: Vec<Vec<&str>> = Vec::new();
        for file in self.files().filter(|file| reaches(file, file)) {
            if circles.iter().flatten().any(|known| *known == file) {
                continue;
            }
            let mates = self.files().filter(|mate| reaches(file, mate) && reaches(mate, file));
            circles.push(mates.collect());
        }
        circles
    }

    fn reach(&self, start: &str) -> BTreeSet<&str> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(file) = open.pop() {
            for next in self.arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        reached
    }
}

fn flat(
    arrows: &BTreeMap<String, BTreeMap<String, usize>>,
) -> impl Iterator<Item = (&str, &str, usize)> {
    arrows.iter().flat_map(|(from, all)| {
        all.iter().map(move |(to, line)| (from.as_str(), to.as_str(), *line))
    })
}

/// One file as a module: what it names, defines and declares.
struct Module<'a> {
    file: &'a SourceFile,
    named: Vec<Named>,
    defined: BTreeSet<String>,
}

struct Modules<'a> {
    all: Vec<Module<'a>>,
    /// Places in `all`, by crate and module path. Two files can be one module, each in its build.
    places: BTreeMap<(&'a str, &'a [String]), Vec<usize>>,
}

impl<'a> Modules<'a> {
    fn of(files: &'a [SourceFile]) -> Self {
        let product = files.iter().filter(|file| !file.is_test);
        let all: Vec<Module<'a>> = product.map(module).collect();
        let mut places: BTreeMap<(&str, &[String]), Vec<usize>> = BTreeMap::new();
        for (place, module) in all.iter().enumerate() {
            places.entry((&module.file.krate, &module.file.module)).or_default().push(place);
        }
        Self { all, places }
    }

    fn at(&self, krate: &str, path: &[String]) -> Vec<&Module<'a>> {
        let places = self.places.get(&(krate, path)).into_iter().flatten();
        places.filter_map(|place| self.all.get(*place)).collect()
    }

    /// The files that define what `parts` names in the module.
    fn targets(&self, module: &Module<'a>, parts: &[String], chain: usize) -> BTreeSet<String> {
        let Some((first, rest)) = parts.split_first() else { return BTreeSet::new() };
        let krate = module.file.krate.as_str();
        let here = &module.file.module;
        match first.as_str() {
            "crate" => self.resolve((krate, &[]), rest, chain),
            "self" => self.resolve((krate, here), rest, chain),
            "super" => match here.split_last() {
                Some((_, parent)) => self.above((krate, parent), rest, chain),
                None => BTreeSet::new(),
            },
            name if self.places.contains_key(&(name, [].as_slice())) && name != krate => {
                self.resolve((name, &[]), rest, chain)
            }
            name => {
                let child = [here.as_slice(), &[name.to_owned()]].concat();
                if self.places.contains_key(&(krate, child.as_slice())) {
                    return self.resolve((krate, &child), rest, chain);
                }
                self.imported(module, name, (rest, chain))
            }
        }
    }

    /// `super::super::…` goes on upwards.
    fn above(&self, at: (&str, &[String]), rest: &[String], chain: usize) -> BTreeSet<String> {
        match (rest.split_first(), at.1.split_last()) {
            (Some((next, rest)), Some((_, parent))) if next == "super" => {
                self.above((at.0, parent), rest, chain)
            }
            _ => self.resolve(at, rest, chain),
        }
    }

    /// Goes down from a module as far as there are modules, then looks who defines the name.
    fn resolve(&self, at: (&str, &[String]), rest: &[String], chain: usize) -> BTreeSet<String> {
        let (krate, path) = at;
        if let Some((next, left)) = rest.split_first() {
            let child = [path, std::slice::from_ref(next)].concat();
            if self.places.contains_key(&(krate, child.as_slice())) {
                return self.resolve((krate, &child), left, chain);
            }
        }
        let modules = self.at(krate, path);
        let Some((name, left)) = rest.split_first() else {
            return modules.iter().map(|module| module.file.path.clone()).collect();
        };
        let mut found = BTreeSet::new();
        for module in modules {
            let passed_on = match module.defined.contains(name) {
                true => BTreeSet::new(),
                false => self.imported(module, name, (left, chain)),
            };
            if passed_on.is_empty() && path.is_empty() && !module.defined.contains(name) {
                found.extend(self.exported_macro(krate, name));
            }
            match passed_on.is_empty() {
                // A name that nobody is known to define is its module's.
                true if found.is_empty() => drop(found.insert(module.file.path.clone())),
                true => {}
                false => found.extend(passed_on),
            }
        }
        found
    }

    /// Where a name leads that a `use` of the module brings in.
    fn imported(
        &self,
        module: &Module<'a>,
        name: &str,
        on: (&[String], usize),
    ) -> BTreeSet<String> {
        let (rest, chain) = on;
        let Some(chain) = chain.checked_sub(1) else { return BTreeSet::new() };
        let mut found = BTreeSet::new();
        for named in &module.named {
            match named.alias.as_deref() {
                Some(alias) if alias == name && named.parts != [name] => {
                    let whole = [named.parts.as_slice(), rest].concat();
                    found.extend(self.targets(module, &whole, chain));
                }
                Some("*") => {
                    let parts = named.parts.split_last().map_or(&[][..], |(_, parts)| parts);
                    let whole = [parts, &[name.to_owned()], rest].concat();
                    let defines = |path: &String| {
                        self.all.iter().any(|m| m.file.path == *path && m.defined.contains(name))
                    };
                    found.extend(self.targets(module, &whole, chain).into_iter().filter(defines));
                }
                _ => {}
            }
        }
        found
    }

    /// `#[macro_export]` puts a macro at the root of its crate, wherever it is defined.
    fn exported_macro(&self, krate: &str, name: &str) -> Option<String> {
        let is_it = |item: &syn::Item| {
            matches!(item, syn::Item::Macro(item)
                if item.ident.as_ref().is_some_and(|ident| ident == name)
                    && item.attrs.iter().any(|a| a.path().is_ident("macro_export")))
        };
        let mut modules = self.all.iter().filter(|module| module.file.krate == krate);
        let module = modules.find(|module| module.file.syntax.items.iter().any(is_it))?;
        Some(module.file.path.clone())
    }
}

fn module(file: &SourceFile) -> Module<'_> {
    let tokens: TokenStream = file.text.parse().unwrap_or_default();
    let mut named = paths(tokens);
    named.retain(|named| !file.is_test_line(named.line));
    let defined = file.syntax.items.iter().filter_map(name_of).collect();
    Module { file, named, defined }
}

fn name_of(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Mod(item) if item.content.is_some() => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        let module =
            path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let module = match module {
            "lib" => Vec::new(),
            module => module.split('/').map(str::to_owned).collect(),
        };
        SourceFile {
            path: path.to_owned(),
            krate: "logwell".to_owned(),
            module,
            is_test: false,
            text: text.to_owned(),
            syntax: syn::parse_file(text).unwrap(),
            test_lines: Vec::new(),
        }
    }

    fn arrows(files: &[SourceFile]) -> Vec<(String, String)> {
        let graph = Graph::of(files);
        graph.arrows().map(|(from, to, _)| (from.to_owned(), to.to_owned())).collect()
    }

    #[test]
    fn a_name_that_is_passed_on_leads_to_who_defines_it() {
        let files = [
            file("src/lib.rs", "mod a; mod b; pub use a::Thing;"),
            file("src/a/mod.rs", "mod inner; pub(crate) use inner::Thing;"),
            file("src/a/inner.rs", "pub struct Thing;"),
            file("src/b.rs", "fn f(_: crate::Thing, _: crate::a::Thing) {}"),
        ];
        assert_eq!(arrows(&files), [("src/b.rs".into(), "src/a/inner.rs".into())]);
    }

    #[test]
    fn circles_are_found_and_so_is_the_way_between_files_that_do_not_name_each_other() {
        let files = [
            file("src/lib.rs", "mod a; mod b; mod c;"),
            file("src/a.rs", "use crate::b::B; pub struct A(B);"),
            file("src/b.rs", "pub struct B(super::c::C);"),
            file("src/c.rs", "use crate::b; pub struct C(Box<b::B>);"),
        ];
        let graph = Graph::of(&files);
        assert_eq!(graph.circles(), [["src/b.rs", "src/c.rs"]]);
        let way = graph.way("src/a.rs", |path| path == "src/c.rs").unwrap();
        assert_eq!(way, ["src/a.rs", "src/b.rs", "src/c.rs"]);
        assert!(graph.way("src/c.rs", |path| path == "src/a.rs").is_none());
    }
}
