//! Sinks: opens those that the configuration asks for.
//!
//! Knows every kind of sink that comes with the crate. Does not know queues and threads, except
//! that the console has one.

use crate::base::error::{Error, ErrorKind};
use crate::base::fs::absolute;
use crate::base::fs::lock::{self, Claim, PathLock};
use crate::base::fs::os;
use crate::base::hash::fnv1a;
use crate::base::selflog;
use crate::base::standard_streams;
use crate::base::traces::Traces;
use crate::base::world::World;
use crate::black_box::{self, BlackBox, DeadBox};
use crate::config::LoggingConfig;
use crate::encode::Encode;
use crate::encode::text::{TextEncoder, TextOptions};
use crate::record::level::Level;
use crate::rotate;
use crate::rotate::FileOptions;
use crate::rotate::NotAFile;
use crate::setup::encoder::encoder_for;
use crate::sink::Accepts;
use crate::sink::NamedSink;
use crate::sink::console::ConsoleSink;
use crate::sink::file::options::FileConfig;
use crate::sink::file::{self, FileSink};
use crate::sink::options::Stream;
use crate::sink::terminal;
use std::io::{self, IsTerminal};
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
#[derive(Default)]
pub(crate) struct OpenFiles {
    pub(crate) sinks: Vec<NamedSink>,
    /// Why they are not called as the configuration says.
    pub(crate) diverted: Option<String>,
    /// What is not as it should be, though lines can be written.
    pub(crate) degraded: Vec<String>,
}

/// Why files were not opened.
enum Refused {
    /// Another process writes to one of them.
    InUse(String),
    /// One of them cannot be opened.
    Unusable(io::Error),
}

/// Opens the files that the configuration asks for.
///
/// If another process has one of them, or one cannot be opened, all get names of this process's
/// own: a service whose files root has made once continues beside them. If that fails too, those
/// that can be opened are used; if none can and the console is on, logging starts without files.
/// Health and the self-log say so.
///
/// Half a line that one of the dead boxes' processes has left is cut off.
pub(crate) fn files(
    config: &LoggingConfig,
    world: &World,
    dead: &[DeadBox],
    traces: &mut Traces,
) -> Result<OpenFiles, Error> {
    /// So many other names are tried when a file cannot be opened.
    const MAX_UNUSABLE: u32 = 2;
    let opening = Opening { config, world, dead, skips: false };
    let (mut why_not, mut unusable) = (None, 0);
    for tag in tags() {
        // The files of a user are gone on with at the next start, else each would leave some.
        let is_for_user = tag.starts_with(USER_TAG);
        if is_for_user && !matches!(why_not, Some(Refused::Unusable(_))) {
            continue;
        }
        match open_all(&opening, &tag, traces) {
            Ok(files) => {
                for unseen in &files.degraded {
                    selflog::tell("a log file has no lock", unseen);
                }
                return Ok(diverted(files, why_not));
            }
            Err(Refused::Unusable(error)) if is_on_purpose(&error) => {
                return Err(cannot_open(error));
            }
            Err(refused) => {
                unusable += u32::from(matches!(refused, Refused::Unusable(_)));
                why_not.get_or_insert(refused);
            }
        }
        if unusable > MAX_UNUSABLE {
            break; // it is the directory
        }
    }
    if matches!(why_not, Some(Refused::Unusable(_)))
        && let Some(files) = those_that_open(&opening, traces)
    {
        return Ok(files);
    }
    let error = cannot_open(match why_not {
        Some(Refused::Unusable(error)) => error,
        Some(Refused::InUse(text)) => io::Error::new(io::ErrorKind::ResourceBusy, text),
        None => io::ErrorKind::ResourceBusy.into(),
    });
    if config.console.enabled { Ok(console_alone(&error)) } else { Err(error) }
}

/// Some of the files, if not all can be opened: records that reach one are not lost.
fn those_that_open(opening: &Opening<'_>, traces: &mut Traces) -> Option<OpenFiles> {
    let opening = Opening { skips: true, ..*opening };
    let mut opened = tags().filter_map(|tag| open_all(&opening, &tag, traces).ok());
    let files = opened.find(|files| !files.sinks.is_empty())?;
    for missing in &files.degraded {
        selflog::tell("a log file is missing", missing);
    }
    Some(files)
}

