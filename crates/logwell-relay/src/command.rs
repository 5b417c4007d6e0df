//! Command: the command line, as data; clap makes the help and the hints of it.
//!
//! Knows what can be asked. A flag for each option, with its help, is made from the list in
//! `options.rs`. Pure.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use logwell::dead_letters::{Selection, parse_age};
use logwell_options::flags;
use logwell_options::section::{Entry, Section as _};
use logwell_options::value::OptionValue;

use crate::destination::Destination;
use crate::options::{NAMES, Settings};
use crate::sources::Given;

/// Takes logwell's messages from RabbitMQ and delivers them to LogBeacon and Telegram
#[derive(Debug, Parser)]
#[command(
    name = "logwell-relay",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = SHORT_HELP
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// A YAML file with options [variable: LOGWELL_RELAY_CONFIG]
    #[arg(long, value_name = "FILE", global = true, help_heading = GENERAL)]
    config: Option<PathBuf>,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Work on the queue {domain}_logbeacon until asked to stop
    #[command(name = "logbeacon")]
    LogBeacon,
    /// Work on the queue {domain}_tg until asked to stop
    Telegram,
    /// Send one test message to each configured destination, and look at broker and queues
    Check,
    /// List, show, resend or drop messages that were given up
    #[command(subcommand, after_help = DEAD_HELP)]
    Dead(Dead),
}

/// What is done with dead messages.
#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// Print a line or two for each
    List(Shown),
    /// Print them whole
    Show(Shown),
    /// Put them back into the queue they came from
    Replay(Changed),
    /// Delete them for good, after a question
    Drop(Changed),
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Of which destination; both if none is named
    #[arg(value_enum, value_name = "DESTINATION")]
    destinations: Vec<Destination>,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// As JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(crate) struct Changed {
    /// Of which destination
    #[arg(value_enum, value_name = "DESTINATION", required_unless_present = "destination")]
    destinations: Vec<Destination>,
    /// All of them
    #[arg(long, help_heading = WHICH, conflicts_with_all = CONDITIONS)]
    all: bool,
    /// Only say which they would be
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before messages are dropped
    #[arg(short, long)]
    yes: bool,
    /// Say what was done as JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// Which dead messages. All that is given must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = WHICH)]
struct Which {
    /// Of that destination: another way to name it
    #[arg(long, value_enum, value_name = "NAME")]
    destination: Vec<Destination>,
    /// With that hash; several times: any of them
    #[arg(long, value_name = "HASH", value_parser = NonEmptyStringValueParser::new())]
    id: Vec<String>,
    /// With that text in the reason
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Given up at least so long ago: 10m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    older_than: Option<Duration>,
    /// Given up at most so long ago
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    newer_than: Option<Duration>,
}

/// What people ask for of dead messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) verb: Verb,
    pub(crate) destinations: Vec<Destination>,
    /// Which of them.
    pub(crate) which: Selection,
    /// So many are shown at most.
    pub(crate) limit: usize,
    /// Only say which they would be.
    pub(crate) dry_run: bool,
    /// Do not ask before messages are dropped.
    pub(crate) yes: bool,
    /// Say it as JSON, one object a line.
    pub(crate) json: bool,
}

/// What is done with dead messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Show a line or two of each.
    List,
    /// Show them whole.
    Show,
    /// Put them back into the queue they came from.
    Replay,
    /// Delete them for good.
    Drop,
}

impl Dead {
    /// The same in plain words.
    pub(crate) fn wish(self) -> Wish {
        match self {
            Self::List(shown) => shown.wish(Verb::List),
            Self::Show(shown) => shown.wish(Verb::Show),
            Self::Replay(changed) => changed.wish(Verb::Replay),
            Self::Drop(changed) => changed.wish(Verb::Drop),
        }
    }
}

