//! TLS, with certificates made by `openssl` and asked by `curl`: neither is ours.

use super::senders::{CURL, free_port, run};
use super::support::{Beacon, TOKEN, has};
use std::path::Path;
use std::process::{Command, Stdio};

const OPENSSL: &str = "/usr/bin/openssl";

#[test]
fn requests_and_syslog_come_by_tls() {
    if !has(Path::new(OPENSSL), "Debian: openssl") || !has(Path::new(CURL), "Debian: curl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    run(Command::new(OPENSSL)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", &key, "-out", &certificate]));
    let syslog = free_port();
    let beacon = Beacon::start_with(&[
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--syslog-tls",
        &format!("127.0.0.1:{syslog}"),
    ]);
    assert!(beacon.url.starts_with("https://"));
    let mut sender = Command::new(OPENSSL)
        .args(["s_client", "-quiet", "-verify_return_error", "-CAfile", &certificate])
        .args(["-connect", &format!("127.0.0.1:{syslog}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = sender.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, b"<12>1 - - shop - - - by tls\n").unwrap();
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let search = format!("{}/api/v1/search", beacon.url);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let found = || {
        run(Command::new(CURL).args(["-sS", "--cacert", &certificate, "-H", &bearer]).args([
            "--data-urlencode",
            "query=\"by tls\"",
            &search,
        ]))
    };
    while !found().contains("\"service\":\"shop\"") {
        assert!(std::time::Instant::now() < deadline, "{}", found());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(pipe);
    sender.kill().unwrap();
    sender.wait().unwrap();
    // Who does not trust the certificate sends nothing.
    let distrusted = Command::new(CURL).args(["-sS", &search]).output().unwrap();
    assert!(!distrusted.status.success());
    let plain = format!("http://{}/health", beacon.address());
    assert!(!Command::new(CURL).args(["-sSf", &plain]).output().unwrap().status.success());
}
