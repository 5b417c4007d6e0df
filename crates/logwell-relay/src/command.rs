//! Command: what the command line asks for. Pure.

use logwell::dead_letters::{Selection, parse_age};

use crate::settings::Destination;
use crate::sources::Flags;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Work on that queue.
    Work(Destination),
    /// Look after dead messages of those destinations.
    Dead(Vec<Destination>, Wish),
    /// Send test messages.
    Check,
    /// Show the help.
    Help,
    /// Show the version.
    Version,
}

/// What people ask for of dead messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) verb: Verb,
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

impl Verb {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "list" => Self::List,
            "show" => Self::Show,
            "replay" => Self::Replay,
            "drop" => Self::Drop,
            _ => return None,
        })
    }

    fn is_change(self) -> bool {
        matches!(self, Self::Replay | Self::Drop)
    }
}

/// What is said about dead messages, as it is read.
#[derive(Debug, Default)]
struct Said {
    which: Selection,
    destinations: Vec<String>,
    all: bool,
    dry_run: bool,
    yes: bool,
    json: bool,
    limit: Option<usize>,
    /// The first of these flags, for the message should they not belong there.
    first: Option<String>,
}

impl Said {
    /// Takes a flag without a value; says whether it is one of these.
    fn take_switch(&mut self, flag: &str) -> bool {
        let place = match flag {
            "--all" => &mut self.all,
            "--dry-run" => &mut self.dry_run,
            "--yes" | "-y" => &mut self.yes,
            "--json" => &mut self.json,
            _ => return false,
        };
        *place = true;
        self.first.get_or_insert_with(|| flag.to_owned());
        true
    }

    /// Takes a flag with its value; says whether it is one of these.
    fn take(&mut self, flag: &str, value: &str) -> Result<bool, String> {
        let told = |problem: String| format!("{flag}: {problem}");
        match flag {
            "--id" if value.is_empty() => return Err("--id is empty; which hash?".to_owned()),
            "--id" => self.which.ids.push(value.to_owned()),
            "--reason" => self.which.reason = Some(value.to_owned()),
            "--older-than" => self.which.older_than = Some(parse_age(value).map_err(told)?),
            "--newer-than" => self.which.newer_than = Some(parse_age(value).map_err(told)?),
            "--destination" => self.destinations.push(value.to_owned()),
            "--limit" => {
                let limit = value.parse().map_err(|_| format!("--limit {value}: not a number"))?;
                self.limit = Some(limit);
            }
            _ => return Ok(false),
        }
        self.first.get_or_insert_with(|| flag.to_owned());
        Ok(true)
    }
}

/// Reads the arguments after the program's name.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn parse(arguments: &[String]) -> Result<(Command, Flags), String> {
    let mut words: Vec<&str> = Vec::new();
    let (mut flags, mut said) = (Flags::default(), Said::default());
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        if !argument.starts_with('-') {
            words.push(argument);
            continue;
        }
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (argument, None),
        };
        match flag {
            "-h" | "--help" => return Ok((Command::Help, flags)),
            "-V" | "--version" => return Ok((Command::Version, flags)),
            flag if said.take_switch(flag) => continue,
            _ => {}
        }
        let value = value.or_else(|| arguments.next()).ok_or(format!("{flag} needs a value"))?;
        match flag {
            "--config" => flags.config = Some(value.to_owned()),
            _ if said.take(flag, value)? => {}
            _ => flags.given.push((flag.to_owned(), value.to_owned())),
        }
    }
    let command = match words.as_slice() {
        ["dead", rest @ ..] => dead(rest, said)?,
        _ if said.first.is_some() => {
            return Err(format!("{} belongs to `dead`", said.first.unwrap_or_default()));
        }
        [] | ["help", ..] => Command::Help,
        ["check"] => Command::Check,
        [name] => match Destination::parse(name) {
            Some(destination) => Command::Work(destination),
            None => return Err(format!("there is no command {name}; see logwell-relay --help")),
        },
        [_, extra, ..] => return Err(format!("what is {extra:?} for? see logwell-relay --help")),
    };
    Ok((command, flags))
}

