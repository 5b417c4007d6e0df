//! What a mail server is told, and what its replies mean.

use super::{bare_config, destination, logging, until, until_with_traffic};
use logwell::LoggingConfig;
use logwell::config::{EmailEncryption, Secret};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NAME: &str = "email";

/// What a mail server has heard in one conversation, command by command; a mail is one entry.
type Heard = Arc<Mutex<Vec<Vec<String>>>>;

/// A mail server that replies to a command as the test says, or as a server does that takes
/// everything. `None` breaks off.
fn server(
    mut script: impl FnMut(usize, &str) -> Option<&'static str> + Send + 'static,
) -> (SocketAddr, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let hears = Arc::clone(&heard);
    std::thread::spawn(move || {
        for (conversation, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { continue };
            hears.lock().unwrap().push(Vec::new());
            let mut writer = stream.try_clone().unwrap();
            let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
            let mut next = Some("CONNECT".to_owned());
            while let Some(command) = next {
                let reply = script(conversation, &command);
                hears.lock().unwrap()[conversation].push(command.clone());
                let Some(reply) = reply else { break };
                let reply = match (reply, command.split([' ', ':']).next().unwrap()) {
                    ("", "CONNECT") => "220 test ESMTP",
                    ("", "EHLO") => {
                        "250-test\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"
                    }
                    ("", "AUTH") => "235 welcome",
                    ("", "DATA") => "354 go on",
                    ("", _) => "250 ok",
                    (reply, _) => reply,
                };
                if writer.write_all(format!("{reply}\r\n").as_bytes()).is_err() {
                    break;
                }
                next = match reply.starts_with("354") {
                    true => Some(
                        lines
                            .by_ref()
                            .take_while(|line| line != ".")
                            .collect::<Vec<_>>()
                            .join("\n"),
                    ),
                    false => lines.next(),
                };
            }
        }
    });
    (address, heard)
}

fn config(dir: &Path, server: SocketAddr) -> LoggingConfig {
    let mut config = bare_config(dir);
    config.forward.blocked_rest = Duration::from_millis(200);
    let email = &mut config.forward.email;
    email.enabled = true;
    email.host = server.ip().to_string();
    email.port = server.port();
    email.encryption = EmailEncryption::None;
    email.user = "shop".to_owned();
    email.password = Secret::new("pa55-PLANTED");
    email.from = "shop@example.com".to_owned();
    email.to = "ann@example.com, bob@example.com".to_owned();
    email.batch_wait = Duration::from_secs(1);
    config
}

/// The head of the mail, and its body as text.
fn mail(commands: &[String]) -> (String, String) {
    let mail = commands.iter().find(|command| command.starts_with("From:")).unwrap();
    let (head, body) = mail.split_once("\n\n").unwrap();
    (head.to_owned(), from_base64(&body.replace('\n', "")))
}

fn from_base64(text: &str) -> String {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits = text.bytes().filter(|byte| *byte != b'=').flat_map(|byte| {
        let digit = digit(byte);
        (0..6).rev().map(move |bit| digit >> bit & 1)
    });
    let bits: Vec<u8> = bits.collect();
    let bytes = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit));
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn errors_of_some_minutes_are_one_mail_to_all() {
    let (address, heard) = server(|_, _| Some(""));
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), address);
    config.forward.email.batch_wait = Duration::from_secs(600);
    let report = logging(config, |handle| {
        (0..50).for_each(|order| tracing::error!(order, "Störung {order}\n.\n"));
        tracing::warn!("too little");
        handle.shutdown()
    });
    assert_eq!(report.stats.destination(NAME).unwrap().delivered, 50);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "one mail");
    let commands = &heard[0];
    assert_eq!(commands[1], "EHLO [127.0.0.1]");
    assert_eq!(commands[2], "AUTH PLAIN AHNob3AAcGE1NS1QTEFOVEVE");
    assert_eq!(commands[3], "MAIL FROM:<shop@example.com>");
    assert_eq!(commands[4..6], ["RCPT TO:<ann@example.com>", "RCPT TO:<bob@example.com>"]);
    assert_eq!(commands.last().unwrap(), "QUIT");
    let (head, body) = mail(commands);
    assert!(head.contains("\nSubject: =?utf-8?B?"), "{head}");
    assert!(head.contains("\nMessage-ID: <") && head.contains("@example.com>\n"), "{head}");
    assert!(body.starts_with("api_server: 50 records, the worst ERROR Störung 0"), "{body}");
    assert!(body.contains(r"Störung 0\n.\n (×50)"), "{body}");
}

