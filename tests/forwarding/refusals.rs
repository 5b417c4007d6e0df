//! What LogBeacon refuses: who is to blame, what waits for a person, and what is a dead letter.

use super::server::{Reply, Request, Server};
use super::{
    config, delivered, logging, numbers, quick, until, until_delivered, until_with_traffic,
};
use logwell::LoggingHandle;
use logwell::dead_letters::{DeadLetters, Selection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn refused(handle: &LoggingHandle) -> u64 {
    handle.stats().destination("logbeacon").unwrap().refused
}

fn failed_attempts(handle: &LoggingHandle) -> u64 {
    handle.stats().destination("logbeacon").unwrap().failed_attempts
}

/// The numbers of the records in a request.
fn numbers_of(request: &Request) -> Vec<u64> {
    match request.json() {
        serde_json::Value::Array(messages) => numbers(&messages),
        message => numbers(&[message]),
    }
}

/// A server that remembers how often it has taken which record, and answers as the test says.
struct Beacon {
    server: Server,
    taken: Arc<std::sync::Mutex<BTreeMap<u64, usize>>>,
}

impl Beacon {
    fn start(mut script: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let taken = Arc::new(std::sync::Mutex::new(BTreeMap::new()));
        let takes = Arc::clone(&taken);
        let server = Server::start(move |request| {
            let reply = script(request);
            if matches!(reply, Reply::Status(200..=299)) {
                for n in numbers_of(request) {
                    *takes.lock().unwrap().entry(n).or_insert(0) += 1;
                }
            }
            reply
        });
        Self { server, taken }
    }

    /// One that answers with that status until it is mended.
    fn mendable(status: u16) -> (Self, Arc<AtomicBool>) {
        let is_mended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_mended);
        let beacon = Self::start(move |_| match seen.load(Ordering::SeqCst) {
            true => Reply::Status(200),
            false => Reply::Status(status),
        });
        (beacon, is_mended)
    }

    #[track_caller]
    fn assert_each_once(&self, expected: impl IntoIterator<Item = u64>) {
        let taken = self.taken.lock().unwrap().clone();
        assert_eq!(taken, expected.into_iter().map(|n| (n, 1)).collect());
    }
}

/// The dead letters: the record's number and why.
fn dead(dir: &Path) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    let letters = DeadLetters::open(dir).unwrap();
    letters
        .list(&Selection::default(), &mut |letter| {
            let message: serde_json::Value = serde_json::from_str(&letter.message).unwrap();
            all.push((message["extra_info"]["n"].as_u64().unwrap(), letter.why.clone()));
        })
        .unwrap();
    all
}

/// What a person can mend, for a while, and then it is mended: nothing is lost, and it is told.
fn check_that_it_waits(status: u16, batch_records: usize) {
    let (beacon, is_mended) = Beacon::mendable(status);
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &beacon.server.url());
    config.forward.logbeacon.batch_records = batch_records;
    logging(config, |handle| {
        (0..150).for_each(|n| tracing::info!(n, "order"));
        until("tries", || failed_attempts(handle) >= 3);
        let health = handle.health().to_string();
        assert!(health.contains(&format!("HTTP status {status}")), "{health}");
        is_mended.store(true, Ordering::SeqCst);
        until_delivered(handle, 150);
        assert_eq!(refused(handle), 0, "{status}");
        until("healthy", || handle.health().is_healthy());
    });
    assert!(dead(dir.path()).is_empty(), "{status}");
    beacon.assert_each_once(0..150);
}

#[test]
fn what_a_person_can_mend_waits_until_it_is_mended_and_is_told_meanwhile() {
    let statuses =
        [301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 409, 410, 421, 423, 425, 426, 429, 451];
    std::thread::scope(|scope| {
        for (n, status) in statuses.into_iter().enumerate() {
            scope.spawn(move || check_that_it_waits(status, if n % 2 == 0 { 1 } else { 50 }));
        }
    });
}

#[test]
fn health_says_what_to_do() {
    for (status, advice) in
        [(401, "check the token"), (404, "check the URL"), (302, "leads elsewhere")]
    {
        let beacon = Beacon::start(move |_| Reply::Status(status));
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path(), &beacon.server.url());
        config.shutdown_timeout = Duration::ZERO;
        logging(config, |handle| {
            tracing::info!("order");
            until("trouble", || handle.health().to_string().contains(advice));
        });
    }
}

