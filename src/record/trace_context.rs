//! TraceContext: the headers of W3C Trace Context, `traceparent` and `tracestate`, as a value.
//!
//! Knows the names of the headers and the text of `traceparent`, levels 1 and 2 of the
//! specification. Does not know the text of `tracestate` (`trace_state.rs`), nor which trace is the
//! current one.

pub use crate::record::trace_state::{TraceState, TraceStateError};

use crate::record::span::Id;
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

/// Which trace a request belongs to, and which span of the caller it comes from.
///
/// Services hand it to one another in the HTTP header `traceparent`:
///
/// ```text
/// 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
/// │  trace id, 32 digits              span id, 16      flags
/// version
/// ```
///
/// ```
/// use logwell::trace_context::TraceContext;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let caller: TraceContext = header.parse()?;
/// assert_eq!(caller.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(caller.is_sampled());
///
/// // What this service sends on: the same trace, a span of its own.
/// let mine = caller.child();
/// assert_eq!(mine.trace_id(), caller.trace_id());
/// assert_ne!(mine.to_traceparent(), header);
/// # Ok::<(), logwell::trace_context::TraceContextError>(())
/// ```
///
/// Two flags are known. *Sampled* says that the caller may have recorded its part of the trace,
/// *random* that the trace id is random. Both are passed on as they came; others are sent as zero.
///
/// Beside the ids it carries the entries of other tracing systems, the header `tracestate`.
///
/// A header that cannot be parsed is to be ignored, as the specification wants it: the request then
/// starts its own trace, with [`TraceContext::new_root`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[doc(alias = "traceparent")]
pub struct TraceContext {
    trace_id: NonZeroU128,
    span_id: NonZeroU64,
    pub(crate) flags: u8,
    state: TraceState,
}

/// Why a text is not a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceContextError {
    /// It is not four parts of 2, 32, 16 and 2 characters joined by hyphens. Of a version this
    /// crate does not know, further parts may follow.
    Layout,
    /// The version is not two lower-case hexadecimal digits, or is the forbidden `ff`.
    Version,
    /// The trace id is not lower-case hexadecimal, or is all zeros.
    TraceId,
    /// The span id is not lower-case hexadecimal, or is all zeros.
    SpanId,
    /// The flags are not lower-case hexadecimal.
    Flags,
}

impl TraceContext {
    /// A new trace with random ids, to be sampled: both flags are set, `tracestate` is empty.
    #[must_use]
    pub fn new_root() -> Self {
        let trace_id = NonZeroU128::new(fastrand::u128(1..)).unwrap_or(NonZeroU128::MIN);
        let (span_id, state) = (random_span_id(), TraceState::default());
        Self { trace_id, span_id, flags: NEW_ROOT_FLAGS, state }
    }

    /// The trace that a request with these headers belongs to; `None` if it brings none. Names of
    /// headers are compared without regard to case.
    ///
    /// Two `traceparent` headers count as none. Several `tracestate` headers are one list; a
    /// malformed list is left out. The headers of the crate `http` can be given as they are:
    /// `TraceContext::from_headers(request.headers())`.
    ///
    /// ```
    /// use logwell::trace_context::TraceContext;
    ///
    /// let headers = [
    ///     ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"),
    ///     ("tracestate", "congo=t61rcWkgMzE"),
    ///     ("tracestate", "rojo=1"),
    /// ];
    /// let caller = TraceContext::from_headers(headers).unwrap();
    /// assert_eq!(caller.to_tracestate().unwrap(), "congo=t61rcWkgMzE,rojo=1");
    /// assert!(TraceContext::from_headers([headers[0], headers[0]]).is_none());
    /// ```
    #[must_use]
    pub fn from_headers<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Option<Self> {
        let (mut parents, mut states) = (Vec::new(), Vec::new());
        for (name, value) in headers {
            if name.as_ref().eq_ignore_ascii_case(TRACEPARENT) {
                parents.push(value);
            } else if name.as_ref().eq_ignore_ascii_case(TRACESTATE) {
                states.push(value);
            }
        }
        let [parent] = parents.as_slice() else { return None };
        let parent = Self::parse(std::str::from_utf8(parent.as_ref()).ok()?).ok()?;
        let states: Result<Vec<_>, _> =
            states.iter().map(|state| std::str::from_utf8(state.as_ref())).collect();
        let state = states.ok().and_then(|states| TraceState::parse(states).ok());
        Some(parent.with_state(state.unwrap_or_default()))
    }

