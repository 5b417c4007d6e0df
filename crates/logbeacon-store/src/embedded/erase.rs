//! Deletions: hidden at once, erased part by part, with a certificate.
//!
//! Knows: the steps from a request to the last erased record. Must not know: how a part is
//! encoded. In: requests, and parts that have deleted records. Out: certificates, other parts.

use super::manifest::Manifest;
use super::{Deletion, LivePart, PARTS, Shared, lock};
use crate::error::DeleteError;
use crate::part::view::records;
use crate::record::Record;
use crate::search;
use crate::store::{Certificate, DeleteRequest, SearchRequest};
use logwell_query::{Filter, Query};
use std::io;
use std::sync::Arc;

impl Shared {
    pub(super) fn delete(&self, request: &DeleteRequest) -> Result<Certificate, DeleteError> {
        let now_ns = self.options.clock.now_ns();
        let query = Query::parse_at(&request.query, now_ns)
            .map_err(|error| DeleteError::Query(error.to_string()))?;
        if !query.pipes.is_empty() {
            return Err(DeleteError::Query("a deletion has no pipes".to_owned()));
        }
        if self.is_closed() {
            return Err(DeleteError::Closed);
        }
        let mut certificate = Certificate {
            number: 0,
            query: request.query.clone(),
            range: request.range,
            requested_by: request.requested_by.clone(),
            requested_ns: now_ns,
            hidden: 0,
            erased: 0,
            erased_ns: None,
            erase_within: self.options.erase_within,
        };
        let failed = |error: io::Error| DeleteError::Disk(error.to_string());
        // Commits wait meanwhile: what arrives afterwards has the next epoch.
        let mut committer = lock(&self.committer);
        let before = self.snapshot();
        let number = committer.epoch + 1;
        certificate.number = number;
        let change = |manifest: &mut Manifest| manifest.deletions.push(certificate.clone());
        self.write_manifest(&mut self.books(), change, Vec::new()).map_err(failed)?;
        committer.epoch = number;
        let (filter, range) = (query.filter.clone(), request.range);
        self.change_state(|state| {
            let mut deletions = Vec::clone(&state.deletions);
            deletions.push(Arc::new(Deletion { number, filter, range }));
            state.deletions = Arc::new(deletions);
        });
        drop(committer);
        certificate.hidden =
            search::count(&before, &SearchRequest { range, ..SearchRequest::new(query) });
        let hidden = certificate.hidden;
        let change = |manifest: &mut Manifest| {
            manifest.deletions.iter_mut().filter(|one| one.number == number).for_each(|one| {
                one.hidden = hidden;
            });
        };
        self.write_manifest(&mut self.books(), change, Vec::new()).map_err(failed)?;
        self.wake();
        Ok(certificate)
    }

    /// Erases deleted records from one part; once no part and no batch has any, says so.
    pub(super) fn erase(&self) -> io::Result<bool> {
        let snapshot = self.snapshot();
        let Some(last) = snapshot.deletions.last().map(|deletion| deletion.number) else {
            return Ok(false);
        };
        let due = snapshot.parts.iter().find(|live| live.clean < last);
        if let Some(live) = due {
            if !self.has_room_of_reserve(live.part.bytes)? {
                return Ok(false);
            }
            let hidden: Vec<Filter> =
                snapshot.deletions_of(live.clean).map(|deletion| deletion.filter()).collect();
            let erased = match self.rewrite(live, &Filter::Or(hidden), last) {
                Ok(erased) => erased,
                Err(error) => return self.without_damaged(&[live], error).map(|()| true),
            };
            let change = |manifest: &mut Manifest| {
                // Of several deletions the last one counts what it shares with others.
                if let Some(one) =
                    manifest.deletions.iter_mut().rfind(|one| one.erased_ns.is_none())
                {
                    one.erased += erased;
                }
            };
            self.write_manifest(&mut self.books(), change, Vec::new())?;
            return Ok(true);
        }
        if snapshot.head.iter().any(|batch| batch.place.epoch < last) {
            return self.seal(false);
        }
        // The journal and the edition before may still have them: both go with two editions more.
        let now_ns = self.options.clock.now_ns();
        let change = |manifest: &mut Manifest| {
            for one in manifest.deletions.iter_mut().filter(|one| one.number <= last) {
                one.erased_ns.get_or_insert(now_ns);
            }
        };
        self.write_manifest(&mut self.books(), |_| {}, Vec::new())?;
        self.write_manifest(&mut self.books(), change, Vec::new())?;
        self.remove_sealed();
        self.change_state(|state| {
            let mut deletions = Vec::clone(&state.deletions);
            deletions.retain(|deletion| deletion.number > last);
            state.deletions = Arc::new(deletions);
        });
        Ok(true)
    }

    fn remove_sealed(&self) {
        let mut committer = lock(&self.committer);
        let sealed_before = self.books().sealed_before;
        let aside = self.dir.join(super::DAMAGED);
        if let Err(error) = committer.journal.remove_sealed(sealed_before, &aside) {
            self.fault("remove journal", &error);
        }
    }

    /// Replaces a part by one without the records that the filter matches, and that is clean of
    /// deletions up to `clean`. Returns how many records went.
    pub(super) fn rewrite(
        &self,
        live: &LivePart,
        unwanted: &Filter,
        clean: u64,
    ) -> io::Result<u64> {
        let mut kept: Vec<Record> = Vec::new();
        let mut gone = 0;
        let mut masks = Vec::new();
        for group in 0..live.part.groups.len() {
            let mask = search::matching(&live.part, group, unwanted)?;
            gone += mask.len() as u64;
            masks.push(mask);
        }
        if gone == 0 {
            self.replace(&[live.part.number], vec![LivePart { clean, ..live.clone() }])?;
            return Ok(0);
        }
        let mut parts = Vec::new();
        for (group, mask) in masks.iter().enumerate() {
            kept.extend(records(&live.part, group, |row| {
                mask.binary_search(&(row as u32)).is_err()
            })?);
            while kept.len() >= self.options.group_rows {
                let rest = kept.split_off(self.options.group_rows);
                parts.push(self.write_records(&kept, vec![live.part.number], clean)?);
                kept = rest;
            }
        }
        if !kept.is_empty() {
            parts.push(self.write_records(&kept, vec![live.part.number], clean)?);
        }
        self.fs().sync_dir(&self.dir.join(PARTS))?;
        self.replace(&[live.part.number], parts)?;
        Ok(gone)
    }
}
