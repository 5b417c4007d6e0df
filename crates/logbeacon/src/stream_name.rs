//! Stream names: which are valid, and which are the server's own.
//!
//! Pure. A stream is the unit of access and retention; its name is data, never a path.

/// The stream of records for which the sender named none.
pub const DEFAULT: &str = "default";
/// What was refused, with the reason and what was sent.
pub const REFUSED: &str = "_refused";
/// Devices that fell silent, and that returned.
pub const ALARMS: &str = "_alarms";
/// Who did what: tokens, deletions, retention, log-ins. Readable by admins only.
pub const AUDIT: &str = "_audit";

/// Longest name, in bytes.
pub const MAX_BYTES: usize = 128;

/// Whether a sender may write to a stream of that name: 1 to 128 of `A-Z a-z 0-9 . _ - :`, not
/// beginning with `_`.
#[must_use]
pub fn is_valid(name: &str) -> bool {
    (1..=MAX_BYTES).contains(&name.len())
        && !name.starts_with('_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_else_are_invalid() {
        for name in ["web", "a.b-c_d:e", "7"] {
            assert!(is_valid(name), "{name}");
        }
        let long = "x".repeat(129);
        for name in ["", "_refused", "a/b", "a b", "é", "a\0", "%2e", &long] {
            assert!(!is_valid(name), "{name}");
        }
    }
}
