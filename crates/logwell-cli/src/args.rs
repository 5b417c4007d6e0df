//! Args: the command line, as data; clap makes the help, the hints and the completions of it.
//!
//! Knows what can be asked. Does not know how it is done.

use crate::against::Against;
use crate::filter::Condition;
use crate::level_name::LevelName;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use logwell::dead_letters::{Selection, parse_age};
use std::path::PathBuf;
use std::time::Duration;

/// Shows, follows and verifies the log files that logwell writes.
#[derive(Debug, Parser)]
#[command(
    name = "logwell",
    version,
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  logwell verify logs                     is every record there? which are missing?
  logwell tail -f logs                    follow a service
  logwell show -l error --since 1h logs   errors of the last hour, backups included
  logwell show --field user_id=7 --field 'latency_ms>100' logs
  logwell show --trace 4bf92f3577b34da6a3ce929d0e0e4736 --json logs | jq .message
  logwell query logs 'level>=warn | stats count() by logger | sort count desc'
  zcat old.gz | logwell show -            a file from elsewhere
  logwell dead list logs                  what a destination has refused for good

Exit codes: 0 fine, 1 something is missing or damaged (verify) or the answer is incomplete (query),
2 it could not be done.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check that all records are there, and list exactly those that are missing
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
    /// Print records for people, or as JSON
    #[command(after_help = SHOW_HELP)]
    Show(Show),
    /// Print the last records, and follow the files as they grow and rotate
    #[command(after_help = TAIL_HELP)]
    Tail(Tail),
    /// Answer a question about records: filters, statistics, tables
    #[command(after_help = QUERY_HELP)]
    Query(Query),
    /// List, show, resend or drop messages that a destination has refused for good
    #[command(subcommand, after_help = DEAD_HELP)]
    Dead(Dead),
    /// Print the completions for a shell
    #[command(after_help = "Example:\n  logwell completions bash > /etc/bash_completion.d/logwell")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

const VERIFY_HELP: &str = "\
Records are numbered from 1 at each start of a program (a boot). A number that is missing was
lost, or kept out of app.log by files.level; logwell's own records say how many were, so verify
tells which. errors.log and ai_responses.log are compared with app.log record by record.

Declared losses are those the log itself reports: records dropped because the queue was full, or
lost by a file in an outage. Records before the oldest kept file were rotated away and do not count
as missing.

Records that a killed program had not written yet wait in its black box until its next start writes
them: they are not missing. Records in the box of a running program are on their way.

Examples:
  logwell verify /var/log/shop
  logwell verify --json logs | jq '.boots[].missing'
  logwell verify --accept-declared logs || alert
  logwell verify --against https://logs.example.com logs

With --against, the numbers in the files are compared with those that the server has. What waits in
the forwarder's spool or a broker is missing there, so far.

Exit codes: 0 complete, with what waits in black boxes; 1 something is missing, damaged or out of
order, or not at the server; 2 it could not be checked, or a black box that may have more cannot be
read.";

const SHOW_HELP: &str = "\
For a directory, shows the records of app.log and all its backups, compressed ones too, and those of
a second process, merged in order. Shows a file alone, unless --backups is given. - is standard
input.
Without a filter, lines that are not records are shown with a ? before them.

Moments: 2026-02-19T10:30:00Z, '2026-02-19 10:30', 2026-02-19, 10:30, 10m or 2h or 3d (ago),
today, yesterday.
Fields: user_id=7, status!=200, latency_ms>100, path~/api (contains), error (is there); of the
record, or else of its innermost span. Several conditions must all hold; of several loggers one
is enough.

Examples:
  logwell show logs --since 10:00 --until 10:05
  logwell show logs --level warn --logger shop::db --text timeout
  logwell show logs --file errors.log
  logwell show app.log --json --field 'latency_ms>=1000' > slow.jsonl

Exit codes: 0 fine, 2 a file could not be read, or the question was not understood.";

const TAIL_HELP: &str = "\
Takes the same files and filters as show; the last records are the last ones that the filters
let through.
With --follow it continues over rotation, truncation and deletion, until it is interrupted.

Examples:
  logwell tail logs
  logwell tail -f -n 100 --level warn logs
  logwell tail -f --json logs | my-alarm

Exit codes: 0 fine, 2 a file could not be read, or the question was not understood.";

const DEAD_HELP: &str = "\
A dead letter is a message that a destination refused because of the message itself. It is kept
beside the spools with the reason. The program that logs can keep running: it takes letters to
resend within seconds, or at its next start.
Delivery is at least once: a letter that comes twice has the same hash.

Times: 10m, 2h, 3d. Several of --id or --destination: any of them; all else must hold.

Examples:
  logwell dead list /var/log/shop
  logwell dead show --id 9f2c71d05a3be884000000000000002a /var/log/shop
  logwell dead replay --reason 'status 413' --dry-run /var/log/shop
  logwell dead replay --all /var/log/shop
  logwell dead drop --older-than 30d --yes /var/log/shop

Exit codes: 0 fine, 2 it could not be done, or the question was not understood.";

