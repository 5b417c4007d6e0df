//! Tests: probes against servers of this test, and against real ones of this machine.
//!
//! Knows: checks from outside. Must not know: how they are done. In: servers; out: reports.

use super::*;
use crate::checks::check::{Http, Protocol};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn check(kind: Kind) -> Check {
    let (every, timeout) = (Duration::from_secs(30), Duration::from_secs(20));
    Check { id: "c".into(), target: "t".into(), every, timeout, kind }
}

fn run(check: &Check) -> CheckReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Prober::new().unwrap().run(check).await })
}

/// A server that answers each connection by what it is given, for as long as the test runs.
fn serve(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

fn page(status: &str, headers: &str, body: &[u8]) -> String {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    );
    serve([head.as_bytes(), body].concat())
}

fn http(address: &str) -> Http {
    Http {
        url: format!("http://{address}/health"),
        headers: Vec::new(),
        statuses: Vec::new(),
        body: None,
        json: Vec::new(),
        redirects: 0,
        ca: None,
    }
}

fn look(http: Http) -> (Status, String) {
    let report = run(&check(Kind::Http(http)));
    (report.status, report.problem)
}

#[test]
fn a_page_is_up_if_status_text_and_values_are_as_expected() {
    let body = br#"{"status": "ok", "db": {"up": true}, "items": [1, 2]}"#;
    let address = page("200 OK", "", body);
    let json = |path: &str, value: &str| Http {
        json: vec![(path.to_owned(), value.to_owned())],
        ..http(&address)
    };
    let text = |text: &str| Http { body: Some(text.to_owned()), ..http(&address) };
    for good in [http(&address), text("\"ok\""), json("status", "ok"), json("db.up", "true")] {
        assert_eq!(look(good), (Status::Up, String::new()));
    }
    assert_eq!(look(json("items.1", "2")).0, Status::Up);
    for (bad, expected) in [
        (text("ill"), "the body does not have the expected text"),
        (json("status", "ill"), "status is ok, not ill"),
        (json("db.down", "1"), "the body has no db.down"),
        (Http { statuses: vec![204], ..http(&address) }, "status 200"),
    ] {
        assert_eq!(look(bad), (Status::Down, expected.to_owned()));
    }
}

#[test]
fn a_packed_body_is_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"all is well").unwrap();
    let address = page("200 OK", "content-encoding: gzip\r\n", &packer.finish().unwrap());
    let expected = Some("all is well".to_owned());
    assert_eq!(look(Http { body: expected, ..http(&address) }).0, Status::Up);
}

#[test]
fn a_redirect_is_followed_only_if_it_may_be_and_never_to_metadata() {
    let there = page("200 OK", "", b"here");
    let redirect = |to: &str| page("302 Found", &format!("location: {to}\r\n"), b"");
    let from = redirect(&format!("http://{there}/new"));
    assert_eq!(look(http(&from)), (Status::Down, "status 302".to_owned()));
    let report = run(&check(Kind::Http(Http { redirects: 3, ..http(&from) })));
    assert_eq!(report.status, Status::Up);
    assert_eq!(report.final_url.as_deref(), Some(format!("http://{there}/new").as_str()));
    let trap = redirect("http://169.254.169.254/latest/meta-data");
    let (status, problem) = look(Http { redirects: 3, ..http(&trap) });
    assert_eq!(status, Status::Down);
    assert!(problem.contains("a metadata service"), "{problem}");
    let file = redirect("file:///etc/passwd");
    let (_, problem) = look(Http { redirects: 3, ..http(&file) });
    assert!(problem.contains("not a URL of http or https") || problem.contains("redirect"));
    let round = redirect("/health");
    let (_, problem) = look(Http { redirects: 2, ..http(&round) });
    assert_eq!(problem, "more than 2 redirects");
}

#[test]
fn what_does_not_answer_is_down_within_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let hanging =
        Check { timeout: Duration::from_millis(300), ..check(Kind::Http(http(&address))) };
    let report = run(&hanging);
    assert_eq!(report.problem, "no answer within 300 ms");
    assert!(report.times.connect_ms.is_some() && report.times.first_byte_ms.is_none());
    drop(listener);
    let tcp = check(Kind::Tcp { address, tls: false, ca: None });
    assert_eq!(run(&tcp).status, Status::Down, "nobody listens");
}

