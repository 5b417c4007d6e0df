//! Paths: what a file names, `crate::a::b` or `super::c`, wherever in its code that is.
//!
//! Reads tokens, not syntax, so that the arguments of macros count too. Knows one file, and neither
//! other files nor what a path leads to.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, its parts from left to right.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    pub(super) parts: Vec<String>,
    pub(super) line: usize,
    /// The name under which a `use` brings it into the file.
    pub(super) alias: Option<String>,
    /// A `use` that others can see: it passes a name on and needs nothing of it.
    pub(super) is_reexport: bool,
}

/// All paths of two parts and more, and all that a `use` names.
pub(super) fn paths(code: TokenStream) -> Vec<Named> {
    let mut named = Vec::new();
    walk(code, 0, &mut named);
    named
}

/// `depth` counts the modules inside the file that are around the code.
fn walk(code: TokenStream, depth: usize, named: &mut Vec<Named>) {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let first = named.len();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            // Who may see an item is no use of anything.
            TokenTree::Ident(word) if word == "pub" && is_narrowed(&tokens, at) => at += 2,
            TokenTree::Ident(word) if word == "mod" => {
                if let Some(TokenTree::Group(group)) = tokens.get(at + 2) {
                    walk(group.stream(), depth + 1, named);
                    at += 1;
                }
                at += 2;
            }
            TokenTree::Ident(word) if word == "use" => {
                let is_reexport = is_visible(tokens.get(..at).unwrap_or_default());
                let end = tokens.iter().skip(at).position(|token| is(token, ';'));
                let end = end.map_or(tokens.len(), |length| at + length);
                let tree = tokens.get(at + 1..end).unwrap_or_default();
                use_tree(tree, &[], is_reexport, named);
                at = end;
            }
            TokenTree::Ident(word) if !follows_path(&tokens, at) => {
                let line = word.span().start().line;
                let (parts, next) = path(&tokens, at);
                if parts.len() > 1 {
                    named.push(Named { parts, line, alias: None, is_reexport: false });
                }
                at = next.max(at + 1);
            }
            TokenTree::Group(group) => {
                walk(group.stream(), 0, named);
                at += 1;
            }
            _ => at += 1,
        }
    }
    if depth > 0 {
        named.iter_mut().skip(first).for_each(leave_inner_module);
    }
}

/// Makes the path of an inner module one of the module around it.
fn leave_inner_module(named: &mut Named) {
    if let Some(first) = named.parts.first_mut().filter(|first| *first == "super") {
        "self".clone_into(first);
        if named.parts.get(1).is_some_and(|second| second == "super") {
            named.parts.remove(0);
        }
    }
}

/// Whether `pub` is followed by who may see the item.
fn is_narrowed(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at + 1), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Parenthesis)
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let mark = |at: usize| tokens.get(at).is_some_and(|token| is(token, ':'));
    mark(at) && mark(at + 1)
}

/// Whether the token continues a path, names a field or method, or is the `crate` of a macro's
/// user.
fn follows_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let is_after = |mark: char| before(1).is_some_and(|token| is(token, mark));
    is_after('$')
        || is_after('.') && !before(2).is_some_and(|token| is(token, '.'))
        || is_after(':') && before(2).is_some_and(|token| is(token, ':'))
}

/// The path that begins there, and where it ends.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut parts = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        parts.push(word.to_string());
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    (parts, at)
}

/// Whether `pub` or `pub(…)` is right before the end.
fn is_visible(before: &[TokenTree]) -> bool {
    let mut back = before.iter().rev();
    let last = match back.next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => back.next(),
        other => other,
    };
    matches!(last, Some(TokenTree::Ident(word)) if word == "pub")
}

/// Reads `a::{b, c as d}`: each leaf is a path of its own.
fn use_tree(tokens: &[TokenTree], prefix: &[String], is_reexport: bool, named: &mut Vec<Named>) {
    for tree in tokens.split(|token| is(token, ',')) {
        let start = if is_colons(tree, 0) { 2 } else { 0 };
        let Some(first) = tree.get(start) else { continue };
        let (parts, next) = path(tree, start);
        let mut whole = [prefix, &parts].concat();
        match tree.get(next) {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                use_tree(&inner, &whole, is_reexport, named);
                continue;
            }
            Some(token) if is(token, '*') => whole.push("*".to_owned()),
            _ => {}
        }
        if whole.len() > 1 && whole.last().is_some_and(|last| last == "self") {
            whole.pop();
        }
        let renamed = match (tree.get(next), tree.get(next + 1)) {
            (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) if word == "as" => {
                Some(name.to_string())
            }
            _ => None,
        };
        let alias = renamed.or_else(|| whole.last().cloned());
        let line = first.span().start().line;
        named.push(Named { parts: whole, line, alias, is_reexport });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str) -> Vec<String> {
        let named = paths(code.parse().unwrap());
        named.iter().map(|named| named.parts.join("::")).collect()
    }

    #[test]
    fn every_leaf_of_a_use_is_a_path() {
        let code = "use crate::{a::b, c::{self, D as E}, f::*}; pub(crate) use super::g;";
        assert_eq!(
            shown(code),
            ["crate::a::b", "crate::c", "crate::c::D", "crate::f::*", "super::g"]
        );
        let named = paths(code.parse().unwrap());
        assert_eq!(named[2].alias.as_deref(), Some("E"));
        assert!(!named[0].is_reexport && named[4].is_reexport);
    }

    #[test]
    fn a_path_in_an_inner_module_is_seen_from_the_file() {
        let code = "pub(in super::super) mod m { use super::T; fn f(_: super::super::U) {} }";
        assert_eq!(shown(code), ["self::T", "super::U"]);
        assert!(shown("macro_rules! m { () => { $crate::a::b() } }").is_empty());
    }

    #[test]
    fn paths_inside_of_functions_and_macros_count_and_documentation_does_not() {
        let code = "/// crate::not::this\nfn f() { assert!(x.y(crate::a::B::new())); }";
        assert_eq!(shown(code), ["crate::a::B::new"]);
        assert_eq!(
            shown("fn f(x: &super::T) -> T { T { a: b..crate::c::D } }"),
            ["super::T", "crate::c::D"]
        );
    }
}
