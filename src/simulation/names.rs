//! Names: which files are whose, said once more and in another way than in `rotate/names.rs`.

/// The files that are written, in the order in which a record comes to them.
pub(super) const FAMILIES: [&str; 4] = ["app.log", "errors.log", "ai_responses.log", "small.log"];

/// The file to which something belongs, whatever has become of it.
pub(super) fn family(name: &str) -> Option<usize> {
    FAMILIES.iter().position(|family| name.starts_with(family))
}

/// What follows the name of a file and a dot.
fn suffix(name: &str) -> Option<&str> {
    FAMILIES.iter().find_map(|family| name.strip_prefix(family)?.strip_prefix('.'))
}

/// The number of a backup.
pub(super) fn number(name: &str) -> Option<u32> {
    let suffix = suffix(name)?;
    let number = suffix.strip_suffix(".gz").unwrap_or(suffix);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    (is_plain && number.len() <= 4).then(|| number.parse().ok())?
}

pub(super) fn is_backup(name: &str) -> bool {
    number(name).is_some()
}

pub(super) fn is_unfinished(name: &str) -> bool {
    matches!(suffix(name), Some("gz.tmp" | "zst.tmp"))
}
