//! AMQP: a connection to RabbitMQ, for publishers and for consumers.
//!
//! Knows queues, messages in hand and confirms; each wait has a deadline. Knows neither what a
//! message says nor what is done when the connection is lost.
//!
//! The library publishes through it, and `logwell-relay` takes the messages out. It exists with the
//! feature `rabbitmq`.

mod consumer;
mod halt;
mod publisher;
mod socket;
mod trouble;

pub use consumer::{Consumer, Delivery, Look};
pub(crate) use halt::{Halted, Watch};
pub use publisher::Publisher;
pub(crate) use socket::silence_thread;
pub use trouble::Trouble;

use crate::base::error::Error;
use lapin::options::{
    BasicConsumeOptions, BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use logwell_options::secret::Secret;
use socket::{Peer, Socket};
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use trouble::{is_not_found, late, short, within};

/// Where a RabbitMQ is, and who we are there.
#[derive(Debug, Clone)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// Usually 5672, with TLS 5671.
    pub port: u16,
    /// The user name.
    pub user: String,
    /// The password. It is in no [`Trouble`].
    pub password: Secret,
    /// The virtual host, such as `/`.
    pub vhost: String,
    /// Encrypts the connection, if there is one.
    pub tls: Option<Tls>,
    /// The heartbeat interval, in whole seconds up to 65 535. Zero: none are sent.
    pub heartbeat: Duration,
    /// How long connecting, and each answer, may take.
    pub timeout: Duration,
    /// What the broker's own tools call the connection; at most 255 bytes.
    pub name: String,
}

impl fmt::Display for Server {
    /// `RabbitMQ at 127.0.0.1:5672`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RabbitMQ at {}:{}", self.host, self.port)
    }
}

/// Which certificates are trusted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    certificates: Option<String>,
}

impl Tls {
    /// Trusts the public roots, and the PEM certificates of that file unless its path is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn new(ca_file: impl AsRef<Path>) -> Result<Self, Error> {
        let path = ca_file.as_ref();
        if path.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        let help = "set ca_file to a file of PEM certificates";
        let read = std::fs::read_to_string(path);
        let read = read.map_err(|error| Error::path("read the certificates in", path, error, help));
        Ok(Self { certificates: Some(read?) })
    }
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that nobody has in hand.
    pub waiting: u32,
    /// Consumers on the queue.
    pub workers: u32,
}

/// An open connection. Its methods need a tokio runtime with time and I/O. When it is dropped its
/// socket is shut down, whatever is under way.
#[derive(Debug)]
pub struct Broker {
    connection: Connection,
    timeout: Duration,
    /// Dropped last: it ends whatever lapin still has to do with the socket.
    _socket: Socket,
}

impl Broker {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Nobody answers in time, or the broker refuses.
    pub async fn connect(server: &Server) -> Result<Self, Trouble> {
        let name = ShortString::try_new(server.name.as_str()).unwrap_or_default();
        let properties = ConnectionProperties::default().with_connection_name(name.as_str().into());
        let runtime = lapin::runtime::default_runtime()?;
        let socket = Socket::default();
        let (slot, peer) = (socket.slot(), Peer::of(server));
        let connect = async move |_, _| Ok(slot.connect(&peer).await?);
        let connect = Connection::connector(uri(server), runtime, connect, properties);
        let connection = within(server.timeout, "connecting", connect).await;
        // A broker may repeat the password when it says why it refuses.
        let connection =
            connection.map_err(|why| Trouble::new(server.password.scrub(&why.to_string())))?;
        Ok(Self { connection, timeout: server.timeout, _socket: socket })
    }

