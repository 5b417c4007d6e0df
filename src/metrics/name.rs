//! Name: what families and labels may be called.
//!
//! Knows the grammar that both exposition formats share. Does not know families. Texts go in, and
//! what is wrong with them comes out.

use crate::metrics::format::Kind;

/// The name of a family without the ending of a counter's samples: what is unique on a page.
pub(crate) fn base_name(kind: Kind, name: &str) -> &str {
    match kind {
        Kind::Counter => name.strip_suffix("_total").unwrap_or(name),
        Kind::Gauge | Kind::Histogram => name,
    }
}

/// Whether a family may have that name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(crate) fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| byte == b':' || byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Whether a label may have that name: `[a-zA-Z_][a-zA-Z0-9_]*`, not one of Prometheus's own.
pub(crate) fn is_label_name(name: &str) -> bool {
    let is_reserved = name.starts_with("__") || name == "le" || name == "quantile";
    !is_reserved && is_name(name, |byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn is_name(name: &str, is_part: impl Fn(u8) -> bool) -> bool {
    let starts_well = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    starts_well && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_prometheus_takes() {
        for name in ["a", "_", "http_requests_total", "job:errors:rate5m", "A9"] {
            assert!(is_metric_name(name), "{name}");
        }
        for name in ["", "9a", "a.b", "a-b", "a b", "ä", "a\n"] {
            assert!(!is_metric_name(name), "{name}");
        }
        assert!(is_label_name("method") && is_label_name("_x"));
        for name in ["", "le", "quantile", "__name__", "a:b", "1a"] {
            assert!(!is_label_name(name), "{name}");
        }
        assert_eq!(base_name(Kind::Counter, "a_total"), "a");
        assert_eq!(base_name(Kind::Gauge, "a_total"), "a_total");
    }
}
