//! The grammar of filters: and, or, not, parentheses, and the terms between them.
//!
//! Knows which field is asked for what. What is asked of it is read in `parse/test.rs`.

use super::MAX_DEPTH;
use super::scan::{NAME_ENDS, Scan, Token, is_quote};
use super::test::{self, part, pattern, phrase};
use crate::error::QueryError;
use crate::filter::{Filter, Names, Test};
use crate::query::Function;
use crate::row::canonical;

/// Alternatives: `a or b`.
pub(super) fn filter(scan: &mut Scan<'_>) -> Result<Filter, QueryError> {
    let mut parts = vec![all_of(scan)?];
    while scan.eat_word("or") {
        parts.push(all_of(scan)?);
    }
    Ok(one_or(parts, Filter::Or))
}

/// `a b`, `a and b`
fn all_of(scan: &mut Scan<'_>) -> Result<Filter, QueryError> {
    let mut parts = vec![one(scan)?];
    loop {
        scan.skip_space();
        let is_and = scan.eat_word("and");
        scan.skip_space();
        let is_end = matches!(scan.peek(), None | Some('|' | ')')) || scan.is_word("or");
        match (is_and, is_end) {
            (false, true) => return Ok(one_or(parts, Filter::And)),
            _ => parts.push(one(scan)?),
        }
    }
}

