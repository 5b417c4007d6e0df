//! Consumer: messages that are taken out of a queue.
//!
//! Knows deliveries and acknowledgements. Knows no publishing.

use super::trouble::{Trouble, within};
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions};
use lapin::types::{AMQPValue, ShortString};
use lapin::{BasicProperties, Channel};
use std::future::Future;
use std::time::Duration;
use tokio_stream::StreamExt as _;

/// Messages as the broker hands them over.
#[derive(Debug)]
pub struct Consumer {
    consumer: lapin::Consumer,
    _channel: Channel,
    timeout: Duration,
}

impl Consumer {
    pub(super) fn new(consumer: lapin::Consumer, channel: Channel, timeout: Duration) -> Self {
        Self { consumer, _channel: channel, timeout }
    }

    /// The next message; waits as long as it takes. May be dropped while it waits.
    ///
    /// # Errors
    ///
    /// The connection is lost, or the queue was deleted.
    pub async fn next(&mut self) -> Result<Delivery, Trouble> {
        match self.consumer.next().await {
            Some(Ok(delivery)) => Ok(Delivery { delivery, timeout: self.timeout }),
            Some(Err(error)) => Err(error.into()),
            None => Err(Trouble::new("the broker has ended the consumer (was the queue deleted?)")),
        }
    }
}

/// A message in hand: the broker keeps it until it is acknowledged.
#[derive(Debug)]
pub struct Delivery {
    delivery: lapin::message::Delivery,
    timeout: Duration,
}

impl Delivery {
    /// What it says.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.delivery.data
    }

    /// Its id, the record's hash, if the sender gave it; else empty.
    #[must_use]
    pub fn id(&self) -> &str {
        self.properties().message_id().as_ref().map_or("", ShortString::as_str)
    }

    /// A header with a text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        match self.properties().headers().as_ref()?.inner().get(name)? {
            AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into()),
            AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
            _ => None,
        }
    }

    pub(super) fn properties(&self) -> &BasicProperties {
        &self.delivery.properties
    }

    /// Tells the broker to forget it.
    ///
    /// # Errors
    ///
    /// The connection is lost: the broker hands the message over again.
    pub async fn acknowledge(&self) -> Result<(), Trouble> {
        let acknowledge = self.delivery.acker.ack(BasicAckOptions::default());
        self.settle("acknowledging", acknowledge).await
    }

    /// Gives it back to the queue, for whoever comes next.
    ///
    /// # Errors
    ///
    /// The connection is lost: the broker hands the message over again.
    pub async fn give_back(&self) -> Result<(), Trouble> {
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
            false => Err(Trouble::new("the connection was lost meanwhile")),
        }
    }
}

/// Messages that are looked at, and perhaps taken out.
#[derive(Debug)]
pub struct Look {
    channel: Channel,
    queue: ShortString,
    timeout: Duration,
}

impl Look {
    pub(super) fn new(channel: Channel, queue: ShortString, timeout: Duration) -> Self {
        Self { channel, queue, timeout }
    }

    /// The next one; `None` at the end of the queue.
    ///
    /// # Errors
    ///
    /// There is no such queue, or no answer in time.
    pub async fn next(&self) -> Result<Option<Delivery>, Trouble> {
        let get = self.channel.basic_get(self.queue.clone(), BasicGetOptions::default());
        let message = within(self.timeout, "looking", get).await?;
        Ok(message.map(|message| Delivery { delivery: message.delivery, timeout: self.timeout }))
    }

    /// Puts back what was not acknowledged.
    ///
    /// # Errors
    ///
    /// There is no answer in time. The messages are put back when the connection ends.
    pub async fn close(self) -> Result<(), Trouble> {
        within(self.timeout, "putting back", self.channel.close(200, "done".into())).await
    }
}
