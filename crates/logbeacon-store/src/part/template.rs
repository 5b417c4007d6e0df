//! The template of a message: its text with `0` in place of each word that has a digit.
//!
//! Knows: words as the query language cuts them. Must not know: columns. In: messages.
//! Out: templates, of which a program has few.
//!
//! A word without a digit is in a message exactly if it is in its template, so that words and
//! phrases need only be asked of the templates.

use logwell_query::{is_ideograph, words};
use std::collections::HashMap;

/// Stands for a word with a digit. It is a word itself, so that the words around it are no
/// neighbours.
const HOLE: char = '0';

/// Cuts messages, as long as they have few different templates.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    seen: HashMap<String, (), foldhash::fast::RandomState>,
    template: String,
}

impl Templates {
    /// The template of a message; `None` once there are too many for a dictionary to pay.
    pub(crate) fn of(&mut self, message: &str) -> Option<&str> {
        cut(message, &mut self.template, |_| {});
        if !self.seen.contains_key(&self.template) {
            if self.seen.len() == TEMPLATES_MAX {
                return None;
            }
            self.seen.insert(self.template.clone(), ());
        }
        Some(&self.template)
    }
}

/// Whether a template answers for the word.
pub(crate) fn decides(word: &str) -> bool {
    !varies(word)
}

/// Whether the word gets a hole: it has a digit. An ideograph never does, as it is a word alone
/// and pairs of them are looked for.
fn varies(word: &str) -> bool {
    word.contains(|c: char| c.is_numeric()) && !word.chars().next().is_some_and(is_ideograph)
}

/// Writes the template of a message, and visits the words that its holes stand for.
pub(crate) fn cut(message: &str, template: &mut String, mut hole: impl FnMut(&str)) {
    template.clear();
    let mut kept = 0;
    each_word(message, |start, end| {
        let Some(word) = message.get(start..end) else { return };
        if varies(word) {
            template.push_str(message.get(kept..start).unwrap_or_default());
            template.push(HOLE);
            kept = end;
            hole(word);
        }
    });
    template.push_str(message.get(kept..).unwrap_or_default());
}

/// Visits where the words of a text begin and end.
pub(crate) fn each_word(text: &str, mut word: impl FnMut(usize, usize)) {
    if !text.is_ascii() {
        for found in words(text) {
            let start = found.as_ptr() as usize - text.as_ptr() as usize;
            word(start, start + found.len());
        }
        return;
    }
    // The same, many times faster: most texts are ASCII.
    let mut start = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte.is_ascii_alphanumeric() || byte == b'_', start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                word(begin, at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(begin) = start {
        word(begin, text.len());
    }
}

/// Beyond this many templates in a row group a dictionary of them costs more than it saves.
const TEMPLATES_MAX: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;
    use logwell_query::Phrase;
    use proptest::prelude::*;

    fn template(message: &str) -> String {
        let mut template = String::new();
        cut(message, &mut template, |_| {});
        template
    }

    #[test]
    fn a_template_has_a_zero_for_each_word_with_a_digit() {
        assert_eq!(template("user 42 from 10.4.3.2: x-refused2"), "user 0 from 0.0.0.0: x-0");
        assert_eq!(template("订单42支付失败"), "订单0支付失败");
        assert_eq!(template(""), "");
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_query_language(text in prop_oneof![text(), ".*"]) {
            let mut found = Vec::new();
            each_word(&text, |start, end| found.push(text.get(start..end).unwrap()));
            prop_assert_eq!(found, words(&text).collect::<Vec<_>>());
        }

        #[test]
        fn a_phrase_without_digits_is_in_a_message_exactly_if_it_is_in_its_template(
            message in text(), phrase in text(),
        ) {
            let Some(phrase) = Phrase::new(&phrase, false) else { return Ok(()) };
            if phrase.words().iter().all(|word| decides(word)) {
                prop_assert_eq!(phrase.is_in(&template(&message)), phrase.is_in(&message));
            }
        }
    }
}
