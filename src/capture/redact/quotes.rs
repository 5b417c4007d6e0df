//! Quotes: where a quoted text ends, whatever language quotes it.
//!
//! A prefix may be before a quote (`b'…'` of Python, `$'…'` of a shell, `N'…'` of SQL, `r#"…"#` of
//! Rust), the quote may be tripled or doubled, and in a text within a text it is escaped. A quote
//! is part of the value if it is escaped or doubled. Knows no names.

use logwell_options::secret::MASK;
use std::ops::Range;

pub(super) const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Quotes that end with another sign than they begin with.
const PAIRS: [(char, &[char]); 5] =
    [('“', &['”']), ('„', &['“', '”']), ('‘', &['’']), ('«', &['»']), ('‹', &['›'])];

/// What stands directly before a quote in some language, in lower case.
const PREFIXES: [&str; 26] = [
    "b", "r", "u", "f", "t", "c", "e", "n", "x", "q", "l", "br", "rb", "cr", "fr", "rf", "ur",
    "lr", "u8", "u8r", "u&", "$", "@", "$@", "@$", "&",
];

/// A quoted text: where its content is, and where it ends with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) content: Range<usize>,
    pub(super) end: usize,
}

/// The quoted text with which that begins; one without an end goes to the end of the text.
pub(super) fn quoted(text: &str) -> Option<Quoted> {
    if let Some(entity) = ENTITIES.iter().find(|entity| text.starts_with(**entity)) {
        let content = text.get(entity.len()..)?;
        let len = content.find(entity).unwrap_or(content.len());
        return Some(at(entity.len(), len, content, entity.len()));
    }
    if let Some(found) = percent(text) {
        return Some(found);
    }
    let prefix = text.find(|c: char| !is_prefix(c)).unwrap_or(text.len());
    let (prefix, rest) = text.split_at_checked(prefix)?;
    let letters = prefix.trim_end_matches('#');
    if !letters.is_empty() && !PREFIXES.iter().any(|known| letters.eq_ignore_ascii_case(known)) {
        return None;
    }
    let start = prefix.len();
    let first = rest.trim_start_matches('\\').chars().next()?;
    if let Some((_, closing)) = PAIRS.iter().find(|(opening, _)| *opening == first) {
        let content = rest.get(first.len_utf8()..).filter(|_| rest.starts_with(first))?;
        let len = content.find(*closing).unwrap_or(content.len());
        return Some(at(start + first.len_utf8(), len, content, first.len_utf8()));
    }
    let quote = Quote::of(rest)?;
    if prefix.ends_with(['r', 'R'])
        && let Some((len, closing_bytes)) = raw(rest)
    {
        let opening = closing_bytes; // as long: a quote, the same delimiter, a bracket
        return Some(at(start + opening, len, rest.get(opening..)?, closing_bytes));
    }
    if letters.eq_ignore_ascii_case("q") || letters.eq_ignore_ascii_case("nq") {
        // `q'[it's]'` of Oracle
        let content = rest.get(quote.len()..)?;
        let closing = content.chars().next().and_then(closing_bracket);
        let len = closing.and_then(|closing| content.find(&format!("{closing}{}", quote.sign)));
        if let Some(len) = len {
            return Some(at(start + quote.len(), len + 1, content, 1));
        }
    }
    let hashes = prefix.len() - letters.len();
    if hashes > 0 {
        let content = rest.get(quote.len()..)?;
        let closing = format!("{}{}", quote.sign, "#".repeat(hashes));
        let len = content.find(&closing).unwrap_or(content.len());
        return Some(at(start + quote.len(), len, content, closing.len()));
    }
    quote.text(rest).map(|text| Quoted {
        content: start + text.content.start..start + text.content.end,
        end: start + text.end,
    })
}

/// How long the content of `R"delimiter(…)delimiter"` of C++ is, and what ends it.
fn raw(text: &str) -> Option<(usize, usize)> {
    const MOST_BYTES: usize = 16;
    let (delimiter, content) = text.strip_prefix('"')?.split_once('(')?;
    let is_delimiter = delimiter.len() <= MOST_BYTES && !delimiter.contains([' ', '"', ')', '\\']);
    let closing = format!("){delimiter}\"");
    let len = content.find(&closing).filter(|_| is_delimiter)?;
    // The mask is no content in brackets.
    let is_mask = text.get(1..).is_some_and(|text| text.starts_with(MASK));
    (!is_mask).then_some((len, closing.len()))
}

/// A quote as HTML has it, and as JSON and the logs of web servers escape it.
const ENTITIES: [&str; 8] =
    ["&quot;", "&#34;", "&#39;", "&apos;", "\\u0022", "\\u0027", "\\x22", "\\x27"];

/// The text without such a quote at its end.
pub(super) fn without_entity(text: &str) -> &str {
    ENTITIES.iter().find_map(|entity| text.strip_suffix(entity)).unwrap_or(text)
}

/// The same for bytes.
#[inline]
pub(super) fn bytes_without_entity(text: &[u8]) -> &[u8] {
    if !matches!(text, [.., b';'] | [.., b'2', b'2' | b'7']) {
        return text;
    }
    ENTITIES.iter().find_map(|entity| text.strip_suffix(entity.as_bytes())).unwrap_or(text)
}

