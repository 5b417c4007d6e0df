//! A process that is killed while it holds failures back for a digest: the next one tells them.

use super::{SOON, base_url, config, logging, records_of, strict_server, told, until};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "LOGWELL_TEST_TELEGRAM_DIR";
const URL: &str = "LOGWELL_TEST_TELEGRAM_URL";
const COUNT: u64 = 2_000;

/// Does something only as the process that the test below starts.
#[test]
fn the_process_that_is_killed() {
    let (Ok(dir), Ok(url)) = (std::env::var(DIR), std::env::var(URL)) else { return };
    logging(config(Path::new(&dir), &url), |handle| {
        let fail = |n: u64| tracing::error!("order {n} failed");
        fail(0);
        until("the first is told", || told(handle, "telegram_developer") == 1);
        (1..COUNT).for_each(fail);
        handle.flush(SOON).unwrap();
        std::fs::write(Path::new(&dir).join("held"), "").unwrap();
        std::thread::sleep(SOON * 5);
    });
}

#[test]
fn what_a_killed_process_held_back_is_told_by_the_next() {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed"])
        .envs([(DIR, dir.path().as_os_str()), (URL, base_url(&server).as_ref())])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("it holds them", || dir.path().join("held").exists());
    process.kill().unwrap();
    process.wait().unwrap();
    let sum = || -> u64 {
        telegram.lock().unwrap().taken.iter().map(|taken| records_of(&taken.text)).sum()
    };
    assert_eq!(sum(), 1, "the rest is held back");

    let mut config = config(dir.path(), &base_url(&server));
    config.forward.telegram.digest_every = Duration::from_secs(1);
    logging(config, |handle| {
        until("all are told", || told(handle, "telegram_developer") >= COUNT - 1);
    });
    let told = sum();
    assert!((COUNT..=COUNT + 1).contains(&told), "{told} of {COUNT}");
}
