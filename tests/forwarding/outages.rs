//! What happens when LogBeacon fails: nothing is lost, nothing is in the way, and it heals.

use super::server::{Reply, Server};
use super::{SOON, config, delivered, logging, numbers, quick_directory, until, until_delivered};
use std::fs::File;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Fails so often in that way, then works.
fn failing(times: usize, how: Reply) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        n if n < times => how.clone(),
        _ => Reply::Status(200),
    })
}

/// What was delivered, each record once however often it came.
fn unique(server: &Server) -> Vec<u64> {
    let mut seen = std::collections::HashSet::new();
    let mut messages = server.messages();
    messages.retain(|message| seen.insert(message["hash"].to_string()));
    numbers(&messages)
}

fn check_that_all_arrive(times: usize, how: Reply) {
    let name = format!("{how:?}");
    let is_endless = matches!(how, Reply::Silence | Reply::Drip);
    let (server, dir) = (failing(times, how), tempfile::tempdir().unwrap());
    let mut config = config(dir.path(), &server.url());
    if is_endless {
        // Once the server answers it does so in time, whatever else the machine has to do.
        config.forward.logbeacon.timeout = Duration::from_secs(10);
    }
    logging(config, |handle| {
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 10);
        let stats = handle.stats();
        let stats = stats.destination("logbeacon").unwrap();
        assert_eq!(stats.failed_attempts, times as u64, "{name}");
        assert_eq!((stats.refused, stats.evicted), (0, 0), "{name}");
        until("healthy", || handle.health().is_healthy());
    });
    assert_eq!(unique(&server), (0..10).collect::<Vec<_>>(), "{name}");
}

#[test]
fn after_500_and_503_and_408_all_arrive_in_order() {
    for status in [500, 503, 408] {
        check_that_all_arrive(2, Reply::Status(status));
    }
}

#[test]
fn after_broken_connections_all_arrive_in_order() {
    for how in [Reply::Reset, Reply::ResetInHead, Reply::Nonsense] {
        check_that_all_arrive(2, how);
    }
}

#[test]
fn after_a_server_that_is_silent_or_slow_all_arrive_in_order() {
    std::thread::scope(|scope| {
        // At the same time: each waits until its attempt is given up.
        for how in [Reply::Silence, Reply::Drip] {
            scope.spawn(move || check_that_all_arrive(1, how));
        }
    });
}

