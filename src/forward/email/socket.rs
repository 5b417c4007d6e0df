//! Socket: the connection to a mail server, in the clear or encrypted.
//!
//! The only file that names `rustls`. Knows deadlines and certificates. Knows no command of SMTP.
//! Every read and write ends when the time of the whole mail is over, or when it is interrupted.

use crate::base::error::Error;
use crate::forward::email::options::{EmailConfig, EmailEncryption};
use logwell_options::problem::{ConfigProblem, Origin};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Makes connections to one server.
pub(super) struct Connector {
    host: String,
    port: u16,
    pub(super) encryption: EmailEncryption,
    connect_timeout: Duration,
    timeout: Duration,
    tls: Arc<ClientConfig>,
}

impl Connector {
    /// # Errors
    ///
    /// The file of certificates cannot be read.
    pub(super) fn new(config: &EmailConfig, ca_file: &str) -> Result<Self, Error> {
        let EmailConfig { host, port, encryption, connect_timeout, timeout, .. } = config.clone();
        let tls = Arc::new(tls(ca_file)?);
        Ok(Self { host, port, encryption, connect_timeout, timeout, tls })
    }

    /// Connects, in the clear unless the server wants TLS from the first byte on.
    pub(super) fn connect(&self, interrupt: &Interrupt) -> io::Result<Socket> {
        let deadline = Instant::now() + self.timeout;
        let mut failed = io::Error::other("the host has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.connect_timeout) {
                Ok(stream) => {
                    interrupt.watch(stream.try_clone()?);
                    let socket = Socket { stream: Stream::Plain(stream), deadline };
                    return match self.encryption {
                        EmailEncryption::Tls => self.encrypt(socket),
                        EmailEncryption::Starttls | EmailEncryption::None => Ok(socket),
                    };
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Encrypts a connection. What was read before must have been used up.
    pub(super) fn encrypt(&self, socket: Socket) -> io::Result<Socket> {
        let Socket { stream: Stream::Plain(stream), deadline } = socket else { return Ok(socket) };
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let session =
            ClientConnection::new(Arc::clone(&self.tls), name).map_err(io::Error::other)?;
        let stream = Stream::Tls(Box::new(StreamOwned::new(session, stream)));
        let mut socket = Socket { stream, deadline };
        // The handshake happens with the first bytes: now, so that a bad certificate says so.
        socket.flush()?;
        Ok(socket)
    }
}

fn tls(ca_file: &str) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    if !ca_file.is_empty() {
        let help = "set forward.http.ca_file to a file of PEM certificates";
        let path = Path::new(ca_file);
        let fail = |source| Error::path("read the certificates in", path, source, help);
        let pem = std::fs::read(path).map_err(fail)?;
        let own: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        roots.add_parsable_certificates(own);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| {
        let (key, help) = ("forward.email.encryption".to_owned(), String::new());
        let problem = format!("TLS cannot be used: {error}");
        Error::config(vec![ConfigProblem { origin: Origin::Code, key, problem, help }])
    })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// A connection that ends in time.
pub(super) struct Socket {
    stream: Stream,
    deadline: Instant,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// The address of this end, as a greeting has it: `[127.0.0.1]`.
    pub(super) fn own_address(&self) -> String {
        match self.tcp().local_addr().map(|address| address.ip()) {
            Ok(std::net::IpAddr::V4(ip)) => format!("[{ip}]"),
            Ok(std::net::IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Err(_) => "[127.0.0.1]".to_owned(),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    /// Lets the next read or write take as long as there is time.
    fn bound(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
        }
        self.tcp().set_read_timeout(Some(left))?;
        self.tcp().set_write_timeout(Some(left))
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bound()?;
        match &mut self.stream {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.bound()?;
        match &mut self.stream {
            Stream::Plain(stream) => stream.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bound()?;
        match &mut self.stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// Ends a wait for the network from another thread. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Interrupt(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    stream: Option<TcpStream>,
    is_over: bool,
}

impl Interrupt {
    /// Ends what is under way, and whatever begins later.
    pub(super) fn interrupt(&self) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.is_over = true;
        if let Some(stream) = watched.stream.take() {
            // It may have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn watch(&self, stream: TcpStream) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.is_over {
            let _ = stream.shutdown(Shutdown::Both);
        }
        watched.stream = Some(stream);
    }
}
