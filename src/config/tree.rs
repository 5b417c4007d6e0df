//! Tree: every option of logwell, with its default, meaning and limits.
//!
//! This file is the one list of options; its comments become rustdoc, the commented
//! `config/logging.yaml` and the JSON Schema. It knows no format and reads nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::directives::Directives;
use super::forward::ForwardConfig;
use crate::Level;
use crate::config::options::choice::choices;
use crate::config::options::section::section;
use crate::config::options::units::{GIB, KIB, MIB, TIB};

section! {
    /// How logging is set up: the whole tree of options.
    ///
    /// `LoggingConfig::default()` is what you get without any configuration. Change single options
    /// with [`LoggingConfig::builder`], read a file with [`load_config`](super::load_config), or
    /// change the fields and call [`check`](LoggingConfig::check).
    pub struct LoggingConfig {
        /// What is logged at all: a level, or directives such as `info,my_crate=debug`.
        /// It is asked first; `files.level` and `console.level` can only narrow it down.
        /// RUST_LOG is used when LOG_LEVEL is not set.
        level: Directives = Level::Info.into() => levels();
        /// Whether records go through the queue and to all sinks.
        /// `false` is the way back while migrating: a plain console on the caller's thread and
        /// no files.
        unified: bool = true => flag();
        /// Whether records of the `log` crate are taken over.
        /// Turn it off when another logger for `log` is in place.
        log_crate: bool = true => flag();
        /// The queue between your threads and the listener thread.
        queue: QueueConfig = QueueConfig::default() => section();
        /// The file that keeps what a killed process has not written yet.
        black_box: BlackBoxConfig = BlackBoxConfig::default() => section();
        /// The log files and their rotation.
        files: FilesConfig = FilesConfig::default() => section();
        /// The terminal, or the container's standard output.
        console: ConsoleConfig = ConsoleConfig::default() => section();
        /// How a record is written.
        record: RecordConfig = RecordConfig::default() => section();
        /// What this program is, for readers that ask: written by the schemas `ecs`, `gcp`, `otel`.
        /// An empty text is not written. The native schema has no place for it.
        service: ServiceConfig = ServiceConfig::default() => section();
        /// Records that must reach a log server or people: LogBeacon, Telegram.
        /// Needs the cargo feature `forward`.
        forward: ForwardConfig = ForwardConfig::default() => section();
        /// Secrets of your own program, which are masked before anything is written or sent.
        redact: RedactConfig = RedactConfig::default() => section();
        /// How large a record may be. What is longer is cut, and the record says so.
        limits: Limits = Limits::default() => section();
        /// How long `shutdown_logging()` waits for the queue to be written, in all.
        /// What is left in the queue when the time is up is counted in the report. `0s` does not wait.
        shutdown_timeout as "shutdown.timeout": Duration = Duration::from_secs(5)
            => time(Duration::ZERO, HOUR);
        /// What is done when the process ends or panics without `shutdown_logging()`.
        /// For `init_logging()` and `Builder::init()` only, and not without `unified`.
        hooks: HooksConfig = HooksConfig::default() => section();
    }
}

section! {
    /// What is done when the process ends or panics without `shutdown_logging()`.
    pub struct HooksConfig {
        /// Whether a panic is recorded at CRITICAL, and the thread then waits until it is written.
        /// It waits up to `shutdown.timeout`, and not again as long as the listener is stuck.
        /// The panic hook that was there before still runs.
        panic: bool = true => flag();
        /// Whether logging is shut down when the process exits: by `std::process::exit`, by C's
        /// `exit`, or at the end of `main`. It takes up to `shutdown.timeout`.
        exit: bool = true => flag();
        /// Which signals are recorded and shut logging down before they end the process (Unix only).
        /// Leave it at `none` if the program ends itself on these signals.
        signals: Signals = Signals::None => choice();
        /// Whether SIGHUP opens the files anew, as `reopen()` does, and no longer ends the process
        /// (Unix only).
        reopen_on_hangup: bool = false => flag();
    }
}

choices! {
    /// Which signals end logging and then the process.
    pub enum Signals: None {
        /// no signal is handled
        None = "none",
        /// SIGTERM
        Term = "term",
        /// SIGTERM and SIGINT (Ctrl-C)
        TermAndInt = "term_and_int",
    }
}