fn one_or(mut parts: Vec<Filter>, join: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn one(scan: &mut Scan<'_>) -> Result<Filter, QueryError> {
    scan.skip_space();
    let start = scan.at();
    if scan.eat('(') {
        let inner = deeper(scan, filter)?;
        scan.skip_space();
        if !scan.eat(')') {
            return Err(scan.error(start..start + 1, "this ( is not closed".to_owned()));
        }
        return Ok(inner);
    }
    if scan.eat_word("not") || scan.eat('-') || scan.eat('!') {
        return Ok(Filter::Not(Box::new(deeper(scan, one)?)));
    }
    for word in ["and", "or"] {
        if scan.is_word(word) {
            let error = scan.error_here(format!("{word} needs a filter before it"));
            return Err(error.suggest(format!("to search for the word, write \"{word}\"")));
        }
    }
    term(scan)
}

fn deeper(
    scan: &mut Scan<'_>,
    read: impl FnOnce(&mut Scan<'_>) -> Result<Filter, QueryError>,
) -> Result<Filter, QueryError> {
    if scan.depth >= MAX_DEPTH {
        let what = format!("more than {MAX_DEPTH} parentheses and negations inside one another");
        return Err(scan.error_here(what));
    }
    scan.depth += 1;
    let filter = read(scan)?;
    scan.depth -= 1;
    Ok(filter)
}

/// A text to search for, or a field and a test.
fn term(scan: &mut Scan<'_>) -> Result<Filter, QueryError> {
    if scan.eat('~') {
        return Ok(Filter::Text(pattern(scan)?));
    }
    if scan.peek() == Some('*') {
        return star(scan);
    }
    let token = match scan.quoted()? {
        Some(token) => token,
        None => match scan.bare(NAME_ENDS) {
            Some(token) => token,
            None => return Err(no_term(scan)),
        },
    };
    if !token.is_quoted && scan.peek() == Some('(') {
        return call(scan, token);
    }
    let names = || names_of(&token);
    if scan.eat(':') {
        return test::after_colon(scan, &token, names());
    }
    if scan.eat('~') {
        return Ok(Filter::Field(names(), pattern(scan)?));
    }
    if scan.peek() == Some('=') {
        return Err(no_equals(scan, &token));
    }
    // `latency_ms > 1000` too.
    if scan.rest().trim_start().starts_with(['<', '>']) {
        return test::comparison(scan, &token, names());
    }
    text(scan, token)
}

/// A word, a phrase, or the beginning of one.
fn text(scan: &mut Scan<'_>, token: Token) -> Result<Filter, QueryError> {
    if token.is_quoted {
        let is_prefix = scan.eat('*');
        return Ok(Filter::Text(phrase(scan, &token, is_prefix)?));
    }
    Ok(Filter::Text(test::bare(scan, &token)?))
}

/// `*` alone is every record, `*part*` what has the part.
fn star(scan: &mut Scan<'_>) -> Result<Filter, QueryError> {
    let start = scan.at();
    scan.eat('*');
    if let Some(token) = scan.quoted()? {
        return Ok(Filter::Text(test::closing_star(scan, start, &token)?));
    }
    match scan.bare(NAME_ENDS) {
        None => Ok(Filter::All),
        Some(token) => {
            let token = Token {
                text: format!("*{}", token.text),
                place: start..token.place.end,
                is_quoted: false,
            };
            Ok(Filter::Text(test::bare(scan, &token)?))
        }
    }
}

/// `contains(field, "part")`, `contains("part")`, and the result of a statistic: `count() > 5`.
fn call(scan: &mut Scan<'_>, name: Token) -> Result<Filter, QueryError> {
    if super::stats::is_function(&name.text) {
        let function: Function = super::stats::function_after(scan, &name)?;
        let field = Token { text: super::stats::default_name(&function), ..name };
        scan.skip_space();
        return match scan.eat(':') {
            true => test::after_colon(scan, &field, Names::One(field.text.clone())),
            false => test::comparison(scan, &field, Names::One(field.text.clone())),
        };
    }
    if !name.text.eq_ignore_ascii_case("contains") {
        let error = scan.error(name.place, format!("{}( is no filter", name.text));
        let wanted = crate::error::nearest(&name.text, ["contains"]);
        return Err(match wanted {
            Some(wanted) => error.suggest(format!("did you mean {wanted}(field, \"text\")?")),
            None => error.suggest("a text with parentheses goes in quotes"),
        });
    }
    scan.expect('(', "contains")?;
    let arguments = scan.list(argument)?;
    scan.expect(')', "contains")?;
    match arguments.as_slice() {
        [text] => Ok(Filter::Text(part(scan, text)?)),
        [field, text] => Ok(Filter::Field(names_of(field), part(scan, text)?)),
        _ => {
            let error = scan.error(name.place, "contains takes a field and a text".to_owned());
            Err(error.suggest("contains(message, \"text\")"))
        }
    }
}

fn argument(scan: &mut Scan<'_>) -> Result<Token, QueryError> {
    scan.skip_space();
    match scan.quoted()? {
        Some(token) => Ok(token),
        None => match scan.bare("\"()|,") {
            Some(token) => Ok(token),
            None => Err(scan.error_here("a field or a text is missing".to_owned())),
        },
    }
}

/// A bare name that ends in `*` is a prefix: all fields that begin so.
pub(super) fn names_of(token: &Token) -> Names {
    match token.text.strip_suffix('*') {
        Some(prefix) if !token.is_quoted => Names::Prefix(prefix.to_owned()),
        _ => Names::One(canonical(&token.text).to_owned()),
    }
}

fn no_term(scan: &Scan<'_>) -> QueryError {
    match scan.peek() {
        None | Some('|' | ')') => scan.error_here("a filter is missing".to_owned()),
        Some(':' | '=' | '<' | '>') => scan.error_here("the name of a field is missing".to_owned()),
        Some(c) if is_quote(c) => scan.error_here("this quote is not expected".to_owned()),
        Some(_) => scan.error_here("no filter begins so".to_owned()),
    }
}

fn no_equals(scan: &mut Scan<'_>, name: &Token) -> QueryError {
    let start = scan.at();
    scan.eat_str("==");
    scan.eat('=');
    // `a!=b` is read as the name `a!`, for a word may end so.
    let (field, not) = match name.text.strip_suffix('!') {
        Some(field) if !name.is_quoted => (field, "-"),
        _ => (name.text.as_str(), ""),
    };
    let place = start - not.len()..scan.at();
    let value = match scan.quoted() {
        Ok(Some(token)) => format!("{:?}", token.text),
        _ => scan.bare("()|,").map_or_else(|| "value".to_owned(), |token| token.text),
    };
    scan.error(place, "this is no comparison".to_owned()).suggest(format!(
        "did you mean {not}{field}:={value} (exactly) or {not}{field}:{value} (the word)?"
    ))
}

impl Test {
    /// The test of a field, as a filter.
    pub(super) fn of(self, names: Names) -> Filter {
        Filter::Field(names, self)
    }
}
