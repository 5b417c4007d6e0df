//! Lanes: how many threads and bytes ingest and searches may use.
//!
//! Knows the runtime's threads that may wait. Does not know what runs on them. Ingest and searches
//! have lanes of their own, so no search can hold up ingest.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lanes of a server.
#[derive(Debug)]
pub struct Lanes {
    ingest: Arc<Semaphore>,
    search: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Requests that bring records.
    Ingest,
    /// Requests that search.
    Search,
}

/// Why something did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRun {
    /// The lane stayed full. HTTP status 429.
    Busy,
    /// It panicked. HTTP status 500.
    Panicked,
}

/// A place in a lane, as long as it lives.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Requests that decode and write at once. Waiting for the disk takes no processor: many share a
/// sync.
pub const INGEST_THREADS: usize = 64;
/// Bytes of bodies in memory at once.
const BODY_BYTES: usize = 256 << 20;
/// The bytes that one permit represents.
const UNIT_BYTES: usize = 1024;
/// How long a request waits for its place.
const PATIENCE: Duration = Duration::from_secs(2);

impl Lanes {
    /// Lanes with so many searches at once.
    #[must_use]
    pub fn new(searches: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            ingest: semaphore(INGEST_THREADS),
            search: semaphore(searches.max(1)),
            bytes: semaphore(BODY_BYTES / UNIT_BYTES),
        }
    }

    /// Waits for a place; two seconds at most.
    ///
    /// # Errors
    ///
    /// The lane stayed full.
    pub async fn place(&self, lane: Lane) -> Result<Place, NotRun> {
        let semaphore = match lane {
            Lane::Ingest => &self.ingest,
            Lane::Search => &self.search,
        };
        acquire(semaphore, 1).await
    }

    /// Waits for room for a body of so many bytes.
    ///
    /// # Errors
    ///
    /// There stayed none.
    pub async fn room(&self, bytes: usize) -> Result<Place, NotRun> {
        acquire(&self.bytes, bytes.div_ceil(UNIT_BYTES).max(1)).await
    }

    /// Runs something that may wait, when there is a place for it.
    ///
    /// # Errors
    ///
    /// See [`NotRun`].
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        let place = self.place(lane).await?;
        let run = tokio::task::spawn_blocking(move || {
            let _place = place;
            job()
        });
        run.await.map_err(|_| NotRun::Panicked)
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, permits: usize) -> Result<Place, NotRun> {
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    let acquired = Arc::clone(semaphore).acquire_many_owned(permits);
    match tokio::time::timeout(PATIENCE, acquired).await {
        Ok(Ok(permit)) => Ok(Place { _permit: permit }),
        _ => Err(NotRun::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn searches_that_fill_their_lane_leave_that_of_ingest_free() {
        let lanes = Lanes::new(1);
        let _held = lanes.place(Lane::Search).await.unwrap();
        tokio::select! {
            biased;
            _ = lanes.place(Lane::Search) => panic!("the lane is full"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(lanes.run(Lane::Ingest, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_costs_its_request_only() {
        let lanes = Lanes::new(1);
        let failed = lanes.run(Lane::Search, || panic!("on purpose")).await;
        assert_eq!(failed, Err::<(), _>(NotRun::Panicked));
        assert_eq!(lanes.run(Lane::Search, || 7).await, Ok(7));
    }
}
