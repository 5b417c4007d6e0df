//! Show: the commands `show` and `tail`: from what was asked to what is printed.

use crate::args::{ColorChoice, Files, Input, Output, Show, Tail, Wanted};
use crate::files::{families, family_of};
use crate::filter::{Filter, Wishes};
use crate::line::Line;
use crate::merge::Merge;
use crate::open::Source;
use crate::stream::{Shown, Stream};
use crate::text::TextWriter;
use crate::{FAILED, FINE, told, when};
use logwell::config::{Color, TimeZone};
use logwell::terminal::use_color;
use logwell_query::Query;
use std::collections::HashSet;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a followed file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a followed directory is looked through for the files of another process.
const SEARCH_EVERY: Duration = Duration::from_secs(1);
/// So many bytes are written at once.
const OUT_BYTES: usize = 64 << 10;

/// `logwell show`
pub(crate) fn show(asked: &Show, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let mut job = match (filter(&asked.wanted), inputs(&asked.input.paths, &asked.input.files)) {
        (Ok(filter), Ok(inputs)) => Job::new(filter, &asked.output, inputs),
        (Err(problem), _) | (_, Err(problem)) => return failed(&problem, errors),
    };
    let mut out = BufWriter::with_capacity(OUT_BYTES, out);
    let said = job.print_all(&mut out, errors).and_then(|()| out.flush());
    told(said, job.code(), errors)
}

