//! logwell-relay: takes logwell's messages from RabbitMQ and delivers them to LogBeacon and
//! Telegram.
//!
//! Reads the command line, and says with its exit code how it went. The straight line of a worker:
//!
//! ```text
//! broker.rs → worker.rs → message.rs → post.rs → destination
//!                 └─ gives up → dead.rs → broker.rs
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its user")]

mod broker;
mod check;
mod command;
mod counters;
mod dead;
mod destination;
mod message;
mod options;
mod post;
mod sources;
mod status;
mod stop;
mod tries;
mod web;
mod worker;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use logwell::LoggingConfig;
use logwell_options::env::Variables;

use command::{Command, Verb, Wish};
use destination::Destination;
use options::Settings;
use sources::Given;
use worker::Failure;

/// Something could not be done; the text on standard error says what.
const EXIT_FAILED: u8 = 1;
/// The command line, a variable or the configuration file is wrong; nothing was done.
const EXIT_USAGE: u8 = 2;
/// RabbitMQ could not be reached as often as it was to be tried.
const EXIT_NO_BROKER: u8 = 3;

fn main() -> ExitCode {
    let (command, given) = match command::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(told) => {
            // Help and version too; if nobody reads it, there is nothing to do about it.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    match run(command, &given) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, told)) => {
            eprintln!("logwell-relay: {}", told.trim_end());
            ExitCode::from(code)
        }
    }
}

type Outcome = Result<(), (u8, String)>;

fn run(command: Command, given: &Given) -> Outcome {
    let variables = Variables::new(std::env::vars_os());
    let read = sources::read(given, &variables);
    let (settings, remarks) = read.map_err(|mistakes| (EXIT_USAGE, mistakes.join("\n")))?;
    for remark in remarks {
        eprintln!("logwell-relay: {remark}");
    }
    needs(&command, &settings).map_err(|told| (EXIT_USAGE, told))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (EXIT_FAILED, error.to_string()))?;
    runtime.block_on(act(command, settings))
}

/// What the command cannot do without.
fn needs(command: &Command, settings: &Settings) -> Result<(), String> {
    if settings.domain.is_empty() && !matches!(command, Command::Check) {
        return Err("whose queues? set domain, LOG_DOMAIN or --domain".to_owned());
    }
    if settings.logbeacon.url.is_empty() && matches!(command, Command::LogBeacon) {
        return Err("where is LogBeacon? set logbeacon.url or LOGBEACON_URL".to_owned());
    }
    Ok(())
}

async fn act(command: Command, settings: Settings) -> Outcome {
    match command {
        Command::LogBeacon => work(settings, Destination::LogBeacon).await,
        Command::Telegram => work(settings, Destination::Telegram).await,
        Command::Dead(dead) => {
            let wish = dead.wish();
            confirm(&wish).map_err(|told| (EXIT_USAGE, told))?;
            for destination in &wish.destinations {
                let done = dead::run(&settings, *destination, &wish).await;
                print!("{}", done.map_err(|trouble| (EXIT_NO_BROKER, trouble.to_string()))?);
            }
            Ok(())
        }
        Command::Check => match check::run(&settings).await {
            Ok(text) => {
                print!("{text}");
                Ok(())
            }
            Err(text) => {
                print!("{text}");
                Err((EXIT_FAILED, "the check has failed".to_owned()))
            }
        },
    }
}

/// Asks at the terminal before anything is deleted; without one nobody can answer.
fn confirm(wish: &Wish) -> Result<(), String> {
    if wish.verb != Verb::Drop || wish.yes || wish.dry_run {
        return Ok(());
    }
    let names: Vec<_> = wish.destinations.iter().map(|destination| destination.name()).collect();
    let names = names.join(" and ");
    if !std::io::stdin().is_terminal() {
        return Err(format!("dead messages of {names} would be deleted for good; say --yes"));
    }
    eprint!("delete dead messages of {names} for good? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing was deleted".to_owned()),
    }
}

async fn work(settings: Settings, destination: Destination) -> Outcome {
    let config = logging(&settings).map_err(|error| (EXIT_USAGE, error.to_string()))?;
    logwell::init_logging_with(config).map_err(|error| (EXIT_FAILED, error.to_string()))?;
    let ended = worker::run(settings, destination).await;
    match &ended {
        Ok(()) => tracing::info!("ended as asked"),
        Err(Failure::Start(told)) => tracing::error!(told, "cannot start"),
        Err(Failure::Broker(told)) => tracing::error!(told, "the broker is out of reach"),
    }
    logwell::shutdown_logging();
    ended.map_err(|failure| match failure {
        Failure::Start(told) => (EXIT_FAILED, told),
        Failure::Broker(told) => (EXIT_NO_BROKER, format!("the broker is out of reach: {told}")),
    })
}

/// The worker's own log: the console alone, unless a file or variables of logwell say otherwise.
fn logging(settings: &Settings) -> Result<LoggingConfig, logwell::Error> {
    let config = match settings.logging.file.as_str() {
        "" => LoggingConfig::builder().log_level("info").files(false).build()?,
        path => logwell::load_config(path)?,
    };
    // Not those that services share with the workers, such as MQ_HOST: they are about the queues.
    let own =
        |name: &std::ffi::OsStr| name == "RUST_LOG" || name.as_encoded_bytes().starts_with(b"LOG_");
    let mut config = config.with_env(std::env::vars_os().filter(|(name, _)| own(name)))?;
    // Whatever they say: lapin's traces hold the password for the broker.
    let level = config.level.to_string();
    let others = level.split(',').filter(|part| !part.trim_start().starts_with("lapin"));
    let level = others.chain(["lapin=off"]).collect::<Vec<_>>().join(",");
    config.level = level.parse().unwrap_or(config.level);
    Ok(config)
}
