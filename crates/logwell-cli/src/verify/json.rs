//! Json: the report as JSON, for programs.

use super::boot::{Left, Outage, Run, Runs};
use super::boxes::{State, Unreadable};
use super::companions::SideReport;
use super::gaps::{Gap, Place};
use super::report::{BootReport, Report, Verdict, moment};
use serde_json::{Value, json};

impl Report {
    /// All of it as JSON.
    #[must_use]
    pub fn json(&self, accept_declared: bool) -> Value {
        let boots: Vec<_> = self.boots.iter().map(|boot| self.boot_json(boot)).collect();
        let damages = self.scan.damages.iter().map(|damage| {
            json!({
                "file": self.name(damage.place), "offset": damage.place.offset,
                "unpacked": self.is_packed(damage.place), "problem": damage.flaw.to_string(),
            })
        });
        json!({
            "directory": self.directory.to_string_lossy(),
            "complete": self.is_complete(accept_declared),
            "known": self.verdict(accept_declared) != Verdict::Unknown,
            "files": self.scan.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
            "lines": self.scan.lines,
            "damaged_lines": self.scan.damage_count,
            "damages": damages.collect::<Vec<_>>(),
            "boots": boots,
            "unreadable_black_boxes": self.unreadable.iter().map(unreadable_json).collect::<Vec<_>>(),
            "records_of_unknown_processes": self.strangers,
            "records_not_judged": self.not_judged,
        })
    }

    fn boot_json(&self, boot: &BootReport) -> Value {
        let judgement = &boot.judgement;
        let proven = boot
            .proven()
            .into_iter()
            .map(|(seq, _, place)| json!({"seq": seq, "stands_in": self.place_json(place)}));
        let among = judgement
            .among
            .iter()
            .map(|(count, list)| json!({"records": count, "in": self.gaps_json(list)}));
        json!({
            "boot_id": boot.id,
            "process": boot.process,
            "from": moment(boot.first_ns),
            "to": moment(boot.last_ns),
            "first_seq": boot.base,
            "last_seq": boot.last_seq,
            "records": boot.records,
            "begun": boot.is_begun,
            "ended_in_order": boot.has_receipt,
            "may_be_running": boot.may_run(),
            "recovered": boot.recovery.map(|recovery| json!({
                "last_seq": recovery.last_seq, "lost": recovery.lost, "damaged": recovery.damaged,
            })),
            "black_box": boot.left.as_ref().map(left_json),
            "black_box_put_aside": boot.is_box_put_aside,
            "rotated_away_through": judgement.rotated_through,
            "filtered": judgement.filtered,
            "lost": boot.lost(),
            "undeclared": boot.undeclared(),
            "missing": self.gaps_json(&judgement.lost),
            "missing_among_filtered": among.collect::<Vec<_>>(),
            "missing_by_other_files": proven.collect::<Vec<_>>(),
            "unknown": self.gaps_json(&judgement.unknown),
            "duplicates": self.runs_json(&boot.duplicates),
            "out_of_order": self.runs_json(&boot.late),
            "contradictions": judgement.contradictions,
            "declared": {
                "dropped_before_the_queue": boot.dropped,
                "lost_by_app": boot.declared,
                "outages": boot.outages.iter().map(outage_json).collect::<Vec<_>>(),
            },
            "other_files": boot.sides.iter().map(|side| self.side_json(side)).collect::<Vec<_>>(),
            "gaps_forgotten": boot.forgotten,
        })
    }

    fn gaps_json(&self, gaps: &[Gap]) -> Vec<Value> {
        let one = |gap: &Gap| {
            json!({
                "from": gap.from, "to": gap.to, "after": moment(gap.after_ns),
                "before": self.place_json(gap.before),
            })
        };
        gaps.iter().map(one).collect()
    }

    fn runs_json(&self, runs: &Runs) -> Vec<Value> {
        let one =
            |run: &Run| json!({"from": run.from, "to": run.to, "at": self.place_json(run.place)});
        runs.list.iter().map(one).collect()
    }

    fn side_json(&self, side: &SideReport) -> Value {
        json!({
            "file": side.name,
            "records": side.records,
            "missing": side.missing,
            "declared": side.declared,
            "duplicates": self.runs_json(&side.duplicates),
            "out_of_order": self.runs_json(&side.late),
            "contradiction": side.contradiction,
        })
    }

    fn place_json(&self, place: Place) -> Value {
        if place == Place::END {
            return Value::Null;
        }
        json!({"file": self.name(place), "offset": place.offset, "unpacked": self.is_packed(place)})
    }
}

fn outage_json(outage: &Outage) -> Value {
    json!({
        "sink": outage.sink,
        "problem": outage.problem,
        "failed_ms": outage.failed_ms,
        "dropped": outage.dropped,
    })
}

fn left_json(left: &Left) -> Value {
    let range = |(from, to): &(u64, u64)| json!({"from": from, "to": to});
    json!({
        "in_use": left.is_in_use,
        "records": left.count(),
        "waiting": left.waiting.iter().map(range).collect::<Vec<_>>(),
        "lost": left.lost,
        "damaged": left.damaged,
    })
}

fn unreadable_json(unreadable: &Unreadable) -> Value {
    let problem = match &unreadable.state {
        State::PutAside => "put aside",
        State::Forbidden => "permission denied",
        State::Damaged(why) => why,
    };
    json!({
        "file": unreadable.path.to_string_lossy(),
        "boot_id": unreadable.boot_id,
        "process": unreadable.process,
        "problem": problem,
        "open": unreadable.is_open,
    })
}
