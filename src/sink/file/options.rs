//! Options: the log files and their rotation.

use crate::base::zone::TimeZone;
use crate::record::directives::Directives;
use crate::record::directives::sink_levels;
use crate::record::level::Level;
use crate::rotate::choices::Compress;
use crate::rotate::choices::Rotate;
use crate::rotate::choices::SyncPolicy;
use logwell_options::section;
use logwell_options::units::{DECADE, HOUR, KIB, MIB, MINUTE, TIB};
use logwell_options::value::{
    bytes, choice, count, file_name, flag, mode, optional_bytes, optional_time, path, section, time,
};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// The log files and their rotation.
    pub struct FilesConfig {
        /// Whether log files are written.
        enabled: bool = true => flag();
        /// The directory of the log files; created if missing. A relative path starts at the
        /// working directory.
        dir: PathBuf = PathBuf::from("logs") => path();
        /// Which of the records that `level` passes go to the files. No span directives here.
        level: Directives = Level::Debug.into() => sink_levels();
        /// When a new file starts, in addition to `max_bytes`, which no file exceeds.
        rotate: Rotate = Rotate::Size => choice();
        /// The time zone of those hours and days.
        rotate_zone: TimeZone = TimeZone::Local => choice();
        /// Whether each start of the program starts new files, unless they are empty.
        rotate_on_start: bool = false => flag();
        /// How backups are compressed, on a separate thread: no record waits for it.
        compress: Compress = Compress::None => choice();
        /// When written records are made durable, so that they survive a power failure. The
        /// shutdown always
        /// makes them durable. After a failed sync, lines that may be lost are written again.
        sync: SyncPolicy = SyncPolicy::Never => choice();
        /// The longest time that a written record stays not durable. Not with `sync: never`.
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
        /// How many backups are kept. `0` keeps none: rotation deletes the contents.
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
