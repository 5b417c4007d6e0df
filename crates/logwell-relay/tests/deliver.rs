//! A worker against a real RabbitMQ and an HTTP server: delivery, retries, the dead queue,
//! stopping.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use support::stub::{Answer, Received, Stub};
use support::{Queues, Running, hashes, output, record, until};

fn log_beacon(queues: &Queues, stub: &Stub) -> std::process::Command {
    let mut command = queues.program(&["logbeacon"]);
    command.env("LOGBEACON_URL", format!("{}/in?key=hush-url", stub.url));
    command.env("LOGBEACON_TOKEN", "hush-bearer");
    command
}

#[test]
fn a_message_is_delivered_as_it_stands_and_acknowledged() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::willing();
    let queue = queues.logbeacon();
    queues.send(&queue, [record("a")]);
    let worker = Running::start(log_beacon(&queues, &stub));
    let received = stub.wait_for(1);
    assert_eq!(received[0].body, record("a").1);
    assert_eq!(received[0].path, "/in?key=hush-url");
    assert!(received[0].head.to_lowercase().contains("authorization: bearer hush-bearer"));
    queues.wait_for(&queue, 0);
    worker.signal("TERM");
    let (status, log) = worker.end();
    assert!(status.success(), "{log}");
    assert!(log.contains("\"waiting\":1"), "the waiting count at start: {log}");
    assert!(!log.contains("hush"), "{log}");
    // Acknowledged: nothing comes back once the worker is gone.
    assert_eq!(queues.waiting(&queue), Some(0));
}

#[test]
fn what_fails_is_tried_again_after_the_pause_and_no_sooner_than_asked() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|n, _| match n {
        0 => Answer::status(503),
        1 => Answer::status(429).header("retry-after: 1"),
        _ => Answer::status(201),
    });
    queues.send(&queues.logbeacon(), [record("a")]);
    let _worker = Running::start(log_beacon(&queues, &stub));
    let received = stub.wait_for(3);
    assert!(received[1].at - received[0].at >= Duration::from_millis(200));
    assert!(received[2].at - received[1].at >= Duration::from_secs(1));
    queues.wait_for(&queues.logbeacon(), 0);
    assert_eq!(queues.waiting(&format!("{}.dead", queues.logbeacon())), Some(0));
}

#[test]
fn what_is_given_up_is_listed_with_its_reason_replayed_and_delivered() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|n, _| match n {
        0..3 => Answer::status(500).body("disk full\u{1b}[2J"),
        _ => Answer::status(413).body("no such domain"),
    });
    let dead = format!("{}.dead", queues.logbeacon());
    queues.send(&queues.logbeacon(), [record("a"), record("b")]);
    let worker = Running::start(log_beacon(&queues, &stub));
    queues.wait_for(&dead, 2);
    assert_eq!(stub.received().len(), 4, "three tries for one, one for what was refused");

    let (_, text) = output(queues.program(&["dead", "list"]));
    assert!(text.contains(&format!("{dead}: 2 messages")), "{text}");
    assert!(text.contains("after 3 tries: HTTP status 500: disk full"), "{text}");
    assert!(text.contains("after 1 tries: HTTP status 413: no such domain"), "{text}");
    assert!(text.contains("api Error f order a failed"), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert_eq!(queues.waiting(&dead), Some(2), "looking takes nothing");

    stub.now(|_, _| Answer::status(200));
    let replay = ["dead", "replay", "logbeacon", "--id", "b"];
    let (ended, text) = output(queues.program(&replay));
    assert!(ended.status.success() && text.contains("1 message put back"), "{text}");
    let received = stub.wait_for(5);
    assert_eq!(received[4].body, record("b").1);
    queues.wait_for(&dead, 1);
    let (_, text) = output(queues.program(&["dead", "replay", "logbeacon", "--all"]));
    assert!(text.contains("1 message put back"), "{text}");
    assert_eq!(stub.wait_for(6)[5].body, record("a").1);
    worker.signal("TERM");
    assert!(worker.end().0.success());
    assert_eq!((queues.waiting(&dead), queues.waiting(&queues.logbeacon())), (Some(0), Some(0)));
}