    /// The same trace, seen from a new span: what to send to the services one calls.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: random_span_id(), ..self.clone() }
    }

    /// The same trace with these entries of tracing systems. If they have changed, the span must
    /// too: [`child`](Self::child).
    #[must_use]
    pub fn with_state(self, state: TraceState) -> Self {
        Self { state, ..self }
    }

    /// Reads the value of a `traceparent` header. Spaces and tabs around it do not matter.
    ///
    /// A version newer than `00` is read as if it were `00`, and what it adds is ignored.
    ///
    /// # Errors
    ///
    /// The text is malformed; see [`TraceContextError`].
    pub fn parse(header: &str) -> Result<Self, TraceContextError> {
        use TraceContextError as E;
        let header = header.trim_matches([' ', '\t']).as_bytes();
        let (fixed, rest) = header.split_first_chunk::<LEN>().ok_or(E::Layout)?;
        let mut parts = fixed.split(|&byte| byte == b'-');
        let mut part = |len: usize| parts.next().filter(|part| part.len() == len).ok_or(E::Layout);
        let (version, trace_id, span_id, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);

        match (hex(version).ok_or(E::Version)?, rest) {
            (0xff, _) => return Err(E::Version),
            (0, []) | (1.., [] | [b'-', ..]) => {}
            _ => return Err(E::Layout),
        }
        let trace_id = hex(trace_id).and_then(NonZeroU128::new).ok_or(E::TraceId)?;
        let span_id = hex(span_id).and_then(|id| u64::try_from(id).ok());
        let span_id = span_id.and_then(NonZeroU64::new).ok_or(E::SpanId)?;
        let flags = hex(flags).and_then(|flags| u8::try_from(flags).ok()).ok_or(E::Flags)?;
        Ok(Self { trace_id, span_id, flags: flags & KNOWN_FLAGS, state: TraceState::default() })
    }

    /// The value of the header `traceparent`, always of version `00`.
    #[must_use]
    pub fn to_traceparent(&self) -> String {
        self.to_string()
    }

    /// The value of the header `tracestate`; `None` if there is nothing to send.
    #[must_use]
    pub fn to_tracestate(&self) -> Option<String> {
        (!self.state.is_empty()).then(|| self.state.to_string())
    }

    /// The entries of tracing systems.
    #[must_use]
    pub fn state(&self) -> &TraceState {
        &self.state
    }

    /// The id all spans of the trace have in common.
    #[must_use]
    pub fn trace_id(&self) -> Id {
        Id::Trace(self.trace_id.get())
    }

    /// The id of the span the header comes from; the specification's `parent-id`.
    #[must_use]
    #[doc(alias = "parent_id")]
    pub fn span_id(&self) -> Id {
        Id::Span(self.span_id.get())
    }

    /// Whether the caller may have recorded its part of the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether the originator of the trace says that its id is random: at least the last 7 bytes.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.flags & RANDOM != 0
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(header: &str) -> Result<Self, TraceContextError> {
        Self::parse(header)
    }
}

impl fmt::Display for TraceContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Layout => "traceparent is not of the form 00-<32 digits>-<16 digits>-<2 digits>",
            Self::Version => "the version in traceparent is not 00 to fe",
            Self::TraceId => "the trace id in traceparent is zero or not lower-case hexadecimal",
            Self::SpanId => "the span id in traceparent is zero or not lower-case hexadecimal",
            Self::Flags => "the flags in traceparent are not lower-case hexadecimal",
        })
    }
}

