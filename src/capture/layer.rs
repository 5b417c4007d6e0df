//! QueueLayer: tracing's callbacks, each turned into plain data and put in the queue.
//!
//! Knows tracing and its registry. Knows no sink, no JSON, no file and no thread. Everything here
//! runs on the application's thread.

use crate::base::clock;
use crate::base::fork;
use crate::base::thread;
use crate::black_box::{BlackBox, Time};
use crate::capture::callsites;
use crate::capture::filter::{self, SharedFilter};
use crate::capture::log_bridge;
use crate::capture::log_pairs::LogPairs;
use crate::capture::options::Limits;
use crate::capture::options::RedactConfig;
use crate::capture::redact::Redaction;
use crate::capture::room::Room;
use crate::capture::slots::{self, Slot, Slots};
use crate::capture::thread_state::{self, Owner, Scope};
use crate::capture::values::Capture;
use crate::metrics::exemplar;
use crate::metrics::{LogRecords, SpanTimes};
use crate::pipeline::after_shutdown;
use crate::pipeline::pool::{PooledRecord, RecordPool};
use crate::pipeline::queue::Queue;
use crate::record::Record;
use crate::record::callsite::{Callsite, Kind};
use crate::record::fields::Fields;
use crate::record::level::Level;
use crate::record::span::SpanContext;
use crate::record::stats::{Counters, Reason};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Captures events and puts them in the queue; the first stage of the pipeline.
///
/// A [`Layer`] like any other. [`init_logging`](crate::init_logging) makes one and installs it;
/// [`QueueLayer::builder`] makes one for your own registry.
///
/// By default its level directives decide only what the layer itself takes, so that other layers
/// see what they want. An event it does not take then still costs the making of the event; see
/// [`Builder::filter_globally`](crate::Builder::filter_globally).
#[derive(Debug)]
pub struct QueueLayer {
    /// Distinguishes its spans from those of other layers of this kind.
    number: u32,
    queue: Arc<Queue<Box<PooledRecord>>>,
    spares: Arc<RecordPool>,
    black_box: Option<Arc<BlackBox>>,
    counters: Arc<Counters>,
    filter: SharedFilter,
    /// Whether the filter decides for the whole subscriber.
    filters_globally: bool,
    ordinary: Room,
    ai: Room,
    redaction: Option<Arc<Redaction>>,
    by_logger: LogRecords,
    times: SpanTimes,
}

/// What a layer is made of.
pub(crate) struct LayerParts<'a> {
    pub(crate) queue: Arc<Queue<Box<PooledRecord>>>,
    pub(crate) spares: Arc<RecordPool>,
    pub(crate) black_box: Option<Arc<BlackBox>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) filter: SharedFilter,
    /// Whether the layer decides for all layers of the subscriber.
    pub(crate) filters_globally: bool,
    pub(crate) limits: &'a Limits,
    pub(crate) redact: &'a RedactConfig,
    pub(crate) by_logger: LogRecords,
    pub(crate) times: SpanTimes,
}

