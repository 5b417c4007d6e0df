//! Strace: whether programs can be traced here.

#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

use std::process::{Command, Stdio};

/// False, with a loud line, where strace is missing or may not trace; with `CI` set that fails.
pub(crate) fn strace_works() -> bool {
    let probe = Command::new("strace").arg("true").stderr(Stdio::null()).status();
    let works = probe.is_ok_and(|status| status.success());
    assert!(works || std::env::var_os("CI").is_none(), "strace cannot trace, and this is CI");
    if !works {
        eprintln!("SKIPPED: strace is not installed or may not trace; nothing was checked");
    }
    works
}
