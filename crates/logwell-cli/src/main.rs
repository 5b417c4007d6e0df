//! Main: arguments and streams; everything else is in the library.

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let code = logwell_cli::run(std::env::args_os(), &mut io::stdout(), &mut io::stderr());
    ExitCode::from(code)
}
