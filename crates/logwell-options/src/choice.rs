//! Choice: options whose value is one of a few words.
//!
//! `choices!` declares the enum together with its words, so that the documentation of each word
//! reaches the reference and the JSON Schema. Knows no option.

/// A value that is one of a few words.
pub trait Choice {
    /// The words with their documentation.
    fn words(&self) -> &'static [Word];
    /// The word of the value.
    fn word(&self) -> &'static str;
    /// Takes the value of that word, in any case; `false` if there is none.
    fn choose(&mut self, word: &str) -> bool;
}

/// A word and the lines that say what it means.
pub type Word = (&'static str, &'static [&'static str]);

/// A word and its meaning in one line.
pub fn explained((word, docs): &Word) -> String {
    let docs: Vec<_> = docs.iter().map(|line| line.trim()).collect();
    format!("{word}: {}", docs.join(" "))
}

/// Declares an enum whose values are words, and which of them is the default.
#[macro_export]
macro_rules! choices {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident: $default:ident {
            $( $(#[doc = $doc:literal])+ $value:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[doc = $doc])+ $value, )+
        }

        impl $name {
            /// All values, in the order of the reference.
            pub const ALL: &[Self] = &[$( Self::$value ),+];

            /// The word for it in the configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$value => $word, )+ }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        }

        impl $crate::choice::Choice for $name {
            fn words(&self) -> &'static [$crate::choice::Word] {
                &[$( ($word, &[$($doc),+]) ),+]
            }

            fn word(&self) -> &'static str {
                self.as_str()
            }

            fn choose(&mut self, word: &str) -> bool {
                let named = |value: &&Self| value.as_str().eq_ignore_ascii_case(word);
                Self::ALL.iter().find(named).map(|&value| *self = value).is_some()
            }
        }
    };
}
