//! Any text: parsing it must not panic, and what it parses to must print and parse to the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logwell::trace_context::TraceContext;

fuzz_target!(|header: &str| {
    if let Ok(context) = TraceContext::parse(header) {
        let printed = context.to_traceparent();
        assert_eq!(TraceContext::parse(&printed), Ok(context), "{header:?} printed as {printed}");
        assert_ne!(context.child().span_id(), context.span_id());
    }
});