/// No files: the records can still reach the console, so logging starts and says what is missing.
fn console_alone(error: &Error) -> OpenFiles {
    selflog::tell("there are no log files, records go to the console alone", error);
    let degraded = vec![format!("there are no log files: {error}")];
    OpenFiles { degraded, ..OpenFiles::default() }
}

const USER_TAG: &str = "uid";

/// What is put into the names of the files, in the order in which it is tried: nothing, the user's
/// number, the process's.
fn tags() -> impl Iterator<Item = String> {
    /// More pipelines than this in one process have no names left.
    const MAX_NAMES: u32 = 9;
    let pid = std::process::id();
    let user = || os::user().map(|user| format!("{USER_TAG}{user}"));
    let own = (1..=MAX_NAMES).map(move |number| match number {
        1 => pid.to_string(),
        _ => format!("{pid}-{number}"),
    });
    std::iter::once(String::new()).chain(std::iter::once_with(user).flatten()).chain(own)
}

/// Whether somebody has put something else in the place of a log file.
fn is_on_purpose(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NotAFile>())
}

/// Says that the files have other names, if they have.
fn diverted(files: OpenFiles, why_not: Option<Refused>) -> OpenFiles {
    let first = files.sinks.first().and_then(|(_, _, sink)| sink.files().into_iter().next());
    let name = first.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let why = match why_not {
        None => return files,
        Some(Refused::InUse(why)) => {
            let why = format!("{why}; this process writes to {name}");
            selflog::tell("the log files are in use", &why);
            why
        }
        Some(Refused::Unusable(error)) => {
            let why = format!(
                "{error}; this process writes to {name}. Give the log files to its user (chown), or set \
                 files.dir (LOG_DIR), and start it again"
            );
            selflog::tell("a log file cannot be used", &why);
            why
        }
    };
    OpenFiles { diverted: Some(why), ..files }
}

/// What the files are opened with.
#[derive(Clone, Copy)]
struct Opening<'a> {
    config: &'a LoggingConfig,
    world: &'a World,
    dead: &'a [DeadBox],
    /// Leaves out what cannot be opened.
    skips: bool,
}

/// Opens all of them, with the tag in their names.
fn open_all(opening: &Opening<'_>, tag: &str, traces: &mut Traces) -> Result<OpenFiles, Refused> {
    let Opening { config, world, dead, skips } = *opening;
    let mut open = OpenFiles::default();
    let (janitor, syncer) = file::helpers(&world.hands);
    let wanted: Vec<_> = wanted_files(config).collect();
    let name = |file: &FileConfig| match tag {
        "" => file.name.clone(),
        tag => lock::own_name(&file.name, tag),
    };
    let mut claimed = Vec::new();
    for wanted in &wanted {
        let path = config.files.dir.join(name(wanted.file));
        traces.disposable(&lock::lock_path(&path));
        traces.file(&path);
        let (lock, unseen) = claim(&path)?;
        open.degraded.extend(unseen);
        claimed.push((path, lock));
    }
    for (wanted, (path, lock)) in wanted.into_iter().zip(claimed) {
        for dead in dead {
            // If it fails, the half line is ended as any other.
            let _ = rotate::cut_torn(&path, dead.mark(wanted.name));
        }
        let threads = (janitor.share(), syncer.share());
        let options = file_options(config, wanted.file, path);
        let encoder = encoder_for(config, usize::try_from(options.max_bytes).unwrap_or(usize::MAX));
        match FileSink::open_with(options, encoder, world.clock.clone(), threads) {
            Ok(sink) => {
                let sink = Box::new(sink.with_lock(lock));
                open.sinks.push((wanted.name.to_owned(), wanted.accepts, sink));
            }
            Err(error) if skips => open.degraded.push(format!("there is no log file: {error}")),
            Err(error) => return Err(Refused::Unusable(error)),
        }
    }
    Ok(open)
}

