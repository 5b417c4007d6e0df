//! The records of the subjects whose façade is the `log` crate, with its typed fields.

use logwell_benches::Order;

pub fn five_fields(number: u64) {
    log::info!(
        user_id = number,
        endpoint = "/api/ai/chat",
        latency_ms = 12.5,
        status = 200_u64,
        cached = true;
        "API request handled"
    );
}

/// The fields of the two spans, repeated in the record.
pub fn with_context(number: u64) {
    log::info!(
        method = "GET",
        path = "/chat",
        request_id = 77,
        table = "orders",
        rows = 5,
        cold = false,
        user_id = number,
        endpoint = "/api/ai/chat",
        latency_ms = 12.5,
        status = 200_u64,
        cached = true;
        "API request handled"
    );
}

pub fn debug_value(order: &Order) {
    log::info!(order:? = order; "API request handled");
}

pub fn disabled(number: u64) {
    log::debug!(number; "off");
}

pub fn text(text: &str) {
    log::info!(text; "API request handled");
}
