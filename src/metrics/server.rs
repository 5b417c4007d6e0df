//! Server: a page of metrics for scrapers that come to this process.
//!
//! Knows as much HTTP as a scraper speaks: one GET for each connection. Does not know what is
//! measured. Listens on one thread, `logwell-metrics`; each connection has two seconds, and others
//! wait meanwhile.

use crate::base::clock::Clock;
use crate::base::error::{Error, ErrorKind};
use crate::base::selflog;
use crate::base::threads;
use crate::metrics::format::Format;
use crate::metrics::registry::Registry;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const THREAD: &str = "logwell-metrics";
/// A connection that takes longer is closed.
const PATIENCE: Duration = Duration::from_secs(2);
/// A request's head may be so long.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// So long the thread rests when the system has no room for a connection.
const REST: Duration = Duration::from_millis(100);

/// An address that was opened, on which nobody listens yet.
#[derive(Debug)]
pub(crate) struct Opened(TcpListener);

/// Serves the page until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
}

impl Opened {
    /// Opens the address.
    pub(crate) fn at(address: &str) -> Result<Self, Error> {
        let failed = |source| ErrorKind::Listen {
            key: "metrics.listen",
            address: address.to_owned(),
            source,
        };
        Ok(Self(TcpListener::bind(address).map_err(failed)?))
    }

    /// Starts the thread.
    pub(crate) fn serve(self, registry: Registry) -> io::Result<Server> {
        let address = self.0.local_addr()?;
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        threads::spawn(THREAD, move || listen(&self.0, &stopped, &registry))?;
        Ok(Server { address, is_stopped })
    }
}

impl Server {
    /// Where it listens: with port 0 in the configuration, the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it; a page that is on its way is finished.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        // The thread waits for a connection: this is one.
        let _or_it_has_ended = TcpStream::connect_timeout(&reachable(self.address), PATIENCE);
    }
}

/// An address on which all are heard cannot be connected to everywhere.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn listen(listener: &TcpListener, is_stopped: &AtomicBool, registry: &Registry) {
    loop {
        let connection = listener.accept();
        if is_stopped.load(Ordering::Acquire) {
            return;
        }
        match connection {
            // A scraper that goes away has nothing to be told.
            Ok((mut stream, _)) => drop(answer(&mut stream, registry)),
            Err(error) => {
                selflog::tell("metrics: no connection", &error);
                std::thread::park_timeout(REST);
            }
        }
    }
}

fn answer(stream: &mut TcpStream, registry: &Registry) -> io::Result<()> {
    let until = Clock::System.now() + PATIENCE;
    let head = head(stream, until)?;
    let (status, content_type, body) = respond(&head, registry);
    let length = body.len();
    let is_head = head.starts_with("HEAD ");
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    if !is_head {
        response.push_str(&body);
    }
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(response.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// Reads up to the empty line.
fn head(stream: &mut TcpStream, until: Instant) -> io::Result<String> {
    let mut head = Vec::new();
    let mut bytes = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = until.saturating_duration_since(Clock::System.now());
        if left.is_zero() || head.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(bytes.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn respond(head: &str, registry: &Registry) -> (&'static str, &'static str, String) {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    if !matches!(method, "GET" | "HEAD") {
        return ("405 Method Not Allowed", PLAIN, "metrics are read by GET\n".to_owned());
    }
    if path != "/metrics" {
        return ("404 Not Found", PLAIN, "metrics are at /metrics\n".to_owned());
    }
    let accepts = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("accept").then(|| value.trim())
    });
    let format = Format::from_accept(&accepts.collect::<Vec<_>>().join(","));
    ("200 OK", format.content_type(), registry.render(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn scrapers_get_the_page_in_their_format_and_others_a_hint() {
        let registry = Registry::new();
        registry.counter("x_total", "X.").inc();
        let server = Opened::at("127.0.0.1:0").unwrap().serve(registry).unwrap();
        let page = ask(&server, "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"));
        assert!(page.contains("\r\n\r\n# HELP") && page.contains("\nx_total 1\n"), "{page}");
        let open = "GET /metrics HTTP/1.0\r\naccept: application/openmetrics-text\r\n\r\n";
        assert!(ask(&server, open).ends_with("# EOF\n"));
        let head = ask(&server, "HEAD /metrics HTTP/1.1\r\n\r\n");
        assert!(head.contains("Content-Length: ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(ask(&server, "GET / HTTP/1.1\r\n\r\n").contains("404 Not Found"));
        assert!(ask(&server, "POST /metrics HTTP/1.1\r\n\r\n").contains("405 Method"));
        server.stop();
    }

    #[test]
    fn a_client_that_sends_no_request_or_too_long_a_one_holds_up_nobody_for_long() {
        let server = Opened::at("127.0.0.1:0").unwrap().serve(Registry::new()).unwrap();
        let silent = TcpStream::connect(server.address()).unwrap();
        let mut endless = TcpStream::connect(server.address()).unwrap();
        let _refused = endless.write_all(&vec![b'x'; 64 * 1024]);
        assert!(ask(&server, "GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
        drop((silent, endless));
        server.stop();
    }

    #[test]
    fn an_address_in_use_is_named_with_its_key() {
        let first = Opened::at("127.0.0.1:0").unwrap();
        let address = first.0.local_addr().unwrap().to_string();
        let error = Opened::at(&address).unwrap_err().to_string();
        assert!(error.contains(&address) && error.contains("metrics.listen"), "{error}");
    }
}
