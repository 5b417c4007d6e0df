//! Ingest: items of a request → the store, and a receipt with the outcome of each.
//!
//! Knows admission, the store and the tail. Does not know HTTP or protocols. It blocks until every
//! accepted record is on disk: it runs on a thread that may wait.

use crate::admit::{Admission, Origin, admit_all};
use crate::decode::draft::{Item, Reason, Refusal};
use crate::metrics::Metrics;
use crate::tail::Tail;
use logbeacon_store::{AppendError, Record, Store, Verdict};
use std::sync::Arc;

/// Takes in what was decoded.
#[derive(Debug)]
pub struct Ingest {
    /// Makes records.
    pub admission: Admission,
    /// Keeps them.
    pub store: Arc<dyn Store>,
    /// Shows them to those who follow.
    pub tail: Tail,
    /// Counts them.
    pub metrics: Arc<Metrics>,
}

/// What became of one thing of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk and can be found; with its identity.
    Accepted(u128),
    /// It was there already.
    Duplicate(u128),
    /// It is no record, and never will be. It can be found in `_refused`.
    Refused(Refusal),
}

/// What became of a request: an outcome for each thing in it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
}

impl Receipt {
    /// How many were accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Accepted(_)))
    }

    /// How many were there already.
    #[must_use]
    pub fn duplicate(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Duplicate(_)))
    }

    /// How many were refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refusals().count()
    }

    /// What was refused, with its place in the request.
    pub fn refusals(&self) -> impl Iterator<Item = (usize, &Refusal)> {
        self.outcomes.iter().enumerate().filter_map(|(index, outcome)| match outcome {
            Outcome::Refused(refusal) => Some((index, refusal)),
            _ => None,
        })
    }

    fn count(&self, is: fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| is(outcome)).count()
    }
}

impl Ingest {
    /// Keeps the items of one request. Blocks until they are on disk.
    ///
    /// # Errors
    ///
    /// The store accepts nothing now. Nothing of the request was kept.
    pub fn take(&self, items: Vec<Item>, origin: &Origin) -> Result<Receipt, AppendError> {
        let count = items.len();
        let admitted = admit_all(&self.admission, items, origin);
        let (places, records): (Vec<_>, Vec<_>) = admitted.records.into_iter().unzip();
        let hashes: Vec<u128> = records.iter().map(|record| record.hash).collect();
        let verdicts = self.append(records)?;
        let mut outcomes = vec![None; count];
        for ((place, hash), verdict) in places.into_iter().zip(hashes).zip(verdicts) {
            if let Some(outcome) = place.and_then(|index| outcomes.get_mut(index)) {
                *outcome = Some(match verdict {
                    Verdict::Accepted => Outcome::Accepted(hash),
                    Verdict::Duplicate => Outcome::Duplicate(hash),
                });
            }
        }
        for (index, refusal) in admitted.refusals {
            self.metrics.refused(refusal.reason);
            if let Some(outcome) = outcomes.get_mut(index) {
                *outcome = Some(Outcome::Refused(refusal));
            }
        }
        let receipt = Receipt { outcomes: outcomes.into_iter().flatten().collect() };
        self.metrics.received(origin.protocol, &receipt);
        Ok(receipt)
    }

    /// Keeps in `_refused` a request that could not be read at all.
    pub fn unreadable(&self, why: &str, body: &[u8], origin: &Origin) {
        let kept = body.get(..self.admission.limits().refused_bytes).unwrap_or(body);
        let refusal = Refusal::new(Reason::Unreadable, why, kept);
        self.metrics.refused(refusal.reason);
        let record = self.admission.refused(&refusal, origin);
        // The answer says that nothing was taken, so the sender knows what to repeat.
        if let Err(error) = self.append(vec![record]) {
            tracing::warn!(%error, "a request that cannot be read was not kept");
        }
    }

    /// Appends records, and shows those that are new to those who follow.
    ///
    /// # Errors
    ///
    /// The store accepts nothing now.
    pub fn append(&self, records: Vec<Record>) -> Result<Vec<Verdict>, AppendError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let copy = self.tail.is_followed().then(|| records.clone());
        let verdicts = self.store.append(records)?;
        if let Some(copy) = copy {
            let fresh = copy.into_iter().zip(&verdicts);
            let fresh = fresh.filter(|(_, verdict)| **verdict == Verdict::Accepted);
            self.tail.publish(fresh.map(|(record, _)| record).collect());
        }
        Ok(verdicts)
    }
}
