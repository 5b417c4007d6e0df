//! Name: the names of the façade as Prometheus takes them.
//!
//! Knows which characters a name may have. Does not know the registry. Any text goes in, a valid
//! name comes out.

use metrics::Key;

/// The name of a metric: what is not a letter, a digit, `_` or `:` becomes `_`.
pub(crate) fn metric(name: &str) -> String {
    valid(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// The name and labels of a key. Of two labels that become one name the first stays.
pub(crate) fn of(key: &Key) -> (String, Vec<(String, String)>) {
    let labels = key.labels().map(|label| (self::label(label.key()), label.value().to_owned()));
    (metric(key.name()), labels.collect())
}

/// The same as pairs of borrowed texts.
pub(crate) fn pairs(labels: &[(String, String)]) -> Vec<(&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The name of a label. Those that Prometheus uses itself get an `_` at their end.
fn label(name: &str) -> String {
    let mut name = valid(name, |c| c.is_ascii_alphanumeric() || c == '_');
    if name == "le" || name == "quantile" {
        name.push('_');
    }
    match name.strip_prefix("__") {
        Some(rest) => format!("_{}", rest.trim_start_matches('_')),
        None => name,
    }
}

fn valid(name: &str, is_valid: impl Fn(char) -> bool) -> String {
    let mut valid: String = name.chars().map(|c| if is_valid(c) { c } else { '_' }).collect();
    if valid.is_empty() || valid.starts_with(|c: char| c.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_one_that_prometheus_takes() {
        for (name, metric_name, label_name) in [
            ("http.requests-total", "http_requests_total", "http_requests_total"),
            ("9lives", "_9lives", "_9lives"),
            ("", "_", "_"),
            ("a:b", "a:b", "a_b"),
            ("le", "le", "le_"),
            ("__name__", "__name__", "_name__"),
            ("größe", "gr__e", "gr__e"),
        ] {
            assert_eq!((metric(name), label(name)), (metric_name.into(), label_name.into()));
        }
    }
}