fn dead(words: &[&str], said: Said) -> Result<Command, String> {
    let (word, names) =
        words.split_first().ok_or("dead list, dead show, dead replay or dead drop?")?;
    let verb = Verb::parse(word)
        .ok_or_else(|| format!("there is no dead {word}: list, show, replay or drop"))?;
    let mut destinations = Vec::new();
    for name in names.iter().copied().chain(said.destinations.iter().map(String::as_str)) {
        let destination =
            Destination::parse(name).ok_or(format!("there is no {name}: logbeacon or telegram"))?;
        destinations.push(destination);
    }
    if verb.is_change() {
        check_change(word, &said, &destinations)?;
    } else if said.all || said.dry_run || said.yes {
        return Err(format!("dead {word} takes no --all, --dry-run and --yes"));
    }
    if destinations.is_empty() {
        destinations = Destination::ALL.to_vec();
    }
    let Said { which, dry_run, yes, json, limit, .. } = said;
    let limit = limit.unwrap_or(if verb.is_change() { usize::MAX } else { LIST_LIMIT });
    Ok(Command::Dead(destinations, Wish { verb, which, limit, dry_run, yes, json }))
}

/// What is changed must be said.
fn check_change(word: &str, said: &Said, destinations: &[Destination]) -> Result<(), String> {
    match (said.which.is_specific(), said.all) {
        _ if said.limit.is_some() => Err("--limit belongs to `dead list`".to_owned()),
        _ if destinations.is_empty() => Err(format!("dead {word} what? logbeacon or telegram")),
        (true, true) => Err("either --all, or --id, --reason and the like".to_owned()),
        (false, false) => Err(format!(
            "dead {word} which? --id, --reason, --older-than, --newer-than, or --all for all"
        )),
        _ => Ok(()),
    }
}

const LIST_LIMIT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words).map(|(command, _)| command)
    }

    #[test]
    fn an_empty_id_is_an_error_and_does_not_mean_those_without_one() {
        let words = ["dead", "drop", "logbeacon", "--id", ""].map(str::to_owned);
        let error = parse(&words).map(|(command, _)| command).unwrap_err();
        assert_eq!(error, "--id is empty; which hash?");
    }

    /// A wish with that selection, and everything else as it is by default.
    fn wish(verb: Verb, choose: impl FnOnce(&mut Selection)) -> Wish {
        let mut which = Selection::default();
        choose(&mut which);
        let limit = if verb.is_change() { usize::MAX } else { 20 };
        Wish { verb, which, limit, dry_run: false, yes: false, json: false }
    }

    #[test]
    fn each_command_is_read_with_its_flags() {
        use Destination::{LogBeacon, Telegram};
        let both = || vec![LogBeacon, Telegram];
        let one = |verb| wish(verb, |which| which.ids.push("a".to_owned()));
        let list = || wish(Verb::List, |_| {});
        let dropped = wish(Verb::Drop, |which| which.older_than = parse_age("2h").ok());
        for (line, command) in [
            ("", Command::Help),
            ("logbeacon --help", Command::Help),
            ("logbeacon", Command::Work(LogBeacon)),
            ("telegram --config x.yaml --broker-host=h", Command::Work(Telegram)),
            ("check", Command::Check),
            ("--version", Command::Version),
            ("dead list", Command::Dead(both(), list())),
            (
                "dead list telegram --limit 3",
                Command::Dead(vec![Telegram], Wish { limit: 3, ..list() }),
            ),
            (
                "dead show --id a --json",
                Command::Dead(both(), Wish { json: true, ..one(Verb::Show) }),
            ),
            ("dead replay telegram --id a", Command::Dead(vec![Telegram], one(Verb::Replay))),
            (
                "dead replay --destination telegram --id a --dry-run",
                Command::Dead(vec![Telegram], Wish { dry_run: true, ..one(Verb::Replay) }),
            ),
            (
                "dead drop logbeacon --all --yes",
                Command::Dead(vec![LogBeacon], Wish { yes: true, ..wish(Verb::Drop, |_| {}) }),
            ),
            ("dead drop logbeacon --older-than 2h", Command::Dead(vec![LogBeacon], dropped)),
        ] {
            assert_eq!(parsed(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_before_anything_is_done() {
        for line in [
            "lobgeacon",
            "logbeacon telegram",
            "logbeacon --all",
            "logbeacon --config",
            "dead",
            "dead eat logbeacon",
            "dead list --all",
            "dead list mars",
            "dead drop logbeacon",
            "dead drop --all",
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
}