#[test]
fn what_breaks_off_after_a_good_status_is_delivered() {
    check_that_all_arrive(0, Reply::Status(200));
    for how in [Reply::ResetInBody, Reply::Gigabyte] {
        let (server, dir) = (failing(3, how), tempfile::tempdir().unwrap());
        logging(config(dir.path(), &server.url()), |handle| {
            (0..5).for_each(|n| tracing::info!(n, "order"));
            until_delivered(handle, 5);
            assert_eq!(handle.stats().destination("logbeacon").unwrap().failed_attempts, 0);
        });
        assert_eq!(numbers(&server.messages()), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn nothing_is_sent_within_the_time_that_the_server_asks_for() {
    let wait = Duration::from_secs(2);
    let dir = tempfile::tempdir().unwrap();
    let refused_at: Mutex<Option<Instant>> = Mutex::new(None);
    let server = Server::start(move |request| {
        let mut refused_at = refused_at.lock().unwrap();
        match *refused_at {
            Some(at) => {
                assert!(request.at.duration_since(at) >= wait);
                Reply::Status(200)
            }
            None => {
                *refused_at = Some(request.at);
                Reply::With(429, "Retry-After: 2", "slow down".to_owned())
            }
        }
    });
    logging(config(dir.path(), &server.url()), |handle| {
        (0..3).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 3);
    });
    let requests = server.requests();
    assert!(requests[1].at - requests[0].at >= wait);
    assert_eq!(numbers(&server.messages()), [0, 0, 1, 2]);
}

#[test]
fn a_refused_record_is_a_dead_letter_and_the_others_pass() {
    let dir = tempfile::tempdir().unwrap();
    let other = Server::start(|_| Reply::Status(200));
    let elsewhere = format!("http://{}/evil", other.address);
    let location: &'static str = format!("Location: {elsewhere}").leak();
    let server = Server::start(move |request| match request.json()["extra_info"]["n"].as_u64() {
        Some(1) => Reply::Status(400),
        Some(2) => Reply::Status(401),
        Some(3) => Reply::With(307, location, String::new()),
        Some(4) => Reply::With(302, location, String::new()),
        _ => Reply::Status(200),
    });
    let mut config = super::quick(dir.path(), &server.url());
    config.forward.blocked_alone = Duration::ZERO;
    logging(config, |handle| {
        (0..20).for_each(|n| tracing::info!(n, "order"));
        until_delivered(handle, 16);
        let refused = || handle.stats().destination("logbeacon").unwrap().refused;
        super::until_with_traffic("4 refused", || refused() == 4);
        super::until_with_traffic("healthy", || handle.health().is_healthy());
    });
    assert!(other.requests().is_empty());
    let dead = std::fs::read_to_string(dir.path().join("spool/logbeacon.dead")).unwrap();
    let mut dead: Vec<serde_json::Value> =
        dead.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    dead.sort_by_key(|line| line["message"]["extra_info"]["n"].as_u64());
    for (line, (n, code)) in dead.iter().zip([(1, "400"), (2, "401"), (3, "307"), (4, "302")]) {
        assert_eq!(line["message"]["extra_info"]["n"], n);
        let why = line["why"].as_str().unwrap();
        assert!(why.starts_with(&format!("HTTP status {code}")), "{why}");
    }
}

#[test]
fn while_the_server_is_away_files_are_whole_and_once_it_is_there_all_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let address = Server::nowhere();
    let url = format!("http://{address}/logs");
    logging(config(dir.path(), &url), |handle| {
        (0..3_000).for_each(|n| tracing::info!(n, "order"));
        until("trouble", || !handle.health().is_healthy());
        handle.flush(SOON).unwrap();
        let stats = handle.stats();
        assert_eq!(stats.dropped.total(), 0);
        assert_eq!(stats.sink("logbeacon").unwrap().dropped(), 0);
        let lines = std::fs::read_to_string(dir.path().join("app.log")).unwrap();
        assert_eq!(lines.lines().filter(|line| line.contains("\"n\":")).count(), 3_000);
        let waiting = stats.destination("logbeacon").unwrap();
        assert_eq!((waiting.waiting, waiting.delivered), (3_000, 0));
        assert!(waiting.problem.is_some());

        let server = Server::start_at(address, |_| Reply::Status(200));
        until_delivered(handle, 3_000);
        assert_eq!(numbers(&server.messages()), (0..3_000).collect::<Vec<_>>());
        until("healthy", || handle.health().is_healthy());
        drop(server);

        // Once more.
        (0..10).for_each(|n| tracing::info!(n, "order"));
        until("trouble", || !handle.health().is_healthy());
        let server = Server::start_at(address, |_| Reply::Status(200));
        until_delivered(handle, 3_010);
        assert_eq!(numbers(&server.messages()), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn shutdown_keeps_its_deadline_and_the_rest_is_delivered_after_the_next_start() {
    // Time enough for all that a shutdown has to do on a busy machine, and far less than an
    // attempt.
    const DEADLINE: Duration = Duration::from_secs(6);
    const ATTEMPT: Duration = Duration::from_secs(600);
    for how in [Reply::Silence, Reply::Drip, Reply::Status(503)] {
        let dir = quick_directory();
        let server = Server::start({
            let how = how.clone();
            move |request| match request.json()["extra_info"]["n"].as_u64() {
                Some(0..5) => Reply::Status(200),
                _ => how.clone(),
            }
        });
        let mut config = config(dir.path(), &server.url());
        config.forward.logbeacon.timeout = ATTEMPT;
        config.shutdown_timeout = DEADLINE;
        let report = logging(config.clone(), |handle| {
            (0..100).for_each(|n| tracing::info!(n, "order"));
            until_delivered(handle, 5);
            until("the sixth", || server.requests().len() > 5);
            let start = Instant::now();
            let report = handle.shutdown();
            assert!(start.elapsed() < ATTEMPT / 5, "{how:?}: {:?}", start.elapsed());
            report
        });
        assert!(report.is_complete, "{report}");
        assert_eq!(report.unsent_to("logbeacon"), 95, "{report}");
        assert!(report.to_string().contains("logbeacon 5 (95 not sent)"), "{report}");
        let first = server.messages();
        let address = server.address;
        drop(server);
        // The thread that was interrupted may take a moment longer.
        let lock = File::open(dir.path().join("spool/logbeacon/lock")).unwrap();
        until("the spool is let go", || lock.try_lock().is_ok());
        drop(lock);

        let server = Server::start_at(address, |_| Reply::Status(200));
        config.shutdown_timeout = SOON;
        logging(config, |handle| {
            assert_eq!(handle.stats().destination("logbeacon").unwrap().found, 95);
            until_delivered(handle, 95);
        });
        let second = server.messages();
        assert_eq!(numbers(&second), (5..100).collect::<Vec<_>>());
        // The one that was under way has the same hash as before.
        assert_eq!(first[5]["hash"], second[0]["hash"]);
    }
}

#[test]
fn shutdown_delivers_what_can_be_delivered_within_its_time() {
    let (server, dir) = (failing(0, Reply::Reset), quick_directory());
    let mut config = config(dir.path(), &server.url());
    config.forward.logbeacon.batch_records = 50;
    // Longer than the shutdown may take.
    config.forward.logbeacon.batch_wait = Duration::from_secs(60);
    config.shutdown_timeout = Duration::from_secs(45);
    let report = logging(config, |handle| {
        (0..120).for_each(|n| tracing::info!(n, "order"));
        handle.shutdown()
    });
    assert_eq!(report.unsent_to("logbeacon"), 0, "{report}");
    assert!(report.is_lossless(), "{report}");
    assert_eq!(numbers(&server.messages()), (0..120).collect::<Vec<_>>());
}

#[test]
fn when_there_is_no_room_the_oldest_go_and_errors_last_and_all_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let address = Server::nowhere();
    let mut config = config(dir.path(), &format!("http://{address}/logs"));
    config.forward.logbeacon.max_bytes = 64 * 1024;
    logging(config, |handle| {
        (0..50).for_each(|n| tracing::error!(n, "failure"));
        (50..2_000).for_each(|n| tracing::info!(n, "order"));
        handle.flush(SOON).unwrap();
        let server = Server::start_at(address, |_| Reply::Status(200));
        until("all settled", || {
            let stats = handle.stats();
            let to = stats.destination("logbeacon").unwrap();
            to.waiting == 0 && to.delivered + to.evicted == 2_000
        });
        let got = unique(&server);
        assert_eq!(got.len() as u64, delivered(handle));
        assert!(got.len() < 1_000, "{}", got.len());
        assert_eq!(got[..50], (0..50).collect::<Vec<_>>());
        assert_eq!(got.last(), Some(&1_999));
    });
}

#[test]
fn a_second_pipeline_with_the_same_directory_has_a_spool_of_its_own() {
    let (server, dir) = (failing(0, Reply::Reset), tempfile::tempdir().unwrap());
    logging(config(dir.path(), &server.url()), |first| {
        tracing::info!(n = 1, "first");
        logging(config(dir.path(), &server.url()), |second| {
            tracing::info!(n = 2, "second");
            until_delivered(second, 1);
        });
        until_delivered(first, 1);
    });
    let mut got = numbers(&server.messages());
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
}

#[test]
fn a_dropped_handle_changes_nothing() {
    let (server, dir) = (failing(1, Reply::Status(500)), tempfile::tempdir().unwrap());
    let config = config(dir.path(), &server.url());
    let (layer, handle) = logwell::QueueLayer::builder().config(config).build().unwrap();
    drop(handle);
    let subscriber =
        tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
    tracing::subscriber::with_default(subscriber, || tracing::info!(n = 1, "order"));
    until("both attempts", || server.requests().len() == 2);
    assert_eq!(numbers(&server.messages()), [1, 1]);
}

#[test]
fn a_spool_that_cannot_be_used_is_no_reason_not_to_log() {
    for spool in ["spool", "spool/logbeacon", "spool/logbeacon/lock"] {
        let dir = tempfile::tempdir().unwrap();
        let in_the_way = dir.path().join(spool);
        match spool.ends_with("lock") {
            true => std::fs::create_dir_all(&in_the_way).unwrap(),
            false => {
                std::fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
                std::fs::write(&in_the_way, "a file in the way").unwrap();
            }
        }
        logging(config(dir.path(), "http://127.0.0.1:9/logs"), |handle| {
            tracing::info!("order");
            handle.flush(SOON).unwrap();
            let health = handle.health().to_string();
            for part in ["nothing is forwarded to logbeacon", "spool", "forward.spool_dir"] {
                assert!(health.contains(part), "{spool}: {health}");
            }
        });
        let text = std::fs::read_to_string(dir.path().join("app.log")).unwrap();
        assert!(text.contains("order"), "{text}");
        let started = text.lines().find(|line| line.contains("logwell.started")).unwrap();
        assert!(started.contains("nothing is forwarded to logbeacon"), "{started}");
    }
}

#[test]
fn a_destination_alone_whose_spool_cannot_be_used_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("spool"), "a file in the way").unwrap();
    let mut config = config(dir.path(), "http://127.0.0.1:9/logs");
    config.files.enabled = false;
    let error = logwell::QueueLayer::builder().config(config).build().unwrap_err().to_string();
    assert!(error.contains("forward.spool_dir"), "{error}");
}
