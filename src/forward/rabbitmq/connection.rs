//! Connection: one connection to RabbitMQ, from the handshake until it is lost.
//!
//! Knows AMQP: queues, confirms, blocked connections. Knows nothing of what is done when it is
//! lost.

use super::link::{Published, Request, Shared, State};
use super::socket::{Peer, Socket};
use crate::base::error::Error;
use crate::forward::backoff::Backoff;
use crate::forward::message::Message;
use crate::forward::options::RabbitMqConfig;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{BasicProperties, Channel, Confirmation, ConnectionProperties, ErrorKind, Event};
use logwell_options::secret::Secret;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};

/// Why there is no connection any more, for people; without secrets.
#[derive(Debug)]
pub(super) struct Lost(pub(super) String);

/// Where the broker is, who we are there, and the queue.
pub(super) struct Address {
    peer: Peer,
    user: String,
    password: Secret,
    vhost: String,
    heartbeat: Duration,
    queue: String,
}

impl Address {
    /// That of the configuration.
    ///
    /// # Errors
    ///
    /// The file of certificates cannot be read.
    pub(super) fn new(config: &RabbitMqConfig, queue: String) -> Result<Self, Error> {
        let tls = match config.tls {
            true => Some(OwnedTLSConfig { identity: None, cert_chain: certificates(config)? }),
            false => None,
        };
        let (host, port, timeout) = (config.host.clone(), config.port, config.timeout);
        Ok(Self {
            peer: Peer { host, port, tls, timeout },
            user: config.user.clone(),
            password: match config.password.is_empty() {
                true => Secret::new("guest"),
                false => config.password.clone(),
            },
            vhost: config.vhost.clone(),
            heartbeat: config.heartbeat,
            queue,
        })
    }

    /// How long connecting, and each answer, may take.
    pub(super) fn timeout(&self) -> Duration {
        self.peer.timeout
    }

    fn uri(&self) -> AMQPUri {
        let (username, password) = (self.user.clone(), self.password.reveal());
        let password = if password.is_empty() { "guest" } else { password }.to_owned();
        let heartbeat = self.heartbeat.as_secs().try_into().unwrap_or(u16::MAX);
        AMQPUri {
            scheme: if self.peer.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username, password },
                host: self.peer.host.clone(),
                port: self.peer.port,
            },
            vhost: self.vhost.clone(),
            query: AMQPQueryString { heartbeat: Some(heartbeat), ..AMQPQueryString::default() },
        }
    }
}

impl fmt::Display for Address {
    /// `RabbitMQ at 127.0.0.1:5672, queue shop.example_logbeacon`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RabbitMQ at {}:{}, queue {}", self.peer.host, self.peer.port, self.queue)
    }
}

fn certificates(config: &RabbitMqConfig) -> Result<Option<String>, Error> {
    if config.ca_file.is_empty() {
        return Ok(None);
    }
    let path = Path::new(&config.ca_file);
    let help = "set forward.rabbitmq.ca_file to a file of PEM certificates";
    let read = std::fs::read_to_string(path);
    read.map(Some).map_err(|error| Error::path("read the certificates in", path, error, help))
}

/// An open connection with its channel.
pub(super) struct Connection {
    connection: lapin::Connection,
    channel: Channel,
    events: Events,
    queue: ShortString,
    timeout: Duration,
    /// Dropped last: it ends whatever lapin still has to do with the socket.
    _socket: Socket,
}

type Events = Pin<Box<dyn Stream<Item = Event> + Send>>;

impl Connection {
    /// Connects, and makes sure that the queue is there.
    pub(super) async fn open(address: &Address) -> Result<Self, Lost> {
        let timeout = address.timeout();
        let queue = ShortString::try_new(address.queue.as_str());
        let queue = queue.map_err(|_| Lost("the queue's name is too long".to_owned()))?;
        let properties = ConnectionProperties::default().with_connection_name("logwell".into());
        let runtime = lapin::runtime::default_runtime().map_err(lost)?;
        let socket = Socket::default();
        let (slot, peer) = (socket.slot(), address.peer.clone());
        let connect = async move |_, _| Ok(slot.connect(&peer).await?);
        let connect = lapin::Connection::connector(address.uri(), runtime, connect, properties);
        let connection = within(timeout, "connecting", connect).await?;
        let events: Events = Box::pin(connection.events_listener());
        ensure_queue(&connection, &queue, timeout).await?;
        let channel = confirming_channel(&connection, timeout).await?;
        Ok(Self { connection, channel, events, queue, timeout, _socket: socket })
    }

