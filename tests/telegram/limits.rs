//! The limits hold in real time too, and `retry_after` is obeyed.

use super::{DEVELOPERS, base_url, config, logging, records_of, strict_server, told, until};
use std::time::{Duration, Instant};

#[test]
fn a_storm_in_which_no_two_errors_are_alike_passes_no_limit() {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &base_url(&server));
    config.forward.telegram.digest_every = Duration::from_secs(1);
    let start = Instant::now();
    logging(config, |handle| {
        let words =
            ["red", "green", "blue", "grey", "pink", "cyan", "gold", "lime", "teal", "navy"];
        let word = |n: usize| words[n % 10];
        for n in 0..10_000 {
            tracing::error!("{} {} {} {}", word(n / 1_000), word(n / 100), word(n / 10), word(n));
        }
        // There is room for few of so many kinds: most are told as others.
        until("most are told", || told(handle, "telegram_developer") >= 9_000);
    });
    let telegram = telegram.lock().unwrap();
    assert_eq!(telegram.refused, Vec::<&str>::new());
    // Twenty in each minute.
    let minutes = 1 + start.elapsed().as_secs() as usize / 60;
    assert!(telegram.taken.len() <= 20 * minutes, "{} messages", telegram.taken.len());
    let told: u64 = telegram.taken.iter().map(|taken| records_of(&taken.text)).sum();
    assert!((9_000..=10_000).contains(&told), "{told}");
}

#[test]
fn nothing_is_sent_while_telegram_wants_to_be_left_alone_and_nothing_is_lost() {
    // Where the machine is too busy for all that is to be seen meanwhile, for longer.
    assert!([2, 10, 50].into_iter().map(Duration::from_secs).any(leaves_alone_for));
}

/// Whether there was time for all that is to be seen meanwhile.
fn leaves_alone_for(time: Duration) -> bool {
    let (server, telegram) = strict_server();
    let closed_until = Instant::now() + time;
    telegram.lock().unwrap().close(DEVELOPERS, closed_until);
    let dir = tempfile::tempdir().unwrap();
    let is_in_time = logging(config(dir.path(), &base_url(&server)), |handle| {
        tracing::error!("disk full");
        let is_refused = || !telegram.lock().unwrap().refused.is_empty();
        until("it was refused", || is_refused() || Instant::now() >= closed_until);
        tracing::error!("cannot connect");
        logwell::info_ctg!("another chat is not held up");
        until("the customers are told", || told(handle, "telegram_customer") == 1);
        let is_in_time = is_refused() && Instant::now() < closed_until;
        until("all are told", || told(handle, "telegram_developer") == 2);
        is_in_time
    });
    if !is_in_time {
        return false;
    }
    let telegram = telegram.lock().unwrap();
    assert_eq!(telegram.refused, ["came back before retry_after"], "once, to find out");
    let developers = telegram.taken.iter().filter(|taken| taken.chat_id == DEVELOPERS);
    assert!(developers.clone().all(|taken| taken.at >= closed_until));
    assert_eq!(developers.map(|taken| records_of(&taken.text)).sum::<u64>(), 2);
    true
}