#[test]
fn what_waits_for_a_person_waits_over_a_restart_too() {
    let (beacon, is_mended) = Beacon::mendable(401);
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &beacon.server.url());
    for start in 0..3_u64 {
        logging(config.clone(), |handle| {
            (0..50).for_each(|n| tracing::info!(n = start * 50 + n, "order"));
            until("a try", || failed_attempts(handle) > 0);
            assert_eq!(refused(handle), 0);
        });
    }
    is_mended.store(true, Ordering::SeqCst);
    logging(config, |handle| until_delivered(handle, 150));
    beacon.assert_each_once(0..150);
}

#[test]
fn of_a_batch_only_the_records_that_are_to_blame_are_dead_letters() {
    for status in [400, 409, 413, 422] {
        // Two of them side by side, one at the end.
        let bad = [0, 70, 71, 149];
        let beacon = Beacon::start(move |request| {
            match numbers_of(request).iter().any(|n| bad.contains(n)) {
                true => Reply::Status(status),
                false => Reply::Status(200),
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let mut config = quick(dir.path(), &beacon.server.url());
        config.forward.logbeacon.batch_records = 150;
        logging(config, |handle| {
            (0..150).for_each(|n| tracing::info!(n, "order"));
            until("the good ones", || delivered(handle) == 146);
            until_with_traffic("the others", || refused(handle) == 4);
        });
        let dead = dead(dir.path());
        let mut numbers: Vec<_> = dead.iter().map(|(n, _)| *n).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, bad, "{status}");
        assert_eq!(dead[0].1, format!("HTTP status {status}"));
        beacon.assert_each_once((0..150).filter(|n| !bad.contains(n)));
    }
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_is_not() {
    let beacon = Beacon::start(|request| match numbers_of(request).len() {
        0..=10 => Reply::Status(200),
        _ => Reply::Status(413),
    });
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), &beacon.server.url());
    config.forward.logbeacon.batch_records = 150;
    logging(config, |handle| {
        (0..150).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 150);
        assert_eq!(refused(handle), 0);
    });
    beacon.assert_each_once(0..150);
}

#[test]
fn many_bad_records_in_a_row_hold_up_no_good_one_for_good() {
    let beacon = Beacon::start(|request| match numbers_of(request).as_slice() {
        [n] if *n < 6 => Reply::Status(400),
        _ => Reply::Status(200),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(quick(dir.path(), &beacon.server.url()), |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order"));
        until_with_traffic("the bad ones", || refused(handle) == 6);
        until("the good ones", || delivered(handle) >= 14);
    });
    beacon.assert_each_once(6..20);
}

#[test]
fn one_bad_record_is_a_dead_letter_after_others_have_passed_and_an_answer_that_repeats_it_is_none()
{
    for status in [400, 409] {
        // The answer repeats the record, and with it the hash.
        let beacon = Beacon::start(move |request| match numbers_of(request).contains(&1) {
            true => Reply::With(status, "X: y", request.json().to_string()),
            false => Reply::Status(200),
        });
        let dir = tempfile::tempdir().unwrap();
        logging(quick(dir.path(), &beacon.server.url()), |handle| {
            tracing::info!(n = 1, "order");
            until("it waits", || failed_attempts(handle) >= 2);
            assert_eq!(refused(handle), 0);
            let health = handle.health().to_string();
            assert!(health.contains("until another record shows"), "{health}");
            tracing::info!(n = 2, "order");
            until("another passes", || delivered(handle) >= 1);
            until_with_traffic("it is to blame", || refused(handle) == 1);
        });
        let requests = beacon.server.requests();
        let tried = requests.iter().filter(|request| numbers_of(request).contains(&1)).count();
        assert!(tried >= 4, "{tried}");
        assert_eq!(dead(dir.path())[0].0, 1);
        beacon.assert_each_once([2]);
    }
}

/// Servers behind a balancer of which one is sick: no record is to blame, and none is lost.
fn check_that_none_is_blamed(mut is_sick: impl FnMut() -> Option<u16> + Send + 'static) {
    let beacon = Beacon::start(move |_| Reply::Status(is_sick().unwrap_or(200)));
    let dir = tempfile::tempdir().unwrap();
    logging(quick(dir.path(), &beacon.server.url()), |handle| {
        (0..200).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 200);
        assert_eq!(refused(handle), 0);
    });
    assert!(dead(dir.path()).is_empty());
    beacon.assert_each_once(0..200);
}

