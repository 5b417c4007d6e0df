//! Parameters: not more positional ones than a reader can tell apart, and no two that look alike.
//!
//! The signature of an `impl Trait for` is the trait's, so it is not asked.

use crate::finding::Finding;
use crate::source::SourceFile;
use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::visit::{self, Visit};

const POSITIONAL: usize = 4;

pub(super) fn check(file: &SourceFile, found: &mut Vec<Finding>) {
    Signatures { file, found }.visit_file(&file.syntax);
}

struct Signatures<'a> {
    file: &'a SourceFile,
    found: &'a mut Vec<Finding>,
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        if block.trait_.is_none() {
            visit::visit_item_impl(self, block);
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let line = signature.ident.span().start().line;
        if self.file.is_test_line(line) {
            return;
        }
        let types = types(signature);
        let mut report = |rule, count, advice| {
            let (path, item) = (self.file.path.clone(), signature.ident.to_string());
            self.found.push(Finding { rule, path, item, line, count, advice });
        };
        if types.len() > POSITIONAL {
            let (name, count) = (&signature.ident, types.len());
            let advice =
                format!("`{name}` takes {count} of {POSITIONAL}: give it an options struct");
            report("parameters", count, advice);
        }
        let alike = look_alikes(&types);
        if alike > 0 {
            let name = &signature.ident;
            let advice = format!(
                "two neighbours of `{name}` have one type: make a struct of them, or give one a type"
            );
            report("look-alike", alike, advice);
        }
    }
}

/// The types of the parameters, without `self`.
fn types(signature: &syn::Signature) -> Vec<String> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(parameter) => Some(parameter.ty.to_token_stream()),
        syn::FnArg::Receiver(_) => None,
    });
    typed.map(|tokens: TokenStream| tokens.to_string()).collect()
}

/// How many neighbours have one type, and how many `bool`s there are beyond the first.
fn look_alikes(types: &[String]) -> usize {
    let neighbours = types.windows(2).filter(|pair| pair.first() == pair.get(1)).count();
    let bools = types.iter().filter(|kind| *kind == "bool").count();
    neighbours.max(bools.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(text: &str) -> usize {
        look_alikes(&types(&syn::parse_str::<syn::ItemFn>(text).unwrap().sig))
    }

    #[test]
    fn neighbours_of_one_type_and_a_second_bool_look_alike() {
        assert_eq!(alike("fn f(a: u64, b: u64, c: u64) {}"), 2);
        assert_eq!(alike("fn f(a: bool, b: &str, c: bool) {}"), 1);
        assert_eq!(alike("fn f(a: &str, b: u64, c: &str) {}"), 0);
        assert_eq!(alike("fn f(a: &str, b: &[u8]) {}"), 0);
    }
}
