//! Stress: `logbeacon stress`: many devices at once, and afterwards the proof that nothing is
//! missing.
//!
//! Open loop: when a request is due does not depend on when the one before was answered, and its
//! time counts from when it was due. So a server that stalls is charged for all that waited.

use super::remote::Remote;
use super::{Failure, Target};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// How much is sent.
#[derive(Debug, Clone, Args)]
pub(super) struct StressArgs {
    #[command(flatten)]
    target: Target,
    /// Devices that send at once, each on a connection.
    #[arg(long, default_value_t = 100)]
    devices: u32,
    /// Requests a second of all devices together.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// For so many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Records of one request.
    #[arg(long, default_value_t = 1)]
    batch: u32,
}

/// What came of one request.
#[derive(Debug)]
struct Sent {
    /// From when it was due to its answer.
    took: Duration,
    /// The class of the failure, or nothing.
    failure: Option<String>,
    /// The number of the request, if its records were acknowledged.
    acknowledged: Option<u64>,
}

/// Sends, looks up, and prints what came of it.
pub(super) fn run(args: StressArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let run_id = crate::digest::hex(&crate::digest::random::<8>()?);
    let StressArgs { devices, rate, seconds, batch, .. } = args;
    if devices == 0 || batch == 0 || !(rate > 0.0 && rate.is_finite()) {
        return Err("devices, batch and rate are at least one".into());
    }
    writeln!(
        out,
        "run {run_id}: {devices} devices, {rate} requests/s, {seconds} s, batch {batch}"
    )?;
    let started = Instant::now();
    let mut sent = send_all(&args, &run_id)?;
    let elapsed = started.elapsed();
    report(&mut sent, (elapsed, batch), out)?;
    let acknowledged: Vec<u64> = sent.iter().filter_map(|sent| sent.acknowledged).collect();
    verify(&args, (&run_id, &acknowledged), out)
}

fn send_all(args: &StressArgs, run_id: &str) -> Result<Vec<Sent>, Failure> {
    let (results, received) = channel();
    let start = Instant::now() + Duration::from_millis(200);
    let mut threads = Vec::new();
    for device in 0..args.devices {
        let (args, results, run_id) = (args.clone(), results.clone(), run_id.to_owned());
        let remote = Remote::new(&args.target)?;
        let thread = std::thread::Builder::new().name(format!("device-{device}"));
        threads.push(thread.spawn(move || {
            let device = Device { number: device, start, run_id };
            device.send(&args, &remote, &results);
        })?);
    }
    drop(results);
    let sent = received.into_iter().collect();
    for thread in threads {
        thread.join().map_err(|_| "a device panicked")?;
    }
    Ok(sent)
}

struct Device {
    number: u32,
    start: Instant,
    run_id: String,
}

