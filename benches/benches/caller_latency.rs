//! What a log call costs its caller: bursts of 100 calls every 5 ms, each call timed.
//!
//! Prints percentiles in nanoseconds, the timer's own 20 to 45 included, and the ratio to the
//! reference, from runs that take turns.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use logwell_benches::{
    Pace, Subject, asked_for, five_fields, in_two_spans, interleaved, median, percentile,
    timed_bursts,
};
use std::error::Error;

const PACE: Pace = Pace { bursts: 1_000, calls: 100 };
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

fn main() -> Result<(), Box<dyn Error>> {
    if let Some([subject, workload]) = asked_for() {
        return measure(&subject, &workload);
    }
    for workload in ["five fields", "in two spans"] {
        let all = interleaved(3, workload)?;
        println!("caller latency, {workload}, medians of 3 runs, ns");
        for (at, (percentile, _)) in PERCENTILES.iter().enumerate() {
            let [(_, ours), (_, theirs)] = all.as_slice() else { continue };
            let (ours, theirs) = (median(ours, at), median(theirs, at));
            let ratio = theirs / ours;
            println!("{percentile:>6}: logwell {ours:>7.0}  reference {theirs:>7.0}  1/{ratio:.1}");
        }
    }
    Ok(())
}

fn measure(subject: &str, workload: &str) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let subject = Subject::install(subject, dir.path())?;
    let mut times_ns = Vec::new();
    let mut bursts = || times_ns = timed_bursts(PACE, five_fields);
    if workload == "in two spans" {
        in_two_spans(bursts)
    } else {
        bursts()
    }
    subject.finish();
    times_ns.sort_unstable();
    for (_, part) in PERCENTILES {
        println!("{}", percentile(&times_ns, part));
    }
    Ok(())
}