#[test]
fn a_replayed_message_lies_in_its_queue_without_the_reason() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, _| Answer::status(413));
    let queue = queues.logbeacon();
    queues.send(&queue, [record("a")]);
    let worker = Running::start(log_beacon(&queues, &stub));
    queues.wait_for(&format!("{queue}.dead"), 1);
    worker.signal("TERM");
    worker.end();
    output(queues.program(&["dead", "replay", "logbeacon", "--all"]));
    let found = queues.take_all(&queue);
    assert_eq!((found.len(), found[0].body.as_str()), (1, record("a").1.as_str()));
    assert_eq!((found[0].id.as_str(), &found[0].reason), ("a", &None));
    assert!(found[0].is_persistent);
}

#[test]
fn dead_messages_are_deleted_only_as_asked() {
    let Some(queues) = Queues::new() else { return };
    let dead = format!("{}.dead", queues.logbeacon());
    queues.send(&dead, [record("a"), record("b"), record("c")]);
    let (ended, text) = output(queues.program(&["dead", "drop", "logbeacon"]));
    assert_eq!(ended.status.code(), Some(2), "{text}");
    let (ended, text) = output(queues.program(&["dead", "drop", "logbeacon", "--id", "b"]));
    assert_eq!(ended.status.code(), Some(2), "{text}");
    assert_eq!(queues.waiting(&dead), Some(3), "nobody has confirmed it");
    output(queues.program(&["dead", "drop", "logbeacon", "--id", "b", "--yes"]));
    let (_, text) = output(queues.program(&["dead", "list", "logbeacon"]));
    assert!(text.contains("order a") && !text.contains("order b") && text.contains("order c"));
    let dry = ["dead", "drop", "--destination", "logbeacon", "--all", "--dry-run"];
    let (_, text) = output(queues.program(&dry));
    assert!(text.contains("2 messages would be deleted; nothing was changed"), "{text}");
    output(queues.program(&["dead", "drop", "logbeacon", "--all", "--yes"]));
    assert_eq!(queues.waiting(&dead), Some(0));
}

#[test]
fn what_a_person_can_mend_waits_until_it_is_mended() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, _| Answer::status(401).body("token expired"));
    let queue = queues.logbeacon();
    queues.send(&queue, (0..30).map(|n| record(&n.to_string())));
    let mut command = log_beacon(&queues, &stub);
    command.args(["--logbeacon-pause", "20ms"]);
    let worker = Running::start(command);
    stub.wait_for(8);
    stub.now(|_, _| Answer::status(200));
    queues.wait_for(&queue, 0);
    worker.signal("TERM");
    let (status, text) = worker.end();
    assert!(status.success(), "{text}");
    assert!(text.contains("check the token"), "{text}");
    assert_eq!(queues.waiting(&format!("{queue}.dead")), Some(0));
    let delivered: BTreeSet<_> = hashes(&stub.received()).into_iter().collect();
    assert_eq!(delivered.len(), 30);
}

#[test]
fn an_array_that_is_refused_is_taken_apart_and_only_the_bad_record_is_given_up() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, request| match request.body.contains("\"bad\"") {
        true => Answer::status(422),
        false => Answer::status(200),
    });
    let queue = queues.logbeacon();
    let bodies = ["a", "bad", "b"].map(|hash| record(hash).1).join(",");
    queues.send(&queue, [("array".to_owned(), format!("[{bodies}]"))]);
    let _worker = Running::start(log_beacon(&queues, &stub));
    let received = stub.wait_for(4);
    queues.wait_for(&queue, 0);
    assert!(received[1].body.contains("\"a\"") && received[3].body.contains("\"b\""));
    let dead = format!("{queue}.dead");
    queues.wait_for(&dead, 1);
    assert_eq!(queues.take_all(&dead)[0].id, "bad");
}

