//! Open: the sinks that the configuration asks for.
//!
//! Knows every kind of sink that comes with the crate. Does not know queues and threads, except that
//! the console has one.

use crate::base::clock::Clock;
use crate::base::error::{Error, ErrorKind};
use crate::base::fs::absolute;
use crate::base::fs::lock::{self, Claim, PathLock};
use crate::base::hash::fnv1a;
use crate::base::selflog;
use crate::base::traces::Traces;
use crate::black_box::{self, BlackBox, DeadBox};
use crate::config::{FileConfig, LoggingConfig, Stream};
use crate::encode::text::{TextEncoder, TextOptions};
use crate::encode::{Encode, encoder_for};
use crate::record::level::Level;
use crate::rotate::{self, FileOptions};
use crate::sink::Accepts;
use crate::sink::NamedSink;
use crate::sink::Sink;
use crate::sink::console::ConsoleSink;
use crate::sink::file::FileSink;
use crate::sink::file::janitor::Janitor;
use crate::sink::file::syncer::Syncer;
use crate::sink::terminal;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// The files that are open.
pub(crate) struct OpenFiles {
    pub(crate) sinks: Vec<NamedSink>,
    /// Why they are not called as the configuration says.
    pub(crate) diverted: Option<String>,
}

/// Opens the files that the configuration asks for.
///
/// If another process has one of them, all get names of this process's own.
///
/// Half a line that one of the dead boxes' processes has left is cut off.
pub(crate) fn files(
    config: &LoggingConfig,
    clock: &Clock,
    dead: &[DeadBox],
    traces: &mut Traces,
) -> Result<OpenFiles, Error> {
    let wanted: Vec<_> = wanted_files(config).collect();
    let (paths, diverted) = claim_paths(config, &wanted, traces)?;
    if let Some(why) = &diverted {
        selflog::tell("the log files are in use", why);
    }
    let (janitor, syncer) = (Janitor::new(), Syncer::new());
    let open = |(wanted, (path, lock)): (WantedFile<'_>, Claimed)| {
        for dead in dead {
            // If it fails, the half line is ended as any other.
            let _ = rotate::cut_torn(&path, dead.mark(wanted.name));
        }
        let threads = (janitor.share(), syncer.share());
        let options = file_options(config, wanted.file, path);
        let encoder = encoder_for(config, usize::try_from(options.max_bytes).unwrap_or(usize::MAX));
        let sink = FileSink::open_with(options, encoder, clock.clone(), threads);
        let sink = sink.map_err(cannot_open)?.with_lock(lock);
        Ok((wanted.name.to_owned(), wanted.accepts, Box::new(sink) as Box<dyn Sink>))
    };
    let sinks = wanted.into_iter().zip(paths).map(open).collect::<Result<_, Error>>()?;
    Ok(OpenFiles { sinks, diverted })
}

/// The black boxes of processes that are gone and whose logs went to the same files.
pub(crate) fn dead_boxes(config: &LoggingConfig) -> Vec<DeadBox> {
    black_box::find(&box_dir(config), box_owner(config))
}

/// A black box of this process's own, if one is asked for and can be had. Without it records are logged
/// all the same.
pub(crate) fn black_box(
    config: &LoggingConfig,
    boot: u64,
    traces: &mut Traces,
) -> Option<Arc<BlackBox>> {
    if !config.black_box.enabled {
        return None;
    }
    let origin = crate::record::origin::Origin { process: std::process::id(), boot };
    let (directory, bytes) = (box_dir(config), config.black_box.max_bytes);
    traces.directory(&directory);
    match BlackBox::create(&directory, bytes, origin, box_owner(config)) {
        Ok(black_box) => Some(black_box),
        Err(error) => {
            let text = format!("{}: {error}", directory.display());
            selflog::tell("there is no black box, so a kill loses what is not written yet", &text);
            None
        }
    }
}

fn box_dir(config: &LoggingConfig) -> PathBuf {
    let dir = &config.black_box.dir;
    absolute(if is_beside_logs(dir) {
        config.files.dir.clone()
    } else {
        config.files.dir.join(dir)
    })
}

fn is_beside_logs(dir: &Path) -> bool {
    dir == Path::new(".")
}

