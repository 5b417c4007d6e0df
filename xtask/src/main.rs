//! xtask: the project's own commands, `cargo x <command>`.

#![expect(clippy::print_stdout, reason = "commands talk to the person who gave them")]

use std::error::Error;

mod bench;
mod finding;
mod imports;
mod map;
mod program;
mod reference;
mod source;
mod stages;
mod steps;
mod tidy;

const HELP: &str = "\
cargo x check      format, tidy, clippy and rustdoc, warnings denied: minutes, needs only Rust
cargo x test       check, and all tests; those whose service is missing say so and pass
cargo x test --all everything, as on the build server: services, models, instructions, examples
cargo x tidy       the rules of the house that can be counted; `--list` prints the excused places
                   too, `--shrink` takes what is mended out of xtask/tidy-exceptions.txt
cargo x map        each file with the first sentence of its header; `cargo x map WORD` some of them
cargo x models     the protocols between threads in every order; `cargo x models WORD` some of them
cargo x bench      the benchmarks; `cargo x bench NAME` runs one
                   `peers`: logwell beside other loggers; `peers --help` says more
                   `instructions`: counted and compared; `--record` records them
cargo x reference  writes the generated files of config/";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    match command.as_deref() {
        Some("check") => steps::check(),
        Some("test") => steps::test(&rest),
        Some("models") => steps::models(&rest),
        Some("map") => map::run(&rest),
        Some("tidy") => tidy::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("reference") => reference::run(),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("there is no command {other}\n{HELP}").into()),
    }
}
