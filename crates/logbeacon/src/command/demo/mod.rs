//! Demo: `logbeacon serve --demo`: an invented shop, so that there is something to search.
//!
//! Knows when its customers come. What a visit leaves in the logs is in `visit.rs`. Fills the time
//! before now, then goes on until the server stops.

mod visit;

use crate::admit::Origin;
use crate::decode::draft::Item;
use crate::lanes::Lane;
use crate::serve::stopped;
use crate::server::Server;
use crate::token::Streams;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use visit::Visit;

/// How often somebody comes.
const EVERY: Duration = Duration::from_millis(1500);
/// The hours before now, and how long there is between two visits then: few long ago, more lately.
const PAST: [(i64, i64); 2] = [(40, 24 * SECOND_NS), (1, 1_800_000_000)];
/// When the bank did not answer, before now.
const OUTAGE_NS: std::ops::Range<i64> = 17 * 60 * SECOND_NS..24 * 60 * SECOND_NS;
/// Visits whose records are taken together.
const BATCH: usize = 500;

const SECOND_NS: i64 = 1_000_000_000;

/// Fills the past, then adds visits until `stop` is true.
pub(super) async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let now_ns = server.now_ns();
    let past: Vec<Visit> = past(now_ns).collect();
    for visits in past.chunks(BATCH) {
        take(&server, visits.iter().flat_map(Visit::records).map(Ok).collect()).await;
        if *stop.borrow() {
            return;
        }
    }
    for number in past.len().. {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stopped(&mut stop) => return,
        }
        let visit = Visit { number, ends_ns: server.now_ns(), bank_answers: true };
        take(&server, visit.records().into_iter().map(Ok).collect()).await;
    }
}

/// The visits of the past, the first first. The distance between two of them varies, so that a
/// chart has hills.
fn past(now_ns: i64) -> impl Iterator<Item = Visit> {
    let moments = PAST.iter().enumerate().flat_map(move |(index, (hours, every_ns))| {
        let until = PAST.get(index + 1).map_or(0, |(hours, _)| hours * 3600 * SECOND_NS);
        let mut before_ns = hours * 3600 * SECOND_NS;
        std::iter::from_fn(move || {
            let minutes = before_ns / (60 * SECOND_NS);
            let hill = (minutes % 47 - 23).abs() + (minutes % 311 - 155).abs() / 6;
            before_ns -= every_ns * (12 + hill) / 32;
            (before_ns > until).then_some(before_ns)
        })
    });
    moments.enumerate().map(move |(number, before_ns)| Visit {
        number,
        ends_ns: now_ns.saturating_sub(before_ns),
        bank_answers: !OUTAGE_NS.contains(&before_ns),
    })
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