#[test]
fn what_can_never_be_delivered_goes_to_the_dead_queue_at_once_with_the_reason() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::willing();
    let poison = ["{", "\u{0}", "[]", "7", "{\"domain\":\"d\"}", ""];
    let poison = poison.map(|body| ("p".to_owned(), body.to_owned()));
    queues.send(&queues.logbeacon(), poison.into_iter().chain([record("good")]));
    let _worker = Running::start(log_beacon(&queues, &stub));
    assert_eq!(stub.wait_for(1)[0].body, record("good").1);
    let dead = format!("{}.dead", queues.logbeacon());
    queues.wait_for(&dead, 6);
    let found = queues.take_all(&dead);
    assert!(found.iter().all(|message| message.tries.as_deref() == Some("0")));
    assert!(found.iter().all(|message| message.is_persistent && message.id == "p"));
    let reason = |n: usize| found[n].reason.clone().unwrap();
    assert!(reason(0).contains("not JSON"));
    assert!(reason(2).contains("empty array"));
    assert!(reason(4).contains("lacks program_name"));
    assert_eq!(stub.received().len(), 1);
}

#[test]
fn telegram_gets_the_text_with_the_tokens_the_worker_has() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|n, _| match n {
        0 => Answer::status(429).body(r#"{"ok":false,"parameters":{"retry_after":1}}"#),
        _ => Answer::status(200),
    });
    let mut program = queues.program(&["telegram"]);
    program
        .env("LOGWELL_RELAY_TELEGRAM_BASE_URL", &stub.url)
        .env("DEV_TG_TOKEN", "1:hush-dev")
        .env("DEV_TG_CHATID", "-100");
    let message = |body: serde_json::Value| ("t".to_owned(), body.to_string());
    queues.send(
        &queues.telegram(),
        [
            message(serde_json::json!({"type": "developer", "notify_msg": "down"})),
            message(serde_json::json!({"type": "customer", "notify_msg": "lost"})),
            message(serde_json::json!({
                "type": "customer", "notify_msg": "🦀".repeat(4_000),
                "tg_token": "2:hush-own", "tg_chatid": "7",
            })),
        ],
    );
    let worker = Running::start(program);
    let received = stub.wait_for(3);
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    assert_eq!(received[1].path, "/bot1:hush-dev/sendMessage");
    let sent: serde_json::Value = serde_json::from_str(&received[1].body).unwrap();
    assert_eq!((&sent["chat_id"], &sent["text"]), (&(-100).into(), &"down".into()));
    assert_eq!(received[2].path, "/bot2:hush-own/sendMessage");
    let dead = format!("{}.dead", queues.telegram());
    queues.wait_for(&dead, 1);
    let (_, list) = output(queues.program(&["dead", "list", "telegram"]));
    assert!(list.contains("lacks tg_token, and the worker has none for messages of type customer"));
    worker.signal("INT");
    let (status, log) = worker.end();
    assert!(status.success());
    assert!(!log.contains("hush") && !list.contains("hush"), "{log}{list}");
}

#[test]
fn no_more_are_sent_in_a_second_than_is_allowed() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::willing();
    let mut program = queues.program(&["telegram", "--telegram-per-second", "10"]);
    program
        .env("LOGWELL_RELAY_TELEGRAM_BASE_URL", &stub.url)
        .env("LOGWELL_RELAY_TELEGRAM_PER_CHAT_PER_MINUTE", "1000");
    let message = |n: i32| {
        let body = serde_json::json!({"tg_token": "1:x", "tg_chatid": n % 3, "notify_msg": "m"});
        ("t".to_owned(), body.to_string())
    };
    queues.send(&queues.telegram(), (0..31).map(message));
    let _worker = Running::start(program);
    let received = stub.wait_for(31);
    for burst in received.windows(11) {
        let took = burst[10].at - burst[0].at;
        assert!(took >= Duration::from_millis(950), "11 within {took:?}");
    }
}

