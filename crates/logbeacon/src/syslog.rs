//! Syslog: messages over TCP, TLS and UDP.
//!
//! Knows sockets and frames. What a message means is in `decode::syslog`. Over TCP nothing is lost
//! while the store takes nothing: the connection is not read, and the sender waits. UDP has no way
//! to make a sender wait: what does not fit is dropped and counted.

use crate::admit::Origin;
use crate::decode::draft::Item;
use crate::decode::frames::Frames;
use crate::decode::syslog::decode;
use crate::lanes::Lane;
use crate::metrics::Event;
use crate::serve::stopped;
use crate::server::Server;
use crate::token::Streams;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The stream of messages that come by syslog.
pub const STREAM: &str = "syslog";

/// Connections at once.
const CONNECTIONS: usize = 1024;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Messages of UDP that wait.
const WAITING: usize = 10_000;
/// Messages that are stored together.
const BATCH: usize = 1000;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long after a failure the store is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes messages from connections until `stop` is true.
pub async fn tcp(
    server: Arc<Server>,
    listener: TcpListener,
    (tls, mut stop): (Option<TlsAcceptor>, watch::Receiver<bool>),
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(%peer, "too many syslog connections");
            continue;
        };
        let (server, tls, stop) = (Arc::clone(&server), tls.clone(), stop.clone());
        connections.spawn(async move {
            let _place = place;
            match tls {
                None => connection(&server, stream, (peer, stop)).await,
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(&server, stream, (peer, stop)).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
                    Err(_) => tracing::debug!(%peer, "TLS took too long"),
                },
            }
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(
    server: &Arc<Server>,
    mut stream: impl AsyncRead + Unpin,
    (peer, mut stop): (SocketAddr, watch::Receiver<bool>),
) {
    let mut frames = Frames::new(server.settings.limits.record_bytes);
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let read = tokio::select! {
            read = stream.read(&mut bytes) => read,
            () = stopped(&mut stop) => break,
        };
        let mut messages = Vec::new();
        match read {
            Ok(0) | Err(_) => break,
            Ok(read) => frames.push(bytes.get(..read).unwrap_or_default(), |message| {
                messages.push((message, peer.ip()));
            }),
        }
        if !store(server, messages, &stop).await {
            return;
        }
    }
    let mut rest = Vec::new();
    frames.end(|message| rest.push((message, peer.ip())));
    store(server, rest, &stop).await;
}

/// Takes messages from datagrams until `stop` is true.
pub async fn udp(server: Arc<Server>, socket: UdpSocket, stop: watch::Receiver<bool>) {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let receiving = {
        let (server, stop) = (Arc::clone(&server), stop.clone());
        tokio::spawn(async move { receive(&server, &socket, (&sender, stop)).await })
    };
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        if !store(&server, std::mem::take(&mut batch), &stop).await {
            break;
        }
    }
    let _ended = receiving.await;
}

type Message = (Vec<u8>, IpAddr);

async fn receive(
    server: &Server,
    socket: &UdpSocket,
    (messages, mut stop): (&mpsc::Sender<Message>, watch::Receiver<bool>),
) {
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut bytes) => received,
            () = stopped(&mut stop) => return,
        };
        let Ok((length, peer)) = received else { continue };
        let message = bytes.get(..length).unwrap_or_default().to_vec();
        if messages.try_send((message, peer.ip())).is_err() {
            server.metrics.count(Event::SyslogDropped);
        }
    }
}

/// Stores messages; while the store takes none, tries again. `false`: the server stops, and the
/// messages are lost and counted.
async fn store(server: &Arc<Server>, messages: Vec<Message>, stop: &watch::Receiver<bool>) -> bool {
    let Some((_, peer)) = messages.first() else { return true };
    let origin = origin(server, *peer);
    let limits = server.settings.limits;
    let items: Vec<Item> = messages
        .iter()
        .map(|(message, peer)| {
            let mut draft = decode(message, origin.arrived_ns, &limits);
            if draft.host.is_empty() {
                draft.host = peer.to_string();
            }
            Ok(draft)
        })
        .collect();
    loop {
        let (taking, items, origin) = (Arc::clone(server), items.clone(), origin.clone());
        let took = server.lanes.run(Lane::Ingest, move || taking.ingest.take(items, &origin)).await;
        match took {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => tracing::warn!(%error, "syslog messages wait"),
            Err(why) => tracing::warn!(?why, "syslog messages wait"),
        }
        if *stop.borrow() {
            server.metrics.count_many(Event::SyslogDropped, messages.len() as u64);
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn origin(server: &Server, peer: IpAddr) -> Origin {
    Origin {
        protocol: "syslog",
        sender: format!("syslog {peer}"),
        streams: Streams::All,
        stream: STREAM.to_owned(),
        idempotency_key: None,
        by_content: false,
        host: String::new(),
        arrived_ns: server.now_ns(),
    }
}
