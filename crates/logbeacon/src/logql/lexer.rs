//! Lexer: LogQL's text → tokens.

use super::{LogQlError, Parsed};
use crate::decode::loki::quoted;
use std::fmt;

/// A piece of LogQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, number or length of time.
    Word(String),
    /// A quoted text.
    Text(String),
    /// An operator or bracket.
    Symbol(&'static str),
}

/// Longer symbols first.
const SYMBOLS: [&str; 23] = [
    "|=", "|~", "!=", "!~", "=~", "==", ">=", "<=", "{", "}", "(", ")", "[", "]", ",", "|", "=",
    ">", "<", "+", "-", "*", "/",
];

#[derive(Debug)]
pub(super) struct Lexer;

impl Lexer {
    /// All tokens of a text.
    pub(super) fn tokens(text: &str) -> Parsed<Vec<Token>> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let after = match first {
                '"' | '`' => {
                    let (value, after) = quoted(rest)
                        .ok_or_else(|| LogQlError("a quote is not closed".to_owned()))?;
                    tokens.push(Token::Text(value));
                    after
                }
                '#' => rest.split_once('\n').map_or("", |(_, after)| after),
                _ if is_of_word(first) => {
                    let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    tokens.push(Token::Word(word.to_owned()));
                    after
                }
                _ => {
                    let unknown = || LogQlError(format!("{first:?} means nothing here"));
                    let found = SYMBOLS
                        .iter()
                        .find_map(|symbol| rest.strip_prefix(symbol).map(|after| (*symbol, after)));
                    let (symbol, after) = found.ok_or_else(unknown)?;
                    tokens.push(Token::Symbol(symbol));
                    after
                }
            };
            rest = after.trim_start();
        }
        Ok(tokens)
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.' || c == ':'
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
        }
    }
}
