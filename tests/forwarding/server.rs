//! An HTTP server that does what a test says, whatever that is, and remembers what it was sent.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) line: String,
    /// By their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it does about a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// Status, one header, body.
    With(u16, &'static str, String),
    /// Takes the request and says nothing, as long as it lives.
    Silence,
    /// Breaks off without an answer.
    Reset,
    /// Breaks off in the middle of the answer's head.
    ResetInHead,
    /// Breaks off in the middle of the body of a good answer.
    ResetInBody,
    /// Says 200 and then a gigabyte.
    Gigabyte,
    /// Sends a byte of its answer now and then, and never comes to the end.
    Drip,
    /// What is not HTTP.
    Nonsense,
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    is_over: Arc<AtomicBool>,
    listening: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Begins to listen at an address of its own.
    pub(crate) fn start(script: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        Self::start_at(SocketAddr::from((own_host(), 0)), script)
    }

    /// The same on that port: a server that comes back.
    pub(crate) fn start_at(
        address: SocketAddr,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::default()));
        let is_over = Arc::new(AtomicBool::new(false));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let mut server = Self {
            address,
            requests: Arc::clone(&requests),
            open: Arc::clone(&open),
            is_over: Arc::clone(&is_over),
            listening: None,
        };
        let listening = thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (script, requests) = (Arc::clone(&script), Arc::clone(&requests));
                thread::spawn(move || serve(stream, &script, &requests));
            }
        });
        server.listening = Some(listening);
        server
    }

    /// An address at which nobody listens.
    pub(crate) fn nowhere() -> SocketAddr {
        TcpListener::bind((own_host(), 0)).unwrap().local_addr().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/logs", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The messages of all requests, those of arrays one by one, in the order they came.
    pub(crate) fn messages(&self) -> Vec<serde_json::Value> {
        let bodies = self.requests().into_iter().map(|request| request.json());
        bodies
            .flat_map(|body| match body {
                serde_json::Value::Array(messages) => messages,
                message => vec![message],
            })
            .collect()
    }
}

impl Drop for Server {
    /// Breaks off all connections and frees the port.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = TcpStream::connect(self.address);
        let _ = self.listening.take().map(thread::JoinHandle::join);
    }
}

/// A host of the loopback network that nothing else on this machine uses, so that a port that is
/// free for a while is free still when its server comes back.
fn own_host() -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 1 + COUNT.fetch_add(1, Ordering::Relaxed) % 250, high, low.clamp(1, 254))
}

fn serve(stream: TcpStream, script: &Mutex<Script>, requests: &Mutex<Vec<Request>>) {
    // An answer is written in several pieces: none is to wait for the other side.
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let reply = (script.lock().unwrap())(&request);
        requests.lock().unwrap().push(request);
        if answer(&stream, &reply).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let pairs = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers: HashMap<_, _> =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { at: Instant::now(), line: lines.first()?.clone(), headers, body })
}

fn answer(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let broken = || Err(std::io::ErrorKind::ConnectionReset.into());
    match reply {
        Reply::Status(status) => {
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")
        }
        Reply::With(status, header, body) => {
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} X\r\n{header}\r\nContent-Length: {length}\r\n\r\n")?;
            stream.write_all(body.as_bytes())
        }
        Reply::Silence => loop {
            // Until the other side or the server's end closes the connection.
            if stream.read(&mut [0; 1])? == 0 {
                return broken();
            }
        },
        Reply::Reset => broken(),
        Reply::ResetInHead => write!(stream, "HTTP/1.1 200 OK\r\nContent-").and_then(|()| broken()),
        Reply::ResetInBody => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")?;
            broken()
        }
        Reply::Gigabyte => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")?;
            let block = vec![b'x'; 1 << 20];
            (0..1024).try_for_each(|_| stream.write_all(&block))
        }
        Reply::Drip => {
            write!(stream, "HTTP/1.1 503 X\r\n")?;
            loop {
                write!(stream, "x")?;
                thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Nonsense => write!(stream, "220 smtp.example.com ESMTP\r\n").and_then(|()| broken()),
    }
}
