//! LoggingContext: trace ids and key/value pairs for everything logged in a scope.
//!
//! Knows the caller's stack of scopes. Does not know records, queues or sinks.

use crate::capture::layer::QueueLayer;
use crate::capture::redact::Redaction;
use crate::capture::thread_state::{self, Owner, Scope};
use crate::record::Id;
use crate::record::fields::{Fields, Key, Value};
use crate::record::span::{Carried, MAX_CONTEXT_BYTES, SpanContext, trace};
use crate::record::trace_context::TraceContext;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// A value in a context is cut at this many bytes.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// Trace ids and key/value pairs for everything logged in a scope.
///
/// Each record made inside carries `trace_id` and `span_id`, and the pairs as fields at top level
/// (the event's own fields win). Contexts nest: the inner one adds to the outer one and overrides
/// what both set; its end restores the outer one. Spans made inside inherit the trace id and the
/// pairs, and take them along to other threads. An event with an explicit parent belongs to that
/// parent, whatever the context.
///
/// An id that is set nowhere is inherited from the span or context around, or is random. A span id
/// is inherited only within its trace: a context that sets another trace id and no span id has a
/// random one.
///
/// ```
/// use logwell::LoggingContext;
///
/// let request = LoggingContext::new().trace_id("abc-123").with("user_id", 7);
/// {
///     let _guard = request.enter();
///     tracing::info!("this record has trace_id abc-123 and user_id 7");
/// }
/// assert!(LoggingContext::current().is_none());
/// ```
///
/// In async code use [`instrument`](Self::instrument) instead of holding the guard over an await
/// point.
#[derive(Clone, Default)]
#[doc(alias = "MDC")]
#[doc(alias = "contextvars")]
pub struct LoggingContext {
    trace_id: Option<Id>,
    span_id: Option<Id>,
    /// What the trace carries besides, if that is known.
    carried: Option<Carried>,
    extras: Fields,
}