section! {
    /// The queue between your threads and the listener thread.
    pub struct QueueConfig {
        /// How many records it holds.
        /// When it is full `when_full` decides. More absorbs longer bursts.
        /// The room for up to 10 000 is taken at start-up, about 320 bytes each; more when it is needed.
        size: usize = 10_000 => count(1, 1_000_000);
        /// How many bytes of records it holds, whichever limit is reached first.
        /// Must have room for one record of the largest size in `limits`.
        max_bytes: u64 = 64 * MIB => bytes(64 * KIB, 64 * GIB);
        /// What happens to a new record when there is no room.
        when_full: WhenFull = WhenFull::Shed => choice();
        /// With `shed`: how long an ERROR or CRITICAL waits when there is no room at all.
        /// After that it is dropped and counted. `0s` never waits.
        max_wait: Duration = Duration::from_millis(100) => time(Duration::ZERO, MINUTE);
        /// With `block`: how long a caller waits for room before its record is dropped.
        /// `none` waits as long as it takes: a stuck disk then stops your program.
        block_timeout: Option<Duration> = None => optional_time(Duration::from_millis(1), HOUR);
        /// With `shed`: from which fill, in percent, TRACE and DEBUG are dropped.
        shed_debug_percent: u8 = 50 => count(1, 100);
        /// With `shed`: from which fill, in percent, INFO is dropped. Not below shed_debug_percent.
        shed_info_percent: u8 = 75 => count(1, 100);
        /// With `shed`: from which fill, in percent, WARN is dropped. Not below shed_info_percent.
        /// What is above is kept for ERROR and CRITICAL.
        shed_warn_percent: u8 = 90 => count(1, 100);
    }
}

choices! {
    /// What happens to a new record when the queue has no room.
    pub enum WhenFull: Shed {
        /// the less important go first, from the fills given below; nobody waits but errors
        Shed = "shed",
        /// the caller waits for room: nothing is lost, but a slow disk slows your program
        Block = "block",
        /// the record is dropped and counted, whatever its level
        Drop = "drop",
    }
}

section! {
    /// The file that keeps what a killed process has not written yet.
    ///
    /// Every record is copied into it by the log call; the next start writes what is left in it to the
    /// files, with `recovered: true`. So not even `kill -9` or `abort()` loses a record.
    pub struct BlackBoxConfig {
        /// Whether records are copied into it.
        enabled: bool = true => flag();
        /// How large the file is; the room is set aside at start-up and memory used as needed.
        /// It takes no more than a quarter of the room that is free on the disk.
        /// When it is full, records go without a copy and are counted. It holds some 80 000 ordinary ones;
        /// each thread that logs has 16 KiB of it.
        max_bytes: u64 = 16 * MIB => bytes(MIB, GIB);
        /// Where it lies. A relative path starts at `files.dir`, and `.` is that directory itself.
        /// A directory in memory, such as one in `/dev/shm`, survives the process, but not the machine.
        /// With `files.enabled: false`, a directory that is named here makes a box for what the
        /// console has not written; with `.` there is none.
        dir: PathBuf = PathBuf::from(".") => path();
    }
}

section! {
    /// The log files and their rotation.
    pub struct FilesConfig {
        /// Whether log files are written.
        enabled: bool = true => flag();
        /// The directory of the log files; it is made if missing.
        /// A relative path starts at the working directory.
        dir: PathBuf = PathBuf::from("logs") => path();
        /// What goes to the files, out of what `level` lets pass. No span directives here.
        level: Directives = Level::Debug.into() => sink_levels();
        /// When a new file is started, besides at `max_bytes`, which no file passes.
        rotate: Rotate = Rotate::Size => choice();
        /// Whose midnight and full hours count for that.
        rotate_zone: TimeZone = TimeZone::Local => choice();
        /// Whether each start of the program starts new files, unless they are empty.
        rotate_on_start: bool = false => flag();
        /// How backups are compressed: by a thread of its own, so that no record waits for it.
        compress: Compress = Compress::None => choice();
        /// When written records are made durable, so that not even a power cut takes them. At the
        /// shutdown they always are. After a failure what may be lost is written again.
        sync: SyncPolicy = SyncPolicy::Never => choice();
        /// How old a written record may be that is not durable yet. Not with `sync: never`.
        sync_interval: Duration = Duration::from_secs(1) => time(Duration::from_millis(10), HOUR);
        /// The file of all records.
        app: FileConfig = FileConfig::default() => section();
        /// The file of ERROR and CRITICAL records.
        errors: FileConfig = FileConfig { name: "errors.log".to_owned(), ..FileConfig::default() }
            => section();
        /// The file of AI records: target `ai_responses`, or a field that begins with `gen_ai.`.
        /// Prompts may be private, so that only the owner may read it.
        ai: FileConfig = FileConfig {
            name: "ai_responses.log".to_owned(),
            max_bytes: 100 * MIB,
            backup_count: 30,
            mode: 0o600,
            ..FileConfig::default()
        } => section();
    }
}