#[test]
fn a_server_that_refuses_every_other_request_makes_no_dead_letter() {
    let mut n = 0;
    check_that_none_is_blamed(move || {
        n += 1;
        (n % 2 == 1).then_some(400)
    });
}

#[test]
fn a_server_that_refuses_at_random_makes_no_dead_letter() {
    for seed in 0..3 {
        let mut dice = fastrand::Rng::with_seed(seed);
        check_that_none_is_blamed(move || match dice.u8(..4) {
            0 => Some(400),
            1 => Some(409),
            _ => None,
        });
    }
}

#[test]
fn a_record_that_is_unprocessable_or_named_by_its_hash_is_a_dead_letter_at_once() {
    for names_it in [false, true] {
        let beacon = Beacon::start(move |request| {
            let hash = request.json()["hash"].as_str().unwrap_or_default().to_owned();
            match names_it {
                true => Reply::With(400, "X: y", format!("record {hash} has no level")),
                false => Reply::Status(422),
            }
        });
        let dir = tempfile::tempdir().unwrap();
        logging(quick(dir.path(), &beacon.server.url()), |handle| {
            tracing::info!(n = 1, "order");
            until("it is refused", || refused(handle) == 1);
        });
        assert_eq!(beacon.server.requests().len(), 1);
        assert_eq!(dead(dir.path())[0].0, 1);
    }
}

#[test]
fn what_is_in_doubt_at_the_end_is_tried_by_the_next_start_without_those_that_passed() {
    let beacon = Beacon::start(|request| match numbers_of(request).contains(&3) {
        true => Reply::Status(400),
        false => Reply::Status(200),
    });
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &beacon.server.url());
    logging(config.clone(), |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 9);
    });
    let tries = || {
        let requests = beacon.server.requests();
        requests.iter().filter(|request| numbers_of(request).contains(&3)).count()
    };
    let before = tries();
    logging(config, |handle| {
        until("it is tried", || tries() > before);
        assert_eq!((delivered(handle), refused(handle)), (0, 0));
    });
    beacon.assert_each_once((0..10).filter(|n| *n != 3));
}

#[test]
fn one_record_that_alone_is_forbidden_for_long_does_not_hold_up_the_others_for_ever() {
    let beacon = Beacon::start(|request| match numbers_of(request).contains(&3) {
        true => Reply::Status(403),
        false => Reply::Status(200),
    });
    let dir = tempfile::tempdir().unwrap();
    let mut config = quick(dir.path(), &beacon.server.url());
    config.forward.blocked_alone = Duration::from_millis(500);
    logging(config, |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until_with_traffic("it is to blame", || refused(handle) == 1);
        until("the others", || delivered(handle) >= 9);
    });
    assert_eq!(dead(dir.path())[0].0, 3);
    beacon.assert_each_once((0..10).filter(|n| *n != 3));
}

#[test]
fn one_record_that_always_gets_500_does_not_hold_up_the_others() {
    for (status, batch_records) in [(500, 1), (503, 10)] {
        let beacon = Beacon::start(move |request| match numbers_of(request).contains(&3) {
            true => Reply::Status(status),
            false => Reply::Status(200),
        });
        let dir = tempfile::tempdir().unwrap();
        let mut config = quick(dir.path(), &beacon.server.url());
        config.forward.logbeacon.batch_records = batch_records;
        logging(config, |handle| {
            (0..10).for_each(|n| tracing::info!(n, "order"));
            until("the others", || delivered(handle) == 9);
            until_with_traffic("it is to blame", || refused(handle) == 1);
        });
        assert_eq!(dead(dir.path()), [(3, format!("HTTP status {status}"))]);
        beacon.assert_each_once((0..10).filter(|n| *n != 3));
    }
}

