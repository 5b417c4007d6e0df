//! Alarm: looks for devices that fell silent, and tells of each once.
//!
//! Knows the server. What a silence is, `silence.rs` knows. An alarm is a record of the stream
//! `_alarms`, a line of the server's log, and a metric.

use crate::server::Server;
use crate::silence::{Change, GIVE_UP, LOOKS, MAX_DEVICES};
use crate::stream_name;
use logbeacon_store::{Found, SearchRequest};
use logwell_query::{Filter, Level, Literal, Names, Query, Test, TimeRange, Value};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::watch;

/// Looks at the devices until the server is to stop.
pub async fn run(server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let after = server.silence.after();
    if after.is_zero() {
        return;
    }
    let shared = Arc::clone(&server);
    let begun = tokio::task::spawn_blocking(move || begin(&shared)).await;
    if let Err(error) = begun {
        tracing::error!(%error, "the last alarms could not be read");
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(after / LOOKS) => {}
            () = crate::serve::stopped(&mut stop) => return,
        }
        let server = Arc::clone(&server);
        if let Err(error) = tokio::task::spawn_blocking(move || look(&server)).await {
            tracing::error!(%error, "the devices could not be looked at");
        }
    }
}

fn begin(server: &Server) {
    let silence = &server.silence;
    let store = &server.ingest.store;
    silence.begin(&store.devices(), &last_alarms(server), silence.now());
}

/// The devices whose last alarm says that they are silent.
fn last_alarms(server: &Server) -> HashSet<String> {
    let alarms = Test::Equals(Literal::text(stream_name::ALARMS));
    let filter = Filter::Field(Names::One("stream".to_owned()), alarms);
    let query = Query { filter, pipes: Vec::new() };
    // Older ones are given up.
    let first_ns = server.now_ns().saturating_sub(2 * GIVE_UP.as_nanos() as i64);
    let range = TimeRange { first_ns, last_ns: i64::MAX };
    let request = SearchRequest { range, ..SearchRequest::new(query) };
    let (mut seen, mut silent) = (HashSet::new(), HashSet::new());
    let found = server.ingest.store.search(&request, &mut |found| {
        let Found::Record(row) = found else { return ControlFlow::Continue(()) };
        let text = |name| row.get(name).map(|value| value.text().into_owned());
        if let (Some(device), Some(alarm)) = (text("device"), text("alarm"))
            && seen.len() < MAX_DEVICES
            && seen.insert(device.clone())
            && alarm == FELL
        {
            silent.insert(device);
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = found {
        tracing::warn!(%error, "the last alarms could not be read");
    }
    silent
}

const FELL: &str = "silent";

fn look(server: &Server) {
    let (silence, store) = (&server.silence, &server.ingest.store);
    let is_deaf = store.health().read_only.is_some();
    let changes = silence.look(&store.devices(), is_deaf, silence.now());
    for (device, change) in changes {
        tell(server, &device, change);
    }
}

/// Writes the record of a change. It is about a device, and not from it: its `host` is empty.
fn tell(server: &Server, device: &str, change: Change) {
    let after_s = server.silence.after().as_secs_f64();
    let (level, alarm, silent_s, message) = match change {
        Change::Fell => {
            let message = format!("{device} has sent nothing for {after_s} s");
            (Level::Warn, FELL, after_s, message)
        }
        Change::Returned(silence) => {
            let silent_s = silence.as_secs_f64().round();
            let message = format!("{device} sends again after {silent_s} s");
            (Level::Info, "returned", silent_s, message)
        }
        Change::GivenUp => {
            let silent_s = GIVE_UP.as_secs_f64();
            let message = format!("{device} has sent nothing for a day and is given up");
            (Level::Warn, "given_up", silent_s, message)
        }
    };
    tracing::warn!(device, alarm, silent_s, "{message}");
    let fields = vec![
        ("alarm".to_owned(), Value::Text(alarm.to_owned())),
        ("device".to_owned(), Value::Text(device.to_owned())),
        ("silent_s".to_owned(), Value::Float(silent_s)),
    ];
    let admission = &server.ingest.admission;
    let record = admission.own(stream_name::ALARMS, (level, message), fields, server.now_ns());
    if let Err(error) = server.ingest.append(vec![record]) {
        tracing::error!(%error, device, alarm, "the alarm could not be kept");
    }
}
