//! People: the report as text, for people.

use super::boot::{LEDGER, Runs};
use super::gaps::{Gap, Place};
use super::report::{BootReport, Report, moment};
use super::side::SideReport;
use std::fmt::{self, Write as _};

impl Report {
    /// All of it, for people. Of long lists only the beginning, unless `all`.
    #[must_use]
    pub fn text(&self, accept_declared: bool, all: bool) -> String {
        let mut text =
            Text { out: String::new(), report: self, at_most: if all { usize::MAX } else { 20 } };
        // Writing into a String cannot fail.
        let _ = text.report(accept_declared);
        text.out
    }
}

fn plural(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// `7` or `7 to 9`
fn range(from: u64, to: u64) -> String {
    if from == to { format!("seq {from}") } else { format!("seq {from} to {to}") }
}

/// The report for people, in the making.
struct Text<'r> {
    out: String,
    report: &'r Report,
    at_most: usize,
}

impl Text<'_> {
    fn report(&mut self, accept_declared: bool) -> fmt::Result {
        let report = self.report;
        let scan = &report.scan;
        writeln!(
            self.out,
            "{}: {}, {}, {}\n",
            visible(&report.directory.to_string_lossy()),
            plural(scan.files.len() as u64, "file"),
            plural(scan.lines, "line"),
            plural(report.boots.len() as u64, "boot")
        )?;
        for boot in &report.boots {
            self.boot(boot, accept_declared)?;
        }
        if scan.damage_count > 0 {
            writeln!(self.out, "damaged lines: {}", scan.damage_count)?;
            self.list(scan.damages.len(), &scan.damages, |text, damage| {
                let (place, flaw) = (text.place(damage.place), damage.flaw.to_string());
                format!("{place}: {}", visible(&flaw))
            })?;
            self.out.push('\n');
        }
        if report.strangers > 0 {
            let count = plural(report.strangers, "record");
            writeln!(
                self.out,
                "{count} of processes that are no longer in app.log: not compared\n"
            )?;
        }
        if report.not_judged > 0 {
            let count = plural(report.not_judged, "record");
            writeln!(self.out, "{count} of more boots than are kept: not judged\n")?;
        }
        self.verdict(accept_declared)
    }

    fn boot(&mut self, boot: &BootReport, accept_declared: bool) -> fmt::Result {
        let is_whole = !boot.is_damaged() && (accept_declared || !boot.has_declared());
        let id = boot.id.as_deref().map_or_else(|| "without a known id".to_owned(), visible);
        writeln!(
            self.out,
            "boot {id}, process {}, {} to {}: {}",
            boot.process,
            moment(boot.first_ns),
            moment(boot.last_ns),
            if is_whole { "complete" } else { "NOT COMPLETE" }
        )?;
        self.records(boot)?;
        self.losses(boot)?;
        self.order(boot)?;
        for side in &boot.sides {
            self.side(side)?;
        }
        self.end(boot)?;
        self.out.push('\n');
        Ok(())
    }

    fn records(&mut self, boot: &BootReport) -> fmt::Result {
        let judgement = &boot.judgement;
        if judgement.rotated_through > 0 {
            writeln!(
                self.out,
                "  begins in the middle: {} rotated away, first kept is seq {} in {}",
                if judgement.rotated_through == 1 {
                    "seq 1 was".to_owned()
                } else {
                    format!("seq 1 to {} were", judgement.rotated_through)
                },
                boot.base,
                self.place(boot.first)
            )?;
        }
        let count = plural(boot.records, "record");
        write!(self.out, "  {count}, up to seq {}", boot.last_seq)?;
        if judgement.filtered > 0 {
            write!(self.out, "; {} kept out by files.level", judgement.filtered)?;
        }
        self.out.push('\n');
        Ok(())
    }

    fn losses(&mut self, boot: &BootReport) -> fmt::Result {
        let judgement = &boot.judgement;
        let gap = |text: &Self, gap: &Gap| {
            let (place, moment) = (text.place(gap.before), moment(gap.after_ns));
            let numbers = range(gap.from, gap.to);
            match gap.after_ns {
                0 => format!("{numbers} ({}), before {place}", gap.count()),
                _ => format!("{numbers} ({}), after {moment}, before {place}", gap.count()),
            }
        };
        if !judgement.lost.is_empty() {
            let count: u64 = judgement.lost.iter().map(Gap::count).sum();
            writeln!(self.out, "  missing: {}", plural(count, "record"))?;
            self.list(judgement.lost.len(), &judgement.lost, gap)?;
        }
        for (count, gaps) in &judgement.among {
            let count = plural(*count, "record");
            writeln!(
                self.out,
                "  missing: {count} among these, the others were kept out by files.level"
            )?;
            self.list(gaps.len(), gaps, gap)?;
        }
        let proven = boot.proven();
        if !proven.is_empty() {
            writeln!(self.out, "  missing, but there in another file: {}", proven.len())?;
            self.list(proven.len(), &proven, |text, (seq, _, place)| {
                format!("seq {seq}: {}", text.place(*place))
            })?;
        }
        if !judgement.unknown.is_empty() {
            let count: u64 = judgement.unknown.iter().map(Gap::count).sum();
            let count = plural(count, "record");
            writeln!(
                self.out,
                "  not known: {count} lost or kept out by files.level, nothing kept says which"
            )?;
            self.list(judgement.unknown.len(), &judgement.unknown, gap)?;
        }
        if boot.forgotten > 0 {
            let count = plural(boot.forgotten, "number");
            writeln!(self.out, "  {count} in more gaps than are kept: not judged")?;
        }
        for contradiction in &judgement.contradictions {
            writeln!(self.out, "  does not add up: {contradiction}")?;
        }
        self.declared(boot)
    }

    fn declared(&mut self, boot: &BootReport) -> fmt::Result {
        if boot.dropped_total() > 0 {
            let count = plural(boot.dropped_total(), "record");
            write!(self.out, "  declared: {count} dropped before the queue:")?;
            for (name, count) in &boot.dropped {
                write!(self.out, " [{count} {}]", visible(name))?;
            }
            self.out.push('\n');
        }
        if boot.declared > 0 {
            let count = plural(boot.declared, "record");
            let of = boot.lost().min(boot.declared);
            writeln!(self.out, "  declared: {count} lost by {LEDGER}; {of} of the missing ones")?;
        }
        for outage in &boot.outages {
            let (sink, problem) = (visible(&outage.sink), visible(&outage.problem));
            let dropped = plural(outage.dropped, "record");
            writeln!(
                self.out,
                "  outage of {sink} for {} ms, {dropped} lost: {problem}",
                outage.failed_ms
            )?;
        }
        Ok(())
    }

    fn order(&mut self, boot: &BootReport) -> fmt::Result {
        self.runs("duplicate", &boot.duplicates)?;
        self.runs("out of order", &boot.late)
    }

    fn runs(&mut self, what: &str, runs: &Runs) -> fmt::Result {
        if runs.count == 0 {
            return Ok(());
        }
        writeln!(self.out, "  {what}: {}", plural(runs.count, "record"))?;
        self.list(runs.list.len(), &runs.list, |text, run| {
            format!("{}, at {}", range(run.from, run.to), text.place(run.place))
        })
    }

    fn side(&mut self, side: &SideReport) -> fmt::Result {
        let name = visible(&side.name);
        writeln!(self.out, "  {name}: {}", plural(side.records, "record"))?;
        if !side.missing.is_empty() {
            let count = plural(side.missing.len() as u64, "record");
            writeln!(self.out, "  missing in {name}: {count}, {} declared", side.declared)?;
            self.list(side.missing.len(), &side.missing, |_, seq| format!("seq {seq}"))?;
        }
        self.runs(&format!("duplicate in {name}"), &side.duplicates)?;
        self.runs(&format!("out of order in {name}"), &side.late)?;
        match &side.contradiction {
            Some(contradiction) => writeln!(self.out, "  does not add up: {contradiction}"),
            None => Ok(()),
        }
    }

    fn end(&mut self, boot: &BootReport) -> fmt::Result {
        let judgement = &boot.judgement;
        if boot.has_receipt {
            let is_checked = judgement.rotated_through == 0 && judgement.contradictions.is_empty();
            let agrees = match (is_checked, boot.undeclared()) {
                (true, 0) => ", and the receipt's numbers are those of the file",
                _ => "",
            };
            writeln!(self.out, "  ended in order{agrees}")
        } else if boot.is_last {
            writeln!(
                self.out,
                "  has not ended: it is running, or was killed; what follows seq {} is not known",
                boot.last_seq
            )
        } else {
            writeln!(
                self.out,
                "  did not end in order: its receipt is missing, and whatever came after seq {}",
                boot.last_seq
            )
        }
    }

    fn verdict(&mut self, accept_declared: bool) -> fmt::Result {
        let report = self.report;
        let lost: u64 = report.boots.iter().map(BootReport::lost).sum();
        let undeclared: u64 = report.boots.iter().map(BootReport::undeclared).sum();
        let dropped: u64 = report.boots.iter().map(BootReport::dropped_total).sum();
        if report.is_complete(accept_declared) {
            let declared = lost - undeclared + dropped;
            return match declared {
                0 => writeln!(self.out, "complete"),
                _ => writeln!(
                    self.out,
                    "complete, but for {} the log tells of",
                    plural(declared, "lost record")
                ),
            };
        }
        let count = |of: fn(&BootReport) -> u64| report.boots.iter().map(of).sum::<u64>();
        let parts = [
            (undeclared, "missing"),
            (lost - undeclared, "missing and declared"),
            (dropped, "dropped and declared"),
            (
                count(|boot| boot.sides.iter().map(|side| side.missing.len() as u64).sum()),
                "missing in other files",
            ),
            (
                count(|boot| {
                    boot.duplicates.count
                        + boot.sides.iter().map(|side| side.duplicates.count).sum::<u64>()
                }),
                "duplicate",
            ),
            (
                count(|boot| {
                    boot.late.count + boot.sides.iter().map(|side| side.late.count).sum::<u64>()
                }),
                "out of order",
            ),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let mut parts: Vec<_> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        if report.scan.damage_count > 0 {
            parts.push(plural(report.scan.damage_count, "damaged line"));
        }
        if report.not_judged > 0 {
            parts.push(format!("{} not judged", report.not_judged));
        }
        let open = count(|boot| u64::from(!boot.has_receipt && !boot.is_last));
        if open > 0 {
            parts.push(format!("{} not ended in order", plural(open, "boot")));
        }
        let wrong = count(|boot| {
            let sides = boot.sides.iter().filter(|side| side.contradiction.is_some()).count();
            (boot.judgement.contradictions.len() + sides) as u64
        });
        if wrong > 0 {
            parts.push(format!("{} that do not add up", plural(wrong, "number")));
        }
        writeln!(self.out, "NOT COMPLETE: {}", parts.join(", "))
    }

    /// The beginning of a list, one thing a line.
    fn list<T>(
        &mut self,
        count: usize,
        list: &[T],
        say: impl Fn(&Self, &T) -> String,
    ) -> fmt::Result {
        for thing in list.iter().take(self.at_most) {
            let said = say(self, thing);
            writeln!(self.out, "    {said}")?;
        }
        match count.saturating_sub(self.at_most) {
            0 => Ok(()),
            more => writeln!(self.out, "    and {more} more; --all shows them"),
        }
    }

    fn place(&self, place: Place) -> String {
        let packed = if self.report.is_packed(place) { " of what it holds" } else { "" };
        format!("{} byte {}{packed}", visible(&self.report.name(place)), place.offset)
    }
}

/// Text from files, such as an id, cannot steer the terminal.
fn visible(text: &str) -> String {
    let mut out = Vec::new();
    logwell::encode::visible::push_visible(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
