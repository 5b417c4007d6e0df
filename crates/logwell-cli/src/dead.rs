//! Dead: `logwell dead …`: lists, shows, sends again and drops dead letters.
//!
//! Knows the question and how to show letters. Their place and how they move are known by
//! [`logwell::dead_letters`]. In: arguments. Out: texts, and the exit code.

use crate::args::{Changed, Dead, Shown};
use crate::{FAILED, FINE, told};
use logwell::dead_letters::{DeadLetters, Letter, Selection};
use logwell::encode::terminal_safe::push_visible;
use serde_json::Value;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::Path;

/// What is done with letters that are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Replay,
    Drop,
}

/// Does what is asked; gives the exit code.
pub(crate) fn act(asked: &Dead, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let done = match asked {
        Dead::List(shown) => show(shown, out, push_summary),
        Dead::Show(shown) => show(shown, out, push_whole),
        Dead::Replay(changed) => change(Verb::Replay, changed, out),
        Dead::Drop(changed) => change(Verb::Drop, changed, out),
    };
    match done {
        Ok(said) => told(said, FINE, errors),
        Err(problem) => {
            let _nobody_to_tell = writeln!(errors, "logwell: {problem}");
            FAILED
        }
    }
}

type Done = Result<io::Result<()>, String>;

fn open(directory: &Path) -> Result<DeadLetters, String> {
    DeadLetters::open(directory).map_err(|error| error.to_string())
}

/// Prints the letters that are meant, up to the limit, and how many there are.
fn show(asked: &Shown, out: &mut dyn Write, push: fn(&Letter, &mut Vec<u8>)) -> Done {
    let letters = open(&asked.which.directory)?;
    let (mut count, mut said) = (0, Ok(()));
    let listed = letters.list(&asked.which.selection(), &mut |letter| {
        count += 1;
        if count <= asked.limit && said.is_ok() {
            said = print(letter, (asked.json, push), out);
        }
    });
    let damaged = listed.map_err(|error| error.to_string())?;
    if said.is_ok() && !asked.json && damaged > 0 {
        said = writeln!(out, "lines that are damaged and no letters: {damaged}");
    }
    if said.is_ok() && !asked.json {
        said = match count.saturating_sub(asked.limit) {
            0 => writeln!(out, "{}", dead_letters(count)),
            more => writeln!(out, "{}, {more} more than shown: --limit", dead_letters(count)),
        };
    }
    Ok(said)
}

fn print(
    letter: &Letter,
    (json, push): (bool, fn(&Letter, &mut Vec<u8>)),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = Vec::new();
    match json {
        true => text.extend_from_slice(letter.to_json().as_bytes()),
        false => push(letter, &mut text),
    }
    text.push(b'\n');
    out.write_all(&text)
}

/// `9f2c…  2026-02-19T10:30:00Z  logbeacon: HTTP status 413`, and how the message begins.
fn push_summary(letter: &Letter, text: &mut Vec<u8>) {
    let Letter { id, refused_at, destination, why, message, .. } = letter;
    let id = if id.is_empty() { "(no id)" } else { id };
    push_visible(&format!("{id}  {refused_at}  {destination}: {why}"), text);
    text.extend_from_slice(b"\n    ");
    let beginning: String = message.chars().take(SUMMARY_CHARS).collect();
    push_visible(&beginning, text);
    if beginning.len() < message.len() {
        text.extend_from_slice("…".as_bytes());
    }
}

/// All that is known of it, and the message over several lines.
fn push_whole(letter: &Letter, text: &mut Vec<u8>) {
    let records = letter.records.to_string();
    for (name, value) in [
        ("id", &letter.id),
        ("destination", &letter.destination),
        ("refused at", &letter.refused_at),
        ("why", &letter.why),
        ("records", &records),
    ] {
        text.extend_from_slice(format!("{name}: ").as_bytes());
        push_visible(value, text);
        text.push(b'\n');
    }
    let message = serde_json::from_str::<Value>(&letter.message).ok();
    let message = message.and_then(|message| serde_json::to_string_pretty(&message).ok());
    for line in message.as_deref().unwrap_or(&letter.message).lines() {
        push_visible(line, text);
        text.push(b'\n');
    }
}

const SUMMARY_CHARS: usize = 100;

fn change(verb: Verb, asked: &Changed, out: &mut dyn Write) -> Done {
    let which = asked.which.selection();
    match (which.is_specific(), asked.all) {
        (false, false) => {
            return Err(
                "which letters? --id, --reason, --older-than, --newer-than, or --all".into()
            );
        }
        (true, true) => return Err("either --all, or --id, --reason and the like".into()),
        _ => {}
    }
    let letters = open(&asked.which.directory)?;
    let problem = |error: logwell::Error| error.to_string();
    if asked.dry_run {
        return would(verb, &letters, (&which, asked.json), out);
    }
    if verb == Verb::Drop && !asked.yes {
        let mut count = 0;
        let _damaged = letters.list(&which, &mut |_| count += 1).map_err(problem)?;
        if count > 0 && !is_confirmed(count, out)? {
            return Ok(writeln!(out, "nothing was dropped"));
        }
    }
    let (count, key, then) = match verb {
        Verb::Replay => (letters.replay(&which).map_err(problem)?, "replayed", SENT_AGAIN),
        Verb::Drop => (letters.discard(&which).map_err(problem)?, "dropped", "deleted for good"),
    };
    Ok(match asked.json {
        true => writeln!(out, "{{\"{key}\":{count}}}"),
        false if count == 0 => writeln!(out, "no such dead letter"),
        false => {
            writeln!(out, "{}: {then}", dead_letters(usize::try_from(count).unwrap_or(usize::MAX)))
        }
    })
}

const SENT_AGAIN: &str =
    "to be sent again by the program that logs, within seconds, or at its next start";

/// Says which letters it would be.
fn would(
    verb: Verb,
    letters: &DeadLetters,
    (which, json): (&Selection, bool),
    out: &mut dyn Write,
) -> Done {
    let (mut count, mut said) = (0, Ok(()));
    let listed = letters.list(which, &mut |letter| {
        count += 1;
        if said.is_ok() {
            said = print(letter, (json, push_summary), out);
        }
    });
    listed.map_err(|error| error.to_string())?;
    let what = if verb == Verb::Replay { "sent again" } else { "dropped" };
    if said.is_ok() && !json {
        said = writeln!(out, "{} would be {what}; nothing was changed", dead_letters(count));
    }
    Ok(said)
}

/// Asks at the terminal; without one nobody can answer.
fn is_confirmed(count: usize, out: &mut dyn Write) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Err(format!("{} would be deleted for good; say --yes", dead_letters(count)));
    }
    let asked = write!(out, "delete {} for good? [y/N] ", dead_letters(count));
    asked.and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| error.to_string())?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn dead_letters(count: usize) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") }
}
