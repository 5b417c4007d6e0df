//! Watches what a file says, and prints what its channels would be told:
//!
//! ```sh
//! cargo run -p logbeacon-monitor --example watch -- monitor.yaml state-directory
//! ```
//!
//! Edit the file while it runs: a good one is taken, a bad one is refused with its problems. Kill
//! it and start it again: it goes on from where it was.

#![expect(clippy::print_stdout, reason = "the terminal is its channel")]

use logbeacon_monitor::config::{MonitorConfig, Watch};
use logbeacon_monitor::host::{Linux, Looks, metrics};
use logbeacon_monitor::{Board, Engine, Outcome, Prober, Reading, Sample, SystemDisk, Timetable};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(file), Some(dir)) = (arguments.next(), arguments.next()) else {
        return Err("watch FILE STATE-DIRECTORY".into());
    };
    LocalSet::new().run_until(watch(Watch::new(&file), dir)).await
}

async fn watch(mut file: Watch, dir: PathBuf) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let reading = || Reading {
        wall_ms: i64::try_from(
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
        )
        .unwrap_or(i64::MAX),
        mono_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let disk = Box::new(SystemDisk::open(&dir)?);
    let mut config = MonitorConfig::default();
    let first = file.offer(std::fs::read_to_string(file.path()), reading().wall_ms);
    if let Some(first) = first.map_err(|problems| text(&problems))? {
        config = first;
    }
    let (mut engine, opened) = Engine::open(disk, config.setup.clone(), reading())?;
    println!("{} frames of the journal read", opened.frames);
    let prober = Rc::new(Prober::new()?);
    let (mut timetable, mut board) = (Timetable::new(64), Board::default());
    let (sender, mut reports) = mpsc::channel(256);
    let mut host = Linux::default().look(reading().mono_ms);
    loop {
        let now = reading();
        match file.offer(std::fs::read_to_string(file.path()), now.wall_ms) {
            Ok(Some(new)) => {
                println!("the file was taken");
                engine.reload(new.setup.clone());
                config = new;
            }
            Ok(None) => {}
            Err(problems) => println!("the old file stays in use:\n{}", text(&problems)),
        }
        let every = |check: &logbeacon_monitor::Check| check.every.as_millis() as u64;
        let periods = config.checks.iter().map(|(id, check)| (id.clone(), every(check))).collect();
        timetable.set(&periods, now.mono_ms);
        for start in timetable.due(now.mono_ms) {
            let Some(check) = config.checks.get(&start.id).cloned() else { continue };
            let (prober, sender) = (prober.clone(), sender.clone());
            tokio::task::spawn_local(async move {
                let report = prober.run(&check).await;
                // The loop has ended if nobody takes it.
                let _ = sender.send((start.id, report)).await;
            });
        }
        while let Ok((id, report)) = reports.try_recv() {
            timetable.finished(&id);
            println!("{id}: {:?} {} {} ms", report.status, report.problem, report.times.total_ms);
            board.put(&id, now.mono_ms, report);
        }
        let newest = Linux::default().look(now.mono_ms);
        let mut measured = board.metrics(&config.checks, (now.mono_ms, now.wall_ms));
        measured.extend(metrics(Looks { before: &host, now: &newest }));
        measured.extend(engine.task_metrics());
        host = newest;
        let measured: BTreeMap<String, Result<Vec<Sample>, String>> =
            measured.into_iter().map(|(name, samples)| (name.to_owned(), Ok(samples))).collect();
        engine.observe(now, config.evaluate(&measured));
        for dispatch in engine.due() {
            let (message, channel) = (&dispatch.message, &dispatch.channel);
            println!("[{channel}] {:?} {}", message.reason, dispatch.id);
            message.firing.iter().for_each(|line| println!("  fires: {}", line.summary));
            message.resolved.iter().for_each(|line| println!("  ended: {}", line.summary));
            engine.finished(reading(), dispatch.number, Outcome::Delivered);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn text(problems: &[logwell_options::problem::ConfigProblem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}
