//! Serve: `logbeacon serve`: everything in one process.

use super::{Failure, demo};
use crate::serve::{Door, serve};
use crate::server::{Server, Settings};
use crate::token::{Scope, Token, Tokens};
use crate::{alarm, syslog, tls};
use clap::Args;
use logbeacon_store::{Embedded, OpenReport, Options, Store, SystemClock};
use logwell::LoggingConfig;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How the server runs.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where requests come in. Port 0 takes any that is free; the address is printed.
    #[arg(long, default_value = "127.0.0.1:8514", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Where everything is kept.
    #[arg(long, default_value = "logbeacon-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// An admin token, beside those of `logbeacon token`. It is not kept.
    #[arg(long, env = "LOGBEACON_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Certificate chain, in PEM: requests come by TLS.
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key, in PEM.
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Takes syslog over TCP here, from anybody who can connect.
    #[arg(long, value_name = "ADDR:PORT")]
    syslog_tcp: Option<SocketAddr>,
    /// Takes syslog over TLS here, from anybody who can connect.
    #[arg(long, requires = "tls_cert", value_name = "ADDR:PORT")]
    syslog_tls: Option<SocketAddr>,
    /// Takes syslog over UDP here, from anybody.
    #[arg(long, value_name = "ADDR:PORT")]
    syslog_udp: Option<SocketAddr>,
    /// Largest body of a request, in MiB; a larger one is answered with 413.
    #[arg(long, default_value_t = 16)]
    max_body_mib: usize,
    /// Longest search, in seconds; then it answers with what it has.
    #[arg(long, default_value_t = 30)]
    search_seconds: u64,
    /// Memory of one search, in MiB.
    #[arg(long, default_value_t = 64)]
    search_memory_mib: usize,
    /// Records per second and token; more is answered with 429. Without it there is no limit.
    #[arg(long)]
    rate_limit: Option<u32>,
    /// Gives a record without `host` the address of its sender. Not behind a proxy.
    #[arg(long)]
    host_from_peer: bool,
    /// A device that was active and sends nothing for so many seconds raises an alarm, in the
    /// stream `_alarms` and in the metrics. 0: none does.
    #[arg(long, default_value_t = 300)]
    silent_seconds: u64,
    /// For so many days a record that is sent again is known and not kept twice.
    #[arg(long, default_value_t = 7)]
    dedup_days: u64,
    /// Space that stays free on the disk, in MiB, 128 at least. With less, records are answered
    /// with 507 until there is more; sealing and deleting go on in it.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(128..))]
    free_mib: u64,
    /// Fills itself with records of an invented shop.
    #[arg(long)]
    demo: bool,
}

/// Runs until SIGTERM or SIGINT.
pub(super) fn run(args: ServeArgs, out: &mut dyn Write) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.data_dir)
        .map_err(|error| format!("{}: {error}", args.data_dir.display()))?;
    let tokens = Arc::new(Tokens::open(&args.data_dir, args.token.as_deref())?);
    let log = LoggingConfig::builder().log_level("info").files(false).build()?;
    logwell::init_logging_with(log)?;
    let ended = run_logged(&args, tokens, out);
    if let Err(failure) = &ended {
        tracing::error!(%failure, "the server has ended");
    }
    logwell::shutdown_logging();
    ended
}

fn run_logged(args: &ServeArgs, tokens: Arc<Tokens>, out: &mut dyn Write) -> Result<(), Failure> {
    let store = Arc::new(open(args)?);
    let (shared, clock): (Arc<dyn Store>, _) = (Arc::clone(&store) as _, Box::new(SystemClock));
    let server = Arc::new(Server::new(settings(args), shared, Arc::clone(&tokens), clock)?);
    // Ingest, searches, and some for names and files.
    let waiting = crate::lanes::INGEST_THREADS + server.settings.searches + 16;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(waiting)
        .thread_name("logbeacon")
        .build()?;
    let served = runtime.block_on(async {
        let doors = Doors::open(args).await?;
        welcome(args, (&tokens, doors.address()?), out)?;
        doors.serve(Arc::clone(&server), args.demo).await
    });
    // Threads that wait for a search need not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(5));
    store.close();
    tracing::info!("everything is on disk");
    served
}

