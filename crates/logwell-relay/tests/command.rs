//! The command line: help, mistakes, exit codes, the check, and the page of metrics.

#[path = "../../../tests/secrets/broker.rs"]
mod broker;
mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use support::stub::{Answer, Stub};
use support::{Queues, Running, output, program, record, until};

#[test]
fn the_help_names_every_command_option_and_exit_code() {
    let (ended, text) = output(program(&["--help"]));
    assert!(ended.status.success());
    for word in [
        "dead replay",
        "check",
        "--broker-tries <N>",
        "default: 5;",
        "MQ_HOST",
        "logbeacon.url",
        "Exit codes",
    ] {
        assert!(text.contains(word), "{word}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    let (ended, short) = output(program(&["-h"]));
    assert!(ended.status.success() && short.lines().count() < 40, "{short}");
}

#[test]
fn a_wrong_configuration_is_refused_with_code_2_and_its_secrets_unseen() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.yaml");
    std::fs::write(&file, "domain: d\nlogbeacon:\n  tires: 5\n  token: hush\n").unwrap();
    let (ended, text) = output(program(&["logbeacon", "--config", file.to_str().unwrap()]));
    assert_eq!(ended.status.code(), Some(2));
    assert!(text.contains("did you mean `tries`?") && !text.contains("hush"), "{text}");
    for arguments in [&["logbeacon"][..], &["logbeacon", "--domain", "d"], &["dead", "list"]] {
        assert_eq!(output(program(arguments)).0.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_broker_out_of_reach_is_tried_as_often_as_asked_and_ends_with_code_3() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = program(&["logbeacon", "--domain", "d", "--broker-pause", "50ms"]);
    command.env("LOGBEACON_URL", "http://127.0.0.1:1/").env("MQ_PORT", port.to_string());
    let (ended, text) = output(command);
    assert_eq!(ended.status.code(), Some(3), "{text}");
    assert_eq!(text.matches("the broker cannot be reached").count(), 4, "{text}");
    assert!(!text.contains("guest"), "{text}");
}

#[test]
fn the_password_for_the_broker_is_in_no_line_whatever_the_level() {
    let broker = broker::Broker::start(|login| login.replace('\0', " "));
    let tries = ["--broker-tries", "2", "--broker-pause", "50ms"];
    let mut command = program(&["logbeacon", "--domain", "d"]);
    command.args(tries).env("LOGBEACON_URL", "http://127.0.0.1:1/");
    command.env("MQ_PORT", broker.address.port().to_string()).env("MQ_PASSWORD", "hush-hush");
    command
        .env("LOG_LEVEL", "trace,lapin=trace,lapin::frames=trace")
        .env("LOG_CONSOLE_LEVEL", "trace");
    let (ended, text) = output(command);
    assert_eq!(ended.status.code(), Some(3), "{text}");
    assert_eq!(broker.logins(), ["\0guest\0hush-hush", "\0guest\0hush-hush"]);
    assert!(text.contains("login was refused for  guest (secret)"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn the_check_tells_what_happened_at_each_destination() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::start(|_, request| match request.path.contains("/bot2:") {
        true => Answer::status(401).body(r#"{"ok":false,"description":"Unauthorized 2:hush-b"}"#),
        false => Answer::status(200),
    });
    let check = |customer: &str| {
        let mut command = queues.program(&["check"]);
        command
            .env("LOGBEACON_URL", format!("{}/in/hush-url", stub.url))
            .env("LOGWELL_RELAY_TELEGRAM_BASE_URL", &stub.url)
            .env("DEV_TG_TOKEN", "1:hush-a")
            .env("DEV_TG_CHATID", "-100")
            .env("CUSTOMER_TG_TOKEN", customer)
            .env("CUSTOMER_TG_CHATID", "-200");
        output(command)
    };
    let (ended, text) = check("2:hush-b");
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert_eq!(text.matches("ok      ").count(), 3, "{text}");
    assert!(text.contains("FAILED  Telegram, customer group -200: "), "{text}");
    assert!(text.contains("Unauthorized"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    let (ended, text) = check("");
    assert_eq!(ended.status.code(), Some(1), "a chat without a token: {text}");
    let (ended, text) = check("3:hush-c");
    assert!(ended.status.success(), "{text}");
    assert!(text.contains("_logbeacon not there yet"), "{text}");
    assert_eq!(stub.received()[0].path, "/in/hush-url");
}

#[test]
fn health_and_metrics_say_how_the_worker_is() {
    let Some(queues) = Queues::new() else { return };
    let stub = Stub::willing();
    queues.send(&queues.logbeacon(), [record("a"), record("b")]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = queues.program(&["logbeacon", "--status-every", "100ms"]);
    command
        .env("LOGBEACON_URL", &stub.url)
        .env("LOGWELL_RELAY_STATUS_LISTEN", format!("127.0.0.1:{port}"));
    let _worker = Running::start(command);
    stub.wait_for(2);
    let get = |request: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    until("two are counted", || {
        let text = get("GET /metrics");
        text.contains("\nlogwell_relay_delivered_total{destination=\"logbeacon\"} 2\n")
            && text.contains("\nlogwell_relay_waiting_messages{destination=\"logbeacon\"} 0\n")
            && text.contains("\nlogwell_relay_queue_workers{destination=\"logbeacon\"} 1\n")
    });
    let health = get("GET /health");
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"status\":\"ok\""), "{health}");
    assert!(get("GET /other").starts_with("HTTP/1.1 404"));
    assert!(get("POST /health").starts_with("HTTP/1.1 405"));
    assert!(get("HEAD /metrics").ends_with("\r\n\r\n"));
    // Who says nothing holds up nobody.
    let _silent: Vec<_> =
        (0..8).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    assert!(get("GET /health").starts_with("HTTP/1.1 200"));
}
