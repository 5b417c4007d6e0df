//! Report text: the report as text, for people.

use super::boot::{LEDGER, Left, Runs};
use super::boxes::{State, Unreadable};
use super::companions::SideReport;
use super::gaps::{Gap, Place};
use super::report::{BootReport, Report, Verdict, moment};
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
        for unreadable in &report.unreadable {
            self.unreadable(unreadable)?;
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

    fn unreadable(&mut self, unreadable: &Unreadable) -> fmt::Result {
        let name = unreadable.path.file_name().unwrap_or_default().to_string_lossy();
        let (name, boot) = (visible(&name), visible(&unreadable.boot_id));
        let why = match &unreadable.state {
            State::PutAside => "a start could not read all of it and has put it aside".to_owned(),
            State::Forbidden => "only its owner may".to_owned(),
            State::Damaged(why) => visible(why),
        };
        writeln!(self.out, "black box {name} of boot {boot} cannot be read: {why}")?;
        let said = match (unreadable.is_open, &unreadable.state) {
            (false, _) => "  what became of the boot is known all the same\n",
            (true, State::Forbidden) => "  it is judged as if there were none\n",
            (true, _) => "  it may have records that are nowhere else\n",
        };
        writeln!(self.out, "{said}")
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
            let away = match judgement.rotated_through {
                1 => "seq 1 was".to_owned(),
                through => format!("seq 1 to {through} were"),
            };
            write!(self.out, "  begins in the middle: {away} rotated away")?;
            match boot.records {
                0 => writeln!(self.out)?,
                _ => {
                    let (base, first) = (boot.base, self.place(boot.first));
                    writeln!(self.out, ", first kept is seq {base} in {first}")?;
                }
            }
        }
        let count = plural(boot.records, "record");
        match boot.records {
            0 => write!(self.out, "  nothing of it is in the files")?,
            _ => write!(self.out, "  {count}, up to seq {}", boot.last_seq)?,
        }
        if judgement.filtered > 0 {
            write!(self.out, "; {} kept out by files.level", judgement.filtered)?;
        }
        self.out.push('\n');
        Ok(())
    }

    fn losses(&mut self, boot: &BootReport) -> fmt::Result {
        let judgement = &boot.judgement;
        let gap = |text: &Self, gap: &Gap| {
            let mut said = format!("{} ({})", range(gap.from, gap.to), gap.count());
            if gap.after_ns != 0 {
                said += &format!(", after {}", moment(gap.after_ns));
            }
            match gap.before {
                Place::END => said + ", behind the last line",
                before => said + ", before " + &text.place(before),
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
        if boot.damaged_in_box > 0 {
            let count = match boot.damaged_in_box {
                1 => "1 entry".to_owned(),
                count => format!("{count} entries"),
            };
            writeln!(
                self.out,
                "  declared: {count} of its black box cannot be read; records that had no number may be lost"
            )?;
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
        } else if let Some(recovery) = &boot.recovery {
            let through = recovery.last_seq;
            writeln!(self.out, "  was killed; its black box was recovered, up to seq {through}")
        } else if let Some(left) = &boot.left {
            self.left(left)
        } else if boot.is_box_put_aside {
            let last = boot.last_seq;
            writeln!(
                self.out,
                "  was killed, and its black box could not be read; what follows seq {last} is lost"
            )
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

    /// What is in the black box of a boot that has not ended.
    fn left(&mut self, left: &Left) -> fmt::Result {
        let count = plural(left.count(), "record");
        match (left.is_in_use, left.count()) {
            (true, 0) => return writeln!(self.out, "  is running; its black box has nothing more"),
            (true, _) => writeln!(self.out, "  is running; {count} on the way in its black box")?,
            (false, 0) => {
                return writeln!(self.out, "  was killed; its black box has nothing more");
            }
            (false, _) => writeln!(
                self.out,
                "  was killed; {count} waiting in its black box, which the next start writes"
            )?,
        }
        self.list(left.waiting.len(), &left.waiting, |_, &(from, to)| range(from, to))
    }

    fn verdict(&mut self, accept_declared: bool) -> fmt::Result {
        let report = self.report;
        let lost: u64 = report.boots.iter().map(BootReport::lost).sum();
        let undeclared: u64 = report.boots.iter().map(BootReport::undeclared).sum();
        let dropped: u64 = report.boots.iter().map(BootReport::dropped_total).sum();
        match report.verdict(accept_declared) {
            Verdict::Complete => return self.complete(lost - undeclared + dropped),
            Verdict::Incomplete => {}
            Verdict::Unknown => {
                let open = report.unreadable.iter().filter(|unreadable| unreadable.leaves_open());
                let count = match open.count() {
                    1 => "a black box".to_owned(),
                    count => format!("{count} black boxes"),
                };
                return writeln!(self.out, "NOT KNOWN: {count} cannot be read");
            }
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
        let unread = count(|boot| boot.damaged_in_box);
        if unread > 0 {
            parts.push(format!("{unread} not readable in black boxes"));
        }
        let aside = count(|boot| u64::from(boot.is_box_put_aside));
        if aside > 0 {
            parts.push(format!(
                "{} put aside",
                if aside == 1 { "a black box".to_owned() } else { format!("{aside} black boxes") }
            ));
        }
        let open = count(|boot| u64::from(!boot.has_known_end()));
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

    fn complete(&mut self, declared: u64) -> fmt::Result {
        write!(self.out, "complete")?;
        if declared > 0 {
            write!(self.out, ", but for {} the log tells of", plural(declared, "lost record"))?;
        }
        let left = self.report.boots.iter().filter_map(|boot| boot.left.as_ref());
        let waiting = left.filter(|left| !left.is_in_use).map(Left::count).sum::<u64>();
        if waiting > 0 {
            write!(self.out, ", with {} waiting in black boxes", plural(waiting, "record"))?;
        }
        self.out.push('\n');
        Ok(())
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
pub(crate) fn visible(text: &str) -> String {
    let mut out = Vec::new();
    logwell::encode::terminal_safe::push_visible(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
