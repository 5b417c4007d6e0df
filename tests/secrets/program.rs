//! Program: this binary, started again as a program whose environment holds secrets.

use logwell::forward::{HttpOptions, LogBeaconClient};
use logwell::{Error, LoggingConfig, LoggingConfigBuilder};
use std::fmt::{Debug, Display};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// What the program is to do; not set in an ordinary run of the tests.
const WHAT: &str = "LOGWELL_TEST_SECRETS";
/// Longer than anything takes that does not hang.
const SOON: Duration = Duration::from_secs(120);

/// Runs it in that directory, with nothing in its environment but these variables.
pub(crate) fn run(what: &str, directory: &Path, variables: &[(String, String)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program::the_program", "--nocapture"]).current_dir(directory);
    // No mask of what the program logs may hide what should not have been there at all.
    command.env_clear().env(WHAT, what).env("LOG_REDACT_ENABLED", "false");
    command.envs(variables.iter().cloned());
    command.output().unwrap()
}

/// Does nothing unless it is run by another test.
#[test]
fn the_program() {
    match std::env::var(WHAT).as_deref() {
        Ok("configure") => show_result(&LoggingConfigBuilder::from_env().build()),
        Ok("log") => log(),
        Ok("own") => crate::own::log(),
        _ => {}
    }
}

fn show(all: &(impl Debug + Display)) {
    println!("{all} {all:?} {all:#?}");
}

/// All that can be shown of a configuration, or of what is wrong with it.
pub(crate) fn text_of(result: &Result<LoggingConfig, Error>) -> String {
    match result {
        Ok(config) => {
            let builder = LoggingConfigBuilder::from_config(config.clone());
            let layer = logwell::QueueLayer::builder().config(config.clone());
            let http = HttpOptions::from_config(&config.forward.http);
            let client = LogBeaconClient::new(&config.forward);
            let yaml = config.to_yaml();
            format!("{config:?} {config:#?} {yaml} {builder:?} {layer:?} {http:?} {client:?}")
        }
        Err(error) => format!("{error} {error:?} {:#?}", error.mistakes()),
    }
}

fn show_result(result: &Result<LoggingConfig, Error>) {
    println!("{}", text_of(result));
}

/// Logs to everywhere, shows all that there is to be seen, and says what became of it.
fn log() {
    let config = LoggingConfig::discover();
    show_result(&config);
    let config = config.unwrap();
    let handle = logwell::init_logging_with(config.clone()).unwrap();
    for n in 0..4 {
        tracing::error!(n, ?config, "failed");
        logwell::error_ctg!(n, ?handle, "failed too");
    }
    let failed = || {
        let stats = handle.stats();
        stats.destinations.iter().all(|to| to.refused > 0 && to.failed_attempts > 0)
    };
    let until = Instant::now() + SOON;
    while !failed() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let problems: Vec<_> = handle.stats().destinations.into_iter().map(|to| to.problem).collect();
    assert!(failed(), "{problems:?}");
    println!("{handle:?} {} {}", handle.effective_config(), handle.level());
    show(&handle.stats());
    show(&handle.health());
    for checked in logwell::forward::check(&config).unwrap() {
        show(&checked);
        tracing::warn!(?checked, "checked");
    }
    tracing::warn!(stats = ?handle.stats(), health = %handle.health(), "what is seen");
    copy_black_box();
    show(&logwell::shutdown_logging());
    println!("the program is done");
}

/// It goes with the shutdown. What nobody has written to is left out.
pub(crate) fn copy_black_box() {
    for path in logwell::black_box::list("logs".as_ref()).unwrap() {
        let bytes = std::fs::read(path).unwrap();
        let written: Vec<_> =
            bytes.split(|byte| *byte == 0).filter(|run| !run.is_empty()).collect();
        std::fs::write("black-box", written.join(&0)).unwrap();
    }
}
