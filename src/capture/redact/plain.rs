//! Plain: values without quotes that are no secrets, though a name of one is before them.
//!
//! Numbers, types, objects, enum variants, paths, code and placeholders. Pure: knows no names.

use super::is_random;

/// Values that say that there is none, or what is wrong with it.
const WORDS: [&str; 60] = [
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "missing",
    "empty",
    "yes",
    "no",
    "invalid",
    "required",
    "expired",
    "optional",
    "wrong",
    "incorrect",
    "unknown",
    "unset",
    "redacted",
    "hidden",
    "masked",
    "filtered",
    "changed",
    "unchanged",
    "updated",
    "failed",
    "denied",
    "refused",
    "rejected",
    "revoked",
    "absent",
    "present",
    "blank",
    "mismatch",
    "disabled",
    "enabled",
    "unavailable",
    "unsupported",
    "n/a",
    "valid",
    "ok",
    "set",
    "not",
    "must",
    "should",
    "cannot",
    "removed",
    "stale",
    "accepted",
    "nan",
    "same-origin",
    "include",
    "sensitive",
    "pending",
    "granted",
    "success",
    "provided",
    "configured",
    "verified",
    "eof",
];

/// What a declaration says of a secret.
const TYPES: [&str; 44] = [
    "String",
    "str",
    "string",
    "char",
    "bool",
    "boolean",
    "int",
    "integer",
    "number",
    "float",
    "double",
    "bytes",
    "bytearray",
    "Bytes",
    "Vec",
    "Option",
    "Box",
    "Arc",
    "Rc",
    "Cow",
    "Secret",
    "SecretString",
    "SecretBox",
    "SecretStr",
    "Zeroizing",
    "Buffer",
    "any",
    "Any",
    "object",
    "Object",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "i32",
    "i64",
    "varchar",
    "Optional",
    "List",
    "Map",
    "Promise",
    "CharSequence",
    "Uuid",
];

/// Whether the word says that there is no secret.
pub(super) fn is_word(word: &str) -> bool {
    let word = word.trim_end_matches(['.', '!', '?', ':']);
    WORDS.iter().any(|no| word.eq_ignore_ascii_case(no))
}

/// Whether it is a number, perhaps with a unit, or an address: `5`, `0.5`, `120ms`, `0x7f00`.
pub(super) fn is_number(word: &str) -> bool {
    const UNITS: [&str; 16] =
        ["", "%", "ns", "us", "µs", "ms", "s", "m", "h", "d", "k", "kB", "KiB", "MB", "MiB", "x"];
    if let Some(hex) = word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        return !hex.is_empty() && hex.len() <= 16 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let digits = word.trim_start_matches(['-', '+']);
    let end = digits.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_' | '/'));
    let (digits, unit) = digits.split_at_checked(end.unwrap_or(digits.len())).unwrap_or_default();
    let exponent = unit.strip_prefix(['e', 'E']).map(|rest| rest.trim_start_matches(['-', '+']));
    let is_exponent =
        exponent.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    digits.starts_with(|c: char| c.is_ascii_digit()) && (is_exponent || UNITS.contains(&unit))
}

/// Whether it is what a program prints of an object that has no text: `a.b.Token@2bd79ce`,
/// `[C@1b2c3d`.
pub(super) fn is_object(word: &str, is_loose: bool) -> bool {
    const LEAST: usize = 4;
    let Some((class, hash)) = word.rsplit_once('@') else { return false };
    let is_hash =
        (LEAST..=16).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = class.trim_start_matches('[').trim_end_matches(';');
    let is_class = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$');
    let is_named = name.contains('.') || class.starts_with('[');
    is_hash
        && !name.is_empty()
        && name.chars().all(is_class)
        && (is_named || is_loose && name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Whether it is a type.
pub(super) fn is_type(word: &str) -> bool {
    after_type(word).is_some_and(str::is_empty)
}

/// Whether it names the way of signing, and is no signature.
pub(super) fn is_algorithm(word: &str) -> bool {
    const FAMILIES: [&str; 8] = ["sha", "rsa", "hmac", "ecdsa", "ed25519", "md5", "es256", "aws4"];
    const MOST_BYTES: usize = 20;
    let word = word.to_ascii_lowercase();
    word.len() <= MOST_BYTES && FAMILIES.iter().any(|family| word.starts_with(family))
}

/// What follows the type with which that begins; `None` if it begins with none.
pub(super) fn after_type(text: &str) -> Option<&str> {
    let name = text.trim_start_matches(['&', '*', '?']);
    let name = match name.strip_prefix('\'') {
        Some(lifetime) => lifetime.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
        None => name,
    };
    let name = name.strip_prefix(' ').unwrap_or(name);
    let name = name.strip_prefix("mut ").unwrap_or(name);
    let name = if let Some(rest) = name.strip_prefix("[]") { rest } else { name };
    let path = name.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | ':'));
    let (path, rest) = name.split_at_checked(path.unwrap_or(name.len()))?;
    let last = path.rsplit("::").next()?;
    if !TYPES.contains(&last) {
        return None;
    }
    let rest = rest.get(generics_len(rest)..)?.trim_start_matches("[]").trim_start_matches('?');
    let ends = |c: char| c.is_whitespace() || ",;)]}>|=\"'`\\".contains(c);
    (rest.is_empty() || rest.starts_with(ends)).then_some(rest)
}

