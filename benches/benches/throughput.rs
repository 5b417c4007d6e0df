//! How many records a second reach the file, none lost, from one thread that does nothing else.
//!
//! Prints thousands of records a second and processor seconds for a million, and the ratio to the
//! reference, from runs that take turns.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use logwell_benches::{
    Scratch, Subject, asked_for, cpu_seconds, five_fields, in_two_spans, interleaved, median,
};
use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::time::Instant;

const RECORDS: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some([subject, workload]) = asked_for() {
        return measure(&subject, &workload);
    }
    for workload in ["five fields", "in two spans"] {
        let all = interleaved(3, workload)?;
        let [(_, ours), (_, theirs)] = all.as_slice() else { continue };
        println!("throughput, {workload}, {RECORDS} records, medians of 3 runs");
        for (at, unit) in [(0, "k records/s"), (1, "cpu-s a million")] {
            let (ours, theirs) = (median(ours, at), median(theirs, at));
            let ratio = if at == 0 { ours / theirs } else { theirs / ours };
            println!("{unit:>16}: logwell {ours:.2}  reference {theirs:.2}  {ratio:.1}×");
        }
    }
    Ok(())
}

fn measure(subject: &str, workload: &str) -> Result<(), Box<dyn Error>> {
    let dir = Scratch::new()?;
    let subject = Subject::install(subject, dir.path())?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let work = || (0..RECORDS).for_each(five_fields);
    if workload == "in two spans" {
        in_two_spans(work)
    } else {
        work()
    }
    subject.finish();
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let file = BufReader::new(std::fs::File::open(dir.path().join("app.log"))?);
    let lines = file.lines().filter(|line| matches!(line, Ok(line) if line.contains("handled")));
    let count = lines.count() as u64;
    if count != RECORDS {
        return Err(format!("{count} of {RECORDS} records are in the file").into());
    }
    let millions = RECORDS as f64 / 1e6;
    println!("{} {}", RECORDS as f64 / seconds / 1e3, cpu / millions);
    Ok(())
}
