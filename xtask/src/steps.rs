//! Steps: what each of the tiers `check`, `test` and `test --all` runs, from the quickest on.
//!
//! Knows the programs and their arguments. Does not know how one is run or timed.

use crate::program::{Outcome, cargo, root, run};
use crate::stages::Stages;
use crate::{bench, tidy};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// Examples that end by themselves, with their arguments.
const EXAMPLES: [(&str, &[&str]); 16] = [
    ("quickstart", &[]),
    ("from_yaml", &[]),
    ("compose_layers", &[]),
    ("custom_sink", &[]),
    ("log_crate", &[]),
    ("async_context", &[]),
    ("ai_responses", &[]),
    ("testing", &[]),
    ("forwarding", &[]),
    ("own_destination", &[]),
    ("black_box", &[]),
    ("secrets", &[]),
    ("metrics", &[]),
    ("service", &["--demo", "--requests", "500"]),
    // Of logwell-metrics and logwell-tower.
    ("facade", &[]),
    ("shop", &[]),
];

/// The sets of features that matter. These packages need some, and would switch them on for all.
const BARE: [&str; 9] = [
    "--no-default-features",
    "--exclude",
    "logwell-metrics",
    "--exclude",
    "logwell-relay",
    "--exclude",
    "logbeacon",
    "--exclude",
    "logbeacon-store",
];
const FULL: [&str; 1] = ["--all-features"];

/// The models are a package of their own.
const MODELS: [&str; 4] = ["--manifest-path", "models/Cargo.toml", "--target-dir", "target/models"];

/// What some tests need beside Rust, and what they show with it.
const PROGRAMS: [(&str, &str); 10] = [
    ("jq", "our files read by others"),
    ("lnav", "our files read by others"),
    ("strace", "kills at any system call"),
    ("openssl", "TLS"),
    ("promtool", "the monitor's rules beside Prometheus'"),
    ("prometheus-alertmanager", "the monitor's messages beside Alertmanager's"),
    ("npm", "telegram-test-api, a second opinion on the Bot API; what drives the browser"),
    ("chromium", "LogBeacon's page, as a browser shows it"),
    ("rabbitmq-server", "RabbitMQ"),
    ("prometheus", "metrics as Prometheus takes them"),
];

/// The first tier: what a change must pass before it is looked at. Needs Rust and nothing else.
pub(crate) fn check() -> Outcome {
    let mut stages = Stages::default();
    checks(&mut stages)?;
    stages.leave_out("all tests: `cargo x test`");
    stages.finish()
}

fn checks(stages: &mut Stages) -> Outcome {
    stages.run("format", || {
        cargo(&["fmt", "--all", "--check"])?;
        cargo(&["fmt", "--manifest-path", "models/Cargo.toml", "--check"])
    })?;
    stages.run("tidy", || tidy::run(&[]))?;
    // Without and with all features: what is optional must be missing without a trace.
    for (name, features) in [("clippy, no features", &BARE[..]), ("clippy, all features", &FULL)] {
        stages.run(name, || {
            let clippy = ["clippy", "--workspace", "--all-targets"];
            cargo(&[&clippy[..], features, &["--", "--deny", "warnings"]].concat())
        })?;
    }
    stages.run("clippy, models", || {
        cargo(&[&["clippy"], &MODELS[..], &["--", "--deny", "warnings"]].concat())
    })?;
    stages.run("rustdoc", || {
        let docs =
            ["doc", "--workspace", "--no-deps", "--document-private-items", "--all-features"];
        run(Command::new("cargo").args(docs).env("RUSTDOCFLAGS", "--deny warnings"))
    })
}

/// The second tier, the tests: a test whose service is missing says so and passes. With `--all` the
/// third: everything, and a service that is missing is a failure.
pub(crate) fn test(options: &[String]) -> Outcome {
    let is_all = match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--all"] => true,
        _ => return Err("cargo x test takes --all".into()),
    };
    let mut stages = Stages::default();
    checks(&mut stages)?;
    stages.run("tests, all features", || tests(&FULL, is_all))?;
    stages.run("examples in documents", || {
        cargo(&["test", "--workspace", "--doc", "--all-features"])
    })?;
    if is_all {
        everything_else(&mut stages)?;
    } else {
        missing_services().into_iter().for_each(|service| stages.leave_out(service));
        let rest = ["tests without features", "models", "instruction counts", "examples run"];
        rest.iter().for_each(|stage| stages.leave_out(format!("{stage}: `cargo x test --all`")));
    }
    stages.finish()
}

/// Benchmarks are compiled by clippy and run by `cargo x bench`: a timing is no test.
fn tests(features: &[&str], must_have_services: bool) -> Outcome {
    // A run names every failure, not only the first.
    let test =
        ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"];
    let mut command = Command::new("cargo");
    command.args(test).args(features);
    if must_have_services {
        command.env("CI", "true");
    }
    run(&mut command)
}

fn everything_else(stages: &mut Stages) -> Outcome {
    stages.run("tests, no features", || tests(&BARE, true))?;
    stages.run("models", || models(&[]))?;
    // A count of instructions is a test, for it is the same each time.
    stages.run("instruction counts", || bench::instructions(&[]))?;
    stages.run("examples run", examples)?;
    if is_installed("cargo-deny") {
        return stages.run("dependencies", || cargo(&["deny", "check"]));
    }
    stages.leave_out("licences and advisories of dependencies: cargo-deny is not installed");
    Ok(())
}

/// Runs the examples in a place of their own: they write log files under the directory they run in.
fn examples() -> Outcome {
    let packages = ["logwell", "logwell-metrics", "logwell-tower"];
    let packages = packages.map(|package| ["--package", package]).concat();
    cargo(&[&["build", "--examples", "--all-features"], packages.as_slice()].concat())?;
    let elsewhere = root()?.join("target").join("examples-run");
    std::fs::create_dir_all(&elsewhere)?;
    for (name, arguments) in EXAMPLES {
        let program = root()?.join("target/debug/examples").join(name);
        let mut example = Command::new(program);
        // `service` counts what it finds in its files when all is written, on a slow disk too.
        example.env("LOG_SHUTDOWN_TIMEOUT", "300s");
        run(example.args(arguments).current_dir(&elsewhere))?;
    }
    Ok(())
}

/// What is not on this machine, so that the tests that need it have shown nothing.
fn missing_services() -> Vec<String> {
    let missing = PROGRAMS.iter().filter(|(name, _)| !is_installed(name));
    let mut all: Vec<_> =
        missing.map(|(name, shows)| format!("{shows}: {name} is not installed")).collect();
    if TcpStream::connect("127.0.0.1:5672").is_err() {
        all.push("the relay's broker: nothing answers at 127.0.0.1:5672".to_owned());
    }
    all
}

fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_file = |path: &Path| path.is_file() || path.with_extension("exe").is_file();
    std::env::split_paths(&path).any(|folder| is_file(&folder.join(name)))
}

/// Tries the protocols between threads in every order; with a word, those that have it in their
/// name.
pub(crate) fn models(words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cargo(&[&["run", "--release"], &MODELS[..], &["--"], &words[..]].concat())
}
