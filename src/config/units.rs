//! Units: sizes such as `10MiB` and times such as `5s`, to text and back.
//!
//! Knows spellings. Does not know which option a value is for, nor its limits.

use std::time::Duration;

/// One kibibyte.
pub(super) const KIB: u64 = 1 << 10;
/// One mebibyte.
pub(super) const MIB: u64 = 1 << 20;
/// One gibibyte.
pub(super) const GIB: u64 = 1 << 30;
/// One tebibyte.
pub(super) const TIB: u64 = 1 << 40;

/// The size in bytes: `10MiB`, `64KiB`, `1GB`, `512B` or plain digits. Letters of any case.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = split_number(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => KIB,
        "mib" => MIB,
        "gib" => GIB,
        "tib" => TIB,
        _ => return None,
    };
    digits.checked_mul(factor)
}

/// The size in its largest whole unit.
pub(super) fn bytes_text(bytes: u64) -> String {
    for (unit, name) in [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

/// The time: digits and one of `ns`, `us`, `ms`, `s`, `m`, `h`, `d`.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let (digits, unit) = split_number(text)?;
    match unit {
        "ns" => Some(Duration::from_nanos(digits)),
        "us" => Some(Duration::from_micros(digits)),
        "ms" => Some(Duration::from_millis(digits)),
        "s" => Some(Duration::from_secs(digits)),
        "m" => digits.checked_mul(60).map(Duration::from_secs),
        "h" => digits.checked_mul(3_600).map(Duration::from_secs),
        "d" => digits.checked_mul(86_400).map(Duration::from_secs),
        _ => None,
    }
}

/// The time in its largest whole unit.
pub(super) fn time_text(time: Duration) -> String {
    match (time.as_secs(), time.subsec_nanos()) {
        (secs, 0) if secs > 0 && secs % 86_400 == 0 => format!("{}d", secs / 86_400),
        (secs, 0) if secs > 0 && secs % 3600 == 0 => format!("{}h", secs / 3600),
        (secs, 0) if secs > 0 && secs % 60 == 0 => format!("{}m", secs / 60),
        (secs, 0) => format!("{secs}s"),
        (_, nanos) if nanos % 1_000_000 == 0 => format!("{}ms", time.as_millis()),
        (_, nanos) if nanos % 1_000 == 0 => format!("{}us", time.as_micros()),
        _ => format!("{}ns", time.as_nanos()),
    }
}

/// Leading digits, and what follows them after spaces.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_in_all_their_spellings() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("64KiB", 64 * KIB),
            ("10 MiB", 10 * MIB),
            ("10mib", 10 * MIB),
            ("1GB", 1_000_000_000),
            (" 3kB ", 3_000),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text:?}");
        }
        for text in ["", "MiB", "1.5MiB", "-1", "10M", "10 parsecs", "99999999999999999999", "1e3"]
        {
            assert_eq!(parse_bytes(text), None, "{text:?}");
        }
        assert_eq!(parse_bytes("18446744073709551615GiB"), None);
    }

    #[test]
    fn times_need_a_unit() {
        assert_eq!(parse_time("100ms"), Some(Duration::from_millis(100)));
        assert_eq!(parse_time("5s"), Some(Duration::from_secs(5)));
        assert_eq!(parse_time("1m"), Some(Duration::from_secs(60)));
        assert_eq!(parse_time("30d"), Some(Duration::from_secs(30 * 86_400)));
        for text in ["", "5", "5 parsecs", "-5s", "1.5s", "s", "5S"] {
            assert_eq!(parse_time(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_size_survives_its_text(bytes: u64) {
            prop_assert_eq!(parse_bytes(&bytes_text(bytes)), Some(bytes));
        }

        #[test]
        fn a_time_survives_its_text(seconds in 0_u64..1_000_000, nanos in 0_u32..1_000_000_000) {
            let time = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_time(&time_text(time)), Some(time));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*") {
            let _ = (parse_bytes(&text), parse_time(&text));
        }
    }
}