/// `logwell tail`
pub(crate) fn tail(asked: &Tail, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let mut job = match (filter(&asked.wanted), inputs(&asked.input.paths, &asked.input.files)) {
        (Ok(filter), Ok(inputs)) => Job::new(filter, &asked.output, inputs),
        (Err(problem), _) | (_, Err(problem)) => return failed(&problem, errors),
    };
    let mut out = BufWriter::with_capacity(OUT_BYTES, out);
    if asked.follow {
        job.follow();
    }
    job.start_at_last(asked.count);
    let mut said = job.print_all(&mut out, errors);
    let mut searched = Instant::now();
    while said.is_ok() && asked.follow && job.follows_something() {
        said = out.flush();
        if said.is_err() {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
        if searched.elapsed() >= SEARCH_EVERY {
            searched = Instant::now();
            job.search(&asked.input);
        }
        said = job.print_all(&mut out, errors);
    }
    let said = said.and_then(|()| out.flush());
    told(said, job.code(), errors)
}

fn failed(problem: &str, errors: &mut dyn Write) -> u8 {
    told(writeln!(errors, "logwell: {problem}"), FAILED, errors)
}

/// The filter that was asked for.
fn filter(wanted: &Wanted) -> Result<Filter, String> {
    let now = jiff::Zoned::now();
    let moment =
        |text: &Option<String>| text.as_deref().map(|text| when::parse(text, &now)).transpose();
    Ok(Filter::new(Wishes {
        level: wanted.level.map(|level| level.level()),
        loggers: wanted.logger.clone(),
        since: moment(&wanted.since)?,
        until: moment(&wanted.until)?,
        fields: wanted.field.clone(),
        texts: wanted.text.clone(),
        trace: wanted.trace.clone(),
        query: wanted.query.as_deref().map(filter_of_query).transpose()?,
    }))
}

fn filter_of_query(text: &str) -> Result<logwell_query::Filter, String> {
    let query = Query::parse(text).map_err(|error| format!("no query: {error}"))?;
    match query.pipes.is_empty() {
        true => Ok(query.filter),
        false => Err("--query takes a filter; for pipes there is logwell query".to_owned()),
    }
}

/// A log to be read, and the path of its current file.
pub(crate) struct Log {
    pub(crate) stream: Stream,
    current: Option<PathBuf>,
}

/// The logs that were named.
pub(crate) fn inputs(paths: &[PathBuf], files: &Files) -> Result<Vec<Log>, String> {
    let mut logs = Vec::new();
    for path in paths {
        let problem = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        if path.as_os_str() == "-" {
            let source = Source::Packed(Box::new(io::stdin()));
            logs.push(Log { stream: Stream::from_source(source, "-"), current: None });
            continue;
        }
        let metadata = std::fs::metadata(path).map_err(problem)?;
        if metadata.is_dir() {
            let families = families(path, &files.file).map_err(problem)?;
            if families.is_empty() {
                return Err(format!(
                    "there is no {} in {}; --file names another",
                    files.file,
                    path.display()
                ));
            }
            logs.extend(families.iter().map(|family| Log {
                stream: Stream::of(family),
                current: Some(family.current.clone()),
            }));
        } else if files.backups {
            let family = family_of(path).map_err(problem)?;
            logs.push(Log { stream: Stream::of(&family), current: Some(path.clone()) });
        } else {
            logs.push(Log { stream: Stream::one(path), current: Some(path.clone()) });
        }
    }
    Ok(logs)
}

/// What is read and how it is printed.
struct Job {
    merge: Merge,
    filter: Filter,
    lines: Lines,
    /// The current files of the logs.
    known: HashSet<PathBuf>,
    /// Lines of JSON that are no records cannot be printed as JSON.
    left_out: u64,
    /// So many of the first lines are not printed.
    skip: usize,
    line: Vec<u8>,
}

impl Job {
    fn new(filter: Filter, output: &Output, logs: Vec<Log>) -> Self {
        let known = logs.iter().filter_map(|log| log.current.clone()).collect();
        Self {
            merge: Merge::of(logs.into_iter().map(|log| log.stream).collect()),
            filter,
            lines: Lines::new(output),
            known,
            left_out: 0,
            skip: 0,
            line: Vec::new(),
        }
    }

    fn follow(&mut self) {
        self.merge.streams_mut().iter_mut().for_each(Stream::follow);
    }

    fn follows_something(&mut self) -> bool {
        self.merge.streams_mut().iter().any(Stream::is_followed)
    }

    /// Adds the files of processes that have appeared in the directories.
    fn search(&mut self, input: &Input) {
        let directories = input.paths.iter().filter(|path| path.is_dir());
        for family in
            directories.filter_map(|path| families(path, &input.files.file).ok()).flatten()
        {
            if self.known.insert(family.current.clone()) {
                let mut stream = Stream::of(&family);
                stream.follow();
                self.merge.add(stream);
            }
        }
    }

    fn start_at_last(&mut self, count: usize) {
        let filter = &self.filter;
        let streams = self.merge.streams_mut().iter_mut();
        let found: usize = streams.map(|stream| stream.start_at_last(count, filter)).sum();
        self.skip = found.saturating_sub(count);
    }

    /// Prints all there is, for now.
    fn print_all(&mut self, out: &mut impl Write, errors: &mut dyn Write) -> io::Result<()> {
        let Self { merge, filter, lines, left_out, skip, line, .. } = self;
        loop {
            line.clear();
            let next = merge.next(filter, |shown| match (shown, &lines.0) {
                (Shown::Record(bytes, record), _) => lines.push(bytes, record, line),
                (Shown::Foreign(bytes), Some(writer)) => writer.push_foreign(bytes, line),
                (Shown::TooLong(bytes), Some(writer)) => {
                    let text = format!("a line of {bytes} bytes");
                    writer.push_foreign(text.as_bytes(), line);
                }
                (Shown::Foreign(_) | Shown::TooLong(_), None) => *left_out += 1,
            });
            if next.is_none() {
                break;
            }
            match *skip {
                0 => out.write_all(line)?,
                _ => *skip -= 1,
            }
        }
        merge.tell_troubles(errors);
        if *left_out > 0 {
            let _nobody_to_tell =
                writeln!(errors, "logwell: {left_out} lines are no records and were left out");
            *left_out = 0;
        }
        Ok(())
    }

    fn code(&mut self) -> u8 {
        let failed = self.merge.streams_mut().iter().any(Stream::has_failed);
        if failed { FAILED } else { FINE }
    }
}

/// How records are printed: as text for people, or else as they are.
pub(crate) struct Lines(Option<TextWriter>);

impl Lines {
    pub(crate) fn new(output: &Output) -> Self {
        Self((!output.json).then(|| TextWriter::new(color(output.color), zone(output.utc))))
    }

    /// Appends the record with a line end.
    pub(crate) fn push(&mut self, bytes: &[u8], record: &Line<'_>, out: &mut Vec<u8>) {
        match &mut self.0 {
            Some(writer) => writer.push(record, out),
            None => {
                out.extend_from_slice(bytes);
                out.push(b'\n');
            }
        }
    }
}

fn zone(utc: bool) -> TimeZone {
    if utc { TimeZone::Utc } else { TimeZone::Local }
}

fn color(choice: ColorChoice) -> bool {
    let choice = match choice {
        ColorChoice::Auto => Color::Auto,
        ColorChoice::Always => Color::Always,
        ColorChoice::Never => Color::Never,
    };
    use_color(choice, |name| std::env::var(name).ok(), io::stdout().is_terminal())
}
