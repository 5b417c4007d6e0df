//! Unmeasured: a build without the feature `metrics` measures no requests.

use std::time::Duration;

/// Into which registry is measured: none.
#[derive(Debug, Clone)]
pub(crate) struct Measure;

/// A request that is not measured.
#[derive(Debug)]
pub(crate) struct Running;

/// What of a request would be a label.
#[expect(dead_code, reason = "nothing is measured")]
pub(crate) struct Labels<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) scheme: &'a str,
    pub(crate) is_skipped: bool,
}

/// How a request has ended.
#[expect(dead_code, reason = "nothing is measured")]
pub(crate) struct Outcome<'a> {
    pub(crate) status: Option<i64>,
    pub(crate) error_type: Option<&'a str>,
    pub(crate) took: Duration,
}

impl Measure {
    pub(crate) fn global() -> Self {
        Self
    }

    pub(crate) fn begin(&self, _: Labels<'_>) -> Running {
        Running
    }
}

impl Running {
    pub(crate) fn end(&self, _: Labels<'_>, _: &Outcome<'_>) {}
}