#[test]
fn whatever_the_server_says_no_record_is_lost_and_a_mail_has_one_id() {
    let script = |conversation, command: &str| match (conversation, command) {
        (0, "CONNECT") => Some("421 too busy"),
        (1, "AUTH PLAIN AHNob3AAcGE1NS1QTEFOVEVE") => Some("535 wrong password pa55-PLANTED"),
        (2, "MAIL FROM:<shop@example.com>") => Some("550 who are you"),
        (3, "DATA") => Some("451 greylisted"),
        (4, text) if text.starts_with("From:") => None,
        (5, "RCPT TO:<ann@example.com>") => Some("550 no such user"),
        (5, "RCPT TO:<bob@example.com>") => Some("551 no such user"),
        (6, "CONNECT") => Some("no SMTP"),
        (7, "RCPT TO:<ann@example.com>") => Some("550 no such user"),
        _ => Some(""),
    };
    let (address, heard) = server(script);
    let dir = tempfile::tempdir().unwrap();
    logging(config(dir.path(), address), |handle| {
        (0..3).for_each(|n| tracing::error!(n, "order failed"));
        until("it is told", || {
            let health = handle.health().to_string();
            assert!(!health.contains("PLANTED"), "{health}");
            health.contains("check forward.email.user and password")
        });
        until("all are delivered", || destination(handle, NAME).delivered == 3);
        assert_eq!(destination(handle, NAME).refused, 0);
        until("it is well", || handle.health().is_healthy());
    });
    let heard = heard.lock().unwrap();
    let id = |commands: &[String]| {
        let head = mail(commands).0;
        head.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
    };
    // Of the first the answer was lost: who has both sees that they are one.
    assert_eq!(id(&heard[4]), id(&heard[7]));
    assert_eq!(heard.len(), 8);
}

#[test]
fn a_mail_that_is_refused_each_time_is_a_dead_letter_while_others_pass() {
    let script = |_, command: &str| match command.starts_with("From:") {
        true if from_base64(&command.split_once("\n\n").unwrap().1.replace('\n', ""))
            .contains("spam") =>
        {
            Some("554 it looks like spam")
        }
        _ => Some(""),
    };
    let (address, _) = server(script);
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), address);
    config.forward.email.min_level = logwell::Level::Info;
    logging(config, |handle| {
        tracing::error!("spam");
        until("it is tried", || destination(handle, NAME).failed_attempts > 0);
        until_with_traffic("it is to blame", || destination(handle, NAME).refused >= 1);
    });
    let letters = super::letters(dir.path(), NAME);
    assert_eq!(letters[0].1, "SMTP status 554: it looks like spam");
}

#[test]
fn without_starttls_nothing_is_said_in_the_clear() {
    let (address, heard) = server(|_, _| Some(""));
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), address);
    config.forward.email.encryption = EmailEncryption::Starttls;
    config.shutdown_timeout = Duration::ZERO;
    logging(config, |handle| {
        tracing::error!("order failed");
        let told = || handle.health().to_string().contains("does not offer STARTTLS");
        until("it is told", told);
    });
    let heard = heard.lock().unwrap();
    assert!(
        heard.iter().flatten().all(|it| it == "CONNECT" || it.starts_with("EHLO")),
        "{heard:?}"
    );
}
