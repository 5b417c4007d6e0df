//! Macros: calls for what tracing's levels cannot say.
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
    ($($rest:tt)+) => { $crate::__marked!(ERROR, logwell.critical, $($rest)+) };
}

/// Logs a call of an AI model: an event of level INFO that goes to `ai_responses.log` too.
///
/// Takes what [`tracing::info!`] takes. Events with the target `ai_responses`, or with a field
/// whose name begins with `gen_ai.` (the OpenTelemetry semantic conventions for generative AI), go
/// there as well, at any level. Their texts may be longer: see `limits.ai_field_bytes`.
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
    ($($rest:tt)+) => { $crate::__marked!(INFO, logwell.ai, $($rest)+) };
}

/// Logs something ordinary that the customer's group sees: an event of level INFO that is
/// level 11, Info_CTG, to LogBeacon and people.
///
/// Takes what [`tracing::info!`] takes. Sets the field `logwell.info_ctg`, which an ordinary macro
/// of any level can set as well. Where such a record goes: `forward.levels.info_ctg`.
///
/// ```
/// logwell::info_ctg!(order = 7, "order shipped");
/// tracing::info!(logwell.info_ctg = true, order = 7, "order shipped"); // the same
/// ```
#[cfg(feature = "forward")]
#[macro_export]
macro_rules! info_ctg {
    ($($rest:tt)+) => { $crate::__marked!(INFO, logwell.info_ctg, $($rest)+) };
}

/// Logs a failure that developers and the customer's group must see: an event of level ERROR that
/// is level 91, Error_CTG, to LogBeacon and people.
///
/// Takes what [`tracing::error!`] takes. Sets the field `logwell.error_ctg`, which an ordinary
/// macro of any level can set as well. Where such a record goes: `forward.levels.error_ctg`.
///
/// ```
/// logwell::error_ctg!(order = 7, "payment failed");
/// tracing::warn!(logwell.error_ctg = true, order = 7, "payment failed, trying again");
/// ```
#[cfg(feature = "forward")]
#[macro_export]
macro_rules! error_ctg {
    ($($rest:tt)+) => { $crate::__marked!(ERROR, logwell.error_ctg, $($rest)+) };
}

/// Logs a trace for monitoring or performance: an event of level INFO that is level 99, Monitor, to
/// LogBeacon and people, and goes to neither by default.
///
/// Takes what [`tracing::info!`] takes. Sets the field `logwell.monitor`, which an ordinary macro
/// of any level can set as well. Where such a record goes: `forward.levels.monitor`.
///
/// ```
/// logwell::monitor!(latency_ms = 12, "batch done");
/// ```
#[cfg(feature = "forward")]
#[macro_export]
macro_rules! monitor {
    ($($rest:tt)+) => { $crate::__marked!(INFO, logwell.monitor, $($rest)+) };
}

/// An event of that level with that marker.
#[doc(hidden)]
#[macro_export]
macro_rules! __marked {
    ($level:ident, $($marker:ident).+, target: $target:expr, parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            parent: $parent,
            $crate::__private::tracing::Level::$level,
            $($marker).+ = true,
            $($rest)+
        )
    };
    ($level:ident, $($marker:ident).+, target: $target:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            target: $target,
            $crate::__private::tracing::Level::$level,
            $($marker).+ = true,
            $($rest)+
        )
    };
    ($level:ident, $($marker:ident).+, parent: $parent:expr, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            parent: $parent,
            $crate::__private::tracing::Level::$level,
            $($marker).+ = true,
            $($rest)+
        )
    };
    ($level:ident, $($marker:ident).+, $($rest:tt)+) => {
        $crate::__private::tracing::event!(
            $crate::__private::tracing::Level::$level,
            $($marker).+ = true,
            $($rest)+
        )
    };
}