impl QueueLayer {
    pub(crate) fn new(parts: LayerParts<'_>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        exemplar::take_from(|| thread_state::innermost().map(|scope| scope.context));
        let LayerParts { queue, spares, black_box, counters, filter, .. } = parts;
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            queue,
            spares,
            black_box,
            counters,
            filter,
            filters_globally: parts.filters_globally,
            ordinary: Room::ordinary(parts.limits),
            ai: Room::ai(parts.limits),
            redaction: Redaction::new(parts.redact),
            by_logger: parts.by_logger,
            times: parts.times,
        }
    }

    /// Whether nothing of this thread or process is captured.
    fn is_silent(&self) -> bool {
        thread::is_internal_thread() || self.queue.is_forked()
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What it masks.
    pub(crate) fn redaction(&self) -> Option<&Arc<Redaction>> {
        self.redaction.as_ref()
    }

    fn room(&self, callsite: &Callsite) -> Room {
        if callsite.kind() == Kind::Ai { self.ai } else { self.ordinary }
    }

    /// Whether this layer, which does not decide for the others, takes it.
    fn takes<S>(&self, metadata: &Metadata<'_>, ctx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if self.filters_globally {
            return true; // it would not have come here otherwise
        }
        let filter = self.filter.load();
        match &filter.spans {
            Some(spans) => Layer::<S>::enabled(spans, metadata, ctx.clone()),
            None => filter.allows(metadata),
        }
    }

    fn takes_event<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.filters_globally || log_bridge::judge(event, |metadata| self.takes(metadata, ctx))
    }

    /// Adds the values to `fields`; returns how many were left out.
    #[inline]
    fn capture(
        &self,
        callsite: &Callsite,
        fields: &mut Fields,
        record: impl FnOnce(&mut Capture<'_>),
    ) -> u32 {
        let redaction = self.redaction.as_deref();
        let mut capture = Capture::new(fields, self.room(callsite), redaction, callsite);
        record(&mut capture);
        if capture.unformatted > 0 {
            let unformatted = u64::from(capture.unformatted);
            self.counters.unformatted.fetch_add(unformatted, Ordering::Relaxed);
        }
        if capture.redacted > 0 {
            let redacted = u64::from(capture.redacted);
            self.counters.redacted.fetch_add(redacted, Ordering::Relaxed);
        }
        capture.left_out
    }

    /// The same for a span. If its values make such a span, it ends here without them.
    fn capture_span(
        &self,
        callsite: &Callsite,
        fields: &mut Fields,
        record: impl FnOnce(&mut Capture<'_>),
    ) {
        if !thread_state::is_nested_too_deep() {
            self.capture(callsite, fields, record);
        }
    }

    /// Makes the record of an event; returns how many bytes it takes on the heap.
    #[inline]
    fn fill<S>(
        &self,
        record: &mut Record,
        event: &Event<'_>,
        callsite: &'static Callsite,
        ctx: &Context<'_, S>,
    ) -> usize
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        record.callsite = callsite;
        record.context = match event.parent() {
            Some(parent) => self.of_span(parent, ctx),
            None if event.is_root() || !thread_state::is_in_scope() => None,
            None => self.current(ctx),
        };
        record.fields_left_out = self.capture(callsite, &mut record.fields, |capture| {
            event.record(capture);
            if callsite.kind() == Kind::LogCrate {
                LogPairs::with_current(|pairs| capture.pairs(pairs));
            }
        });
        record.heap_bytes()
    }

    /// Whether a record for which the queue has no room is safe in the black box: then it may wait
    /// beside the queue. It gets its own chunk, since others of this thread will be done before it.
    #[cold]
    fn keep_alone(&self, spare: &mut PooledRecord) -> bool {
        let Some(black_box) = &self.black_box else { return false };
        // In this order: a kill in between must not find it twice, and its call has not returned.
        black_box.take_back(std::mem::take(&mut spare.place));
        spare.place = black_box.keep_alone(&spare.record, Time::Ticks(spare.ticks));
        spare.place.is_somewhere()
    }

    /// What matters is not lost for coming after the end.
    #[cold]
    fn not_admitted<S>(&self, event: &Event<'_>, callsite: &'static Callsite, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.by_logger.refused(callsite);
        if callsite.level() >= Level::Error && !self.queue.is_open() {
            let mut record = Record::empty().with_thread(&thread::thread_name());
            self.fill(&mut record, event, callsite, ctx);
            after_shutdown::write(&mut record);
        }
    }

    /// The context of the innermost span or logging context this thread is in.
    fn current<S>(&self, ctx: &Context<'_, S>) -> Option<Arc<SpanContext>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let scope = thread_state::current(Some(self.number))?;
        if scope.layer != Some(self.number) {
            Some(self.adapted(scope, ctx))
        } else if scope.is_stale() {
            self.refreshed(scope, ctx)
        } else {
            Some(scope.context)
        }
    }

    /// A logging context that was not entered with this layer's spans in mind, with them.
    #[cold]
    fn adapted<S>(&self, scope: Scope, ctx: &Context<'_, S>) -> Arc<SpanContext>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let span = thread_state::innermost_span(self.number).map(Id::from_u64);
        let around = span.and_then(|span| self.of_span(&span, ctx));
        if around.is_none() && scope.context.span.is_none() {
            return scope.context;
        }
        let mut context = SpanContext::clone(&scope.context);
        context.span = around.as_ref().and_then(|around| around.span.clone());
        context.changes = around.map(|around| Arc::clone(&around.changes)).unwrap_or_default();
        Arc::new(context)
    }

    /// Brings the innermost scope up to date after `record()` has changed a span around it.
    #[cold]
    fn refreshed<S>(&self, scope: Scope, ctx: &Context<'_, S>) -> Option<Arc<SpanContext>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let seen = scope.context.changes.load(Ordering::Acquire);
        let span = thread_state::innermost_span(self.number).map(Id::from_u64);
        let rebuilt = span.and_then(|span| self.rebuild(&span, ctx));
        if let Owner::Context { .. } = scope.owner {
            let mut context = SpanContext::clone(&scope.context);
            context.span = rebuilt.and_then(|rebuilt| rebuilt.span.clone()).or(context.span);
            thread_state::refresh(scope.owner, &Arc::new(context), seen);
        }
        thread_state::current(Some(self.number)).map(|scope| scope.context)
    }

    /// The context of that span, or of the nearest one around it that this layer has seen.
    fn of_span<S>(&self, id: &Id, ctx: &Context<'_, S>) -> Option<Arc<SpanContext>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut nearest: Option<Arc<SpanContext>> = None;
        let mut stale = false;
        for span in ctx.span(id)?.scope() {
            let extensions = span.extensions();
            let Some(slot) = extensions.get::<Slots>().and_then(|slots| slots.of(self.number))
            else {
                continue;
            };
            stale = slot.context.changes.load(Ordering::Acquire) != slot.seen;
            nearest = Some(Arc::clone(&slot.context));
            break;
        }
        if stale { self.rebuild(id, ctx) } else { nearest }
    }

    /// Builds the contexts from the root down to `id` again, after `record()` changed one of them.
    #[cold]
    fn rebuild<S>(&self, id: &Id, ctx: &Context<'_, S>) -> Option<Arc<SpanContext>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut parent: Option<Arc<SpanContext>> = None;
        for span in ctx.span(id)?.scope().from_root() {
            let mut extensions = span.extensions_mut();
            let Some(slot) =
                extensions.get_mut::<Slots>().and_then(|slots| slots.of_mut(self.number))
            else {
                continue;
            };
            let seen = slot.context.changes.load(Ordering::Acquire);
            if let Some(rebuilt) = slot.context.rebuilt_in(parent.as_deref()) {
                slot.context = Arc::new(rebuilt);
            }
            slot.seen = seen;
            let owner = Owner::Span { layer: self.number, id: span.id().into_u64() };
            thread_state::refresh(owner, &slot.context, seen);
            parent = Some(Arc::clone(&slot.context));
        }
        parent
    }
}

