//! The records of the subjects whose façade is `tracing`.

use logwell_benches::Order;

pub fn five_fields(number: u64) {
    tracing::info!(
        user_id = number,
        endpoint = "/api/ai/chat",
        latency_ms = 12.5,
        status = 200_u64,
        cached = true,
        "API request handled"
    );
}

pub fn in_two_spans(work: impl FnOnce()) {
    let request = tracing::info_span!("request", method = "GET", path = "/chat", request_id = 77);
    let query = tracing::info_span!("query", table = "orders", rows = 5, cold = false);
    request.in_scope(|| query.in_scope(work));
}

pub fn debug_value(order: &Order) {
    tracing::info!(?order, "API request handled");
}

pub fn disabled(number: u64) {
    tracing::debug!(number, "off");
}

pub fn text(text: &str) {
    tracing::info!(text, "API request handled");
}
