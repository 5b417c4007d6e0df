//! RabbitMQ: the way of messages through a broker, and past it while it is out of reach.
//!
//! ```text
//! forwarder ─▶ Brokered ─┬─▶ link.rs ═ thread ═ connection.rs ─▶ amqp/ ─▶ {domain}_logbeacon, …
//!                        └─▶ direct: the destination's own transport
//! ```
//!
//! A message counts as delivered when the broker has confirmed it, or when the direct way has
//! delivered it. What was sent and not confirmed goes directly: it may then arrive twice, with one
//! hash. Knows which way is taken. Knows no AMQP.

mod connection;
mod link;

#[cfg(test)]
mod tests;

use super::destination::Destination;
use super::logbeacon;
use super::message::Message;
use super::transport::{Stop, Transport};
use crate::base::error::Error;
use crate::base::selflog;
use crate::forward::ForwardSetup;
use crate::forward::outcome::Outcome;
use connection::Address;
use link::Link;
use logwell_options::secret::Secret;

/// So many messages are published before their confirms are waited for. When the program or the
/// broker is killed, as many may come twice.
const AT_ONCE: usize = 512;

/// The destination, reached through the broker if the configuration wants it.
///
/// # Errors
///
/// The file of certificates cannot be read, or the thread cannot be started.
pub(crate) fn through(
    destination: Destination,
    config: &ForwardSetup<'_>,
) -> Result<Destination, Error> {
    if !config.forward.rabbitmq.enabled {
        return Ok(destination);
    }
    let domain = &config.service.domain;
    let (queue, at_once) = match destination.name {
        logbeacon::NAME => (format!("{domain}_logbeacon"), AT_ONCE.max(destination.at_once)),
        // People receive one message after another.
        _ => (format!("{domain}_tg"), destination.at_once),
    };
    let address = Address::new(&config.forward.rabbitmq, queue)?;
    let shown = format!("{address}, else {}", destination.address);
    let password = config.forward.rabbitmq.password.clone();
    let link = Link::start(address)?;
    let transport = Brokered::new((destination.name, password), link, destination.transport);
    Ok(Destination { transport: Box::new(transport), address: shown, at_once, ..destination })
}

/// Publishes messages, and delivers directly what the broker does not take.
struct Brokered {
    name: &'static str,
    /// A broker may repeat it when it says why it refuses.
    password: Secret,
    link: Link,
    direct: Box<dyn Transport>,
    is_direct: bool,
}

impl Brokered {
    fn new(
        (name, password): (&'static str, Secret),
        link: Link,
        direct: Box<dyn Transport>,
    ) -> Self {
        Self { name, password, link, direct, is_direct: false }
    }

    /// Tells when the way changes.
    fn take_way(&mut self, why_direct: Option<&str>) {
        match why_direct {
            Some(why) if !self.is_direct => {
                let kind = format!("{}: RabbitMQ is out of reach, and passed by", self.name);
                selflog::tell(&kind, &self.password.scrub(why));
            }
            None if self.is_direct => {
                let kind = format!("{}: RabbitMQ is back", self.name);
                selflog::tell(&kind, &"messages go through it again");
            }
            _ => {}
        }
        self.is_direct = why_direct.is_some();
    }
}

impl Transport for Brokered {
    fn start(&mut self, stop: &Stop) {
        self.direct.start(stop);
    }

    fn deliver(&mut self, messages: &[Message], stop: &Stop) -> Vec<Outcome> {
        let published = self.link.publish(messages, stop);
        self.take_way(published.trouble.as_deref());
        let is_confirmed = |n: usize| published.confirmed.get(n).copied().unwrap_or_default();
        let rest: Vec<Message> = messages
            .iter()
            .enumerate()
            .filter(|(n, _)| !is_confirmed(*n))
            .map(|(_, message)| message.clone())
            .collect();
        if rest.is_empty() {
            return vec![Outcome::Delivered; messages.len()];
        }
        let mut fates = self.direct.deliver(&rest, stop).into_iter();
        // Who fixes the way must know of both.
        let broker = published.trouble.as_deref().unwrap_or_default();
        let broker = self.password.scrub(broker);
        let also = |why: String| format!("{why} (and RabbitMQ is out of reach: {broker})");
        let mut outcome = |n| match is_confirmed(n) {
            true => Outcome::Delivered,
            false => {
                fates.next().unwrap_or_else(|| Outcome::retry("it was not tried")).map_why(also)
            }
        };
        (0..messages.len()).map(&mut outcome).collect()
    }
}
