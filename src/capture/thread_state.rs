//! Thread state: what an application thread remembers between its log calls.
//!
//! Its name, the span or logging context it is in, and the callsites it met lately, in thread-local
//! storage. Knows no queue, no sink, no thread but its own. Nothing here is borrowed while the
//! application's code (such as a `Debug`) runs.

use crate::capture::callsites;
use crate::record::callsite::Callsite;
use crate::record::span::SpanContext;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::Metadata;

/// Formatting a value may log (level 1), but what is formatted for that may not log again.
const MAX_NESTING: u8 = 2;

thread_local! {
    /// How many values are being formatted, one inside the other.
    static NESTING: Cell<u8> = const { Cell::new(0) };
    static CALLSITES: Callsites = const { [const { Cell::new(None) }; CACHED_CALLSITES] };
    static SCOPES: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
    /// How many scopes there are, for those who find none.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

const CACHED_CALLSITES: usize = 128;
type Callsites = [Cell<Option<(usize, &'static Callsite)>>; CACHED_CALLSITES];

/// Whether a value is being formatted for a record, so that a panic will be caught.
pub(crate) fn is_formatting() -> bool {
    NESTING.get() > 0
}

/// Whether values are being formatted so deep inside each other that no more records are taken.
pub(crate) fn is_nested_too_deep() -> bool {
    NESTING.get() >= MAX_NESTING
}

/// Remembers that a value is being formatted, as long as it lives.
pub(crate) struct Nesting(());

impl Nesting {
    pub(crate) fn enter() -> Self {
        NESTING.set(NESTING.get().wrapping_add(1));
        Self(())
    }
}

impl Drop for Nesting {
    fn drop(&mut self) {
        NESTING.set(NESTING.get().wrapping_sub(1));
    }
}

/// The callsite of that metadata: from this thread's cache, or the process's table.
#[inline]
pub(crate) fn callsite(metadata: &'static Metadata<'static>) -> &'static Callsite {
    let address = std::ptr::from_ref(metadata).addr();
    CALLSITES.with(|cached| match cached.get(place(address)).and_then(Cell::get) {
        Some((known, callsite)) if known == address => callsite,
        _ => new_callsite(metadata, cached),
    })
}

#[cold]
#[inline(never)]
fn new_callsite(metadata: &'static Metadata<'static>, cached: &Callsites) -> &'static Callsite {
    let address = std::ptr::from_ref(metadata).addr();
    let callsite = callsites::callsite(metadata);
    if let Some(slot) = cached.get(place(address)) {
        slot.set(Some((address, callsite)));
    }
    callsite
}

fn place(address: usize) -> usize {
    ((address >> 4) ^ (address >> 11)) % CACHED_CALLSITES
}

/// What put a [`Scope`] on the stack: a layer (for a span) or the application (for a context).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The span of that id, seen by the layer of that number.
    Span { layer: u32, id: u64 },
    /// A logging context; its number identifies it.
    Context { number: u64 },
}

/// An entered span or logging context.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) owner: Owner,
    pub(crate) context: Arc<SpanContext>,
    /// The value of `context.changes` this context was built from.
    pub(crate) seen: u32,
    /// Whose spans are in `context`; with none, each layer adds its own.
    pub(crate) layer: Option<u32>,
}

impl Scope {
    /// Whether `record()` has changed a span since.
    pub(crate) fn is_stale(&self) -> bool {
        self.context.changes.load(Ordering::Acquire) != self.seen
    }

    fn is_seen_by(&self, layer: Option<u32>) -> bool {
        match self.owner {
            Owner::Span { layer: owner, .. } => Some(owner) == layer,
            Owner::Context { .. } => true,
        }
    }
}

/// Whether the thread is in a span or logging context.
#[inline]
pub(crate) fn is_in_scope() -> bool {
    DEPTH.get() > 0
}

/// The innermost scope that `layer` sees: its own spans, and all contexts.
pub(crate) fn current(layer: Option<u32>) -> Option<Scope> {
    let find = |scopes: &RefCell<Vec<Scope>>| {
        let scopes = scopes.try_borrow().ok()?;
        scopes.iter().rev().find(|scope| scope.is_seen_by(layer)).cloned()
    };
    SCOPES.try_with(find).ok().flatten()
}

/// That context with what the logging contexts add in which the innermost scope is that `layer`
/// sees.
pub(crate) fn inside_current(layer: u32, context: Arc<SpanContext>) -> Arc<SpanContext> {
    if !is_in_scope() {
        return context;
    }
    let with_extras = |scopes: &RefCell<Vec<Scope>>| {
        let scopes = scopes.try_borrow().ok()?;
        let around = scopes.iter().rev().find(|scope| scope.is_seen_by(Some(layer)))?;
        context.inside(&around.context)
    };
    match SCOPES.try_with(with_extras) {
        Ok(Some(with_extras)) => Arc::new(with_extras),
        _ => context,
    }
}

/// The innermost scope, whoever sees it.
pub(crate) fn innermost() -> Option<Scope> {
    let last = |scopes: &RefCell<Vec<Scope>>| scopes.try_borrow().ok()?.last().cloned();
    SCOPES.try_with(last).ok().flatten()
}

/// Puts a scope on top. Nothing happens while the thread is being torn down.
pub(crate) fn push(scope: Scope) {
    let _torn_down = SCOPES.try_with(|scopes| {
        if let Ok(mut scopes) = scopes.try_borrow_mut() {
            scopes.push(scope);
            DEPTH.set(scopes.len());
        }
    });
}

/// Takes away the innermost scope of that owner, wherever it lies.
pub(crate) fn pop(owner: Owner) {
    let taken = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.try_borrow_mut().ok()?;
        let at = scopes.iter().rposition(|scope| scope.owner == owner)?;
        let taken = scopes.remove(at);
        DEPTH.set(scopes.len());
        Some(taken)
    });
    // Dropped here, after the borrow: the last reference to a span may go with it.
    drop(taken);
}

/// The innermost span of `layer` this thread is in.
pub(crate) fn innermost_span(layer: u32) -> Option<u64> {
    let find = |scopes: &RefCell<Vec<Scope>>| {
        let scopes = scopes.try_borrow().ok()?;
        scopes.iter().rev().find_map(|scope| match scope.owner {
            Owner::Span { layer: owner, id } if owner == layer => Some(id),
            _ => None,
        })
    };
    SCOPES.try_with(find).ok().flatten()
}

/// Replaces the context of an owner wherever it is entered, after `record()` has changed a span.
pub(crate) fn refresh(owner: Owner, context: &Arc<SpanContext>, seen: u32) {
    let _torn_down = SCOPES.try_with(|scopes| {
        if let Ok(mut scopes) = scopes.try_borrow_mut() {
            for scope in scopes.iter_mut().filter(|scope| scope.owner == owner) {
                scope.context = match context.inside(&scope.context) {
                    Some(with_extras) => Arc::new(with_extras),
                    None => Arc::clone(context),
                };
                scope.seen = seen;
            }
        }
    });
}