/// How long `<…>` or `(n)` is, which follow a type.
fn generics_len(text: &str) -> usize {
    const MOST_BYTES: usize = 128;
    if let Some((digits, _)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) {
        let is_size = digits.bytes().all(|byte| byte.is_ascii_digit());
        return if is_size { digits.len() + 2 } else { 0 };
    }
    let closing = match text.chars().next() {
        Some('<') => '>',
        Some('[') => ']',
        _ => return 0,
    };
    let (mut depth, opening) = (0_usize, text.chars().next());
    for (at, c) in text.char_indices().take(MOST_BYTES) {
        if Some(c) == opening {
            depth += 1;
        } else if c == closing {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    0
}

/// Whether it is a path through a file system.
pub(super) fn is_path(word: &str) -> bool {
    let has_drive = matches!(word.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\' | b'/', ..]);
    let begins = ["/", "./", "../", "~/", "~\\", "\\\\", "file:"];
    (has_drive || begins.iter().any(|start| word.starts_with(start)))
        && !word.split(['/', '\\', '.', '_', '-', ':']).any(is_random)
}

/// Whether it names something of a program: `Kind::Eof`, `ContainerToken`, `next_page_token`, and
/// not what a generator makes.
pub(super) fn is_identifier(word: &str) -> bool {
    let word = word.trim_end_matches([':', '.']);
    let mut parts = word.split("::").flat_map(|part| part.split(['_', '.', '$']));
    parts.all(|part| {
        let letters = part.as_bytes();
        let begins = |two: &&[u8]| matches!(two, [b'a'..=b'z', b'A'..=b'Z']);
        let words = 1 + letters.windows(2).filter(begins).count();
        // Chance makes shorter words, but few that are all in lower case.
        part.bytes().all(|byte| byte.is_ascii_alphabetic())
            && (words == 1 || 2 * part.len() >= 5 * words)
    })
}

/// Whether it is a path of names with `::`: `Token::Eof`, `secrecy::Secret`.
pub(super) fn is_variant(word: &str) -> bool {
    word.contains("::")
        && word.split("::").all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// Whether something else is to be put in its place, or has been: `${TOKEN}`, `{{ token }}`, `%s`,
/// `<token>`, `****`, `[FILTERED]`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let is_dots = value.len() > 2 && value.bytes().all(|byte| byte == b'.');
    let value = value.trim_end_matches(['.', ',', ';']);
    let masked = value.trim_matches('*');
    let is_masked = masked.len() < value.len() && is_word(masked);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // `$1` and `?1` of SQL
    let is_bound = value.strip_prefix(['$', '?']).is_some_and(|n| n.len() <= 3 && is_number(n));
    let is_of = |signs: &str| !value.is_empty() && value.chars().all(|c| signs.contains(c));
    let is_enclosed = |open: char, close: char| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| {
            inner.starts_with(|c: char| c.is_ascii_alphabetic())
                && inner.chars().all(|c| c.is_ascii_alphabetic() || " _-".contains(c))
        })
    };
    let opens = ["${", "$(", "{{", "%(", "#{", "<%"];
    is_dots
        || is_masked
        || is_bound
        || opens.iter().any(|open| value.starts_with(open))
        || value.strip_prefix('$').is_some_and(is_constant)
        || value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(is_constant)
        || matches!(value, "%s" | "%d" | "%v" | "%q" | "{}" | "{:?}" | "?" | "[]" | "()")
        || is_of("*")
        || is_of("•")
        || is_of("…")
        || is_of("x") && value.len() > 2
        || is_of("X") && value.len() > 2
        || is_of("-")
        || is_enclosed('<', '>')
        || is_enclosed('[', ']')
        || is_enclosed('(', ')')
}

/// Whether it is a variable of the environment, as code has it: `process.env.TOKEN`.
pub(super) fn is_variable(word: &str) -> bool {
    let is_path = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'.');
    word.rsplit_once('.').is_some_and(|(path, name)| is_path(path) && is_constant(name))
}

/// Whether it is a call, or the name itself, as code has them: `next()`, `self.token`,
/// `token=AccessToken`.
pub(super) fn is_code(word: &str, name: &str) -> bool {
    let is_path = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:>-!?&$".contains(c))
    };
    if let Some((callee, _)) = word.split_once(['(', '[']) {
        return is_path(callee);
    }
    let word = word.trim_end_matches(['.', '?']);
    let last = word.rsplit(['.', ':', '>']).next().unwrap_or(word);
    let is_type = is_identifier(last)
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && last.to_ascii_lowercase().ends_with(&name.to_ascii_lowercase());
    is_path(word) && (is_type || last.eq_ignore_ascii_case(name))
}

/// Whether it is spelled as a constant or a variable of the environment: `DB_PASSWORD`.
pub(super) fn is_constant(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