    /// Whether the connection is still open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.connection.status().connected()
    }

    /// Makes sure that the queue is there. One that exists is taken as it is, whatever its kind;
    /// else a durable one is made.
    ///
    /// # Errors
    ///
    /// The broker does not let us, or does not answer in time.
    pub async fn ensure_queue(&self, queue: &str) -> Result<(), Trouble> {
        if self.depth(queue).await?.is_some() {
            return Ok(());
        }
        let channel = self.channel().await?;
        self.declare(&channel, queue, QueueDeclareOptions::durable()).await?;
        self.in_time("closing a channel", channel.close(200, "".into())).await
    }

    /// How full the queue is; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// The broker does not let us, or does not answer in time.
    pub async fn depth(&self, queue: &str) -> Result<Option<Depth>, Trouble> {
        // Its own channel: the broker closes it if there is no such queue.
        let channel = self.channel().await?;
        match self.declare(&channel, queue, QueueDeclareOptions::durable().passive()).await {
            Ok(depth) => {
                let _ = self.in_time("closing a channel", channel.close(200, "".into())).await;
                Ok(Some(depth))
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn declare(
        &self,
        channel: &Channel,
        queue: &str,
        options: QueueDeclareOptions,
    ) -> Result<Depth, lapin::Error> {
        let declare = channel.queue_declare(short(queue)?, options, FieldTable::default());
        let queue = tokio::time::timeout(self.timeout, declare).await.map_err(|_| late())??;
        Ok(Depth { waiting: queue.message_count(), workers: queue.consumer_count() })
    }

    /// Begins to take messages; the broker hands over `prefetch` at once.
    ///
    /// # Errors
    ///
    /// There is no such queue, or no answer in time.
    pub async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Trouble> {
        let channel = self.channel().await?;
        self.in_time("prefetch", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let (queue, tag) = (short(queue)?, ShortString::default());
        let options = BasicConsumeOptions::default();
        let consume = channel.basic_consume(queue, tag, options, FieldTable::default());
        let consumer = self.in_time("consuming", consume).await?;
        Ok(Consumer::new(consumer, channel, self.timeout))
    }

    /// Looks at messages one after another; those that are not acknowledged are put back in their
    /// places when the [`Look`] is closed.
    ///
    /// # Errors
    ///
    /// The name of the queue is too long, or there is no answer in time.
    pub async fn look(&self, queue: &str) -> Result<Look, Trouble> {
        Ok(Look::new(self.channel().await?, short(queue)?, self.timeout))
    }

    /// A channel on which each message is confirmed.
    ///
    /// # Errors
    ///
    /// There is no answer in time.
    pub async fn publisher(&self) -> Result<Publisher, Trouble> {
        let channel = self.channel().await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        self.in_time("asking for confirms", select).await?;
        Ok(Publisher::new(channel, self.timeout))
    }

    /// What happens to the connection from now on.
    pub(crate) fn watch(&self) -> Watch {
        Watch::new(self.connection.events_listener())
    }

    /// Says good-bye, so that the broker has seen the last acknowledgement.
    pub async fn close(self) {
        let close = self.connection.close(200, "done".into());
        let _ = self.in_time("closing the connection", close).await;
    }

    async fn channel(&self) -> Result<Channel, Trouble> {
        self.in_time("opening a channel", self.connection.create_channel()).await
    }

    async fn in_time<T>(
        &self,
        what: &str,
        future: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, Trouble> {
        within(self.timeout, what, future).await
    }
}

fn uri(server: &Server) -> AMQPUri {
    let (username, password) = (server.user.clone(), server.password.reveal().to_owned());
    let heartbeat = server.heartbeat.as_secs().try_into().unwrap_or(u16::MAX);
    AMQPUri {
        scheme: if server.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username, password },
            host: server.host.clone(),
            port: server.port,
        },
        vhost: server.vhost.clone(),
        query: AMQPQueryString { heartbeat: Some(heartbeat), ..AMQPQueryString::default() },
    }
}

impl Peer {
    fn of(server: &Server) -> Self {
        let tls = server.tls.as_ref().map(|tls| {
            let cert_chain = tls.certificates.clone();
            OwnedTLSConfig { identity: None, cert_chain }
        });
        let (host, port, timeout) = (server.host.clone(), server.port, server.timeout);
        Self { host, port, tls, timeout }
    }
}
