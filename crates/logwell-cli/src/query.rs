//! Query: the command `query`: records of files through the pipes of a query.
//!
//! Knows which records go where. Lines are read as for `show`; the language is `logwell_query`'s.

pub mod raw;
pub mod row;
mod table;

use crate::args;
use crate::filter::{Filter, Wishes};
use crate::line::Line;
use crate::merge::Merge;
use crate::show::{Lines, inputs};
use crate::stream::Shown;
use crate::{FAILED, FINE, INCOMPLETE, told};
use logwell_query::{Limits, Output, Pipeline, Query, Surroundings};
use row::LineRow;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

/// `logwell query`
pub(crate) fn query(asked: &args::Query, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let query = Query::parse(&asked.query).map_err(|error| format!("no query: {error}"));
    let (query, logs) = match (query, inputs(std::slice::from_ref(&asked.path), &asked.files)) {
        (Ok(query), Ok(logs)) => (query, logs),
        (Err(problem), _) | (_, Err(problem)) => {
            return told(writeln!(errors, "logwell: {problem}"), FAILED, errors);
        }
    };
    let mut merge = Merge::of(logs.into_iter().map(|log| log.stream).collect());
    let mut out = BufWriter::new(out);
    let lines = Lines::new(&asked.output);
    let has_pipes = query.pipes.len() > usize::from(query.context().is_some());
    let (said, code) = match has_pipes {
        false => (print_records(&query, &mut merge, (lines, &mut out)), FINE),
        true => {
            let output = answer(&query, &mut merge);
            let said = print_rows(&output, asked.output.json, &mut out);
            (said, tell_notes(&output, errors))
        }
    };
    let code = merge.tell_troubles(errors).max(code);
    told(said.and_then(|()| out.flush()), code, errors)
}

/// Gives each record that is wanted, the oldest first, until `then` breaks.
fn each_record(
    query: &Query,
    merge: &mut Merge,
    mut then: impl FnMut(&[u8], &LineRow<'_>) -> ControlFlow<()>,
) {
    let mut surroundings = query.context().map(Surroundings::new);
    // Neighbours of what matches need not match, so for them every record is looked at.
    let wanted = surroundings.is_none().then(|| query.filter.clone());
    let filter = Filter::new(Wishes { query: wanted, ..Wishes::default() });
    let (mut around, mut goes_on) = (Vec::new(), ControlFlow::Continue(()));
    while goes_on.is_continue() {
        let next = merge.next(&filter, |shown| {
            let Shown::Record(bytes, line) = shown else { return };
            let row = LineRow::new(line);
            let Some(surroundings) = &mut surroundings else {
                goes_on = then(bytes, &row);
                return;
            };
            surroundings.push(&row, bytes.to_vec(), query.filter.matches(&row), &mut around);
            goes_on = around.drain(..).try_for_each(|bytes| match Line::parse(&bytes) {
                Ok(line) => then(&bytes, &LineRow::new(&line)),
                Err(_) => ControlFlow::Continue(()),
            });
        });
        if next.is_none() {
            break;
        }
    }
}

/// Prints records as `show` does.
fn print_records(
    query: &Query,
    merge: &mut Merge,
    (mut lines, out): (Lines, &mut impl Write),
) -> io::Result<()> {
    let mut said = Ok(());
    let mut text = Vec::new();
    each_record(query, merge, |bytes, row| {
        text.clear();
        lines.push(bytes, row.line(), &mut text);
        said = out.write_all(&text);
        if said.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    said
}

fn answer(query: &Query, merge: &mut Merge) -> Output {
    let mut pipeline = Pipeline::new(&query.pipes, Limits::default());
    each_record(query, merge, |_, row| pipeline.push(row));
    pipeline.finish()
}

fn print_rows(output: &Output, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    match as_json {
        true => output.rows.iter().try_for_each(|row| writeln!(out, "{}", row.to_json())),
        false => table::print(&output.rows, out),
    }
}

/// Says what is estimated or missing; the exit code.
fn tell_notes(output: &Output, errors: &mut dyn Write) -> u8 {
    for note in &output.notes {
        let _nobody_to_tell = writeln!(errors, "logwell: {note}");
    }
    if output.is_complete() { FINE } else { INCOMPLETE }
}
