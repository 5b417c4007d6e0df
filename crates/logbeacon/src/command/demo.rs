//! Demo: `logbeacon serve --demo`: records of an invented shop, so that there is something to
//! search.

use crate::admit::Origin;
use crate::decode::draft::{Draft, Item};
use crate::lanes::Lane;
use crate::serve::stopped;
use crate::server::Server;
use crate::token::Streams;
use logwell_query::{Level, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often records come.
const EVERY: Duration = Duration::from_millis(500);
/// Records of the hour before.
const PAST: u64 = 3600;

/// Fills the last hour, then adds some records a second until `stop` is true.
pub(super) async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let now_ns = server.now_ns();
    let past: Vec<Item> = (0..PAST)
        .map(|number| {
            Ok(draft(number, now_ns.saturating_sub_unsigned((PAST - number) * 1_000_000_000)))
        })
        .collect();
    take(&server, past).await;
    let mut number = PAST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stopped(&mut stop) => return,
        }
        let now_ns = server.now_ns();
        take(&server, (number..number + 5).map(|number| Ok(draft(number, now_ns))).collect()).await;
        number += 5;
    }
}

async fn take(server: &Arc<Server>, items: Vec<Item>) {
    let origin = Origin {
        protocol: "import",
        sender: "demo".to_owned(),
        streams: Streams::All,
        stream: "demo".to_owned(),
        idempotency_key: None,
        by_content: false,
        host: String::new(),
        arrived_ns: server.now_ns(),
    };
    let taking = Arc::clone(server);
    let taken = server.lanes.run(Lane::Ingest, move || taking.ingest.take(items, &origin)).await;
    if !matches!(taken, Ok(Ok(_))) {
        tracing::warn!(?taken, "demonstration records were not taken");
    }
}

/// The record of a number: always the same, but for its time.
fn draft(number: u64, time_ns: i64) -> Draft {
    const SERVICES: [&str; 4] = ["checkout", "payment", "catalogue", "mail"];
    const PATHS: [&str; 3] = ["/cart", "/pay", "/items"];
    let pick = |salt: u64, count: usize| {
        let mixed = (number + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        usize::try_from(mixed).unwrap_or(0) % count
    };
    let latency_ms = 5 + pick(1, 90) * pick(2, 20);
    let (level, message) = match pick(3, 40) {
        0 => (Level::Error, "payment failed: card declined".to_owned()),
        1 | 2 => (Level::Warn, format!("slow answer from the database: {latency_ms} ms")),
        3..=8 => (Level::Debug, format!("cache holds {} items", pick(4, 1000))),
        _ => (Level::Info, format!("request handled in {latency_ms} ms")),
    };
    let mut draft = Draft {
        time_ns: Some(time_ns),
        level: Some(level),
        message,
        service: SERVICES.get(pick(5, SERVICES.len())).copied().unwrap_or_default().to_owned(),
        host: format!("web-{}", 1 + pick(6, 5)),
        trace_id: format!("{:032x}", number / 3 + 1),
        ..Draft::default()
    };
    let path = PATHS.get(pick(7, PATHS.len())).copied().unwrap_or_default();
    draft.fields.put("path", Value::Text(path.to_owned()));
    draft.fields.put("latency_ms", Value::from(latency_ms as u64));
    draft
}