#[test]
fn names_are_resolved_and_a_wrong_answer_is_told() {
    let dns = |expect: &[&str]| {
        let expect = expect.iter().map(|it| (*it).to_owned()).collect();
        run(&check(Kind::Dns { name: "localhost".into(), expect }))
    };
    assert_eq!(dns(&[]).status, Status::Up);
    assert_eq!(dns(&["127.0.0.1", "::1"]).status, Status::Up);
    let report = dns(&["192.0.2.1"]);
    assert_eq!(report.status, Status::Down);
    assert!(report.problem.starts_with("localhost is "), "{}", report.problem);
}

#[test]
fn real_servers_answer_their_greeting_and_others_do_not() {
    for (protocol, port) in
        [(Protocol::Redis, 6379), (Protocol::PostgreSql, 5432), (Protocol::RabbitMq, 5672)]
    {
        let address = format!("127.0.0.1:{port}");
        let greeting =
            |address: &str| run(&check(Kind::Greeting { address: address.to_owned(), protocol }));
        let wrong = greeting(&serve(b"220 mail.example\r\n".to_vec()));
        assert_eq!(wrong.problem, "answers \"220 mail.example\"", "{protocol:?}");
        if TcpStream::connect(&address).is_err() {
            let is_ci = std::env::var_os("CI").is_some();
            assert!(!is_ci || protocol != Protocol::RabbitMq, "{protocol:?} is missing");
            continue;
        }
        let report = greeting(&address);
        assert_eq!((report.status, report.problem.as_str()), (Status::Up, ""), "{protocol:?}");
        assert!(report.times.first_byte_ms.is_some());
    }
}

#[test]
fn processes_and_disks_are_looked_for() {
    let process = |pattern: &str| run(&check(Kind::Process { pattern: pattern.into() })).status;
    assert_eq!(process("*logbeacon_monitor*"), Status::Up);
    assert_eq!(process("no such process*"), Status::Down);
    let disk = |path: &str, free_percent: f64| {
        run(&check(Kind::Disk { path: PathBuf::from(path), free_percent }))
    };
    assert_eq!(disk("/", 0.0).status, Status::Up);
    assert_eq!(disk("/", 100.1).status, Status::Down);
    assert_eq!(disk("/no/such/place", 1.0).status, Status::Unknown);
    assert_eq!(run(&check(Kind::Push)).status, Status::Unknown);
}

/// Runs openssl; `None` if it is missing.
fn openssl(dir: &Path, arguments: &str) -> Option<()> {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(dir);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_done = status.is_ok_and(|status| status.success());
    assert!(is_done || std::env::var_os("CI").is_none(), "openssl {arguments}");
    is_done.then_some(())
}

#[test]
fn certificates_are_verified_and_what_was_presented_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let made = openssl(
        dir.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 12 -subj /CN=here \
         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE",
    );
    if made.is_none() {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("openssl")
        .args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-key", "key.pem", "-www"])
        .args(["-cert", "cert.pem", "-quiet"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(60), "openssl s_server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let tls = |ca: Option<PathBuf>| {
        run(&check(Kind::Tcp { address: format!("127.0.0.1:{port}"), tls: true, ca }))
    };
    let unknown = tls(None);
    let trusted = tls(Some(dir.path().join("cert.pem")));
    let url = format!("https://127.0.0.1:{port}/");
    let ca = Some(dir.path().join("cert.pem"));
    let page = run(&check(Kind::Http(Http { url, ca, ..http("") })));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(unknown.status, Status::Down);
    assert!(unknown.problem.starts_with("TLS: "), "{}", unknown.problem);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for report in [&unknown, &trusted, &page] {
        let certificate = report.certificate.as_ref().expect("what was presented");
        let days = (certificate.chain_expires_ms - now_ms) / 86_400_000;
        assert!((11..=12).contains(&days), "{days}");
    }
    assert_eq!((trusted.status, trusted.problem.as_str()), (Status::Up, ""));
    assert_eq!((page.status, page.http_status), (Status::Up, Some(200)));
    let samples = trusted.samples(&crate::Labels::new(), now_ms);
    assert!(samples.iter().any(|(metric, _)| *metric == "check.certificate_days"));
}