    /// Publishes what is asked for until the connection is lost; `None` when nobody can ask any
    /// more.
    pub(super) async fn serve(
        mut self,
        requests: &mut mpsc::Receiver<Request>,
        shared: &Shared,
        backoff: &mut Backoff,
    ) -> Option<Lost> {
        loop {
            let request = tokio::select! {
                biased;
                halted = halted(&mut self.events) => match self.recover(halted, requests, shared).await {
                    Ok(true) => continue,
                    Ok(false) => break,
                    Err(lost) => return Some(lost),
                },
                request = requests.recv() => request,
            };
            let Some(request) = request else { break };
            let (published, halted) = self.publish(&request.messages).await;
            if published.trouble.is_none() {
                backoff.succeeded();
            }
            if let Some(why) = &published.trouble {
                // Said before the answer, so that who asks next does not send the next request.
                shared.set(State::Down(why.clone()));
            }
            let trouble = published.trouble.clone();
            request.answer(published);
            match (halted, trouble) {
                (Some(halted), _) => match self.recover(halted, requests, shared).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(lost) => return Some(lost),
                },
                (None, Some(why)) => return Some(Lost(why)),
                (None, None) => {}
            }
        }
        let close = self.connection.close(200, "done".into());
        let _ = within(self.timeout, "closing", close).await;
        None
    }

    /// Publishes all and waits for their confirms; what was confirmed so far if it halts meanwhile.
    async fn publish(&mut self, messages: &[Message]) -> (Published, Option<Halted>) {
        let mut confirmed = vec![false; messages.len()];
        let publish = publish(&self.channel, &self.queue, messages, &mut confirmed);
        let (trouble, halted) = tokio::select! {
            biased;
            done = within(self.timeout, "publishing", publish) => match done {
                Ok(()) => (None, None),
                Err(Lost(why)) => (Some(why), None),
            },
            halted = halted(&mut self.events) => (Some(halted.to_string()), Some(halted)),
        };
        let refused = confirmed.iter().filter(|confirmed| !**confirmed).count();
        let trouble = trouble.or_else(|| {
            (refused > 0).then(|| format!("{refused} messages found no queue, or were refused"))
        });
        (Published { confirmed, trouble }, halted)
    }

    /// Waits until a blocked connection is not blocked any more: `Ok(true)`. Requests are refused
    /// meanwhile; `Ok(false)` when nobody can ask any more.
    async fn recover(
        &mut self,
        halted: Halted,
        requests: &mut mpsc::Receiver<Request>,
        shared: &Shared,
    ) -> Result<bool, Lost> {
        let why = halted.to_string();
        shared.set(State::Down(why.clone()));
        if let Halted::Lost(_) = halted {
            return Err(Lost(why));
        }
        loop {
            tokio::select! {
                event = self.events.next() => match event {
                    Some(Event::ConnectionUnblocked) => break,
                    Some(Event::Error(error)) if !error.is_amqp_soft_error() => {
                        return Err(lost(error));
                    }
                    None => return Err(Lost("the connection has ended".to_owned())),
                    Some(_) => {}
                },
                request = requests.recv() => match request {
                    Some(request) => request.answer(Published::nothing(&why)),
                    None => return Ok(false),
                },
            }
        }
        // What was published on the old one and not confirmed is nobody's any more.
        self.channel = confirming_channel(&self.connection, self.timeout).await?;
        shared.set(State::Up);
        Ok(true)
    }
}

/// Why nothing can be published now.
enum Halted {
    /// The broker is short of memory or disk; it will say when it is not any more.
    Blocked(String),
    Lost(String),
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(reason) => write!(f, "it takes no messages: {reason}"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

/// Waits until nothing can be published.
async fn halted(events: &mut Events) -> Halted {
    loop {
        match events.next().await {
            Some(Event::ConnectionBlocked(reason)) => return Halted::Blocked(reason),
            // A soft error closes a channel: its user gets an error. The others end the
            // connection.
            Some(Event::Error(error)) if !error.is_amqp_soft_error() => {
                return Halted::Lost(error.to_string());
            }
            None => return Halted::Lost("the connection has ended".to_owned()),
            Some(_) => {}
        }
    }
}

/// Publishes all, then waits for all: a confirm is the broker's promise, a return its excuse.
async fn publish(
    channel: &Channel,
    queue: &ShortString,
    messages: &[Message],
    confirmed: &mut [bool],
) -> lapin::Result<()> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into());
        if let Ok(id) = ShortString::try_new(message.id.as_str()) {
            properties = properties.with_message_id(id);
        }
        let exchange = ShortString::default();
        let body = &message.body;
        let publish = channel.basic_publish(exchange, queue.clone(), options, body, properties);
        confirms.push(publish.await?);
    }
    for (confirmed, confirm) in confirmed.iter_mut().zip(confirms) {
        *confirmed = confirm.await? == Confirmation::Ack(None);
    }
    Ok(())
}

/// A queue that exists is taken as it is, whatever its kind; else a durable one is made.
async fn ensure_queue(
    connection: &lapin::Connection,
    queue: &ShortString,
    timeout: Duration,
) -> Result<(), Lost> {
    for options in [QueueDeclareOptions::durable().passive(), QueueDeclareOptions::durable()] {
        // A new channel each time: the broker closes it if there is no such queue.
        let channel = within(timeout, "opening a channel", connection.create_channel()).await?;
        let declare = channel.queue_declare(queue.clone(), options, FieldTable::default());
        match tokio::time::timeout(timeout, declare).await {
            Ok(Ok(_)) => {
                return within(timeout, "closing a channel", channel.close(200, "".into())).await;
            }
            Ok(Err(error)) if options.passive && is_not_found(&error) => {}
            Ok(Err(error)) => return Err(lost(error)),
            Err(_) => return Err(Lost("declaring the queue: no answer in time".to_owned())),
        }
    }
    Ok(())
}

async fn confirming_channel(
    connection: &lapin::Connection,
    timeout: Duration,
) -> Result<Channel, Lost> {
    let channel = within(timeout, "opening a channel", connection.create_channel()).await?;
    let select = channel.confirm_select(ConfirmSelectOptions::default());
    within(timeout, "asking for confirms", select).await?;
    Ok(channel)
}

async fn within<T>(
    timeout: Duration,
    what: &str,
    future: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Lost> {
    match tokio::time::timeout(timeout, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Lost(format!("{what}: {error}"))),
        Err(_) => Err(Lost(format!("{what}: no answer within {} ms", timeout.as_millis()))),
    }
}

fn lost(error: lapin::Error) -> Lost {
    Lost(error.to_string())
}

fn is_not_found(error: &lapin::Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else { return false };
    matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}

/// AMQP's delivery mode of a message that survives the broker.
const PERSISTENT: u8 = 2;