impl std::error::Error for TraceContextError {}

/// Bytes of a header of version `00`.
const LEN: usize = 55;
/// The caller may have recorded its part of the trace.
const SAMPLED: u8 = 0b01;
/// The trace id is random (level 2). Claimed of our own trace ids only.
const RANDOM: u8 = 0b10;
/// The other flags are reserved and must be sent as zero.
const KNOWN_FLAGS: u8 = SAMPLED | RANDOM;
/// The flags of a trace that begins here.
pub(crate) const NEW_ROOT_FLAGS: u8 = SAMPLED | RANDOM;
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

fn random_span_id() -> NonZeroU64 {
    NonZeroU64::new(fastrand::u64(1..)).unwrap_or(NonZeroU64::MIN)
}

/// The value of up to 32 lower-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |value, &byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::TraceContextError as E;
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn check(header: &str, expected: Result<&str, E>) {
        let printed = TraceContext::parse(header).map(|context| context.to_traceparent());
        assert_eq!(printed.as_deref().map_err(|&e| e), expected, "header {header:?}");
    }

    /// Headers of the W3C's own test suite (`test/test.py`), and their near neighbours. `T` stands
    /// for a good trace id, `S` for a good span id.
    const MALFORMED: &[(&str, E)] = &[
        // nothing there
        ("", E::Layout),
        (" ", E::Layout),
        ("-", E::Layout),
        ("---", E::Layout),
        ("00", E::Layout),
        ("00-", E::Layout),
        ("00-T", E::Layout),
        ("00-T-", E::Layout),
        ("00-T-S", E::Layout),
        ("00-T-S-", E::Layout),
        // version 00 with something behind it
        ("00-T-S-01.", E::Layout),
        ("00-T-S-01-", E::Layout),
        ("00-T-S-01-what-the-future-will-be-like", E::Layout),
        ("00-T-S-01 00", E::Layout),
        // another version with something behind it that is no further part
        ("cc-T-S-01.what-the-future-will-be-like", E::Layout),
        ("01-T-S-011", E::Layout),
        ("fe-T-S-01,", E::Layout),
        // version
        ("ff-T-S-01", E::Version),
        ("ff-T-S-01-more", E::Version),
        ("FF-T-S-01", E::Version),
        ("CC-T-S-01", E::Version),
        (".0-T-S-01", E::Version),
        ("0.-T-S-01", E::Version),
        ("+0-T-S-01", E::Version),
        ("0x-T-S-01", E::Version),
        ("000-T-S-01", E::Layout),
        ("0000-T-S-01", E::Layout),
        ("0-T-S-01", E::Layout),
        ("-T-S-01", E::Layout),
        ("T-S-01", E::Layout),
        // trace id
        ("00-00000000000000000000000000000000-S-01", E::TraceId),
        ("cc-00000000000000000000000000000000-S-01-more", E::TraceId),
        ("00-.2345678901234567890123456789012-S-01", E::TraceId),
        ("00-1234567890123456789012345678901.-S-01", E::TraceId),
        ("00-ABCDEF78901234567890123456789012-S-01", E::TraceId),
        ("00-g2345678901234567890123456789012-S-01", E::TraceId),
        ("00-+2345678901234567890123456789012-S-01", E::TraceId),
        ("00- 2345678901234567890123456789012-S-01", E::TraceId),
        ("00-1234567890123456789012345678901\0-S-01", E::TraceId),
        ("00-é345678901234567890123456789012-S-01", E::TraceId),
        ("00-123456789012345678901234567890123-S-01", E::Layout),
        ("00-1234567890123456789012345678901-S-01", E::Layout),
        ("00--S-01", E::Layout),
        ("00-1234567890123456-789012345678901-S-01", E::Layout),
        // span id
        ("00-T-0000000000000000-01", E::SpanId),
        ("00-T-.234567890123456-01", E::SpanId),
        ("00-T-123456789012345.-01", E::SpanId),
        ("00-T-123456789012345F-01", E::SpanId),
        ("00-T-\t234567890123456-01", E::SpanId),
        ("00-T-12345678901234567-01", E::Layout),
        ("00-T-123456789012345-01", E::Layout),
        ("00-T--01", E::Layout),
        // flags
        ("00-T-S-.0", E::Flags),
        ("00-T-S-0.", E::Flags),
        ("00-T-S-0A", E::Flags),
        ("00-T-S- 1", E::Flags),
        ("00-T-S-001", E::Layout),
        ("00-T-S-1", E::Layout),
        // other joints
        ("00_T_S_01", E::Layout),
        ("00-T_S-01", E::Layout),
        ("00:T:S:01", E::Layout),
        // the same header twice, joined as HTTP does it
        ("00-T-S-01,00-T-S-01", E::Layout),
        ("00-T-S-01, 00-T-S-01", E::Layout),
        // white space other than space and tab
        ("\n00-T-S-01", E::Layout),
        ("00-T-S-01\r\n", E::Layout),
        ("\u{a0}00-T-S-01", E::Layout),
    ];

    #[test]
    fn malformed_headers_are_refused_with_the_part_that_is_wrong() {
        for &(pattern, error) in MALFORMED {
            check(&pattern.replace('T', TRACE).replace('S', SPAN), Err(error));
        }
    }

    #[test]
    fn good_headers_are_printed_as_version_00_with_the_flags_that_are_known() {
        let good = [
            ("00-T-S-00", "00"),
            ("00-T-S-01", "01"),
            ("00-T-S-02", "02"),
            ("00-T-S-03", "03"),
            ("00-T-S-ff", "03"),
            ("00-T-S-fc", "00"),
            ("01-T-S-01", "01"),
            ("cc-T-S-01", "01"),
            ("cc-T-S-01-", "01"),
            ("cc-T-S-01-what-the-future-will-be-like", "01"),
            ("fe-T-S-01", "01"),
            (" 00-T-S-01", "01"),
            ("\t00-T-S-01", "01"),
            ("00-T-S-01 ", "01"),
            ("00-T-S-01\t", "01"),
            ("\t 00-T-S-01 \t", "01"),
        ];
        for (pattern, flags) in good {
            let header = pattern.replace('T', TRACE).replace('S', SPAN);
            check(&header, Ok(&format!("00-{TRACE}-{SPAN}-{flags}")));
        }
    }

    fn parent(flags: &str) -> String {
        format!("00-{TRACE}-{SPAN}-{flags}")
    }

    #[test]
    fn headers_are_found_in_any_case_and_under_no_other_name() {
        let parent = parent("01");
        for name in ["traceparent", "TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
            let context = TraceContext::from_headers([(name, &parent)]).unwrap();
            assert_eq!(context.to_traceparent(), parent);
        }
        for name in ["trace-parent", "trace.parent", "traceparent ", ""] {
            assert_eq!(TraceContext::from_headers([(name, &parent)]), None, "{name:?}");
        }
        for (name, state) in [
            ("tracestate", Some("foo=1")),
            ("TraceState", Some("foo=1")),
            ("TRACESTATE", Some("foo=1")),
            ("trace-state", None),
            ("trace.state", None),
        ] {
            let headers = [("traceparent", parent.as_str()), (name, "foo=1")];
            let context = TraceContext::from_headers(headers).unwrap();
            assert_eq!(context.to_tracestate().as_deref(), state, "{name:?}");
        }
    }

    #[test]
    fn of_two_traceparent_headers_neither_counts() {
        let other = format!("00-{}-{SPAN}-01", "9".repeat(32));
        let parent = parent("01");
        for second in [&other, &parent, &"nonsense".to_owned()] {
            let headers = [("traceparent", &parent), ("Traceparent", second)];
            assert_eq!(TraceContext::from_headers(headers), None);
        }
    }

    #[test]
    fn tracestate_counts_only_beside_a_good_traceparent() {
        let bad = format!("ff-{TRACE}-{SPAN}-01");
        for parent in ["", "nonsense", &bad] {
            let headers = [("traceparent", parent), ("tracestate", "foo=1")];
            assert_eq!(TraceContext::from_headers(headers), None);
        }
        assert_eq!(TraceContext::from_headers([("tracestate", "foo=1,bar=2")]), None);
    }

    #[test]
    fn a_bad_tracestate_is_left_out_and_the_ids_stay() {
        for bad in [&b"FOO=1"[..], b"foo=1,bar", b"foo=\xff", b""] {
            let parent = parent("02");
            let headers = [("traceparent", parent.as_bytes()), ("tracestate", bad)];
            let context = TraceContext::from_headers(headers).unwrap();
            assert_eq!((context.to_traceparent(), context.to_tracestate()), (parent, None));
        }
    }

    #[test]
    fn tracestate_goes_on_to_a_child_and_not_to_a_new_root() {
        let parent = parent("00");
        let headers =
            [("traceparent", &*parent), ("tracestate", "foo=1,bar=2"), ("tracestate", "baz=3")];
        let child = TraceContext::from_headers(headers).unwrap().child();
        assert_eq!(child.to_tracestate().unwrap(), "foo=1,bar=2,baz=3");
        let own = child.state().with("own", "7").unwrap();
        let child = child.with_state(own).child();
        assert_eq!(child.to_tracestate().unwrap(), "own=7,foo=1,bar=2,baz=3");
        assert_eq!(TraceContext::new_root().state(), &TraceState::default());
    }

    #[test]
    fn the_smallest_and_largest_ids_survive() {
        let smallest = "00-00000000000000000000000000000001-0000000000000001-00";
        check(smallest, Ok(smallest));
        let largest = format!("00-{}-{}-01", "f".repeat(32), "f".repeat(16));
        check(&largest, Ok(&largest));
    }

    #[test]
    fn a_root_is_sampled_and_random_and_a_child_keeps_all_but_the_span() {
        let root = TraceContext::new_root();
        assert!(root.is_sampled() && root.is_random());
        assert!(root.to_traceparent().ends_with("-03"));
        assert_eq!(root.to_tracestate(), None);
        let child = root.child();
        assert_eq!((child.trace_id(), child.flags), (root.trace_id(), root.flags));
        assert_ne!(child.span_id(), root.span_id());
        assert_ne!(TraceContext::new_root().trace_id(), root.trace_id());

        let unsampled = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-02")).unwrap();
        assert!(!unsampled.is_sampled());
        assert_eq!(unsampled.child().flags, 0b10, "the random flag is passed on");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(
            trace_id in 1_u128.., span_id in 1_u64.., flags in 0_u8..4,
        ) {
            let context = TraceContext {
                trace_id: NonZeroU128::new(trace_id).unwrap(),
                span_id: NonZeroU64::new(span_id).unwrap(),
                flags,
                state: TraceState::default(),
            };
            prop_assert_eq!(context.to_traceparent().len(), LEN);
            prop_assert_eq!(context.to_string().parse(), Ok(context));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = TraceContext::parse(&text);
        }

        #[test]
        fn a_good_header_with_one_byte_changed_never_panics_nor_reads_back_otherwise(
            at in 0..LEN, byte in 0_u8..0x80,
        ) {
            let mut header = format!("00-{TRACE}-{SPAN}-01").into_bytes();
            header[at] = byte;
            let header = String::from_utf8(header).unwrap();
            if let Ok(context) = TraceContext::parse(&header) {
                let same = header.get(2..53) == context.to_traceparent().get(2..53);
                prop_assert!(same, "{header:?} became {context}");
            }
        }
    }
}
