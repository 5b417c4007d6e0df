//! Socket: the TCP connection that lapin speaks on, made here so that it can be ended here.
//!
//! lapin has no deadline for a peer that accepts a connection and says nothing, and would keep a
//! thread for it forever. Shutting the socket down ends that thread. Knows TCP and TLS. Knows no
//! AMQP.

use crate::base::thread;
use async_compat::{Compat, CompatExt as _};
use lapin::tcp::{AsyncTcpStream, OwnedTLSConfig};
use std::cell::RefCell;
use std::io;
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::dispatcher::{DefaultGuard, Dispatch, set_default};

/// Where to connect, and how.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<OwnedTLSConfig>,
    pub(super) timeout: Duration,
}

/// Shuts the socket down when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Socket(Arc<Mutex<Option<TcpStream>>>);

impl Socket {
    /// Another handle to the same slot, for the thread that connects.
    pub(super) fn slot(&self) -> Slot {
        Slot(Arc::clone(&self.0))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(stream) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Where the socket goes once it is connected.
pub(super) struct Slot(Arc<Mutex<Option<TcpStream>>>);

impl Slot {
    /// Connects. Blocks: it runs on lapin's thread, which has nothing else to do yet.
    pub(super) async fn connect(
        &self,
        peer: &Peer,
    ) -> io::Result<AsyncTcpStream<Compat<tokio::net::TcpStream>>> {
        silence_thread();
        let stream = connect_in_time(peer)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.try_clone()?);
        let stream = AsyncTcpStream::Plain(tokio::net::TcpStream::from_std(stream)?.compat());
        match &peer.tls {
            Some(tls) => stream.into_tls(&peer.host, tls.as_ref()).await,
            None => Ok(stream),
        }
    }
}

/// The first address of the host that answers, all within the time.
fn connect_in_time(peer: &Peer) -> io::Result<TcpStream> {
    let until = Instant::now() + peer.timeout;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (peer.host.as_str(), peer.port).to_socket_addrs()? {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whatever this thread logs is not captured, by nobody: it would feed itself, and lapin's traces
/// hold the password.
pub(crate) fn silence_thread() {
    thread_local! {
        static SILENCE: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
    }
    thread::mark_internal_thread();
    SILENCE.with(|silence| {
        silence.borrow_mut().get_or_insert_with(|| set_default(&Dispatch::none()));
    });
}
