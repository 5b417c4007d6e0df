//! Command: what the command line asks for. Pure.

use crate::dead::{Which, Wish};
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

/// Reads the arguments after the program's name.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn parse(arguments: &[String]) -> Result<(Command, Flags), String> {
    let mut words: Vec<&str> = Vec::new();
    let mut flags = Flags::default();
    let (mut id, mut all, mut limit) = (None, false, None);
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
            "--all" => {
                all = true;
                continue;
            }
            _ => {}
        }
        let value = value.or_else(|| arguments.next()).ok_or(format!("{flag} needs a value"))?;
        match flag {
            "--config" => flags.config = Some(value.to_owned()),
            "--id" => id = Some(value.to_owned()),
            "--limit" => {
                limit = Some(value.parse().map_err(|_| format!("--limit {value}: not a number"))?);
            }
            _ => flags.given.push((flag.to_owned(), value.to_owned())),
        }
    }
    let is_dead = words.first() == Some(&"dead");
    if !is_dead && (id.is_some() || all || limit.is_some()) {
        return Err("--id, --all and --limit belong to `dead`".to_owned());
    }
    let command = match words.as_slice() {
        [] | ["help", ..] => Command::Help,
        ["check"] => Command::Check,
        ["dead", rest @ ..] => dead(rest, id, all, limit)?,
        [name] => match Destination::parse(name) {
            Some(destination) => Command::Work(destination),
            None => return Err(format!("there is no command {name}; see logwell-relay --help")),
        },
        [_, extra, ..] => return Err(format!("what is {extra:?} for? see logwell-relay --help")),
    };
    Ok((command, flags))
}

fn dead(
    words: &[&str],
    id: Option<String>,
    all: bool,
    limit: Option<usize>,
) -> Result<Command, String> {
    let (verb, names) = words.split_first().ok_or("dead list, dead replay or dead drop?")?;
    let mut destinations = Vec::new();
    for name in names {
        let destination =
            Destination::parse(name).ok_or(format!("there is no {name}: logbeacon or telegram"))?;
        destinations.push(destination);
    }
    let which = match (id, all) {
        (Some(_), true) => return Err("either --id or --all".to_owned()),
        (Some(id), _) if id.is_empty() => return Err("--id is empty; which hash?".to_owned()),
        (Some(id), false) => Some(Which::Id(id)),
        (None, true) => Some(Which::All),
        (None, false) => None,
    };
    match (*verb, which, limit, destinations.as_slice()) {
        ("list", None, limit, []) => {
            let limit = limit.unwrap_or(LIST_LIMIT);
            Ok(Command::Dead(Destination::ALL.to_vec(), Wish::List { limit }))
        }
        ("list", None, limit, _) => {
            Ok(Command::Dead(destinations, Wish::List { limit: limit.unwrap_or(LIST_LIMIT) }))
        }
        ("list", Some(_), ..) => Err("dead list takes no --id and no --all".to_owned()),
        ("replay" | "drop", _, Some(_), _) => Err("--limit belongs to `dead list`".to_owned()),
        ("replay" | "drop", _, _, []) => Err(format!("dead {verb} what? logbeacon or telegram")),
        ("replay", Some(which), ..) => Ok(Command::Dead(destinations, Wish::Replay(which))),
        ("drop", Some(which), ..) => Ok(Command::Dead(destinations, Wish::Drop(which))),
        ("replay" | "drop", None, ..) => {
            Err(format!("dead {verb} which? --id HASH for one, --all for all"))
        }
        _ => Err(format!("there is no dead {verb}: list, replay or drop")),
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

    #[test]
    fn each_command_is_read_with_its_flags() {
        use Destination::{LogBeacon, Telegram};
        let one = || Which::Id("a".to_owned());
        for (line, command) in [
            ("", Command::Help),
            ("logbeacon --help", Command::Help),
            ("logbeacon", Command::Work(LogBeacon)),
            ("telegram --config x.yaml --broker-host=h", Command::Work(Telegram)),
            ("check", Command::Check),
            ("--version", Command::Version),
            ("dead list", Command::Dead(vec![LogBeacon, Telegram], Wish::List { limit: 20 })),
            (
                "dead list telegram --limit 3",
                Command::Dead(vec![Telegram], Wish::List { limit: 3 }),
            ),
            ("dead replay telegram --id a", Command::Dead(vec![Telegram], Wish::Replay(one()))),
            ("dead drop logbeacon --all", Command::Dead(vec![LogBeacon], Wish::Drop(Which::All))),
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
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
