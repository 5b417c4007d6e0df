//! Help: what the program is for and how it is used. The options are those of `options.rs`.

use crate::options::OPTIONS;

/// The text of `--help`.
pub(crate) fn text() -> String {
    let mut text = INTRODUCTION.to_owned();
    for option in OPTIONS {
        let value = match (option.is_secret, option.default) {
            (true, _) => String::new(),
            (false, "") => " VALUE".to_owned(),
            (false, default) => format!(" {default}"),
        };
        let flag = if option.is_secret { "(no flag)".to_owned() } else { option.flag() };
        text.push_str(&format!("  {flag}{value}\n      {}\n", option.about));
        let names: Vec<_> =
            std::iter::once(option.key.to_owned()).chain(option.variables()).collect();
        push_names(&mut text, &names);
    }
    text
}

/// The names of an option, as many in a line as fit.
fn push_names(text: &mut String, names: &[String]) {
    let mut line = String::new();
    for name in names {
        if line.is_empty() {
            line = format!("      {name}");
        } else if line.len() + ", ".len() + name.len() < MAX_LINE_BYTES {
            line.push_str(&format!(", {name}"));
        } else {
            text.push_str(&format!("{line},\n"));
            line = format!("      {name}");
        }
    }
    text.push_str(&format!("{line}\n"));
}

const MAX_LINE_BYTES: usize = 100;

const INTRODUCTION: &str = "\
logwell-relay: takes logwell's messages from RabbitMQ and delivers them to LogBeacon and Telegram

  logwell-relay logbeacon      works on the queue {domain}_logbeacon until it is asked to stop
  logwell-relay telegram       works on the queue {domain}_tg
  logwell-relay check          sends one test message to each configured destination, says what came
                               of it, and looks at the queues
  logwell-relay dead list [logbeacon|telegram] [--limit 20]
                               shows what was given up, and why
  logwell-relay dead show [logbeacon|telegram]
                               shows it whole
  logwell-relay dead replay logbeacon|telegram --all|--id HASH
                               puts it back into the queue it came from
  logwell-relay dead drop logbeacon|telegram --all|--id HASH [--yes]
                               deletes it for good; it asks before, unless --yes is said

Which dead messages: --id HASH, --reason TEXT (in the reason), --older-than 2h, --newer-than 3d, --all;
--destination NAME is another way to name the queue. All that is said must hold. --dry-run only says
which they would be, --json says it as JSON, one object a line. `logwell dead` has the same words for
what a service has refused without a broker.

A first try, with RabbitMQ on this machine:

  export LOG_DOMAIN=shop.example LOGBEACON_URL=https://logs.example/in
  logwell-relay check
  logwell-relay logbeacon

A message is tried 3 times, 5 s apart (Telegram: 30 s). While a person must mend something first, such
as a wrong token, it goes to the end of its queue and waits. One that is itself to blame, cannot be read
or was tried in vain goes to the queue {domain}_logbeacon.dead or {domain}_tg.dead with the reason. It is
acknowledged only when it has arrived or is safe there: delivery is at least once, and what comes
twice has one `hash`. Several workers may share a queue.

SIGTERM and SIGINT let the worker finish the attempt in hand; a message that is waiting for its next
try goes back to the queue. A second signal ends it at once. If the broker is lost it is tried again
5 times, 5 s apart.

Exit codes: 0 ended as asked; 1 something failed; 2 command line or configuration wrong, nothing
was done; 3 the broker is out of reach.

The worker logs to standard output through logwell; variables such as LOG_LEVEL and LOG_CONSOLE_FORMAT
say how, and logging.file names a whole configuration of logwell.

Options, each with its default, as a flag, in the YAML file that --config FILE (or
LOGWELL_RELAY_CONFIG) names, and as variables. What comes later wins: default, file, variables,
flags. Times are written 500ms, 5s, 10m, 1h. Secrets have no flag, for others could read it.

";
