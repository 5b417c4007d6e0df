//! Quoted: texts in double quotes, whatever their escapes are.
//!
//! Pure. Knows quotes and backslashes; what follows a backslash is up to the caller.

use std::str::CharIndices;

/// The text up to the closing quote, and what follows it. `escape` reads what a backslash
/// introduces and appends its meaning. Nothing, if the quote is not closed or `escape` gives up.
pub(super) fn until_quote<'a>(
    text: &'a str,
    mut escape: impl FnMut(&mut CharIndices<'a>, &mut String) -> Option<()>,
) -> Option<(String, &'a str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => escape(&mut characters, &mut value)?,
            other => value.push(other),
        }
    }
    None
}