impl LoggingContext {
    /// A context that sets nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A context for a request that came with these headers: W3C `traceparent` if it is valid, else
    /// `X-Trace-ID` as it is (if it is not blank), else a new trace.
    ///
    /// [`from_request`](Self::from_request) takes all headers, and `tracestate` too.
    ///
    /// ```
    /// use logwell::LoggingContext;
    ///
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let context = LoggingContext::from_headers(Some(parent), Some("ignored then"));
    /// assert_eq!(context.get_trace_id().unwrap(), "4bf92f3577b34da6a3ce929d0e0e4736");
    ///
    /// let context = LoggingContext::from_headers(Some("nonsense"), Some("abc-123"));
    /// assert_eq!(context.get_trace_id().unwrap(), "abc-123");
    /// ```
    #[must_use]
    pub fn from_headers(traceparent: Option<&str>, x_trace_id: Option<&str>) -> Self {
        if let Some(parent) = traceparent.and_then(|header| TraceContext::parse(header).ok()) {
            return parent.into();
        }
        match x_trace_id.map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => Self::new().trace_id(id),
            None => TraceContext::new_root().into(),
        }
    }

    /// A context for a request with these headers, of any name: `traceparent` and `tracestate` as
    /// [`TraceContext::from_headers`] reads them, else the first `X-Trace-ID` that is not blank,
    /// else a new trace. The headers of the crate `http` can be given as they are.
    ///
    /// ```
    /// use logwell::LoggingContext;
    ///
    /// let headers = [
    ///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"),
    ///     ("tracestate", "congo=t61rcWkgMzE"),
    /// ];
    /// let request = LoggingContext::from_request(headers);
    /// // What to send on, from wherever the request is worked on:
    /// let next = request.trace_context().unwrap().child();
    /// assert!(next.to_traceparent().ends_with("-02"));
    /// assert_eq!(next.to_tracestate().unwrap(), "congo=t61rcWkgMzE");
    /// ```
    #[must_use]
    pub fn from_request<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let headers: Vec<_> = headers.into_iter().collect();
        let all = headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        if let Some(parent) = TraceContext::from_headers(all.clone()) {
            return parent.into();
        }
        let ids = all.filter(|(name, _)| name.eq_ignore_ascii_case(X_TRACE_ID));
        let mut ids = ids.filter_map(|(_, id)| std::str::from_utf8(id).ok());
        Self::from_headers(None, ids.find(|id| !id.trim().is_empty()))
    }

    /// Sets the trace id: any text, of which at most 256 bytes are kept. Nothing is known of that
    /// trace: [`trace_context`](Self::trace_context) has no flags for it.
    ///
    /// Without a span id, the records inside have a random one.
    #[must_use]
    pub fn trace_id(mut self, id: impl AsRef<str>) -> Self {
        self.trace_id = Some(text_id(id.as_ref()));
        self.carried = None;
        self
    }

    /// Sets the span id: any text, of which at most 256 bytes are kept.
    #[must_use]
    pub fn span_id(mut self, id: impl AsRef<str>) -> Self {
        self.span_id = Some(text_id(id.as_ref()));
        self
    }

    /// Adds a key/value pair; a key that is already there gets the new value.
    ///
    /// Texts are cut at 16 KiB. When all pairs together take 64 KiB, further ones are left out.
    /// Entering the context masks secrets, as
    /// [`RedactConfig`](crate::capture::options::RedactConfig) says.
    #[must_use]
    pub fn with<'a>(mut self, key: &str, value: impl Into<ContextValue<'a>>) -> Self {
        let mut pair = Fields::new();
        pair.push_cut(Key::Name(key), value.into().0, MAX_VALUE_BYTES);
        if self.extras.len_bytes() + pair.len_bytes() <= MAX_CONTEXT_BYTES {
            self.extras.merge(&pair);
        }
        self
    }

    /// The trace id it sets.
    #[must_use]
    pub fn get_trace_id(&self) -> Option<String> {
        self.trace_id.as_ref().map(ToString::to_string)
    }

    /// The span id it sets.
    #[must_use]
    pub fn get_span_id(&self) -> Option<String> {
        self.span_id.as_ref().map(ToString::to_string)
    }

    /// The value it sets for a key, as text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        let entry = self.extras.iter().find(|entry| entry.key == Key::Name(key))?;
        Some(match entry.value {
            Value::Str(text) => text.to_owned(),
            Value::U64(number) => number.to_string(),
            Value::I64(number) => number.to_string(),
            Value::F64(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            other => format!("{other:?}"),
        })
    }

    /// What is in force on this thread: ids and pairs of all spans and contexts around the call.
    /// `None` if it is in none.
    #[must_use]
    pub fn current() -> Option<Self> {
        let context = around()?.context;
        Some(Self {
            trace_id: Some(context.trace_id.clone()),
            span_id: Some(context.span_id.clone()),
            carried: Some(context.carried.clone()),
            extras: context.extras.as_deref().cloned().unwrap_or_default(),
        })
    }

    /// Its ids as W3C Trace Context, if they have that form: what to send on to the services one
    /// calls. Flags and `tracestate` are those the trace came with: none is invented. A trace that
    /// began here is sampled and random; of one whose id was set by hand neither is known.
    ///
    /// ```
    /// use logwell::LoggingContext;
    ///
    /// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let _guard = LoggingContext::from_headers(Some(parent), None).enter();
    /// let current = LoggingContext::current().and_then(|context| context.trace_context());
    /// assert_eq!(current.unwrap().to_traceparent(), parent);
    /// assert!(LoggingContext::new().trace_id("abc-123").trace_context().is_none());
    /// ```
    #[must_use]
    pub fn trace_context(&self) -> Option<TraceContext> {
        let (trace_id, span_id) = (self.trace_id.as_ref()?, self.span_id.as_ref()?);
        let Carried { flags, state } = self.carried.clone().unwrap_or_default();
        let ids = TraceContext::parse(&format!("00-{trace_id}-{span_id}-{flags:02x}")).ok()?;
        Some(ids.with_state(state))
    }

    /// Puts the context in force on this thread until the guard is dropped.
    #[must_use = "the context ends when the guard is dropped"]
    pub fn enter(&self) -> ContextGuard {
        let around = around();
        let context = self.inside(around.as_ref().map(|scope| &*scope.context));
        ContextGuard::enter(Arc::new(context), around.as_ref())
    }

    /// Puts the context in force on this thread until [`clear`](Self::clear) is called or another
    /// one is set. It inherits nothing: an id it does not set is random. What was set before is
    /// replaced; guards and spans nest inside as usual.
    ///
    /// For code that has no scope to hold a guard in, such as a worker's loop.
    pub fn set(&self) {
        Self::clear();
        let context = Arc::new(self.inside(None));
        thread_state::push(Scope { owner: SET, context, seen: 0, layer: None });
    }

    /// Takes back what [`set`](Self::set) put in force on this thread.
    pub fn clear() {
        thread_state::pop(SET);
    }

    /// Runs `work` inside the context.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.enter();
        work()
    }

    /// A future that is polled inside the context, wherever it is polled.
    ///
    /// ```
    /// # use logwell::LoggingContext;
    /// async fn handle() {
    ///     tracing::info!("inside");
    /// }
    /// let future = LoggingContext::new().trace_id("abc-123").instrument(handle());
    /// ```
    pub fn instrument<F: Future>(self, future: F) -> InContext<F> {
        InContext { future: Some(future), context: self, entered: None }
    }

    fn inside(&self, around: Option<&SpanContext>) -> SpanContext {
        let own = (!self.extras.is_empty()).then(|| Arc::new(self.masked_extras()));
        let outer = around.map(|around| (&around.trace_id, &around.carried));
        let (trace_id, carried) = trace(self.trace_id.clone(), self.carried.as_ref(), outer);
        // A span belongs to one trace: that of another is none to inherit.
        let same = around.filter(|around| around.trace_id.is_same_text(&trace_id));
        let inherited = same.map(|around| around.span_id.clone());
        let context = SpanContext {
            span: around.and_then(|around| around.span.clone()),
            extras: own.or_else(|| around.and_then(|around| around.extras.clone())),
            trace_id,
            span_id: self.span_id.clone().or(inherited).unwrap_or_else(Id::random_span),
            carried,
            changes: around.map(|around| Arc::clone(&around.changes)).unwrap_or_default(),
        };
        around.and_then(|around| context.inside(around)).unwrap_or(context)
    }

    /// The pairs, as the layer in force masks them; as is usual if there is none yet.
    fn masked_extras(&self) -> Fields {
        let masked = tracing::dispatcher::get_default(|dispatch| {
            match dispatch.downcast_ref::<QueueLayer>() {
                Some(layer) => {
                    layer.redaction().and_then(|redaction| redaction.pairs(&self.extras))
                }
                None => Redaction::usual().pairs(&self.extras),
            }
        });
        masked.unwrap_or_else(|| self.extras.clone())
    }
}

