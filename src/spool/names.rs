//! Names: `ordinary-00000000000000000042.spool` ↔ the segment that begins with the 42nd ordinary
//! entry. Pure.
//!
//! A name that is not read back exactly is not ours: such a file is neither read nor deleted.

use super::entry::NUMBER_LIMIT;
use super::options::Urgency;

/// The file of the cursor.
pub(super) const CURSOR: &str = "cursor";

/// The file that is locked.
pub(super) const LOCK: &str = "lock";

const ENDING: &str = ".spool";
const ASIDE: &str = ".bad";

/// The name of the segment that begins with entry `first_n`.
pub(super) fn segment(urgency: Urgency, first_n: u64) -> String {
    format!("{}-{first_n:020}{ENDING}", urgency.name())
}

/// Which segment has that name.
pub(super) fn parse(name: &str) -> Option<(Urgency, u64)> {
    let (lane, number) = name.strip_suffix(ENDING)?.split_once('-')?;
    let urgency = Urgency::ALL.into_iter().find(|urgency| urgency.name() == lane)?;
    let first_n = number.parse().ok().filter(|n| *n < NUMBER_LIMIT)?;
    (segment(urgency, first_n) == name).then_some((urgency, first_n))
}

/// What a segment is called in which nothing can be read.
pub(super) fn aside(name: &str) -> String {
    format!("{name}{ASIDE}")
}

/// Whether that is a segment that was set aside.
pub(super) fn is_aside(name: &str) -> bool {
    name.strip_suffix(ASIDE).is_some_and(|name| parse(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for urgency in Urgency::ALL {
            for n in [0, 1, 42, u64::from(u32::MAX), NUMBER_LIMIT - 1] {
                let name = segment(urgency, n);
                assert_eq!(parse(&name), Some((urgency, n)));
                assert!(is_aside(&aside(&name)) && !is_aside(&name));
            }
        }
    }

    #[test]
    fn a_name_in_any_other_spelling_is_not_ours() {
        let n = "00000000000000000042";
        for name in [
            "",
            "-",
            ".spool",
            "cursor",
            "lock",
            "ordinary-42.spool",
            &format!("ordinary-{n}"),
            &format!("Ordinary-{n}.spool"),
            &format!("ordinary-{n}.spool "),
            &format!("ordinary-{n}.spool.bad"),
            "ordinary-+0000000000000000042.spool",
            &format!("other-{n}.spool"),
            &format!("x/ordinary-{n}.spool"),
            "ordinary-99999999999999999999.spool",
            "ordinary-18446744073709551615.spool",
        ] {
            assert_eq!(parse(name), None, "{name:?}");
            assert!(!is_aside(name) || name.ends_with(".spool.bad"), "{name:?}");
        }
    }
}
