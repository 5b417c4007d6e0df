//! Scan: a place in the text of a query, and the small things that are read there.
//!
//! Knows characters: space, quotes, bare texts, numbers. Does not know the grammar.

use crate::error::QueryError;
use crate::row::canonical;
use std::ops::Range;

/// How far the text is read.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    pub(super) now_ns: i64,
    /// How many parentheses and negations are open.
    pub(super) depth: usize,
}

/// A text of the query, with its place.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) place: Range<usize>,
    pub(super) is_quoted: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str, now_ns: i64) -> Self {
        Self { text, at: 0, now_ns, depth: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Reads this text, if it is the next.
    pub(super) fn eat_str(&mut self, wanted: &str) -> bool {
        let is_next = self.rest().starts_with(wanted);
        if is_next {
            self.at += wanted.len();
        }
        is_next
    }

    /// Reads this character, if it is the next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    /// Reads this word, in capitals or not, if it is the next one and ends there.
    pub(super) fn eat_word(&mut self, wanted: &str) -> bool {
        self.skip_space();
        let is_next = self.is_word(wanted);
        if is_next {
            self.at += wanted.len();
        }
        is_next
    }

    pub(super) fn is_word(&self, wanted: &str) -> bool {
        let Some((head, after)) = self.rest().split_at_checked(wanted.len()) else { return false };
        let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || "()|,".contains(c));
        head.eq_ignore_ascii_case(wanted) && ends
    }

    /// What must come next.
    pub(super) fn expect(&mut self, wanted: char, what: &str) -> Result<(), QueryError> {
        self.skip_space();
        match self.eat(wanted) {
            true => Ok(()),
            false => Err(self.error_here(format!("{what} needs a {wanted} here"))),
        }
    }

    /// A text in quotes, if there is one: `"…"` and `'…'` with `\"`, `\\`, `\n` and `\t`, and
    /// `` `…` `` without escapes.
    pub(super) fn quoted(&mut self) -> Result<Option<Token>, QueryError> {
        let Some(quote) = self.peek().filter(|c| is_quote(*c)) else { return Ok(None) };
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at = start + at + c.len_utf8();
                    return Ok(Some(Token { text, place: start..self.at, is_quoted: true }));
                }
                '\\' if quote != '`' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    // Other pairs are of a regular expression: `\d`.
                    Some((_, c)) => text.extend(['\\', c]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        let error = self.error(start..start + 1, "this quote is not closed".to_owned());
        Err(error.suggest(format!("add a {quote} where the text ends, or write \\{quote}")))
    }

    /// A run of characters, none of which is space or one of `ends`; nothing if it is empty.
    pub(super) fn bare(&mut self, ends: &str) -> Option<Token> {
        let rest = self.rest();
        let length = rest.find(|c: char| c.is_whitespace() || ends.contains(c));
        let text = rest.get(..length.unwrap_or(rest.len()))?;
        let place = self.at..self.at + text.len();
        self.at = place.end;
        (!text.is_empty()).then(|| Token { text: text.to_owned(), place, is_quoted: false })
    }

    /// The name of a field, bare or in quotes; the aliases of `time` become `time`.
    pub(super) fn name(&mut self, what: &str) -> Result<Token, QueryError> {
        self.skip_space();
        let token = match self.quoted()? {
            Some(token) => Some(token),
            None => self.bare(NAME_ENDS),
        };
        match token {
            Some(token) if !token.text.is_empty() => {
                Ok(Token { text: canonical(&token.text).to_owned(), ..token })
            }
            Some(token) => Err(self.error(token.place, "a field's name is not empty".to_owned())),
            None => Err(self.error_here(format!("{what} needs the name of a field here"))),
        }
    }

    /// A whole number, if there is one.
    pub(super) fn count(&mut self) -> Result<Option<u64>, QueryError> {
        self.skip_space();
        if !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Ok(None);
        }
        let token = self.bare("|,)");
        let number = token.as_ref().and_then(|token| token.text.parse().ok());
        match (number, token) {
            (None, Some(token)) => {
                let what = format!("{:?} is no whole number", token.text);
                Err(self.error(token.place, what))
            }
            (number, _) => Ok(number),
        }
    }

    /// What `item` reads, once or more, with commas in between.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut items = vec![item(self)?];
        loop {
            self.skip_space();
            if !self.eat(',') {
                return Ok(items);
            }
            items.push(item(self)?);
        }
    }

    pub(super) fn error(&self, place: Range<usize>, what: String) -> QueryError {
        QueryError::at(self.text, place, what)
    }

    /// An error about what is next.
    pub(super) fn error_here(&self, what: String) -> QueryError {
        let rest = self.rest();
        let length = match rest.chars().next() {
            None => return self.error(self.at..self.at, format!("{what}, and the query ends")),
            Some(c) if is_quote(c) || "()|,".contains(c) => c.len_utf8(),
            Some(_) => {
                rest.find(|c: char| c.is_whitespace() || "()|,".contains(c)).unwrap_or(rest.len())
            }
        };
        self.error(self.at..self.at + length, what)
    }
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// What ends the bare name of a field.
pub(super) const NAME_ENDS: &str = "\"()|,:=<>~";
/// What ends a bare value behind a `:` or a comparison.
pub(super) const VALUE_ENDS: &str = "\"()|,";