impl Shown {
    fn wish(self, verb: Verb) -> Wish {
        let Self { destinations, which, limit, json } = self;
        let (destinations, which) = which.selection(destinations);
        Wish { verb, destinations, which, limit, dry_run: false, yes: false, json }
    }
}

impl Changed {
    /// Whether it says which messages.
    fn is_chosen(&self) -> bool {
        let Which { id, reason, older_than, newer_than, .. } = &self.which;
        self.all
            || !id.is_empty()
            || reason.is_some()
            || older_than.is_some()
            || newer_than.is_some()
    }

    fn wish(self, verb: Verb) -> Wish {
        let Self { destinations, which, dry_run, yes, json, .. } = self;
        let (destinations, which) = which.selection(destinations);
        Wish { verb, destinations, which, limit: usize::MAX, dry_run, yes, json }
    }
}

impl Which {
    fn selection(self, mut destinations: Vec<Destination>) -> (Vec<Destination>, Selection) {
        destinations.extend(self.destination);
        if destinations.is_empty() {
            destinations = Destination::ALL.to_vec();
        }
        let mut selection = Selection::default();
        selection.ids = self.id;
        selection.reason = self.reason;
        selection.older_than = self.older_than;
        selection.newer_than = self.newer_than;
        (destinations, selection)
    }
}

/// Reads the arguments, the program's name first.
///
/// # Errors
///
/// What is wrong with them; or that the help or the version is asked for.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(Command, Given), clap::Error> {
    let (options, secrets) = options();
    let mut command = Cli::command().args(options).after_long_help(format!("{HELP}{secrets}"));
    let matches = command.clone().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    if let Command::Dead(Dead::Replay(changed) | Dead::Drop(changed)) = &cli.command
        && !changed.is_chosen()
    {
        let problem = "which? --id, --reason, --older-than, --newer-than, or --all for all\n";
        return Err(command.error(ErrorKind::MissingRequiredArgument, problem));
    }
    let mut given = Given { config: cli.config, values: HashMap::new() };
    for id in matches.ids() {
        let key = id.as_str();
        let Ok(Some(value)) = matches.try_get_one::<String>(key) else { continue };
        if command.get_arguments().any(|it| it.get_id() == key && it.is_hide_set()) {
            let problem = format!(
                "{}: others could read a secret on the command line; use the variable {} or the \
                 file\n",
                flags::name(key),
                NAMES.name(key),
            );
            return Err(command.error(ErrorKind::ArgumentConflict, problem));
        }
        given.values.insert(key.to_owned(), value.clone());
    }
    Ok((cli.command, given))
}

/// A flag for each option, and what the help says of those that have none.
fn options() -> (Vec<Arg>, String) {
    let (mut arguments, mut secrets) = (Vec::new(), String::new());
    add(Settings::default().entries(), ("", GENERAL), &mut (&mut arguments, &mut secrets));
    (arguments, secrets)
}

/// Goes down the list of options. A secret has a flag too, which is hidden and refused with a
/// reason.
fn add(
    entries: Vec<Entry<'_>>,
    (section, heading): (&str, &'static str),
    (arguments, secrets): &mut (&mut Vec<Arg>, &mut String),
) {
    for entry in entries {
        let key = entry.key(section);
        let doc = entry.doc().replace('\n', " ");
        let variables = NAMES.all(&key).replace(" or ", ", ");
        let argument = |name: &'static str| {
            Arg::new(key.clone())
                .long(flags::name(&key).trim_start_matches('-').to_owned())
                .value_name(name)
                .global(true)
                .allow_negative_numbers(true)
                .help_heading(heading)
                .hide_short_help(true)
        };
        match entry.slot {
            OptionValue::Section(inner) => {
                let top = entry.docs.first().filter(|_| section.is_empty());
                let heading = top.map_or(heading, |top| top.trim());
                add(inner, (&key, heading), &mut (arguments, secrets));
            }
            OptionValue::Secret { .. } => {
                let doc = doc.trim_end_matches('.');
                secrets.push_str(&format!("  {key}: {doc}\n      {variables}\n"));
                arguments.push(argument("SECRET").hide(true));
            }
            slot => {
                let (default, limits) = (slot.text(), slot.limits());
                let facts = [
                    (!default.is_empty()).then(|| format!("default: {default}")),
                    limits.map(|limits| format!("limits: {limits}")),
                    Some(format!("key: {key}")),
                ];
                let facts = facts.into_iter().flatten().collect::<Vec<_>>().join("; ");
                let help = format!("{doc}\n[{facts}]\n[variables: {variables}]");
                arguments.push(argument(value_name(&slot)).help(help));
            }
        }
    }
}

