//! Pattern: a message without what varies in it, so that messages of one kind are equal.
//!
//! Pure. A store that keeps templates of its own may put these through the same function.

/// The message with `<n>` for each number, `<id>` for each identifier (a word of eight or more
/// letters and digits that has a digit, as hashes and UUIDs have), and one space for any space.
///
/// ```
/// use logwell_query::pattern_of;
///
/// assert_eq!(
///     pattern_of("user 42 paid 9.95 (order 4bf92f35-77b3-4da6-a3ce-929d0e0e4736)"),
///     "user <n> paid <n> (order <id>)",
/// );
/// assert_eq!(pattern_of("ipv6 of host-7 and sha256"), "ipv6 of host-<n> and sha256");
/// ```
#[must_use]
pub fn pattern_of(message: &str) -> String {
    let mut pattern = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let (run, after) = split_run(rest, first);
        match kind_of(run, first) {
            Kind::Space => pattern.push(' '),
            Kind::Number => push_once(&mut pattern, "<n>", ".:,"),
            Kind::Id => push_once(&mut pattern, "<id>", "-:"),
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
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    match () {
        () if first.is_whitespace() => Kind::Space,
        () if digits > 0 && digits == run.len() => Kind::Number,
        // `0x1f`, `250ms`, `10MiB`: they begin as a number.
        () if first.is_ascii_digit() && run.len() < 8 => Kind::Number,
        () if digits > 0 && run.len() >= 8 && run.is_ascii() => Kind::Id,
        // A part of an UUID may have no digit, or be short.
        () if digits > 1 && run.len() == 4 && run.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Kind::Id
        }
        () => Kind::Other,
    }
}

/// Letters and digits, or spaces, or one other character.
fn split_run(text: &str, first: char) -> (&str, &str) {
    let is_same = |c: char| match first {
        first if first.is_whitespace() => c.is_whitespace(),
        first if first.is_alphanumeric() || first == '_' => c.is_alphanumeric() || c == '_',
        _ => false,
    };
    let end =
        text.char_indices().skip(1).find(|(_, c)| !is_same(*c)).map_or(text.len(), |(at, _)| at);
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Appends the mark; `<n>.<n>` and `<id>-<id>` become one, with what is between.
fn push_once(pattern: &mut String, mark: &str, between: &str) {
    let joined = pattern.strip_suffix(|c| between.contains(c)).is_some_and(|head| {
        head.ends_with(mark) || mark == "<n>" && between.contains('-') && head.ends_with("<id>")
    });
    match joined {
        true => {
            pattern.pop();
        }
        false => pattern.push_str(mark),
    }
}
