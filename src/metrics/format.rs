//! Format: the two formats of a page, and what their lines are made of: kinds, numbers, texts.
//!
//! Knows how a value is spelled, and which format a scraper asks for. Does not know families or
//! samples. Values go in, pieces of a line come out.

use std::fmt;

/// In which of its formats the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Prometheus text, version 0.0.4: every scraper reads it. It has no exemplars.
    #[default]
    Text,
    /// OpenMetrics 1.0.0, which has exemplars.
    OpenMetrics,
}

impl Format {
    /// What a scraper asks for with its header `Accept`: the type with the highest `q` of the two,
    /// text where it does not matter.
    ///
    /// ```
    /// use logwell::metrics::Format;
    ///
    /// let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    /// assert_eq!(Format::from_accept(prometheus), Format::OpenMetrics);
    /// assert_eq!(Format::from_accept("*/*"), Format::Text);
    /// ```
    #[must_use]
    pub fn from_accept(accept: &str) -> Self {
        let quality = |wanted: &str| {
            let of = accept.split(',').filter_map(|part| {
                let mut parameters = part.split(';').map(str::trim);
                let is_it = parameters.next()?.eq_ignore_ascii_case(wanted);
                let q = parameters.find_map(|parameter| parameter.strip_prefix("q="));
                is_it.then(|| q.and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0))
            });
            of.fold(0.0, f32::max)
        };
        if quality("application/openmetrics-text") > quality("text/plain") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// The header `Content-Type` of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows, from zero at each start. Its name ends in `_total`.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// How many observations fell below each of several bounds.
    Histogram,
}

impl Kind {
    /// Its name in the line `# TYPE`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number, written exactly.
    Whole(u64),
    /// Any other.
    Float(f64),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Number {
    /// 1 for yes, 0 for no.
    fn from(truth: bool) -> Self {
        Self::Whole(u64::from(truth))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Float(number) if number.is_nan() => f.write_str("NaN"),
            Self::Float(f64::INFINITY) => f.write_str("+Inf"),
            Self::Float(f64::NEG_INFINITY) => f.write_str("-Inf"),
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}

/// A text as a help line or a label's value has it.
pub(crate) struct Escaped<'a> {
    text: &'a str,
    /// The help lines of the older format keep their quotes.
    quotes: bool,
}

impl<'a> Escaped<'a> {
    /// A help text.
    pub(crate) fn help(text: &'a str, format: Format) -> Self {
        Self { text, quotes: format == Format::OpenMetrics }
    }

    /// The value of a label.
    pub(crate) fn value(text: &'a str) -> Self {
        Self { text, quotes: true }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let must = |c: char| matches!(c, '\\' | '\n') || (c == '"' && self.quotes);
        for piece in self.text.split_inclusive(must) {
            let Some(last) = piece.chars().next_back().filter(|&c| must(c)) else {
                f.write_str(piece)?;
                continue;
            };
            f.write_str(piece.strip_suffix(last).unwrap_or_default())?;
            match last {
                '\n' => f.write_str("\\n")?,
                other => write!(f, "\\{other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_of_the_two_formats_is_chosen() {
        use Format::{OpenMetrics, Text};
        let real = "application/openmetrics-text;version=1.0.0,\
                    application/openmetrics-text;version=0.0.1;q=0.75,\
                    text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (real, OpenMetrics),
            ("", Text),
            ("*/*", Text),
            ("text/html", Text),
            ("Application/OpenMetrics-Text", OpenMetrics),
            ("application/openmetrics-text;q=0.4, text/plain;q=0.5", Text),
            ("application/openmetrics-text; q=0.6, text/plain; q=0.5", OpenMetrics),
            ("application/openmetrics-text;q=nonsense", OpenMetrics),
            ("application/openmetrics-text;q=0", Text),
        ] {
            assert_eq!(Format::from_accept(accept), format, "{accept}");
        }
    }

    #[test]
    fn numbers_that_are_none_have_their_names() {
        for (number, text) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (1.0, "1.0"),
            (0.005, "0.005"),
            (1e-9, "1e-9"),
            (1e21, "1e21"),
        ] {
            assert_eq!(Number::Float(number).to_string(), text);
        }
    }
}
