//! Serve: accepts connections, hands requests to the routes, and ends in order.
//!
//! Knows sockets and hyper. Does not know routes' content. Connections are bounded in number, and a
//! client that sends no request within half a minute is cut off.

use crate::http::auth::Peer;
use crate::http::router;
use crate::server::Server;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections at once. More wait in the system's queue.
const CONNECTIONS: usize = 4096;
/// How long the head of a request may take, or a connection be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests may go on after the server was asked to stop.
const DRAIN: Duration = Duration::from_secs(20);
/// After a failed accept, such as when there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Where requests come in.
#[derive(Clone)]
pub struct Door {
    /// Speaks TLS if there is one.
    pub tls: Option<TlsAcceptor>,
    /// Becomes true when the server is to stop.
    pub stop: watch::Receiver<bool>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

/// Serves until `door.stop` is true, then finishes the requests that are under way.
pub async fn serve(server: Arc<Server>, listener: TcpListener, door: Door) {
    let service = TowerToHyperService::new(router(Arc::clone(&server)));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stop = door.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = stopped(&mut stop) => break,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let (service, door) = (service.clone(), door.clone());
        connections.spawn(async move {
            let _place = place;
            connection(stream, peer, (service, door)).await;
        });
        while connections.try_join_next().is_some() {}
    }
    server.stop();
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "requests were cut off at the end");
    }
}

/// Waits until the server is to stop.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that nobody can ask any more: that is the end too.
    let _value_or_end = stop.wait_for(|stop| *stop).await;
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and awaited.
            let _unsupported = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

type Routes = TowerToHyperService<axum::Router>;

async fn connection(stream: TcpStream, peer: SocketAddr, (routes, door): (Routes, Door)) {
    match &door.tls {
        None => requests(stream, peer, (routes, door.stop)).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => requests(stream, peer, (routes, door.stop)).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
            Err(_) => tracing::debug!(%peer, "TLS took too long"),
        },
    }
}

async fn requests<S>(stream: S, peer: SocketAddr, (routes, stop): (Routes, watch::Receiver<bool>))
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop = stop;
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        routes.call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}
