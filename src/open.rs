//! Open: the sinks that the configuration asks for.
//!
//! Knows every kind of sink that comes with the crate. Does not know queues and threads, except that
//! the console has one.

use crate::clock::Clock;
use crate::config::{FileConfig, LoggingConfig, Stream};
use crate::encode::text::{TextEncoder, TextOptions};
use crate::encode::{Encode, encoder_for};
use crate::error::{Error, ErrorKind};
use crate::level::Level;
use crate::rotate::FileOptions;
use crate::route::Accepts;
use crate::sink::Sink;
use crate::sink::console::ConsoleSink;
use crate::sink::file::FileSink;
use crate::terminal;
use std::io::IsTerminal;

/// A sink, its name and what it takes.
pub(crate) type NamedSink = (String, Accepts, Box<dyn Sink>);

/// The console's name.
pub(crate) const CONSOLE: &str = "console";

/// A file that the configuration asks for.
pub(crate) struct WantedFile<'a> {
    pub(crate) name: &'static str,
    file: &'a FileConfig,
    accepts: Accepts,
}

/// The files that the configuration asks for.
pub(crate) fn wanted_files(config: &LoggingConfig) -> impl Iterator<Item = WantedFile<'_>> {
    let files = &config.files;
    let all = || Accepts::all().directives(files.level.clone());
    let known = [
        WantedFile { name: "app", file: &files.app, accepts: all().ledger() },
        WantedFile { name: "errors", file: &files.errors, accepts: all().from_level(Level::Error) },
        WantedFile { name: "ai", file: &files.ai, accepts: all().only_ai() },
    ];
    known.into_iter().filter(|wanted| files.enabled && wanted.file.enabled)
}

/// Opens the files that the configuration asks for.
pub(crate) fn files(config: &LoggingConfig, clock: &Clock) -> Result<Vec<NamedSink>, Error> {
    let open = |wanted: WantedFile<'_>| {
        let sink = open_file(config, wanted.file, clock)?;
        Ok((wanted.name.to_owned(), wanted.accepts, Box::new(sink) as Box<dyn Sink>))
    };
    wanted_files(config).map(open).collect()
}

fn open_file(config: &LoggingConfig, file: &FileConfig, clock: &Clock) -> Result<FileSink, Error> {
    let path = config.files.dir.join(&file.name);
    let encoder = encoder_for(config, usize::try_from(file.max_bytes).unwrap_or(usize::MAX));
    let options = FileOptions {
        max_bytes: file.max_bytes,
        backup_count: file.backup_count,
        mode: file.mode,
        ..FileOptions::new(&path)
    };
    FileSink::open(options, encoder, clock.clone()).map_err(|error| {
        let help = "check that the directory exists or can be made and may be written to, or set \
                    files.dir (LOG_DIR)";
        ErrorKind::LogFile { source: error, help }.into()
    })
}

/// Opens the console, which starts its thread.
pub(crate) fn console(config: &LoggingConfig) -> Result<NamedSink, Error> {
    let console = &config.console;
    let accepts = Accepts::all().directives(console.level.clone()).own_from(Level::Warn);
    let is_terminal = is_terminal(console.stream);
    let encoder: Box<dyn Encode> = if terminal::use_json(console.format, is_terminal) {
        encoder_for(config, console.max_line_bytes)
    } else {
        let color = terminal::use_color(console.color, env, is_terminal);
        Box::new(TextEncoder::new(TextOptions { color, zone: console.time }))
    };
    let lines = console.buffer_lines;
    let sink = match console.stream {
        Stream::Stdout => ConsoleSink::new(std::io::stdout(), encoder, lines),
        Stream::Stderr => ConsoleSink::new(std::io::stderr(), encoder, lines),
    };
    match sink {
        Ok(sink) => {
            // A part of the time is left for what comes after it.
            let sink = sink.sync_limit(config.shutdown_timeout / 4 * 3);
            Ok((CONSOLE.to_owned(), accepts, Box::new(sink)))
        }
        Err(source) => Err(ErrorKind::Thread { name: "logwell-console", source }.into()),
    }
}

pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub(crate) fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdout => std::io::stdout().is_terminal(),
        Stream::Stderr => std::io::stderr().is_terminal(),
    }
}
