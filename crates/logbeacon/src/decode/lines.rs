//! Lines: a text by lines, without line ends and blank lines.

/// The lines that are not blank, trimmed.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty())
}