choices! {
    /// When a new file is started, besides at its greatest size.
    pub enum Rotate: Size {
        /// at no other time
        Size = "size",
        /// with each hour
        Hourly = "hourly",
        /// at midnight
        Daily = "daily",
    }
}

choices! {
    /// How backups are compressed.
    pub enum Compress: None {
        /// not at all
        None = "none",
        /// to `app.log.1.gz`, by gzip
        Gzip = "gzip",
        /// to `app.log.1.zst`, by zstd: smaller and faster, needs the feature `zstd`
        Zstd = "zstd",
    }
}

choices! {
    /// When written records are made durable.
    pub enum SyncPolicy: Never {
        /// when the system likes: a power cut may cost half a minute, a crash nothing
        Never = "never",
        /// every `sync_interval`
        Interval = "interval",
        /// at once after an ERROR or CRITICAL, the rest every `sync_interval`
        Error = "error",
    }
}

section! {
    /// One log file and its backups.
    ///
    /// The default is that of `app.log`; `errors` and `ai` of [`FilesConfig`] have their own.
    pub struct FileConfig {
        /// Whether this file is written.
        enabled: bool = true => flag();
        /// The file's name in `files.dir`; backups add a number, `.1` is the newest.
        /// The three names must differ.
        name: String = "app.log".to_owned() => file_name();
        /// The size at which the file is rotated, before the line that would not fit.
        max_bytes: u64 = 10 * MIB => bytes(4 * KIB, TIB);
        /// How many backups are kept. `0` keeps none: what was in the file is gone at rotation.
        backup_count: u32 = 7 => count(0, 1_000);
        /// How old a backup may become after its last record, such as `30d`.
        max_age: Option<Duration> = None => optional_time(MINUTE, DECADE);
        /// How much the file and its backups may take, as they are, compressed or not.
        /// Not below max_bytes.
        max_total_bytes: Option<u64> = None => optional_bytes(4 * KIB, 64 * TIB);
        /// Who may read and write the file, as an octal text (Unix only).
        /// The owner must be able to do both.
        mode: u32 = 0o640 => mode();
    }
}

section! {
    /// The terminal, or the container's standard output.
    pub struct ConsoleConfig {
        /// Whether records are shown on the console.
        enabled: bool = true => flag();
        /// What goes to the console, out of what `level` lets pass. No span directives here.
        level: Directives = Level::Info.into() => sink_levels();
        /// Which stream is written to.
        stream: Stream = Stream::Stdout => choice();
        /// How a record looks.
        format: ConsoleFormat = ConsoleFormat::Auto => choice();
        /// Whether text is coloured. JSON never is.
        color: Color = Color::Auto => choice();
        /// In which zone text shows the time. JSON is always in UTC.
        time: TimeZone = TimeZone::Local => choice();
        /// How long a JSON line may be, in bytes; longer ones are cut and say so.
        /// The default stays below the 16 KiB at which container runtimes split lines.
        max_line_bytes: usize = 16_000 => bytes(KIB, MIB);
        /// How many lines wait for a slow terminal, up to 16 MiB of them.
        /// What does not fit is dropped and counted; the files are not held up.
        buffer_lines: usize = 10_000 => count(1, 1_000_000);
    }
}

choices! {
    /// A standard stream of the process.
    pub enum Stream: Stdout {
        /// standard output
        Stdout = "stdout",
        /// standard error: for programs whose output is data
        Stderr = "stderr",
    }
}

choices! {
    /// How a record looks on the console.
    pub enum ConsoleFormat: Auto {
        /// text on a terminal, JSON otherwise
        Auto = "auto",
        /// a line to read
        Text = "text",
        /// the line of the files
        Json = "json",
    }
}

choices! {
    /// Whether the console's text is coloured.
    pub enum Color: Auto {
        /// on a terminal, unless NO_COLOR is set or TERM is dumb
        Auto = "auto",
        /// in pipes and files too
        Always = "always",
        /// not at all
        Never = "never",
    }
}

choices! {
    /// The zone of a shown time.
    pub enum TimeZone: Local {
        /// coordinated universal time
        Utc = "utc",
        /// the zone of the machine
        Local = "local",
    }
}

