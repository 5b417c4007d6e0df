//! Running forwarders: their threads, with counters to read and a way to stop them.
//!
//! Knows when a thread has ended. Does not know what it does.

use super::counters::DeliveryCounters;
use super::forwarder::Forwarder;
use super::transport::Stop;
use crate::base::error::{Error, ErrorKind};
use crate::base::threads;
use crate::record::stats::DestinationStats;
use crate::spool::{SpoolStatus, SpoolWaker};
use crossbeam_channel::{Receiver, bounded};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The forwarders of a pipeline. They go on when this is dropped, as the listener does.
#[derive(Default)]
pub(crate) struct Forwarders(Vec<Running>);

/// The outer side of one forwarder.
pub(super) struct Running {
    name: &'static str,
    counters: Arc<DeliveryCounters>,
    stop: Stop,
    spool: Mutex<Spool>,
    ended: Option<Receiver<()>>,
}

/// The parts of a spool that others read. Holding them holds its directory, so they are released
/// when the forwarder has ended.
enum Spool {
    Open(SpoolStatus, SpoolWaker),
    Closed(DestinationStats),
}

impl Running {
    pub(super) fn new(
        name: &'static str,
        (status, waker): (SpoolStatus, SpoolWaker),
        counters: &Arc<DeliveryCounters>,
        stop: &Stop,
    ) -> Self {
        let spool = Mutex::new(Spool::Open(status, waker));
        Self { name, counters: Arc::clone(counters), stop: stop.clone(), spool, ended: None }
    }

    /// The destination's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn stats(&self) -> DestinationStats {
        match &*self.spool.lock().unwrap_or_else(PoisonError::into_inner) {
            Spool::Open(status, _) => self.counters.snapshot(self.name, status),
            Spool::Closed(stats) => stats.clone(),
        }
    }

    fn request(&self, deadline: Instant) {
        self.stop.request(deadline);
        if let Spool::Open(_, waker) = &*self.spool.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake();
        }
    }

    fn has_ended_by(&self, deadline: Instant) -> bool {
        // Nothing is sent: the channel is closed when the thread's end of it is dropped.
        let is_closed = |ended: &Receiver<()>| {
            matches!(
                ended.recv_deadline(deadline),
                Err(crossbeam_channel::RecvTimeoutError::Disconnected)
            )
        };
        self.ended.as_ref().is_none_or(is_closed)
    }

    fn close(&self) {
        let stats = self.stats();
        *self.spool.lock().unwrap_or_else(PoisonError::into_inner) = Spool::Closed(stats);
    }
}

impl Forwarders {
    /// Starts the thread of one more forwarder.
    pub(super) fn start(
        &mut self,
        forwarder: Forwarder,
        mut running: Running,
    ) -> Result<(), Error> {
        let (alive, ended) = bounded(0);
        let run = move || {
            let _until_the_end = alive;
            forwarder.run();
        };
        threads::spawn(format!("logwell-{}", running.name), run)
            .map_err(|source| ErrorKind::Thread { name: "logwell-forward", source })?;
        running.ended = Some(ended);
        self.0.push(running);
        Ok(())
    }

    /// What has become of the records for each destination.
    pub(crate) fn stats(&self) -> Vec<DestinationStats> {
        self.0.iter().map(Running::stats).collect()
    }

    /// Has the forwarders deliver what they can within that time, and end. What is left stays on
    /// disk.
    pub(crate) fn stop(&self, within: Duration) {
        // A part is left for those that must be interrupted.
        let grace = (within / 5).min(Duration::from_millis(250));
        let deadline = Instant::now() + within;
        for running in &self.0 {
            running.request(deadline - grace);
        }
        for running in &self.0 {
            if !running.has_ended_by(deadline - grace) {
                running.stop.interrupt();
            }
            if running.has_ended_by(deadline) {
                running.close();
            }
        }
    }
}