/// `%q(…)` and `%Q{…}` of Ruby, in which brackets come in pairs.
fn percent(text: &str) -> Option<Quoted> {
    let rest = text.strip_prefix("%q").or_else(|| text.strip_prefix("%Q"))?;
    let opening = rest.chars().next()?;
    let closing = closing_bracket(opening)?;
    let content = rest.get(opening.len_utf8()..)?;
    let mut depth = 0_usize;
    let end = content.char_indices().find(|&(_, c)| {
        let ends = c == closing && depth == 0;
        depth = (depth + usize::from(c == opening)).saturating_sub(usize::from(c == closing));
        ends
    });
    let len = end.map_or(content.len(), |(at, _)| at);
    Some(at(text.len() - content.len(), len, content, closing.len_utf8()))
}

fn closing_bracket(opening: char) -> Option<char> {
    match opening {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        '<' => Some('>'),
        _ => None,
    }
}

/// The quote with which that begins, perhaps escaped, but without a prefix.
pub(super) fn begins_with_quote(text: &str) -> bool {
    Quote::of(text).is_some()
}

fn is_prefix(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '$' | '@' | '&' | '#')
}

fn at(start: usize, len: usize, content: &str, closing_bytes: usize) -> Quoted {
    let end = (start + len + closing_bytes).min(start + content.len());
    Quoted { content: start..start + len, end }
}

/// A sign and how it is escaped: the same number of `\` is before each quote of a text in a text.
#[derive(Debug, Clone, Copy)]
struct Quote {
    sign: char,
    backslashes: usize,
}

impl Quote {
    fn of(text: &str) -> Option<Self> {
        let rest = text.trim_start_matches('\\');
        let sign = rest.chars().next().filter(|c| QUOTES.contains(c))?;
        Some(Self { sign, backslashes: text.len() - rest.len() })
    }

    fn len(self) -> usize {
        self.backslashes + 1
    }

    /// How many of them there are in a row.
    fn count(self, text: &str) -> usize {
        let is_one = |unit: &&[u8]| {
            unit.split_last().is_some_and(|(last, backslashes)| {
                char::from(*last) == self.sign && backslashes.iter().all(|byte| *byte == b'\\')
            })
        };
        text.as_bytes().chunks_exact(self.len()).take(7).take_while(is_one).count()
    }

    /// The text that begins with it.
    fn text(self, text: &str) -> Option<Quoted> {
        const TRIPLE: usize = 3;
        let count = self.count(text);
        let opening = |count: usize| count * self.len();
        let whole = |count: usize, len: usize, content: &str| {
            at(opening(count), len, content, opening(count))
        };
        if count >= 2 * TRIPLE {
            return Some(whole(TRIPLE, 0, text.get(opening(TRIPLE)..)?));
        }
        if count >= TRIPLE {
            let content = text.get(opening(TRIPLE)..)?;
            if let Some(len) = self.closing(content, TRIPLE) {
                return Some(whole(TRIPLE, len, content));
            }
        }
        if count == 2 {
            let content = text.get(opening(2)..)?;
            let begins = content.starts_with(|c: char| c.is_alphanumeric());
            // A field of CSV has each of its quotes twice.
            let len = if begins { self.closing(content, 2) } else { None };
            return Some(len.map_or_else(|| whole(1, 0, text), |len| whole(2, len, content)));
        }
        let content = text.get(opening(1)..)?;
        let len = self.closing(content, 1).unwrap_or(content.len());
        Some(whole(1, len, content))
    }

    /// Where as many of them stand as are needed to end the content; the first of those that may,
    /// if all that follow seem to be doubled.
    ///
    /// Escaped once more, each `\` and each quote gets one: a quote that is still escaped when
    /// those of its own text are undone is a part of it.
    fn closing(self, content: &str, needed: usize) -> Option<usize> {
        let levels = self.backslashes.trailing_ones();
        let (mut run, mut skip_to, mut first) = (0_usize, 0, None);
        for (at, c) in content.char_indices() {
            let is_quote = c == self.sign && run.trailing_ones() <= levels && at >= skip_to;
            let start = at.saturating_sub(run.min(self.backslashes));
            run = if c == '\\' { run + 1 } else { 0 };
            if !is_quote {
                continue;
            }
            let rest = content.get(start..)?;
            let count = self.count(rest);
            if needed > 1 {
                if count >= needed {
                    // Those too many are the content's.
                    return Some(start + (count - needed).min(2) * self.len());
                }
                continue;
            }
            first = first.or(Some(start));
            match self.joined(rest, count) {
                0 => return Some(start),
                joined => skip_to = start + joined,
            }
        }
        first
    }

    /// How long what is there is if the text continues behind it: a doubled quote, or the way in
    /// which a shell has an apostrophe in a quoted word.
    fn joined(self, rest: &str, count: usize) -> usize {
        const SHELL: [&str; 2] = [r"'\''", r#"'"'"'"#];
        if count > 1 {
            return count / 2 * 2 * self.len();
        }
        SHELL.iter().find(|idiom| rest.starts_with(**idiom)).map_or(0, |idiom| idiom.len())
    }
}