impl Device {
    /// Sends this device's share: every n-th request, when it is due.
    fn send(&self, args: &StressArgs, remote: &Remote, results: &Sender<Sent>) {
        let all = (args.rate * f64::from(args.seconds)).max(1.0);
        let mut request = u64::from(self.number);
        #[expect(clippy::cast_precision_loss, reason = "numbers of requests")]
        while (request as f64) < all {
            let due = self.start + Duration::from_secs_f64(request as f64 / args.rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (failure, ok) = outcome(remote, &self.body(request, args.batch), args.batch);
            let took = due.elapsed();
            let acknowledged = ok.then_some(request);
            if results.send(Sent { took, failure, acknowledged }).is_err() {
                return;
            }
            request += u64::from(args.devices);
        }
    }

    fn body(&self, request: u64, batch: u32) -> Vec<u8> {
        let record = |index| {
            json!({
                "hash": format!("{}-{request}-{index}", self.run_id),
                "program_name": "stress",
                "host": format!("device-{}", self.number),
                "level": "Info",
                "message": format!("measurement {request} of device {}", self.number),
                "stress_run": self.run_id,
                "stress_request": request,
                "extra_info": {"temperature": 20 + request % 10, "index": index},
            })
        };
        let records: Vec<Value> = (0..batch).map(record).collect();
        Value::from(records).to_string().into_bytes()
    }
}

/// The class of the failure, and whether all records were acknowledged.
fn outcome(remote: &Remote, body: &[u8], batch: u32) -> (Option<String>, bool) {
    match remote.post("/api/logs?stream=stress", body) {
        Err(failure) => (Some(format!("no answer: {failure}")), false),
        Ok(answer) if answer.status == 200 => {
            let receipt: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
            let count = |name: &str| receipt.get(name).and_then(Value::as_u64).unwrap_or(0);
            match count("accepted") + count("duplicate") == u64::from(batch) {
                true => (None, true),
                false => (Some("records were refused".to_owned()), false),
            }
        }
        Ok(answer) => (Some(format!("status {}", answer.status)), false),
    }
}

fn report(
    sent: &mut [Sent],
    (elapsed, batch): (Duration, u32),
    out: &mut dyn Write,
) -> Result<(), Failure> {
    sent.sort_by_key(|sent| sent.took);
    let ok = sent.iter().filter(|sent| sent.acknowledged.is_some()).count();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_second = ok as f64 * f64::from(batch) / elapsed.as_secs_f64();
    writeln!(out, "{} requests, {ok} acknowledged, {per_second:.0} records/s", sent.len())?;
    for (name, per_mille) in
        [("P50", 500), ("P95", 950), ("P99", 990), ("P99.9", 999), ("max", 1000)]
    {
        let took = percentile(sent, per_mille);
        writeln!(out, "{name:>6} {:>9.2} ms", took.as_secs_f64() * 1e3)?;
    }
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for failure in sent.iter().filter_map(|sent| sent.failure.as_deref()) {
        *classes.entry(failure).or_default() += 1;
    }
    for (class, count) in classes {
        writeln!(out, "failed: {count} × {class}")?;
    }
    Ok(())
}

/// The time within which so many of a thousand were answered.
fn percentile(sorted: &[Sent], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1000).saturating_sub(1);
    sorted.get(rank).map(|sent| sent.took).unwrap_or_default()
}

/// Looks up every acknowledged request: each of its records must be found once.
fn verify(
    args: &StressArgs,
    (run_id, acknowledged): (&str, &[u64]),
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let query =
        format!("stream:=stress stress_run:=\"{run_id}\" | stats count() as n by stress_request");
    let body = json!({"query": query}).to_string();
    let answer = Remote::new(&args.target)?.post("/api/v1/search", body.as_bytes())?;
    let mut found: BTreeMap<u64, u64> = BTreeMap::new();
    let mut is_complete = false;
    for line in answer.body.lines() {
        let row: Value = serde_json::from_str(line)?;
        match row.get("_summary") {
            Some(summary) => is_complete = summary.get("complete") == Some(&Value::Bool(true)),
            None => {
                let number = |name: &str| row.get(name).and_then(Value::as_u64);
                if let (Some(request), Some(count)) = (number("stress_request"), number("n")) {
                    found.insert(request, count);
                }
            }
        }
    }
    if !is_complete {
        let shown: String = answer.body.chars().take(500).collect();
        return Err(format!("the look-up is not complete: {shown}").into());
    }
    let batch = u64::from(args.batch);
    let count = |request: &u64| found.get(request).copied().unwrap_or(0);
    let lost: u64 = acknowledged.iter().map(|request| batch.saturating_sub(count(request))).sum();
    let double: u64 = found.values().map(|count| count.saturating_sub(batch)).sum();
    let records = acknowledged.len() as u64 * batch;
    writeln!(out, "looked up {records} acknowledged records: {lost} lost, {double} double")?;
    match lost + double {
        0 => Ok(()),
        _ => Err("records are missing or there twice".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_time_within_which_so_many_were_answered() {
        let sent: Vec<Sent> = (1..=1000)
            .map(|ms| Sent { took: Duration::from_millis(ms), failure: None, acknowledged: None })
            .collect();
        assert_eq!(percentile(&sent, 500), Duration::from_millis(500));
        assert_eq!(percentile(&sent, 999), Duration::from_millis(999));
        assert_eq!(percentile(&sent, 1000), Duration::from_millis(1000));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }
}
