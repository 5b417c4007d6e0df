//! Section: the list of options, as data.
//!
//! `section!` declares a struct of the tree together with what is known of each field: its
//! documentation, default, type and limits. Everything else is made from that list: reading YAML
//! and the environment, checking, the reference file and the JSON Schema. A new option is one
//! entry. Knows no option and no format.

use crate::value::OptionValue;

/// A part of the configuration that lists its options.
pub trait Section {
    /// Its options and sections, in the order in which they are written.
    fn entries(&mut self) -> Vec<Entry<'_>>;
}

/// An option or section: its name, what it is for, and the place of its value.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its key in the section around it.
    pub name: &'static str,
    /// Lines of documentation, Markdown.
    pub docs: &'static [&'static str],
    /// The value.
    pub slot: OptionValue<'a>,
}

impl Entry<'_> {
    /// Its full key, given the full key of the section around it (empty at the top).
    pub fn key(&self, section: &str) -> String {
        if section.is_empty() { self.name.to_owned() } else { format!("{section}.{}", self.name) }
    }

    /// The documentation as one text.
    pub fn doc(&self) -> String {
        let lines: Vec<_> = self.docs.iter().map(|line| line.trim()).collect();
        lines.join("\n")
    }
}

/// Calls `each` with the full key and the slot of every option, in order, down the whole tree.
pub fn each_option(
    entries: Vec<Entry<'_>>,
    section: &str,
    each: &mut dyn FnMut(&str, &mut OptionValue<'_>),
) {
    for mut entry in entries {
        let key = entry.key(section);
        match entry.slot {
            OptionValue::Section(inner) => each_option(inner, &key, each),
            _ => each(&key, &mut entry.slot),
        }
    }
}

/// Puts an entry named `shutdown.timeout` into its own section `shutdown`.
pub fn grouped<'a>(entry: Entry<'a>) -> Entry<'a> {
    match entry.name.split_once('.') {
        Some((section, name)) => Entry {
            name: section,
            docs: &[],
            slot: OptionValue::Section(vec![Entry { name, ..entry }]),
        },
        None => entry,
    }
}

/// Declares a struct of the configuration and the list of its options.
///
/// `field as "key": Type = default => kind(limits);` where `kind` is a function of `slot`.
#[macro_export]
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $(#[cfg($cfg:meta)])?
                $field:ident $(as $key:literal)? : $type:ty = $default:expr
                    => $kind:ident($($limit:expr),*);
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[doc = $doc])+ $(#[cfg($cfg)])? pub $field: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $(#[cfg($cfg)])? $field: $default, )+ }
            }
        }

        impl $crate::section::Section for $name {
            fn entries(&mut self) -> Vec<$crate::section::Entry<'_>> {
                Vec::from([$($(#[cfg($cfg)])?
                    $crate::section::grouped($crate::section::Entry {
                        name: $crate::section!(@key $field $($key)?),
                        docs: &[$($doc),+],
                        slot: $kind(&mut self.$field $(, $limit)*),
                    }),
                )+])
            }
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}
