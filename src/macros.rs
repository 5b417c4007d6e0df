//! Macros for what tracing's levels cannot say.
//!
//! Each sets a marker field that the callsite is known by; no record is looked at for it.

/// Logs a failure that endangers the whole service: an event of level CRITICAL.
///
/// Takes what [`tracing::error!`] takes. To other layers of the subscriber it is an ERROR with a
/// field `logwell.critical`.
///
/// ```
/// logwell::critical!(pool = "orders", "no database connection left");
/// logwell::critical!(target: "billing", "{} invoices lost", 3);
/// ```
#[macro_export]
#[doc(alias = "fatal")]
macro_rules! critical {
    (target: $target:expr, parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            parent: $parent,
            $crate::__private::tracing::Level::ERROR,
            logwell.critical = true,
            $($rest)+
        )
    };
    (target: $target:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            $crate::__private::tracing::Level::ERROR,
            logwell.critical = true,
            $($rest)+
        )
    };
    (parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            parent: $parent,
            $crate::__private::tracing::Level::ERROR,
            logwell.critical = true,
            $($rest)+
        )
    };
    ($($rest:tt)+) => {
        $crate::__private::tracing::event!(
            $crate::__private::tracing::Level::ERROR,
            logwell.critical = true,
            $($rest)+
        )
    };
}

/// Logs a call of an AI model: an event of level INFO that goes to `ai_responses.log` too.
///
/// Takes what [`tracing::info!`] takes. Events with the target `ai_responses`, or with a field whose
/// name begins with `gen_ai.` (the OpenTelemetry semantic conventions for generative AI), go there
/// as well, at any level. Their texts may be longer: see `limits.ai_field_bytes`.
///
/// ```
/// logwell::ai_response!(
///     gen_ai.request.model = "gpt-4o",
///     gen_ai.usage.output_tokens = 512,
///     latency_ms = 1_830,
///     "chat completed"
/// );
/// ```
#[macro_export]
macro_rules! ai_response {
    (target: $target:expr, parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            parent: $parent,
            $crate::__private::tracing::Level::INFO,
            logwell.ai = true,
            $($rest)+
        )
    };
    (target: $target:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            $crate::__private::tracing::Level::INFO,
            logwell.ai = true,
            $($rest)+
        )
    };
    (parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            parent: $parent,
            $crate::__private::tracing::Level::INFO,
            logwell.ai = true,
            $($rest)+
        )
    };
    ($($rest:tt)+) => {
        $crate::__private::tracing::event!(
            $crate::__private::tracing::Level::INFO,
            logwell.ai = true,
            $($rest)+
        )
    };
}