/// Whose boxes are whose, when several programs have theirs in one directory: by the log file. Beside
/// its log a box is known by the file's name alone, since a directory may be mounted anywhere.
fn box_owner(config: &LoggingConfig) -> u64 {
    let name = PathBuf::from(&config.files.app.name);
    let path = match is_beside_logs(&config.black_box.dir) {
        true => name,
        false => absolute(config.files.dir.join(&name)),
    };
    fnv1a(path.as_os_str().as_encoded_bytes())
}

/// A path that no other process writes to.
type Claimed = (PathBuf, PathLock);

/// A path for each file, and why they are not the usual ones.
fn claim_paths(
    config: &LoggingConfig,
    wanted: &[WantedFile<'_>],
    traces: &mut Traces,
) -> Result<(Vec<Claimed>, Option<String>), Error> {
    /// More pipelines than this in one process have no names left.
    const MAX_NAMES: u32 = 9;
    let names: Vec<_> = wanted.iter().map(|wanted| wanted.file.name.clone()).collect();
    let theirs = match claim_all(config, names.clone(), traces) {
        Ok(paths) => return Ok((paths, None)),
        Err(theirs) => theirs,
    };
    let pid = std::process::id();
    for number in 1..=MAX_NAMES {
        let tag = if number == 1 { pid.to_string() } else { format!("{pid}-{number}") };
        let own = names.iter().map(|name| lock::own_name(name, &tag)).collect::<Vec<_>>();
        let first = own.first().cloned().unwrap_or_default();
        if let Ok(paths) = claim_all(config, own, traces) {
            return Ok((paths, Some(format!("{theirs}; this process writes to {first}"))));
        }
    }
    Err(cannot_open(std::io::Error::new(std::io::ErrorKind::ResourceBusy, theirs)))
}

/// The locks of all these files, or who has one of them.
fn claim_all(
    config: &LoggingConfig,
    names: Vec<String>,
    traces: &mut Traces,
) -> Result<Vec<Claimed>, String> {
    let claim = |name: String| {
        let path = config.files.dir.join(name);
        traces.disposable(&lock::lock_path(&path));
        traces.file(&path);
        match lock::claim(&path) {
            Claim::Ours(lock, error) => {
                if let Some(error) = error {
                    let text = format!("{}: {error}", path.display());
                    selflog::tell("other processes cannot see that a log file is in use", &text);
                }
                Ok((path, lock))
            }
            Claim::Theirs(Some(pid)) => Err(format!("process {pid} writes to {}", path.display())),
            Claim::Theirs(None) => Err(format!("another process writes to {}", path.display())),
        }
    };
    names.into_iter().map(claim).collect()
}

fn file_options(config: &LoggingConfig, file: &FileConfig, path: PathBuf) -> FileOptions {
    let files = &config.files;
    FileOptions {
        max_bytes: file.max_bytes,
        rotate: files.rotate,
        rotate_zone: files.rotate_zone,
        rotate_on_start: files.rotate_on_start,
        backup_count: file.backup_count,
        max_age: file.max_age,
        max_total_bytes: file.max_total_bytes,
        compress: files.compress,
        sync: files.sync,
        sync_interval: files.sync_interval,
        mode: file.mode,
        ..FileOptions::new(path)
    }
}

fn cannot_open(error: std::io::Error) -> Error {
    let help = "check that the directory exists or can be made and may be written to, or set \
                files.dir (LOG_DIR)";
    ErrorKind::LogFile { source: error, help }.into()
}

/// Whether the black box is for the console: there are no files, and it has a place that is not
/// theirs. Without one, a program that is not to write to the disk does not.
pub(crate) fn console_takes_part(config: &LoggingConfig) -> bool {
    config.console.enabled && !config.files.enabled && !is_beside_logs(&config.black_box.dir)
}

/// Opens the console, which starts its thread.
pub(crate) fn console(config: &LoggingConfig) -> Result<NamedSink, Error> {
    let console = &config.console;
    let accepts = Accepts::all().directives(console.level.clone()).internal_from(Level::Warn);
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
            let sink = sink.take_part(console_takes_part(config));
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
