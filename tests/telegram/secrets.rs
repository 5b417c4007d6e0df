//! The tokens of the bots are in the line of the request, and nowhere else.

use super::server::{Reply, Server};
use super::{CUSTOMER_TOKEN, DEVELOPER_TOKEN, base_url, config, logging, until};
use logwell::stats::DestinationStats;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What could give a token away: each part of it that is long enough to be one.
const PLANTED: [&str; 2] = ["DEV-planted_token", "CUS-planted_token"];

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    assert!(!PLANTED.iter().any(|token| text.contains(token)), "a token is in {what}: {text}");
}

fn assert_clean_files(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => assert_clean_files(&path),
            false => assert_clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&std::fs::read(&path).unwrap()),
            ),
        }
    }
}

#[test]
fn the_tokens_are_in_no_file_no_trouble_told_no_statistics_and_no_body() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    logwell::set_self_log(move |line| lines.lock().unwrap().push(line.to_owned()));
    // A server that repeats what it was asked, in every way it can.
    let mut count = 0;
    let server = Server::start(move |request| {
        count += 1;
        let path = request.line.split(' ').nth(1).unwrap().to_owned();
        let token = path.trim_start_matches("/bot").trim_end_matches("/sendMessage").to_owned();
        let said = format!("cannot POST {path} of {token}");
        let json = format!(r#"{{"ok":false,"description":"{said}"}}"#);
        match count % 5 {
            // At last a fault of the text, so that there are dead letters.
            _ if count > 12 => {
                let body = format!(r#"{{"ok":false,"description":"message text of {said}"}}"#);
                Reply::With(400, "X-Y: z", body)
            }
            0 => Reply::With(401, "X-Y: z", json),
            1 => Reply::With(500, "X-Y: z", said),
            2 => Reply::Reset,
            3 => Reply::With(404, "X-Y: z", format!("<pre>{said}</pre>")),
            _ => Reply::With(302, "Location: /elsewhere", json),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &base_url(&server));
    assert_clean("Debug of the configuration", &format!("{config:?}"));
    logging(config, |handle| {
        assert_clean("the effective configuration", &handle.effective_config());
        let stats = |group: &str| handle.stats().destination(group).unwrap().clone();
        for round in 0..3_u64 {
            logwell::error_ctg!(round, "{} is broken", ["disk", "net", "cpu"][round as usize]);
            for group in ["telegram_developer", "telegram_customer"] {
                let tries = |stats: DestinationStats| stats.failed_attempts + stats.refused;
                until("tries", || tries(stats(group)) > round);
            }
        }
        for group in ["telegram_developer", "telegram_customer"] {
            until("it is refused", || stats(group).refused > 0);
        }
        assert_clean("the statistics", &format!("{:?} {:?}", handle.stats(), handle.health()));
    });
    assert_clean_files(dir.path());
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("telegram_customer"), "{told}");
    assert_clean("the self-log", &told);
    for request in server.requests() {
        let of_line = [DEVELOPER_TOKEN, CUSTOMER_TOKEN].iter().any(|t| request.line.contains(*t));
        assert!(of_line, "{}", request.line);
        assert_clean("a header", &format!("{:?}", request.headers));
        assert_clean("a body", &String::from_utf8_lossy(&request.body));
    }
}
