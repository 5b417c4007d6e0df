//! Pattern: a message without what varies in it, so that messages of one kind are equal.
//!
//! Pure. A store that keeps templates may pass these through the same function.

/// The message with `<n>` for each number, also with a unit or several with `.` or `:` between them
/// (`250ms`, `10.0.0.1:80`), with `<id>` for each identifier (a UUID, or a word of eight or more
/// ASCII letters and digits that has a digit), and one space for any space.
///
/// ```
/// use logwell_query::pattern_of;
///
/// assert_eq!(
///     pattern_of("user 42 paid 9.95 (order 4bf92f35-77b3-4da6-a3ce-929d0e0e4736)"),
///     "user <n> paid <n> (order <id>)",
/// );
/// assert_eq!(pattern_of("ipv6 of host-7, 10.0.0.1:80"), "ipv6 of host-<n>, <n>");
/// ```
#[must_use]
pub fn pattern_of(message: &str) -> String {
    let mut pattern = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let (run, after) = match uuid(rest) {
            Some((uuid, after)) => (uuid, after),
            None => run(rest, first),
        };
        match kind_of(run, first) {
            Kind::Space => pattern.push(' '),
            Kind::Number => push_number(&mut pattern),
            Kind::Id => pattern.push_str("<id>"),
            Kind::Other => pattern.push_str(run),
        }
        rest = after;
    }
    pattern
}

enum Kind {
    Space,
    Number,
    Id,
    Other,
}

fn kind_of(run: &str, first: char) -> Kind {
    let has_digit = run.bytes().any(|b| b.is_ascii_digit());
    let is_number = first.is_ascii_digit() && (run.len() < ID_BYTES || run.parse::<f64>().is_ok());
    match () {
        () if first.is_whitespace() => Kind::Space,
        () if is_number => Kind::Number,
        () if has_digit && run.len() >= ID_BYTES && run.is_ascii() => Kind::Id,
        () => Kind::Other,
    }
}

/// A shorter word with a digit in it is a name, such as `ipv6`.
const ID_BYTES: usize = 8;

/// Letters and digits, or spaces, or one other character; and what follows.
fn run(text: &str, first: char) -> (&str, &str) {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let rest = text.trim_start_matches(|c: char| match first {
        first if first.is_whitespace() => c.is_whitespace(),
        first => is_letter(first) && is_letter(c),
    });
    let length = (text.len() - rest.len()).max(first.len_utf8());
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// A UUID at the beginning of the text, and what follows.
fn uuid(text: &str) -> Option<(&str, &str)> {
    let (uuid, after) = text.split_at_checked(36)?;
    let is_one = uuid.bytes().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    is_one.then_some((uuid, after))
}

/// Numbers with `.` or `:` between them are one.
fn push_number(pattern: &mut String) {
    match pattern.strip_suffix(['.', ':']).is_some_and(|head| head.ends_with("<n>")) {
        true => {
            pattern.pop();
        }
        false => pattern.push_str("<n>"),
    }
}