#[test]
fn asked_to_stop_it_finishes_the_attempt_in_hand() {
    let Some(queues) = Queues::new() else { return };
    let (answer, may_answer) = channel();
    let stub = Stub::start(move |_, _| {
        let _the_test_is_over = may_answer.recv();
        Answer::status(200)
    });
    queues.send(&queues.logbeacon(), [record("a"), record("b")]);
    let worker = Running::start(log_beacon(&queues, &stub));
    stub.wait_for(1);
    worker.signal("TERM");
    worker.wait_for("asked to stop");
    answer.send(()).unwrap();
    let (status, log) = worker.end();
    assert!(status.success(), "{log}");
    assert_eq!(stub.received().len(), 1);
    queues.wait_for(&queues.logbeacon(), 1);
    assert_eq!(queues.take_all(&queues.logbeacon())[0].id, "b");
}

#[test]
fn asked_to_stop_between_two_tries_it_gives_the_message_back() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, _| Answer::status(503));
    queues.send(&queues.logbeacon(), [record("a")]);
    let mut program = log_beacon(&queues, &stub);
    program.env("LOGWELL_RELAY_LOGBEACON_PAUSE", "600s");
    let worker = Running::start(program);
    stub.wait_for(1);
    worker.signal("TERM");
    assert!(worker.end().0.success());
    queues.wait_for(&queues.logbeacon(), 1);
    assert_eq!(queues.waiting(&format!("{}.dead", queues.logbeacon())), Some(0));
}

#[test]
fn a_worker_that_is_killed_loses_nothing() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, _| Answer::status(200).after(Duration::from_millis(2)));
    let expected: Vec<_> = (0..300).map(|n| format!("r{n}")).collect();
    queues.send(&queues.logbeacon(), expected.iter().map(|hash| record(hash)));
    for kills in 1..=3 {
        let worker = Running::start(log_beacon(&queues, &stub));
        stub.wait_for(kills * 70);
        worker.signal("KILL");
        worker.end();
    }
    let _worker = Running::start(log_beacon(&queues, &stub));
    queues.wait_for(&queues.logbeacon(), 0);
    let arrived = |received: &[_]| hashes(received).into_iter().collect::<BTreeSet<_>>().len();
    let received = stub.wait_until(|received| arrived(received) == 300);
    let mut by_hash: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (hash, request) in hashes(&received).into_iter().zip(&received) {
        by_hash.entry(hash).or_default().insert(request.body.clone());
    }
    assert_eq!(by_hash.len(), 300);
    assert!(by_hash.values().all(|bodies| bodies.len() == 1), "one hash, one message");
    assert!(received.len() <= 303, "at most one twice for each kill: {}", received.len());
}

#[test]
fn two_workers_share_a_queue() {
    let Some(queues) = Queues::new() else { return };
    let (left, right) = (Stub::willing(), Stub::willing());
    let workers = [&left, &right].map(|stub| Running::start(log_beacon(&queues, stub)));
    until("both are at work", || queues.workers(&queues.logbeacon()) == 2);
    queues.send(&queues.logbeacon(), (0..1_000).map(|n| record(&n.to_string())));
    until("all are delivered", || left.received().len() + right.received().len() >= 1_000);
    queues.wait_for(&queues.logbeacon(), 0);
    let (left, right) = (hashes(&left.received()), hashes(&right.received()));
    assert!(left.len() > 50 && right.len() > 50, "{} and {}", left.len(), right.len());
    let all: BTreeSet<_> = left.iter().chain(&right).collect();
    assert_eq!((all.len(), left.len() + right.len()), (1_000, 1_000), "each once");
    for worker in workers {
        worker.signal("TERM");
        assert!(worker.end().0.success());
    }
}

#[test]
fn two_domains_on_one_broker_stay_apart() {
    let (Some(one), Some(two)) = (Queues::new(), Queues::new()) else { return };
    let (at_one, at_two) = (Stub::willing(), Stub::willing());
    one.send(&one.logbeacon(), (0..20).map(|n| record(&format!("one-{n}"))));
    two.send(&two.logbeacon(), (0..20).map(|n| record(&format!("two-{n}"))));
    let _workers =
        [Running::start(log_beacon(&one, &at_one)), Running::start(log_beacon(&two, &at_two))];
    assert!(hashes(&at_one.wait_for(20)).iter().all(|hash| hash.starts_with("one")));
    assert!(hashes(&at_two.wait_for(20)).iter().all(|hash| hash.starts_with("two")));
}

