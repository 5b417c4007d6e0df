//! TLS: on by default, and not for show. The certificates are made by `openssl`, the server is
//! Python's: neither is ours.

use super::server::Server;
use super::{config, logging, until, until_delivered};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Answers every POST with 200, over TLS; says its port.
const SERVER: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        print("got", body.decode(), flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

struct TlsServer {
    child: Child,
    port: u16,
    got: BufReader<std::process::ChildStdout>,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with a certificate of that name, or nothing (which is told) where tools are missing.
fn start(dir: &Path, name: &str) -> Option<TlsServer> {
    let (key, certificate) = (dir.join("key.pem"), dir.join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=test", "-addext"])
        .arg(format!("subjectAltName={name}"))
        // One that may sign others is none that a server shows.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout".as_ref(), key.as_os_str(), "-out".as_ref(), certificate.as_os_str()])
        .stderr(Stdio::null())
        .status();
    let child = Command::new("python3")
        .args(["-c".as_ref(), SERVER.as_ref(), certificate.as_os_str(), key.as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let (Ok(true), Ok(mut child)) = (made.map(|status| status.success()), child) else {
        eprintln!("SKIPPED: openssl or python3 is missing");
        assert!(std::env::var_os("CI").is_none(), "openssl and python3 must be there");
        return None;
    };
    let mut got = BufReader::new(child.stdout.take().unwrap());
    let mut port = String::new();
    got.read_line(&mut port).unwrap();
    Some(TlsServer { child, port: port.trim().parse().unwrap(), got })
}

#[test]
fn a_certificate_of_ones_own_is_trusted_if_its_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut server) = start(dir.path(), "IP:127.0.0.1") else { return };
    let url = format!("https://127.0.0.1:{}/logs", server.port);
    let mut config = config(&dir.path().join("logs"), &url);
    config.forward.http.ca_file = dir.path().join("cert.pem").display().to_string();
    logging(config, |handle| {
        tracing::info!("by TLS");
        until_delivered(handle, 1);
    });
    let mut line = String::new();
    server.got.read_line(&mut line).unwrap();
    assert!(line.contains(r#""message":"by TLS""#), "{line}");
}

#[test]
fn a_server_that_cannot_prove_who_it_is_gets_nothing() {
    // Trusted by nobody, and trusted but of another name.
    for (name, is_named) in [("IP:127.0.0.1", false), ("DNS:other.example", true)] {
        let dir = tempfile::tempdir().unwrap();
        let Some(mut server) = start(dir.path(), name) else { return };
        let url = format!("https://127.0.0.1:{}/logs", server.port);
        let mut config = config(&dir.path().join("logs"), &url);
        if is_named {
            config.forward.http.ca_file = dir.path().join("cert.pem").display().to_string();
        }
        let report = logging(config, |handle| {
            tracing::info!("secret");
            until("trouble", || !handle.health().is_healthy());
            let health = handle.health().to_string();
            assert!(health.contains("certificate"), "{health}");
            handle.shutdown()
        });
        assert_eq!(report.unsent_to("logbeacon"), 1);
        server.child.kill().unwrap();
        let mut line = String::new();
        server.got.read_line(&mut line).unwrap();
        assert_eq!(line, "");
    }
}

#[test]
fn a_server_that_speaks_no_tls_gets_nothing() {
    let server = Server::start(|_| super::server::Reply::Status(200));
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &format!("https://{}/logs", server.address));
    logging(config, |handle| {
        tracing::info!("secret");
        until("trouble", || !handle.health().is_healthy());
    });
    assert!(server.requests().is_empty());
}

#[test]
fn plain_http_to_another_machine_must_be_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), "http://logs.example.com/in");
    let error = config.check().unwrap_err().to_string();
    assert!(error.contains("forward.logbeacon.url: is not https"), "{error}");
    assert!(!error.contains("example.com"), "{error}");
    config.forward.http.allow_plain = true;
    config.check().unwrap();
}
