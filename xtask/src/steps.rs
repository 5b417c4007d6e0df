//! Steps: the programs that each command runs, one after another; the first failure ends it.

use crate::bench;
use std::error::Error;
use std::path::Path;
use std::process::Command;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Examples that end by themselves, with their arguments.
const EXAMPLES: [(&str, &[&str]); 12] = [
    ("quickstart", &[]),
    ("from_yaml", &[]),
    ("compose_layers", &[]),
    ("custom_sink", &[]),
    ("log_crate", &[]),
    ("async_context", &[]),
    ("ai_responses", &[]),
    ("testing", &[]),
    ("forwarding", &[]),
    ("black_box", &[]),
    ("secrets", &[]),
    ("service", &["--demo", "--requests", "500"]),
];

/// The sets of features that matter. logwell-relay needs some, and would switch them on for all.
const FEATURES: [&[&str]; 2] =
    [&["--no-default-features", "--exclude", "logwell-relay"], &["--all-features"]];

/// The models are a package of their own.
const MODELS: [&str; 4] = ["--manifest-path", "models/Cargo.toml", "--target-dir", "target/models"];

/// What a change must pass before it is looked at.
pub(crate) fn check() -> Outcome {
    cargo(&["fmt", "--all", "--check"])?;
    // Without and with all features: what is optional must be missing without a trace.
    for features in FEATURES {
        let clippy = ["clippy", "--workspace", "--all-targets"];
        cargo(&[&clippy[..], features, &["--", "--deny", "warnings"]].concat())?;
    }
    cargo(&["fmt", "--manifest-path", "models/Cargo.toml", "--check"])?;
    cargo(&[&["clippy"], &MODELS[..], &["--", "--deny", "warnings"]].concat())?;
    let docs = ["doc", "--workspace", "--no-deps", "--document-private-items", "--all-features"];
    run(Command::new("cargo").args(docs).env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Everything that must pass.
pub(crate) fn test() -> Outcome {
    check()?;
    // Benchmarks are compiled by clippy and run by `cargo x bench`: a timing is no test.
    for features in FEATURES {
        let test = ["test", "--workspace", "--lib", "--bins", "--tests", "--examples"];
        cargo(&[&test[..], features].concat())?;
    }
    models(&[])?;
    cargo(&["test", "--workspace", "--doc", "--all-features"])?;
    cargo(&["build", "--package", "logwell", "--examples", "--all-features"])?;
    // A count of instructions is one, for it is the same each time.
    bench::instructions(&[])?;
    // In a place of their own: they write log files under the directory they run in.
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

/// Tries the protocols between threads in every order; with a word, those that have it in their name.
pub(crate) fn models(words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cargo(&[&["run", "--release"], &MODELS[..], &["--"], &words[..]].concat())
}

/// Runs cargo at the root.
pub(crate) fn cargo(arguments: &[&str]) -> Outcome {
    run(Command::new("cargo").args(arguments))
}

fn run(command: &mut Command) -> Outcome {
    if command.get_current_dir().is_none() {
        command.current_dir(root()?);
    }
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} failed: {status}").into()),
        Err(error) => Err(format!("{shown} could not be started: {error}").into()),
    }
}

pub(crate) fn root() -> Result<&'static Path, Box<dyn Error>> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| "xtask is at the root".into())
}