fn open(args: &ServeArgs) -> Result<Embedded, Failure> {
    let options = Options {
        dedup_window: Duration::from_secs(args.dedup_days * 86_400),
        free_bytes_min: args.free_mib << 20,
        ..Options::default()
    };
    let (store, report) = Embedded::open(args.data_dir.join(STORE), options)?;
    let OpenReport { replayed, cut_bytes, damaged, removed, rebuilt } = report;
    tracing::info!(replayed, cut_bytes, removed, rebuilt, "the store is open");
    for damage in damaged {
        let (file, reason, rows) = (damage.file, damage.reason, damage.rows);
        tracing::error!(file, reason, rows, "a file is damaged and put aside");
    }
    Ok(store)
}

/// The directory of the store in the data directory.
pub(super) const STORE: &str = "store";

fn settings(args: &ServeArgs) -> Settings {
    Settings {
        max_body_bytes: args.max_body_mib << 20,
        search_time: Duration::from_secs(args.search_seconds),
        search_memory_bytes: args.search_memory_mib << 20,
        rate_limit: args.rate_limit,
        host_from_peer: args.host_from_peer,
        silent_after: Duration::from_secs(args.silent_seconds),
        secure_cookies: args.tls_cert.is_some(),
        ..Settings::new(args.data_dir.clone())
    }
}

/// Everything that takes something from the network.
struct Doors {
    http: TcpListener,
    tls: Option<TlsAcceptor>,
    syslog_tcp: Option<TcpListener>,
    syslog_tls: Option<TcpListener>,
    syslog_udp: Option<UdpSocket>,
}

impl Doors {
    async fn open(args: &ServeArgs) -> Result<Self, Failure> {
        let tls = match (&args.tls_cert, &args.tls_key) {
            (Some(certificates), Some(key)) => Some(tls::acceptor(certificates, key)?),
            _ => None,
        };
        let udp = match args.syslog_udp {
            None => None,
            Some(address) => {
                let bound = UdpSocket::bind(address).await;
                Some(bound.map_err(|error| cannot_listen(address, &error))?)
            }
        };
        Ok(Self {
            http: bind(args.listen).await?,
            tls,
            syslog_tcp: bind_if(args.syslog_tcp).await?,
            syslog_tls: bind_if(args.syslog_tls).await?,
            syslog_udp: udp,
        })
    }

    fn address(&self) -> Result<SocketAddr, Failure> {
        Ok(self.http.local_addr()?)
    }

    /// Serves until a signal comes, then ends in order.
    async fn serve(self, server: Arc<Server>, is_demo: bool) -> Result<(), Failure> {
        let (stopping, stop) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (listener, tls) in [(self.syslog_tcp, None), (self.syslog_tls, self.tls.clone())] {
            if let Some(listener) = listener {
                tasks.spawn(syslog::tcp(Arc::clone(&server), listener, (tls, stop.clone())));
            }
        }
        if let Some(socket) = self.syslog_udp {
            tasks.spawn(syslog::udp(Arc::clone(&server), socket, stop.clone()));
        }
        if is_demo {
            tasks.spawn(demo::run(Arc::clone(&server), stop.clone()));
        }
        tasks.spawn(alarm::run(Arc::clone(&server), stop.clone()));
        let door = Door { tls: self.tls, stop };
        tasks.spawn(serve(Arc::clone(&server), self.http, door));
        asked_to_stop().await?;
        tracing::info!("finishing");
        server.stop();
        let _receivers = stopping.send(true);
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

/// Waits for SIGTERM or SIGINT.
#[cfg(unix)]
async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn asked_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

async fn bind_if(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Failure> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    format!("cannot listen on {address}: {error}; choose another address").into()
}

/// Prints the address; at the first start, a token too.
fn welcome(
    args: &ServeArgs,
    (tokens, address): (&Tokens, SocketAddr),
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    writeln!(out, "LogBeacon listens on {scheme}://{address}")?;
    if tokens.is_empty() {
        let (token, secret) = Token::create("first", &[Scope::Admin], None)?;
        tokens.add(token)?;
        writeln!(out, "token (admin, shown this once): {secret}")?;
    }
    if scheme == "http" && !address.ip().is_loopback() {
        tracing::warn!(%address, "tokens come in unencrypted: use --tls-cert or a proxy with TLS");
    }
    out.flush()?;
    Ok(())
}
