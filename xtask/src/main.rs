//! xtask: the project's own commands, `cargo x <command>`.

#![expect(clippy::print_stdout, reason = "commands talk to the person who gave them")]

use std::error::Error;

mod bench;
mod reference;
mod steps;

const HELP: &str = "\
cargo x check      format, clippy and rustdoc, warnings denied
cargo x test       everything that must pass: check, all tests, all models, all examples run
cargo x models     the protocols between threads in every order; `cargo x models WORD` some of them
cargo x bench      the benchmarks; `cargo x bench NAME` runs one
                   `peers`: logwell beside other loggers; `peers --help` says more
                   `instructions`: counted and compared; `--record` records them
cargo x reference  writes the generated files of config/";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("check") => steps::check(),
        Some("test") => steps::test(),
        Some("models") => steps::models(&arguments.collect::<Vec<_>>()),
        Some("bench") => bench::run(&arguments.collect::<Vec<_>>()),
        Some("reference") => reference::run(),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("there is no command {other}\n{HELP}").into()),
    }
}
