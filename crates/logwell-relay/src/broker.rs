//! Broker: the connection to RabbitMQ; the only file that names lapin.
//!
//! Knows queues, deliveries and confirms; knows neither what a message says nor where it goes. Each
//! wait has a deadline. There are two connections, since a broker that is short of memory or disk
//! blocks the one that publishes: the other still takes messages and acknowledges them.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions,
    BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind};
use tokio_stream::StreamExt as _;

use crate::options::Broker as Options;

/// What went wrong with the broker, in words.
#[derive(Debug, Clone)]
pub(crate) struct Trouble(String);

impl Trouble {
    /// In those words.
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Depth {
    pub(crate) waiting: u32,
    pub(crate) workers: u32,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Broker {
    connection: Connection,
    timeout: Duration,
}

impl Broker {
    /// Connects; `name` is what the broker's own tools show.
    pub(crate) async fn connect(options: &Options, name: &str) -> Result<Self, Trouble> {
        let mut properties = ConnectionProperties::default();
        if let Ok(name) = ShortString::try_new(name) {
            properties = properties.with_connection_name(name.as_str().into());
        }
        let cert_chain = match options.ca_file.as_str() {
            "" => None,
            path => Some(std::fs::read_to_string(path).map_err(|error| {
                Trouble(format!("cannot read the certificates {path}: {error}"))
            })?),
        };
        let tls = OwnedTLSConfig { identity: None, cert_chain };
        let runtime = lapin::runtime::default_runtime().map_err(|error| told(&error))?;
        let connect = Connection::connect_uri_with_config(uri(options), properties, tls, runtime);
        let connection = within(options.timeout, "connecting", connect).await;
        // A broker may repeat the password when it says why it refuses.
        let connection =
            connection.map_err(|Trouble(why)| Trouble(options.password.scrub(&why)))?;
        Ok(Self { connection, timeout: options.timeout })
    }

    /// Whether the connection still stands.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.status().connected()
    }

    /// Makes sure that the queue is there: one that exists is taken as it is, whatever its kind.
    pub(crate) async fn ensure_queue(&self, queue: &str) -> Result<(), Trouble> {
        if self.depth(queue).await?.is_some() {
            return Ok(());
        }
        let channel = self.channel().await?;
        let options = QueueDeclareOptions::durable();
        self.declare(&channel, queue, options).await.map(drop).map_err(|error| told(&error))
    }

    /// How full the queue is; `None` if it does not exist.
    pub(crate) async fn depth(&self, queue: &str) -> Result<Option<Depth>, Trouble> {
        // Its own channel: the broker closes it if there is no such queue.
        let channel = self.channel().await?;
        let options = QueueDeclareOptions::durable().passive();
        match self.declare(&channel, queue, options).await {
            Ok(depth) => {
                let _ = self.in_time("closing a channel", channel.close(200, "".into())).await;
                Ok(Some(depth))
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(told(&error)),
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

    /// Begins to take messages, `prefetch` at a time.
    pub(crate) async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, Trouble> {
        let channel = self.channel().await?;
        self.in_time("prefetch", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let consume = channel.basic_consume(
            short(queue).map_err(|error| told(&error))?,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = self.in_time("consuming", consume).await?;
        Ok(Consumer { consumer, _channel: channel, timeout: self.timeout })
    }

    /// Looks at messages one after another; those that are not taken go back where they were when
    /// the [`Look`] is closed.
    pub(crate) async fn look(&self, queue: &str) -> Result<Look, Trouble> {
        let queue = short(queue).map_err(|error| told(&error))?;
        Ok(Look { channel: self.channel().await?, queue, timeout: self.timeout })
    }

    /// A channel on which each message is confirmed.
    pub(crate) async fn publisher(&self) -> Result<Publisher, Trouble> {
        let channel = self.channel().await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        self.in_time("confirms", select).await?;
        Ok(Publisher { channel, timeout: self.timeout })
    }

    /// Says good-bye, which also makes sure that the broker has seen the last acknowledgement.
    pub(crate) async fn close(self) {
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

/// Messages as the broker hands them over.
#[derive(Debug)]
pub(crate) struct Consumer {
    consumer: lapin::Consumer,
    _channel: Channel,
    timeout: Duration,
}

impl Consumer {
    /// The next message; waits as long as it takes. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Taken, Trouble> {
        match self.consumer.next().await {
            Some(Ok(delivery)) => Ok(Taken { delivery, timeout: self.timeout }),
            Some(Err(error)) => Err(told(&error)),
            None => {
                Err(Trouble("the broker has ended the consumer (was the queue deleted?)".into()))
            }
        }
    }
}

/// A message in hand: the broker keeps it until it is acknowledged.
#[derive(Debug)]
pub(crate) struct Taken {
    delivery: lapin::message::Delivery,
    timeout: Duration,
}

impl Taken {
    /// What it says.
    pub(crate) fn body(&self) -> &[u8] {
        &self.delivery.data
    }

    /// The record's hash, if the sender gave it.
    pub(crate) fn id(&self) -> &str {
        self.delivery.properties.message_id().as_ref().map_or("", ShortString::as_str)
    }

    /// A header with a text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        match self.delivery.properties.headers().as_ref()?.inner().get(name)? {
            AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into()),
            AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
            _ => None,
        }
    }

    /// Tells the broker to forget it.
    pub(crate) async fn acknowledge(&self) -> Result<(), Trouble> {
        let acknowledge = self.delivery.acker.ack(BasicAckOptions::default());
        self.settle("acknowledging", acknowledge).await
    }

    /// Gives it back to the queue, for whoever comes next.
    pub(crate) async fn give_back(&self) -> Result<(), Trouble> {
        let options = BasicNackOptions { multiple: false, requeue: true };
        self.settle("giving back", self.delivery.acker.nack(options)).await
    }

    async fn settle(
        &self,
        what: &str,
        settle: impl Future<Output = lapin::Result<bool>>,
    ) -> Result<(), Trouble> {
        match within(self.timeout, what, settle).await? {
            true => Ok(()),
            false => Err(Trouble("the connection was lost meanwhile".to_owned())),
        }
    }
}

/// Messages that are looked at, and perhaps taken out.
#[derive(Debug)]
pub(crate) struct Look {
    channel: Channel,
    queue: ShortString,
    timeout: Duration,
}

impl Look {
    /// The next one; `None` at the end of the queue.
    pub(crate) async fn next(&self) -> Result<Option<Taken>, Trouble> {
        let get = self.channel.basic_get(self.queue.clone(), BasicGetOptions::default());
        let message = within(self.timeout, "looking", get).await?;
        Ok(message.map(|message| Taken { delivery: message.delivery, timeout: self.timeout }))
    }

    /// Puts back what was not acknowledged.
    pub(crate) async fn close(self) -> Result<(), Trouble> {
        within(self.timeout, "putting back", self.channel.close(200, "done".into())).await
    }
}

/// Puts messages into queues, and knows when they are safe there.
#[derive(Debug)]
pub(crate) struct Publisher {
    channel: Channel,
    timeout: Duration,
}

impl Publisher {
    /// Puts a copy of the message into the queue, persistent, with those headers; texts that are
    /// `None` take a header away. Returns when the broker has confirmed it.
    pub(crate) async fn copy(
        &self,
        message: &Taken,
        queue: &str,
        headers: &[(&str, Option<&str>)],
    ) -> Result<(), Trouble> {
        let old = &message.delivery.properties;
        let mut table = FieldTable::default();
        for (name, value) in old.headers().iter().flat_map(|table| table.inner()) {
            if !headers.iter().any(|(changed, _)| *changed == name.as_str()) {
                table.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in headers {
            if let Some(value) = value {
                let name = short(name).map_err(|error| told(&error))?;
                table.insert(name, AMQPValue::LongString((*value).into()));
            }
        }
        let properties = old.clone().with_delivery_mode(PERSISTENT).with_headers(table);
        self.publish(queue, message.body(), properties).await
    }

    /// Puts another body into the queue, persistent, with that id and else as the message was sent.
    pub(crate) async fn part(
        &self,
        message: &Taken,
        queue: &str,
        (id, body): (&str, &[u8]),
    ) -> Result<(), Trouble> {
        let id = short(id).map_err(|error| told(&error))?;
        let properties = message.delivery.properties.clone();
        let properties = properties.with_delivery_mode(PERSISTENT).with_message_id(id);
        self.publish(queue, body, properties).await
    }

    async fn publish(
        &self,
        queue: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), Trouble> {
        let queue = short(queue).map_err(|error| told(&error))?;
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let channel = &self.channel;
        let exchange = ShortString::default();
        let publish = async move {
            channel.basic_publish(exchange, queue, options, body, properties).await?.await
        };
        match within(self.timeout, "publishing", publish).await? {
            Confirmation::Ack(None) => Ok(()),
            // Confirmed and lost: there is no such queue.
            Confirmation::Ack(Some(returned)) => {
                Err(Trouble(format!("returned by the broker: {}", returned.reply_text)))
            }
            Confirmation::Nack(_) => Err(Trouble("refused by the broker".to_owned())),
            Confirmation::NotRequested => Err(Trouble("was not confirmed".to_owned())),
        }
    }
}

const PERSISTENT: u8 = 2;

fn uri(options: &Options) -> AMQPUri {
    AMQPUri {
        scheme: if options.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: options.user.clone(),
                password: options.password.reveal().to_owned(),
            },
            host: options.host.clone(),
            port: options.port,
        },
        vhost: options.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(options.heartbeat.as_secs().try_into().unwrap_or(u16::MAX)),
            ..AMQPQueryString::default()
        },
    }
}

async fn within<T>(
    timeout: Duration,
    what: &str,
    future: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(timeout, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Trouble(format!("{what}: {error}"))),
        Err(_) => Err(Trouble(format!("{what}: no answer within {} ms", timeout.as_millis()))),
    }
}

fn short(text: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(text)
        .map_err(|_| std::io::Error::other("a name is longer than 255 bytes").into())
}

fn told(error: &lapin::Error) -> Trouble {
    Trouble(error.to_string())
}

fn late() -> lapin::Error {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

fn is_not_found(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(error) => {
            matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
        }
        _ => false,
    }
}