/// The lock of a file, and why nobody will see it; or who has it.
fn claim(path: &Path) -> Result<(PathLock, Option<String>), Refused> {
    match lock::claim(path) {
        Claim::Ours(lock, None) => Ok((lock, None)),
        Claim::Ours(lock, Some(error)) => {
            let path = path.display();
            let unseen = format!("other processes cannot see that {path} is in use: {error}");
            Ok((lock, Some(unseen)))
        }
        Claim::Theirs(pid) => {
            let who = pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
            Err(Refused::InUse(format!("{who} writes to {}", path.display())))
        }
    }
}

/// The black boxes of processes that have ended and whose logs went to the same files.
pub(crate) fn dead_boxes(config: &LoggingConfig) -> Vec<DeadBox> {
    black_box::find(&box_dir(config), box_owner(config))
}

/// This process's black box, if the configuration asks for one and it can be created. Without it
/// records are logged all the same.
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

/// Whose boxes are whose, when several programs have theirs in one directory: by the log file.
/// Beside its log a box is known by the file's name alone, since a directory may be mounted
/// anywhere.
fn box_owner(config: &LoggingConfig) -> u64 {
    let name = PathBuf::from(&config.files.app.name);
    let path = match is_beside_logs(&config.black_box.dir) {
        true => name,
        false => absolute(config.files.dir.join(&name)),
    };
    fnv1a(path.as_os_str().as_encoded_bytes())
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

fn cannot_open(error: io::Error) -> Error {
    let help = "check that the directory exists or can be made and may be written to, or set \
                files.dir (LOG_DIR)";
    ErrorKind::LogFile { source: error, help }.into()
}

/// Whether the black box is for the console: there are no files, and it has a place that is not
/// theirs. Without one, a program that is not to write to the disk does not.
pub(crate) fn console_takes_part(config: &LoggingConfig) -> bool {
    config.console.enabled && !config.files.enabled && !is_beside_logs(&config.black_box.dir)
}

/// Opens the console, if there is to be one.
pub(crate) fn add_console(
    config: &LoggingConfig,
    sinks: &mut Vec<NamedSink>,
    degraded: &mut Vec<String>,
) -> Result<(), Error> {
    if config.console.enabled {
        match console(config) {
            Ok(console) => sinks.push(console),
            // Records can reach the files all the same.
            Err(error) if !sinks.is_empty() => {
                selflog::tell("there is no console", &error);
                degraded.push(format!("there is no console: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Opens the console, which starts its thread.
fn console(config: &LoggingConfig) -> Result<NamedSink, Error> {
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
        Stream::Stdout => ConsoleSink::new(standard_streams::stdout(), encoder, lines),
        Stream::Stderr => ConsoleSink::new(standard_streams::stderr(), encoder, lines),
    };
    match sink {
        Ok(sink) => {
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
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::tags;
    use crate::LoggingConfig;
    use crate::QueueLayer;
    use crate::base::fs::calls::Call;
    use crate::simulation::BrokenDisk;
    use std::fs;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn a_file_that_cannot_be_opened_is_left_for_one_of_the_users_own_and_that_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let theirs = directory.path().join("app.log");
        fs::write(&theirs, "of root\n").unwrap();
        // As often as the service starts it continues in the same file.
        for start in 1..=2 {
            let config = LoggingConfig::builder().log_dir(directory.path()).console(false);
            let broken = BrokenDisk::once(Call::Open);
            let builder = QueueLayer::builder().config(config.build().unwrap());
            let (layer, handle, mut listener) = builder.build_stepped().unwrap();
            drop(broken);
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, || tracing::info!("mine"));
            listener.step();
            let own = super::lock::own_name("app.log", &tags().nth(1).unwrap());
            let text = fs::read_to_string(directory.path().join(&own)).unwrap();
            assert_eq!(text.matches("mine").count(), start, "{text}");
            let health = handle.health().to_string();
            assert!(health.contains(&own) && health.contains("chown"), "{health}");
        }
        assert_eq!(fs::read_to_string(theirs).unwrap(), "of root\n");
    }
}