const X_TRACE_ID: &str = "x-trace-id";
const SET: Owner = Owner::Context { number: 0 };

fn text_id(id: &str) -> Id {
    const MAX_ID_BYTES: usize = 256;
    let end = crate::record::bytes::floor_char_boundary(id, MAX_ID_BYTES);
    Id::from(id.get(..end).unwrap_or_default())
}

/// The scope around the call. The layer cannot always be asked for, or there are two.
fn around() -> Option<Scope> {
    thread_state::current(current_layer()).or_else(thread_state::innermost)
}

/// The layer whose spans count: that of the subscriber in force on this thread.
fn current_layer() -> Option<u32> {
    tracing::dispatcher::get_default(|dispatch| {
        dispatch.downcast_ref::<QueueLayer>().map(QueueLayer::number)
    })
}

impl From<TraceContext> for LoggingContext {
    /// A context with that trace id and span id, its flags and `tracestate`.
    fn from(parent: TraceContext) -> Self {
        Self {
            trace_id: Some(parent.trace_id()),
            span_id: Some(parent.span_id()),
            carried: Some(Carried { flags: parent.flags, state: parent.state().clone() }),
            extras: Fields::new(),
        }
    }
}

impl fmt::Debug for LoggingContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggingContext")
            .field("trace_id", &self.get_trace_id())
            .field("span_id", &self.get_span_id())
            .field("pairs", &self.masked_extras())
            .finish()
    }
}