/// A server that refuses the record `bad` that often, and takes all others.
fn picky(refusals: usize) -> Stub {
    let bad_ones = AtomicUsize::new(0);
    Stub::start(move |_, request| {
        let is_refused =
            request.body.contains("\"bad\"") && bad_ones.fetch_add(1, Ordering::Relaxed) < refusals;
        Answer::status(if is_refused { 400 } else { 200 })
    })
}

/// How often `bad` was tried.
fn tries_of_bad(received: &[Received]) -> usize {
    hashes(received).iter().filter(|hash| *hash == "bad").count()
}

/// A worker that is sure after 2 s instead of 30 who is at fault.
fn quick_to_judge(queues: &Queues, stub: &Stub) -> Running {
    let mut command = log_beacon(queues, stub);
    command.args(["--logbeacon-pause", "20ms", "--logbeacon-blocked-rest", "2s"]);
    Running::start(command)
}

#[test]
fn a_server_that_refuses_at_random_costs_no_message() {
    let Some(queues) = Queues::new() else { return };
    let stub = picky(4);
    let queue = queues.logbeacon();
    queues.send(&queue, [record("first"), record("bad"), record("good")]);
    let _worker = quick_to_judge(&queues, &stub);
    stub.wait_until(|received| tries_of_bad(received) >= 3);
    queues.send(&queue, [record("better")]);
    stub.wait_until(|received| tries_of_bad(received) >= 5);
    queues.wait_for(&queue, 0);
    assert_eq!(queues.waiting(&format!("{queue}.dead")), Some(0));
}

#[test]
fn a_message_is_given_up_after_four_refusals_between_which_others_passed() {
    let Some(queues) = Queues::new() else { return };
    let stub = picky(usize::MAX);
    let queue = queues.logbeacon();
    let dead = format!("{queue}.dead");
    queues.send(&queue, [record("first"), record("bad")]);
    let worker = quick_to_judge(&queues, &stub);
    // Once at first, then twice each time: with no other between, it proves nothing.
    stub.wait_until(|received| tries_of_bad(received) >= 7);
    queues.wait_for(&dead, 0);
    let first = stub.received().into_iter().find(|request| request.body.contains("\"bad\""));
    let is_dead = || queues.waiting(&dead) == Some(1);
    while !is_dead() {
        let before = stub.received().len();
        queues.send(&queue, [record("good")]);
        until("the good one and the bad one are tried", || {
            is_dead() || stub.received().len() > before + 1
        });
    }
    let received = stub.received();
    let tries: Vec<_> = received.iter().filter(|it| it.body.contains("\"bad\"")).collect();
    assert!(tries.len() >= 7 + 2 * 3, "{}", tries.len());
    let last = tries.last().map(|request| request.at);
    assert!(last.zip(first).is_some_and(|(last, first)| last - first.at >= Duration::from_secs(2)));
    queues.wait_for(&queue, 0);
    let (_, text) = output(queues.program(&["dead", "show", "--json"]));
    assert!(text.contains("\"why\":\"HTTP status 400"), "{text}");
    assert!(text.contains("\"id\":\"bad\""), "{text}");
    worker.signal("TERM");
    assert!(worker.end().0.success());
}

#[test]
fn a_refusal_that_names_the_record_leaves_no_doubt() {
    let Some(queues) = Queues::new() else { return };
    let hash = "0123456789abcdef0123456789abcdef";
    let stub = Stub::start(move |_, _| Answer::status(400).body(hash));
    queues.send(&queues.logbeacon(), [record(hash)]);
    let _worker = Running::start(log_beacon(&queues, &stub));
    queues.wait_for(&format!("{}.dead", queues.logbeacon()), 1);
    assert_eq!(stub.received().len(), 1);
}
