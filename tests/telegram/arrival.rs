//! What arrives, and when: the first at once, a digest, a closing note, quiet hours, refusals.

use super::server::{Reply, Server};
use super::strict::Taken;
use super::{base_url, config, logging, records_of, strict_server, told, until};
use logwell::Level;
use logwell::config::Hours;
use logwell::forward::{Outcome, check};
use std::time::Duration;

#[test]
fn the_first_comes_at_once_its_repetitions_together_and_then_a_closing_note() {
    // Where the machine is too busy to log them all before the digest is due, that is due later.
    let texts = [1, 5, 25].map(|seconds| move || texts_with_a_digest_every(seconds));
    let texts = texts.into_iter().map(|texts| texts()).find(|texts| texts.len() == 3).unwrap();
    let (title, _) = texts[1].split_once('\n').unwrap();
    assert!(title.starts_with("🔴 ERROR ×173 in ") && title.ends_with(" s"), "{title}");
    assert!(texts[1].contains("order 174 failed"), "{}", texts[1]);
}

/// What is told of 174 failures that come as fast as they can.
fn texts_with_a_digest_every(seconds: u64) -> Vec<String> {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &base_url(&server));
    config.forward.telegram.digest_every = Duration::from_secs(seconds);
    logging(config, |handle| {
        let fail = |n: u64| tracing::error!("order {n} failed");
        fail(1);
        until("the first is told", || told(handle, "telegram_developer") == 1);
        (2..=174).for_each(fail);
        until("the rest is told", || told(handle, "telegram_developer") == 174);
        let is_note = |taken: &Taken| taken.text.starts_with("✅ quiet again\n");
        until("the closing note", || telegram.lock().unwrap().taken.last().is_some_and(is_note));
    });
    let telegram = telegram.lock().unwrap();
    let texts: Vec<_> = telegram.taken.iter().map(|taken| taken.text.clone()).collect();
    assert!(texts[0].starts_with("🔴 ERROR\nbilling · shop.example.com\norder 1 failed\n"));
    let note = texts.last().unwrap();
    assert!(note.contains("ERROR ×174 order 174 failed, in "), "{note}");
    assert_eq!(texts.iter().map(|text| records_of(text)).sum::<u64>(), 174);
    assert_eq!(telegram.refused, Vec::<&str>::new());
    texts
}

#[test]
fn what_is_held_back_at_the_end_is_told_at_the_end() {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &base_url(&server)), |handle| {
        let fail = || tracing::error!("disk full");
        fail();
        until("the first is told", || told(handle, "telegram_developer") == 1);
        fail();
        fail();
    });
    let telegram = telegram.lock().unwrap();
    let texts: Vec<_> = telegram.taken.iter().map(|taken| taken.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[1].starts_with("🔴 ERROR ×2 "), "{}", texts[1]);
}

#[test]
fn quiet_hours_take_the_sound_and_the_least_level_takes_the_message() {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &base_url(&server));
    config.forward.telegram.quiet_hours = Hours::parse("00:00-24:00");
    config.forward.telegram.min_level = Level::Error;
    logging(config, |handle| {
        logwell::info_ctg!("below the least level");
        tracing::error!("silent");
        until("it is told", || told(handle, "telegram_developer") == 1);
        logwell::critical!("loud");
        until("it is told", || told(handle, "telegram_developer") == 2);
    });
    let telegram = telegram.lock().unwrap();
    let sounds: Vec<_> = telegram.taken.iter().map(|taken| taken.is_silent).collect();
    assert_eq!(sounds, [true, false]);
}

#[test]
fn what_telegram_refuses_for_good_is_a_dead_letter_and_the_next_goes_on() {
    let answer =
        r#"{"ok":false,"error_code":400,"description":"Bad Request: message text is empty"}"#;
    let mut count = 0;
    let server = Server::start(move |_| {
        count += 1;
        let (status, body) = if count == 1 { (400, answer) } else { (200, r#"{"ok":true}"#) };
        Reply::With(status, "X-Y: z", body.to_owned())
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &base_url(&server)), |handle| {
        tracing::error!("refused");
        let stats = || handle.stats().destination("telegram_developer").unwrap().clone();
        until("it is refused", || stats().refused == 1);
        tracing::error!("taken");
        until("the next is taken", || stats().delivered == 1);
    });
    let dead = std::fs::read_to_string(dir.path().join("spool/telegram_developer.dead")).unwrap();
    assert!(dead.contains("message text is empty") && dead.contains("refused"), "{dead}");
}

#[test]
fn a_chat_or_token_that_a_person_can_mend_costs_no_message() {
    for (status, description, advice) in [
        (400, "Bad Request: chat not found", "check the chat_id"),
        (401, "Unauthorized", "check the token"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "check the chat_id"),
    ] {
        let mut count = 0;
        let server = Server::start(move |_| {
            count += 1;
            match count {
                1..=2 => {
                    let body = format!(r#"{{"ok":false,"description":"{description}"}}"#);
                    Reply::With(status, "X-Y: z", body)
                }
                _ => Reply::With(200, "X-Y: z", r#"{"ok":true}"#.to_owned()),
            }
        });
        let dir = tempfile::tempdir().unwrap();
        logging(config(dir.path(), &base_url(&server)), |handle| {
            tracing::error!("disk full");
            until("it is told", || handle.health().to_string().contains(advice));
            until("it arrives", || told(handle, "telegram_developer") == 1);
            assert_eq!(handle.stats().destination("telegram_developer").unwrap().refused, 0);
        });
    }
}

#[test]
fn a_group_that_has_become_a_supergroup_is_followed() {
    let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-100777}}"#;
    let server = Server::start(move |request| match request.json()["chat_id"].as_i64() {
        Some(-100_777) => Reply::With(200, "X-Y: z", r#"{"ok":true}"#.to_owned()),
        _ => Reply::With(400, "X-Y: z", moved.to_owned()),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &base_url(&server)), |handle| {
        tracing::error!("disk full");
        until("it is told", || told(handle, "telegram_developer") == 1);
    });
}

#[test]
fn a_check_sends_one_message_to_each_group() {
    let (server, telegram) = strict_server();
    let dir = tempfile::tempdir().unwrap();
    let checked = check(&config(dir.path(), &base_url(&server))).unwrap();
    let names: Vec<_> = checked.iter().map(|checked| checked.destination.as_str()).collect();
    assert_eq!(names, ["telegram_developer", "telegram_customer"]);
    assert!(checked.iter().all(|checked| checked.outcome == Outcome::Delivered), "{checked:?}");
    assert_eq!(telegram.lock().unwrap().taken.len(), 2);
}
