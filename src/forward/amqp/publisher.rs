//! Publisher: messages that are put into a queue, and when they are safe there.
//!
//! Knows confirms and returns: a confirm is the broker's promise, a return its excuse. Knows no
//! consumer.

use super::consumer::Delivery;
use super::trouble::{Trouble, short, within};
use crate::forward::message::Message;
use lapin::options::BasicPublishOptions;

use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use std::time::Duration;

/// Puts messages into queues, persistent, each confirmed by the broker.
#[derive(Debug)]
pub struct Publisher {
    channel: Channel,
    timeout: Duration,
}

impl Publisher {
    pub(super) fn new(channel: Channel, timeout: Duration) -> Self {
        Self { channel, timeout }
    }

    /// Puts a copy of the message into the queue, with those headers; texts that are `None` take a
    /// header away. Returns when the broker has confirmed it.
    ///
    /// # Errors
    ///
    /// It is not confirmed: there is no such queue, or no answer in time.
    pub async fn copy(
        &self,
        message: &Delivery,
        queue: &str,
        headers: &[(&str, Option<&str>)],
    ) -> Result<(), Trouble> {
        let old = message.properties();
        let mut table = FieldTable::default();
        for (name, value) in old.headers().iter().flat_map(|table| table.inner()) {
            if !headers.iter().any(|(changed, _)| *changed == name.as_str()) {
                table.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in headers {
            if let Some(value) = value {
                table.insert(short(name)?, AMQPValue::LongString((*value).into()));
            }
        }
        self.publish(queue, message.body(), old.clone().with_headers(table)).await
    }

    /// Puts another body into the queue, with that id and else as the message was sent. Returns
    /// when the broker has confirmed it.
    ///
    /// # Errors
    ///
    /// It is not confirmed: there is no such queue, or no answer in time.
    pub async fn part(
        &self,
        message: &Delivery,
        queue: &str,
        (id, body): (&str, &[u8]),
    ) -> Result<(), Trouble> {
        let properties = message.properties().clone().with_message_id(short(id)?);
        self.publish(queue, body, properties).await
    }

    async fn publish(
        &self,
        queue: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), Trouble> {
        let queue = short(queue)?;
        let publish = async { self.send(&queue, body, properties).await?.await };
        match within(self.timeout, "publishing", publish).await? {
            Confirmation::Ack(None) => Ok(()),
            // Confirmed and lost: there is no such queue.
            Confirmation::Ack(Some(returned)) => {
                Err(Trouble::new(format!("returned by the broker: {}", returned.reply_text)))
            }
            Confirmation::Nack(_) => Err(Trouble::new("refused by the broker")),
            Confirmation::NotRequested => Err(Trouble::new("was not confirmed")),
        }
    }

    /// Publishes all messages, then waits for all confirms, and notes each that has come.
    pub(crate) async fn publish_all(
        &self,
        queue: &str,
        messages: &[Message],
        confirmed: &mut [bool],
    ) -> Result<(), Trouble> {
        let queue = short(queue)?;
        let publish = async {
            let mut confirms = Vec::with_capacity(messages.len());
            for message in messages {
                let mut properties =
                    BasicProperties::default().with_content_type("application/json".into());
                if let Ok(id) = ShortString::try_new(message.id.as_str()) {
                    properties = properties.with_message_id(id);
                }
                confirms.push(self.send(&queue, &message.body, properties).await?);
            }
            for (confirmed, confirm) in confirmed.iter_mut().zip(confirms) {
                *confirmed = confirm.await? == Confirmation::Ack(None);
            }
            Ok(())
        };
        within(self.timeout, "publishing", publish).await
    }

    async fn send(
        &self,
        queue: &ShortString,
        body: &[u8],
        properties: BasicProperties,
    ) -> lapin::Result<PublisherConfirm> {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let (exchange, queue) = (ShortString::default(), queue.clone());
        let properties = properties.with_delivery_mode(PERSISTENT);
        self.channel.basic_publish(exchange, queue, options, body, properties).await
    }
}

/// AMQP's delivery mode of a message that survives the broker.
const PERSISTENT: u8 = 2;