#[test]
fn a_server_that_is_down_for_long_makes_no_dead_letter_and_its_report_blames_no_record() {
    let (beacon, is_mended) = Beacon::mendable(500);
    let dir = tempfile::tempdir().unwrap();
    logging(quick(dir.path(), &beacon.server.url()), |handle| {
        (0..50).for_each(|n| tracing::info!(n, "order"));
        until("many tries", || failed_attempts(handle) >= 7);
        let problem = handle.stats().destination("logbeacon").unwrap().problem.clone();
        assert_eq!(problem.as_deref(), Some("HTTP status 500"));
        is_mended.store(true, Ordering::SeqCst);
        until_delivered(handle, 50);
        assert_eq!(refused(handle), 0);
    });
    assert!(dead(dir.path()).is_empty());
    beacon.assert_each_once(0..50);
}

#[test]
fn a_pause_that_the_server_asks_of_the_second_record_is_kept_too() {
    let refused_at: Arc<std::sync::Mutex<Option<std::time::Instant>>> = Arc::default();
    let (pause, seen) = (Duration::from_secs(2), Arc::clone(&refused_at));
    let beacon = Beacon::start(move |request| {
        let mut refused_at = seen.lock().unwrap();
        match (numbers_of(request)[..] == [0], *refused_at) {
            (_, Some(at)) => {
                assert!(request.at.duration_since(at) >= pause);
                Reply::Status(200)
            }
            (true, None) => Reply::Status(500),
            (false, None) => {
                *refused_at = Some(request.at);
                Reply::With(503, "Retry-After: 2", String::new())
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), &beacon.server.url()), |handle| {
        (0..3).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 3);
    });
    assert!(refused_at.lock().unwrap().is_some());
    beacon.assert_each_once(0..3);
}

#[test]
fn a_sign_in_page_is_no_delivery_and_health_names_the_address() {
    const PAGE: &str = "\n <!DOCTYPE html><html><title>Sign in</title></html>";
    let is_mended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_mended);
    let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
    let takes = Arc::clone(&taken);
    let server = Server::start(move |request| match seen.load(Ordering::SeqCst) {
        true => {
            takes.lock().unwrap().extend(numbers_of(request));
            Reply::Status(200)
        }
        false => Reply::With(200, "Content-Type: text/html; charset=utf-8", PAGE.to_owned()),
    });
    let dir = tempfile::tempdir().unwrap();
    logging(quick(dir.path(), &server.url()), |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order"));
        until("tries", || failed_attempts(handle) >= 2);
        let health = handle.health().to_string();
        let address = format!("http://{}", server.address);
        assert!(health.contains("a web page") && health.contains(&address), "{health}");
        assert_eq!((delivered(handle), refused(handle)), (0, 0));
        is_mended.store(true, Ordering::SeqCst);
        until_delivered(handle, 20);
        until("healthy", || handle.health().is_healthy());
    });
    assert_eq!(*taken.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

#[test]
fn dead_letters_are_sent_again_while_the_program_runs_and_keep_their_hash() {
    let (beacon, is_mended) = Beacon::mendable(413);
    let dir = tempfile::tempdir().unwrap();
    let letters = || DeadLetters::open(dir.path()).unwrap();
    logging(config(dir.path(), &beacon.server.url()), |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order"));
        until("all refused", || refused(handle) == 20);
        // In vain: they are dead letters again.
        assert_eq!(letters().replay(&Selection::default()).unwrap(), 20);
        until("all refused again", || refused(handle) == 40 && dead(dir.path()).len() == 20);
        is_mended.store(true, Ordering::SeqCst);
        assert_eq!(letters().replay(&Selection::default()).unwrap(), 20);
        until_delivered(handle, 20);
    });
    assert!(dead(dir.path()).is_empty());
    assert_eq!(dir.path().join("spool/logbeacon.replay").read_dir().unwrap().count(), 0);
    beacon.assert_each_once(0..20);
    let hashes: std::collections::HashSet<_> =
        beacon.server.messages().iter().map(|message| message["hash"].to_string()).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn letters_that_were_to_be_sent_again_while_nobody_ran_go_out_with_the_next_start() {
    let (beacon, is_mended) = Beacon::mendable(413);
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &beacon.server.url());
    logging(config.clone(), |handle| {
        (0..5).for_each(|n| tracing::info!(n, "order"));
        until("all refused", || refused(handle) == 5);
    });
    is_mended.store(true, Ordering::SeqCst);
    let letters = DeadLetters::open(dir.path()).unwrap();
    assert_eq!(letters.replay(&Selection::default()).unwrap(), 5);
    logging(config, |handle| until_delivered(handle, 5));
    beacon.assert_each_once(0..5);
}