impl<S> Layer<S> for QueueLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let filter = self.filter.load();
        let interest = match &filter.spans {
            Some(spans) => Layer::<S>::register_callsite(spans, metadata),
            None if filter.allows(metadata) => Interest::always(),
            None => Interest::never(),
        };
        if self.filters_globally { interest } else { Interest::always() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        if !self.filters_globally {
            return true;
        }
        let filter = self.filter.load();
        match &filter.spans {
            Some(spans) => Layer::<S>::enabled(spans, metadata, ctx),
            None => filter.allows(metadata),
        }
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        self.filters_globally.then(|| self.filter.load().max_level())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let metadata = attributes.metadata();
        let is_taken = self.takes(metadata, &ctx);
        if self.is_silent() || !(is_taken || self.filter.has_spans()) {
            return;
        }
        let callsite = thread_state::callsite(metadata);
        let mut fields = Fields::new();
        self.capture_span(callsite, &mut fields, |capture| attributes.record(capture));
        self.filter.with_spans(|spans| {
            filter::with_values(metadata, &fields, |values| {
                Layer::<S>::on_new_span(spans, &Attributes::new(metadata, values), id, ctx.clone());
            });
        });
        if !is_taken {
            return;
        }
        let parent = match attributes.parent() {
            Some(parent) => self.of_span(parent, &ctx),
            None if attributes.is_root() || !thread_state::is_in_scope() => None,
            None => self.current(&ctx),
        };
        let context = Arc::new(SpanContext::of_new_span(callsite, fields, parent.as_deref()));
        let seen = context.changes.load(Ordering::Acquire);
        if let Some(span) = ctx.span(id) {
            let timer = self.times.begin(callsite);
            let slot = Slot { layer: self.number, context, seen, timer };
            let mut extensions = span.extensions_mut();
            match extensions.get_mut::<Slots>() {
                Some(slots) => slots.add(slot),
                None => extensions.insert(Slots::of_one(slot)),
            }
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id).filter(|_| !self.is_silent()) else { return };
        // Formatted before the span is locked: a `Debug` may use the span itself.
        let callsite = thread_state::callsite(span.metadata());
        let mut fields = Fields::new();
        self.capture_span(callsite, &mut fields, |capture| values.record(capture));
        self.filter.with_spans(|spans| {
            filter::with_values(span.metadata(), &fields, |values| {
                Layer::<S>::on_record(spans, id, &Values::new(values), ctx.clone());
            });
        });
        let mut extensions = span.extensions_mut();
        if let Some(slot) =
            extensions.get_mut::<Slots>().and_then(|slots| slots.of_mut(self.number))
        {
            slot.context = Arc::new(slot.context.with_recorded(&fields));
            slot.context.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if thread::is_internal_thread() || !self.takes_event(event, &ctx) {
            return;
        }
        if self.queue.is_forked() {
            self.queue.refuse(callsites::level(event.metadata()), Reason::Forked);
            return fork::tell();
        }
        let callsite = thread_state::callsite(event.metadata());
        if thread_state::is_nested_too_deep() {
            self.queue.refuse(callsite.level(), Reason::Nested);
            return self.by_logger.refused(callsite);
        }
        if callsite.level() >= Level::Error && self.times.is_on() {
            slots::note_failure(event, self.number, &ctx);
        }
        let Some(admission) = self.queue.admits(callsite.level()) else {
            return self.not_admitted(event, callsite, &ctx);
        };
        let ticks = clock::ticks();
        let mut spare = self.spares.take();
        spare.ticks = ticks;
        let PooledRecord { record, thread, .. } = &mut *spare;
        thread::write_name(&mut record.thread, thread);
        let heap_bytes = self.fill(&mut spare.record, event, callsite, &ctx);
        if let Some(black_box) = &self.black_box {
            spare.place = black_box.keep(&spare.record, Time::Ticks(ticks));
        }
        #[expect(clippy::borrowed_box, reason = "the queue carries boxes")]
        let weigh = |spare: &Box<PooledRecord>| (spare.record.level(), spare.record.heap_bytes());
        let keep = |spare: &mut Box<PooledRecord>| self.keep_alone(spare);
        if let Err(mut refused) = self.queue.send(spare, admission, heap_bytes, weigh, keep) {
            if !self.queue.is_open() {
                after_shutdown::write(&mut refused.record);
            }
            self.by_logger.refused(callsite);
            if let Some(black_box) = &self.black_box {
                black_box.take_back(refused.place);
            }
            refused.reuse();
        }
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.filter.with_spans(|spans| Layer::<S>::on_enter(spans, id, ctx.clone()));
        let Some(span) = ctx.span(id) else { return };
        let entered = {
            let extensions = span.extensions();
            let slot = extensions.get::<Slots>().and_then(|slots| slots.of(self.number));
            slot.map(|slot| (Arc::clone(&slot.context), slot.seen))
        };
        if let Some((context, seen)) = entered {
            let owner = Owner::Span { layer: self.number, id: id.into_u64() };
            let context = thread_state::inside_current(self.number, context);
            thread_state::push(Scope { owner, context, seen, layer: Some(self.number) });
        }
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.filter.with_spans(|spans| Layer::<S>::on_exit(spans, id, ctx));
        thread_state::pop(Owner::Span { layer: self.number, id: id.into_u64() });
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.filter.with_spans(|spans| Layer::<S>::on_close(spans, id.clone(), ctx.clone()));
        if self.times.is_on() {
            slots::with(&id, self.number, &ctx, |slot| self.times.end(&slot.timer, &slot.context));
        }
    }
}