fn value_name(slot: &OptionValue<'_>) -> &'static str {
    match slot {
        OptionValue::Flag(_) => "true|false",
        OptionValue::Count { .. } => "N",
        OptionValue::Time { .. } => "TIME",
        OptionValue::Custom(_) => "ADDRESS",
        _ => "TEXT",
    }
}

const GENERAL: &str = "General";
const WHICH: &str = "Which messages (all conditions must hold)";
/// What chooses dead messages. What is changed must be chosen by one of them, or by `--all`.
const CONDITIONS: [&str; 4] = ["id", "reason", "older_than", "newer_than"];

const DEAD_HELP: &str = "\
A message that is given up is in the queue {domain}_logbeacon.dead or {domain}_tg.dead with the
reason. `logwell dead` has the same words for what a service has refused without a broker.

Examples:
  logwell-relay dead list
  logwell-relay dead show logbeacon --id 9f2c71d05a3be884000000000000002a
  logwell-relay dead replay telegram --reason 'status 5' --dry-run
  logwell-relay dead replay logbeacon --all
  logwell-relay dead drop logbeacon --older-than 30d --yes

Exit codes: 0 done; 2 command line or configuration wrong, or nobody confirmed, nothing was done;
3 the broker is out of reach.";

const SHORT_HELP: &str = "\
A first try, with RabbitMQ on this machine:
  export LOG_DOMAIN=shop.example LOGBEACON_URL=https://logs.example/in
  logwell-relay check
  logwell-relay logbeacon

Each option is a flag, a variable and a key of the YAML file; --help lists all of them.

Exit codes: 0 ended as asked; 1 something failed; 2 command line or configuration wrong, nothing was
done; 3 the broker is out of reach.";

const HELP: &str = "\
A first try, with RabbitMQ on this machine:
  export LOG_DOMAIN=shop.example LOGBEACON_URL=https://logs.example/in
  logwell-relay check
  logwell-relay logbeacon

And later, if something was given up:
  logwell-relay dead list
  logwell-relay dead replay logbeacon --all

A message is tried 3 times, 5 s apart (Telegram: 30 s). While a person must fix something first,
such as a wrong token, it goes to the end of its queue and waits. One that is itself to blame,
cannot be read or was tried in vain goes to the queue {domain}_logbeacon.dead or {domain}_tg.dead
with the reason. It is acknowledged only when it has arrived or is safe there: delivery is at least
once, and what comes twice has one `hash`. Several workers may share a queue.

SIGTERM and SIGINT let the worker finish the attempt in hand; a message that waits for its next try
goes back to the queue. A second signal ends it at once. If the broker is lost, the worker tries to
connect 5 times, 5 s apart.

The worker logs to standard output through logwell; variables such as LOG_LEVEL and
LOG_CONSOLE_FORMAT say how, and logging.file names a whole configuration of logwell.

Each option is a key of the YAML file that --config names, a variable, and a flag; what comes later
in this list wins. Of several variables the first one that is set counts. Times are written 500ms,
5s, 10m, 1h.

Exit codes: 0 ended as asked; 1 something failed; 2 command line or configuration wrong, nothing was
done; 3 the broker is out of reach.

Secrets have no flag, for others on the machine could read it. In the file, or as variables:
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Command, Given), String> {
        let words = ["logwell-relay"].into_iter().chain(line.split_whitespace());
        parse(words).map_err(|error| error.to_string())
    }

    /// A wish for one with that id or for all, and everything else as it is by default.
    fn wish(verb: Verb, destinations: &[Destination], id: Option<&str>) -> Wish {
        let is_change = matches!(verb, Verb::Replay | Verb::Drop);
        let mut which = Selection::default();
        which.ids.extend(id.map(str::to_owned));
        Wish {
            verb,
            destinations: destinations.to_vec(),
            which,
            limit: if is_change { usize::MAX } else { 20 },
            dry_run: false,
            yes: false,
            json: false,
        }
    }

    #[test]
    fn each_wish_about_dead_messages_is_read_with_its_flags() {
        use Destination::{LogBeacon, Telegram};
        let both = [LogBeacon, Telegram];
        let telegram = |verb, id| wish(verb, &[Telegram], id);
        for (line, expected) in [
            ("dead list", wish(Verb::List, &both, None)),
            ("dead list telegram --limit 3", Wish { limit: 3, ..telegram(Verb::List, None) }),
            ("dead show --id a --json", Wish { json: true, ..wish(Verb::Show, &both, Some("a")) }),
            ("dead replay telegram --id a", telegram(Verb::Replay, Some("a"))),
            (
                "dead replay --destination telegram --id a --dry-run",
                Wish { dry_run: true, ..telegram(Verb::Replay, Some("a")) },
            ),
            ("dead drop telegram --all --yes", Wish { yes: true, ..telegram(Verb::Drop, None) }),
        ] {
            match parsed(line) {
                Ok((Command::Dead(dead), _)) => assert_eq!(dead.wish(), expected, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        let (command, _) = parsed("dead drop logbeacon --older-than 2h").unwrap();
        let Command::Dead(dead) = command else { panic!("{command:?}") };
        assert_eq!(dead.wish().which.older_than, parse_age("2h").ok());
    }

    #[test]
    fn an_option_is_read_before_and_behind_the_command() {
        for line in [
            "telegram --config x.yaml --broker-host=h --telegram-developer-chat-id -100",
            "--config x.yaml --broker-host h --telegram-developer-chat-id=-100 telegram",
        ] {
            let (command, given) = parsed(line).unwrap();
            assert!(matches!(command, Command::Telegram), "{line}");
            assert_eq!(given.config.as_deref(), Some("x.yaml".as_ref()), "{line}");
            let mut values: Vec<_> = given.values.into_iter().collect();
            values.sort();
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            let chat = pair("telegram.developer.chat_id", "-100");
            assert_eq!(values, [pair("broker.host", "h"), chat], "{line}");
        }
        assert!(parsed("check").unwrap().1.values.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_refused_before_anything_is_done() {
        for line in [
            "",
            "lobgeacon",
            "logbeacon telegram",
            "logbeacon --all",
            "logbeacon --config",
            "logbeacon --broker-hots h",
            "dead",
            "dead eat logbeacon",
            "dead list --all",
            "dead list mars",
            "dead drop logbeacon",
            "dead drop --all",
            "dead drop logbeacon --id=",
            "dead drop logbeacon --all --id x",
            "dead replay logbeacon --all --limit 2",
            "dead list --limit many",
            "dead list --older-than 2",
            "dead show --yes",
            "logbeacon --json",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_secret_is_not_taken_from_the_command_line_and_not_shown() {
        let told = parsed("logbeacon --broker-password hush").unwrap_err();
        assert!(told.contains("--broker-password: others could read"), "{told}");
        assert!(told.contains("LOGWELL_RELAY_BROKER_PASSWORD"), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn the_help_is_consistent() {
        let (options, secrets) = options();
        assert!(secrets.contains("broker.password"));
        Cli::command().args(options).debug_assert();
    }
}