/// Keeps a [`LoggingContext`] in force on this thread; its end restores the outer one.
#[derive(Debug)]
pub struct ContextGuard {
    owner: Owner,
    _stays_on_its_thread: PhantomData<*const ()>,
}

impl ContextGuard {
    fn enter(context: Arc<SpanContext>, around: Option<&Scope>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let owner = Owner::Context { number: NEXT.fetch_add(1, Ordering::Relaxed) };
        // The spans in it are those of the scope around, and exactly as old.
        let seen = around.map_or(0, |around| around.seen);
        let layer = around.map_or_else(current_layer, |around| around.layer);
        thread_state::push(Scope { owner, context, seen, layer });
        Self { owner, _stays_on_its_thread: PhantomData }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        thread_state::pop(self.owner);
    }
}

pin_project! {
    /// A future inside a [`LoggingContext`]; see [`LoggingContext::instrument`].
    #[derive(Debug)]
    pub struct InContext<F> {
        // There until it is dropped.
        #[pin]
        future: Option<F>,
        context: LoggingContext,
        // What the last poll was in, to be used again while nothing around it changes.
        entered: Option<Arc<SpanContext>>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            // What a cancelled future still holds may log.
            let mut this = this.project();
            let _guard = resume(this.context, this.entered);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = resume(this.context, this.entered);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending, // it is being dropped
        }
    }
}

/// Enters the context of a future for one poll.
fn resume(context: &mut LoggingContext, entered: &mut Option<Arc<SpanContext>>) -> ContextGuard {
    let around = around();
    let outer = around.as_ref().map(|scope| &*scope.context);
    let before = entered.take().filter(|before| is_still_inside(before, outer));
    let resumed = before.unwrap_or_else(|| {
        let mut fresh = context.inside(outer);
        // Random ids are drawn once, at the first poll.
        if context.trace_id.is_none() {
            context.carried = Some(fresh.carried.clone());
        }
        fresh.trace_id = context.trace_id.get_or_insert(fresh.trace_id).clone();
        fresh.span_id = context.span_id.get_or_insert(fresh.span_id).clone();
        Arc::new(fresh)
    });
    // With the pairs of a context around it, it fits only there.
    if outer.is_none_or(|outer| outer.extras.is_none()) {
        *entered = Some(Arc::clone(&resumed));
    }
    ContextGuard::enter(resumed, around.as_ref())
}

fn is_still_inside(before: &SpanContext, around: Option<&SpanContext>) -> bool {
    match (around, &before.span) {
        (None, None) => true,
        (Some(around), Some(span)) => {
            around.extras.is_none()
                && around.span.as_ref().is_some_and(|around| Arc::ptr_eq(around, span))
        }
        _ => false,
    }
}

/// A value for [`LoggingContext::with`]: a text, a number or a truth value.
#[derive(Debug, Clone, Copy)]
pub struct ContextValue<'a>(Value<'a>);

macro_rules! context_value_from {
    ($($from:ty => $variant:ident as $to:ty),* $(,)?) => {$(
        impl From<$from> for ContextValue<'_> {
            fn from(value: $from) -> Self {
                Self(Value::$variant(<$to>::from(value)))
            }
        }
    )*};
}

context_value_from! {
    u8 => U64 as u64, u16 => U64 as u64, u32 => U64 as u64, u64 => U64 as u64,
    i8 => I64 as i64, i16 => I64 as i64, i32 => I64 as i64, i64 => I64 as i64,
    u128 => U128 as u128, i128 => I128 as i128,
    f32 => F64 as f64, f64 => F64 as f64, bool => Bool as bool,
}

impl From<usize> for ContextValue<'_> {
    fn from(value: usize) -> Self {
        Self(Value::U64(value as u64))
    }
}

impl<'a> From<&'a str> for ContextValue<'a> {
    fn from(value: &'a str) -> Self {
        Self(Value::Str(value))
    }
}

impl<'a> From<&'a String> for ContextValue<'a> {
    fn from(value: &'a String) -> Self {
        Self(Value::Str(value))
    }
}
