//! Exposition: the text that Prometheus scrapes, in either of its two formats.
//!
//! Knows how families, samples and exemplars are written on a page. Does not know who counts, nor
//! how the text travels. Families and samples go in, text comes out.

use crate::metrics::exemplar::Exemplar;
use crate::metrics::format::{Escaped, Format, Kind, Number};
use crate::metrics::name::base_name;
use std::collections::HashSet;
use std::fmt::Write as _;

/// A page of metrics in the making.
///
/// Each family is written once, as a whole. A second family of the same name is left out, since a
/// scraper would refuse the page.
///
/// ```
/// use logwell::metrics::{Exposition, Format, Kind};
///
/// let mut page = Exposition::new(Format::Text);
/// page.family(Kind::Gauge, "pool_connections", "Connections of the pool.")
///     .sample(&[("state", "idle")], 3_u64)
///     .sample(&[("state", "busy")], 1_u64);
/// assert_eq!(
///     page.finish(),
///     "# HELP pool_connections Connections of the pool.\n# TYPE pool_connections gauge\n\
///      pool_connections{state=\"idle\"} 3\n\
///      pool_connections{state=\"busy\"} 1\n"
/// );
/// ```
#[derive(Debug)]
pub struct Exposition {
    text: String,
    format: Format,
    /// Names of the families so far, without `_total`.
    families: HashSet<String>,
}

impl Exposition {
    /// An empty page.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { text: String::new(), format, families: HashSet::new() }
    }

    /// Begins a family. The name of a counter gets the ending `_total` if it has none.
    ///
    /// The caller keeps names to letters, digits, `_` and `:`.
    pub fn family(&mut self, kind: Kind, name: &str, help: impl AsRef<str>) -> FamilyWriter<'_> {
        let base = base_name(kind, name);
        if !self.families.insert(base.to_owned()) {
            return FamilyWriter { page: None, kind, base: base.to_owned() };
        }
        // OpenMetrics names a family of counters without the ending of its samples.
        let ending = match (kind, self.format) {
            (Kind::Counter, Format::Text) => "_total",
            _ => "",
        };
        let help = Escaped::help(help.as_ref(), self.format);
        let _infallible = write!(
            self.text,
            "# HELP {base}{ending} {help}\n# TYPE {base}{ending} {}\n",
            kind.as_str()
        );
        FamilyWriter { base: base.to_owned(), kind, page: Some(self) }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Writes the samples of one family; see [`Exposition::family`].
#[derive(Debug)]
pub struct FamilyWriter<'a> {
    /// `None` if the family is there already.
    page: Option<&'a mut Exposition>,
    kind: Kind,
    base: String,
}

/// Names and values of a sample's labels. One with an empty value is left out: it means the same.
pub type LabelSlice<'a> = &'a [(&'a str, &'a str)];

/// The state of one histogram.
#[derive(Debug)]
pub(crate) struct HistogramSample<'a> {
    /// The upper bounds, in order, without the infinite one.
    pub(crate) bounds: &'a [f64],
    /// Observations in each bucket alone; one more than there are bounds.
    pub(crate) counts: &'a [u64],
    pub(crate) sum: f64,
    pub(crate) exemplars: &'a [Option<Exemplar>],
}

impl FamilyWriter<'_> {
    /// Adds a sample of a counter or gauge.
    pub fn sample(self, labels: LabelSlice<'_>, value: impl Into<Number>) -> Self {
        self.sample_of(labels, value.into(), None)
    }

    pub(crate) fn sample_of(
        mut self,
        labels: LabelSlice<'_>,
        value: Number,
        exemplar: Option<&Exemplar>,
    ) -> Self {
        let ending = if self.kind == Kind::Counter { "_total" } else { "" };
        self.line(Line { ending, labels, le: None, value, exemplar });
        self
    }

    pub(crate) fn histogram(
        mut self,
        labels: LabelSlice<'_>,
        sample: &HistogramSample<'_>,
    ) -> Self {
        let bounds = sample.bounds.iter().copied().chain([f64::INFINITY]);
        let mut below = 0;
        for (at, (le, count)) in bounds.zip(sample.counts).enumerate() {
            below += count;
            let exemplar = sample.exemplars.get(at).and_then(Option::as_ref);
            let (le, value) = (Some(Number::Float(le)), Number::Whole(below));
            self.line(Line { ending: "_bucket", labels, le, value, exemplar });
        }
        let (none, sum) = (None, Number::Float(sample.sum));
        self.line(Line { ending: "_sum", labels, le: none, value: sum, exemplar: None });
        let count = Number::Whole(below);
        self.line(Line { ending: "_count", labels, le: none, value: count, exemplar: None });
        self
    }

    fn line(&mut self, line: Line<'_>) {
        let Some(page) = &mut self.page else { return };
        let has_exemplars = page.format == Format::OpenMetrics;
        let text = &mut page.text;
        text.push_str(&self.base);
        text.push_str(line.ending);
        let mut separator = '{';
        for (name, value) in line.labels.iter().filter(|(_, value)| !value.is_empty()) {
            let _infallible = write!(text, "{separator}{name}=\"{}\"", Escaped::value(value));
            separator = ',';
        }
        if let Some(le) = line.le {
            let _infallible = write!(text, "{separator}le=\"{le}\"");
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        let _infallible = write!(text, " {}", line.value);
        if let Some(exemplar) = line.exemplar.filter(|_| has_exemplars) {
            let _infallible = write!(text, " # {exemplar}");
        }
        text.push('\n');
    }
}

struct Line<'a> {
    ending: &'static str,
    labels: LabelSlice<'a>,
    le: Option<Number>,
    value: Number,
    exemplar: Option<&'a Exemplar>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_named_as_each_format_wants_it() {
        let page = |format, name: &str| {
            let mut page = Exposition::new(format);
            page.family(Kind::Counter, name, "Jobs \"done\"\nso \\ far.").sample(&[], 7_u64);
            page.finish()
        };
        for name in ["jobs", "jobs_total"] {
            assert_eq!(
                page(Format::Text, name),
                "# HELP jobs_total Jobs \"done\"\\nso \\\\ far.\n# TYPE jobs_total counter\n\
                 jobs_total 7\n"
            );
            assert_eq!(
                page(Format::OpenMetrics, name),
                "# HELP jobs Jobs \\\"done\\\"\\nso \\\\ far.\n# TYPE jobs counter\n\
                 jobs_total 7\n# EOF\n"
            );
        }
    }

    #[test]
    fn values_of_labels_are_escaped_and_empty_ones_left_out() {
        let mut page = Exposition::new(Format::Text);
        let labels = [("a", "1\n\"2\"\\"), ("b", ""), ("c", "ü")];
        page.family(Kind::Gauge, "g", "G.").sample(&labels, 0.5).sample(&[("b", "")], true);
        let text = page.finish();
        assert!(text.contains("g{a=\"1\\n\\\"2\\\"\\\\\",c=\"ü\"} 0.5\ng 1\n"), "{text}");
    }

    #[test]
    fn a_second_family_of_one_name_is_left_out() {
        let mut page = Exposition::new(Format::Text);
        page.family(Kind::Counter, "x_total", "X.").sample(&[], 1_u64);
        page.family(Kind::Gauge, "x", "Another.").sample(&[], 2_u64);
        assert_eq!(page.finish(), "# HELP x_total X.\n# TYPE x_total counter\nx_total 1\n");
    }
}