section! {
    /// How a record is written.
    pub struct RecordConfig {
        /// Which keys a record has, in the files and in JSON on the console.
        schema: Schema = Schema::Native => choice();
        /// How the spans around a record are written.
        spans: Spans = Spans::Nested => choice();
        /// Whether the key `file` (the source file) is written.
        file: bool = true => flag();
        /// The name of the level WARN.
        warning_name: WarnName = WarnName::Warn => choice();
        /// With `gcp`: the id of the project, which makes a trace id the name of a trace.
        /// If it is empty, the id stands alone.
        gcp_project: String = String::new() => text(64);
    }
}

choices! {
    /// Which keys a record has.
    pub enum Schema: Native {
        /// the keys of logwell
        Native = "native",
        /// Elastic Common Schema, as ECS loggers write it
        Ecs = "ecs",
        /// structured logging of Google Cloud
        Gcp = "gcp",
        /// OpenTelemetry: OTLP/JSON, one `resourceLogs` a line
        Otel = "otel",
    }
}

section! {
    /// What this program is, for readers that ask.
    pub struct ServiceConfig {
        /// The name of the service.
        name: String = String::new() => text(256);
        /// Its version.
        version: String = String::new() => text(256);
        /// Where it runs, such as `production`.
        environment: String = String::new() => text(256);
        /// Whose it is, such as `example.com`: written by `forward` and nowhere else.
        domain: String = String::new() => text(256);
    }
}

choices! {
    /// How the spans around a record are written.
    pub enum Spans: Nested {
        /// `spans`: an array from root to leaf, each with its name and fields
        Nested = "nested",
        /// the fields of all spans at top level; a leaf's field hides its root's
        Flat = "flat",
        /// not at all
        Off = "off",
    }
}

choices! {
    /// The name of the level WARN in records.
    pub enum WarnName: Warn {
        /// as tracing calls it
        Warn = "WARN",
        /// as Python and syslog call it
        Warning = "WARNING",
    }
}

section! {
    /// Secrets of your own program, which are masked before anything is written or sent.
    ///
    /// The log call writes `(secret)` in their place, so that no queue, black box, file or server ever
    /// has them. In records, spans and contexts alike; `unified: false` masks nothing.
    pub struct RedactConfig {
        /// Whether anything is masked.
        enabled: bool = true => flag();
        /// Names of fields whose values are masked, separated by commas, besides those known:
        /// password, passwd, passphrase, passcode, db_pass, secret, token, api_key, access_key,
        /// account_key, auth_key, master_key, secret_key, private_key, encryption_key, signing_key,
        /// authorization, cookie, credential, jwt, cvv, card_number and the like.
        /// The last words of a name count, in any spelling: `api_key` masks `x-api-key` too.
        /// Values that are true or false are not masked, nor numbers of a token, cookie or secret.
        fields: String = String::new() => text(4_096);
        /// Names of fields that are not masked though they end like one that is, such as `page_token`.
        keep: String = String::new() => text(4_096);
        /// Whether secrets are looked for in texts: messages, text fields, errors, `Debug` output.
        /// Found are values of such names (`password=…`, `"token": "…"`, `--password …`, and the like
        /// in headers, connection strings, XML, queries), signatures and passwords in URLs, what
        /// follows `Bearer` and `Basic`, JWTs, private keys, and keys of AWS, GitHub, GitLab,
        /// Google, Hugging Face, npm, OpenAI, Slack, Stripe and Telegram.
        texts: bool = true => flag();
    }
}

section! {
    /// How large a record may be. What is longer is cut, and the record says so.
    pub struct Limits {
        /// How long the value of one field may be, in bytes.
        field_bytes: usize = 64 * 1024 => bytes(64, 16 * MIB);
        /// How long a record may be, in bytes. Not below field_bytes.
        record_bytes: usize = 256 * 1024 => bytes(64, 64 * MIB);
        /// How long the value of one field of an AI record may be, in bytes.
        ai_field_bytes: usize = 1024 * 1024 => bytes(64, 16 * MIB);
        /// How long an AI record may be, in bytes. Not below ai_field_bytes.
        ai_record_bytes: usize = 4 * 1024 * 1024 => bytes(64, 64 * MIB);
        /// How many fields of a record are kept.
        fields: usize = 128 => count(1, 250);
        /// How many spans around a record are written: half from the root, half to the leaf.
        spans: usize = 64 => count(1, 1_000);
        /// How many sources of an error are followed.
        error_sources: usize = 16 => count(1, 1_000);
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DECADE: Duration = Duration::from_secs(3_650 * 24 * 3_600);