/// What is done with dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// Print a line or two for each
    List(Shown),
    /// Print them whole
    Show(Shown),
    /// Send them again
    Replay(Changed),
    /// Delete them for good
    Drop(Changed),
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    #[command(flatten)]
    pub(crate) which: Which,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// As JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Changed {
    #[command(flatten)]
    pub(crate) which: Which,
    /// All of them, or of those destinations
    #[arg(long)]
    pub(crate) all: bool,
    /// Only say which they would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask before letters are dropped
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Say what was done as JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Which letters")]
pub(crate) struct Which {
    /// The directory of the log files, or of the spools
    #[arg(value_name = "DIR", default_value = "logs")]
    pub(crate) directory: PathBuf,
    /// Of that destination: logbeacon, telegram_developer, telegram_customer, telegram (both)
    #[arg(long, value_name = "NAME")]
    pub(crate) destination: Vec<String>,
    /// With that hash
    #[arg(long, value_name = "HASH", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) id: Vec<String>,
    /// With that text in the reason
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Refused at least so long ago
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub(crate) older_than: Option<Duration>,
    /// Refused at most so long ago
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub(crate) newer_than: Option<Duration>,
}

impl Which {
    pub(crate) fn selection(&self) -> Selection {
        let mut selection = Selection::default();
        selection.destinations.clone_from(&self.destination);
        selection.ids.clone_from(&self.id);
        selection.reason.clone_from(&self.reason);
        selection.older_than = self.older_than;
        selection.newer_than = self.newer_than;
        selection
    }
}

const QUERY_HELP: &str = "\
Takes the same files as show. A query is a filter and what is done with the records that pass:

  level>=warn \"payment failed\" latency_ms>1000 -path:/health user~\"^a.*\"
  level:error time:1h | stats count(), p99(latency_ms) by endpoint | sort count desc | limit 10
  timeout | context 3
  * | histogram time:5m by level

Without pipes records are printed as show does, the oldest first; with them a table, in which
records are the newest first. Times are in UTC. docs/query.md has the whole language.

Examples:
  logwell query logs 'level:error | top 5 by logger'
  logwell query --json logs 'latency_ms>1s | fields time, path, latency_ms' > slow.jsonl
  zcat old.gz | logwell query - 'status:500..599 | stats count() by time:1h'

Exit codes: 0 fine; 1 the answer is incomplete, for it needs more memory than it may; 2 a file could
not be read, or the query was not understood.";

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// A directory of log files, a log file, or - for standard input
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,
    /// The query
    #[arg(allow_hyphen_values = true)]
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The directories of log files
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Print what was found as JSON, one object for each directory
    #[arg(long)]
    pub(crate) json: bool,
    /// Print long lists whole
    #[arg(long)]
    pub(crate) all: bool,
    /// Count losses that the log itself tells of as complete
    #[arg(long)]
    pub(crate) accept_declared: bool,
    /// The name of the file with all records
    #[arg(long, value_name = "NAME", default_value = "app.log")]
    pub(crate) app: String,
    /// The name of the file with ERROR and CRITICAL
    #[arg(long, value_name = "NAME", default_value = "errors.log")]
    pub(crate) errors: String,
    /// The name of the file about AI models
    #[arg(long, value_name = "NAME", default_value = "ai_responses.log")]
    pub(crate) ai: String,
    /// Where the black boxes are, if not beside the files (black_box.dir)
    #[arg(long, value_name = "DIR")]
    pub(crate) black_box_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) against: Against,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Go on with what is written from now on
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// So many records
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    pub(crate) count: usize,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Directories of log files, log files, or - for standard input
    #[arg(required = true, value_name = "DIR|FILE")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) files: Files,
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Of a directory, this file and its backups
    #[arg(long, value_name = "NAME", default_value = "app.log")]
    pub(crate) file: String,
    /// Of a file that is named, its backups too
    #[arg(long)]
    pub(crate) backups: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Which records")]
pub(crate) struct Wanted {
    /// Of this level and more important ones
    #[arg(short, long, value_enum, ignore_case = true)]
    pub(crate) level: Option<LevelName>,
    /// Of this logger and those below it; several times: of any of them
    #[arg(long, value_name = "PREFIX")]
    pub(crate) logger: Vec<String>,
    /// From this moment on
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Before this moment
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// With a field like this, such as user_id=7; several times: all must hold
    #[arg(long, value_name = "CONDITION")]
    pub(crate) field: Vec<Condition>,
    /// With this text in the message or a field; several times: all must be there
    #[arg(short, long)]
    pub(crate) text: Vec<String>,
    /// Of this trace
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// That match this filter of the query language (logwell query), without pipes
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) query: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How they are shown")]
pub(crate) struct Output {
    /// As they are: one line of JSON each
    #[arg(long)]
    pub(crate) json: bool,
    /// With colours; auto: on a terminal, unless NO_COLOR says no or FORCE_COLOR yes
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Moments in UTC instead of the local time
    #[arg(long)]
    pub(crate) utc: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
