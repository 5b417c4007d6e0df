//! Connection: publishes what is asked for on one connection to RabbitMQ, until it is lost.
//!
//! Knows when requests are refused: while the broker is blocked or something was not confirmed.
//! AMQP is `amqp/`'s. Knows nothing of what is done when the connection is lost.

use super::link::{Published, Request, Shared, State};
use crate::base::error::Error;
use crate::forward::amqp::{Broker, Halted, Publisher, Server, Tls, Trouble, Watch};
use crate::forward::backoff::Backoff;
use crate::forward::message::Message;
use crate::forward::options::RabbitMqConfig;
use logwell_options::secret::Secret;
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;

/// Where the broker is, and the queue.
pub(super) struct Address {
    server: Server,
    queue: String,
}

impl Address {
    /// That of the configuration.
    ///
    /// # Errors
    ///
    /// The file of certificates cannot be read.
    pub(super) fn new(config: &RabbitMqConfig, queue: String) -> Result<Self, Error> {
        let server = Server {
            host: config.host.clone(),
            port: config.port,
            user: config.user.clone(),
            password: match config.password.is_empty() {
                true => Secret::new("guest"),
                false => config.password.clone(),
            },
            vhost: config.vhost.clone(),
            tls: config.tls.then(|| Tls::new(&config.ca_file)).transpose()?,
            heartbeat: config.heartbeat,
            timeout: config.timeout,
            name: "logwell".to_owned(),
        };
        Ok(Self { server, queue })
    }

    /// How long connecting, and each answer, may take.
    pub(super) fn timeout(&self) -> Duration {
        self.server.timeout
    }
}

impl fmt::Display for Address {
    /// `RabbitMQ at 127.0.0.1:5672, queue shop.example_logbeacon`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, queue {}", self.server, self.queue)
    }
}

/// An open connection on which messages are confirmed.
pub(super) struct Connection {
    publisher: Publisher,
    watch: Watch,
    queue: String,
    broker: Broker,
}

impl Connection {
    /// Connects, and makes sure that the queue is there.
    pub(super) async fn open(address: &Address) -> Result<Self, Trouble> {
        let broker = Broker::connect(&address.server).await?;
        let watch = broker.watch();
        broker.ensure_queue(&address.queue).await?;
        let publisher = broker.publisher().await?;
        Ok(Self { publisher, watch, queue: address.queue.clone(), broker })
    }

    /// Publishes what is asked for until the connection is lost; `None` when nobody can ask any
    /// more.
    pub(super) async fn serve(
        mut self,
        requests: &mut mpsc::Receiver<Request>,
        shared: &Shared,
        backoff: &mut Backoff,
    ) -> Option<Trouble> {
        loop {
            let request = tokio::select! {
                biased;
                halted = self.watch.halted() => match self.recover(halted, requests, shared).await {
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
                (None, Some(why)) => return Some(Trouble::new(why)),
                (None, None) => {}
            }
        }
        self.broker.close().await;
        None
    }

    /// Publishes all and waits for their confirms; what was confirmed so far if it halts meanwhile.
    async fn publish(&mut self, messages: &[Message]) -> (Published, Option<Halted>) {
        let mut confirmed = vec![false; messages.len()];
        let (trouble, halted) = tokio::select! {
            biased;
            done = self.publisher.publish_all(&self.queue, messages, &mut confirmed) => {
                (done.err().map(|trouble| trouble.to_string()), None)
            }
            halted = self.watch.halted() => (Some(halted.to_string()), Some(halted)),
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
    ) -> Result<bool, Trouble> {
        let why = halted.to_string();
        shared.set(State::Down(why.clone()));
        if let Halted::Lost(lost) = halted {
            return Err(lost);
        }
        loop {
            tokio::select! {
                unblocked = self.watch.unblocked() => break unblocked?,
                request = requests.recv() => match request {
                    Some(request) => request.answer(Published::nothing(&why)),
                    None => return Ok(false),
                },
            }
        }
        // What was published on the old one and not confirmed is nobody's any more.
        self.publisher = self.broker.publisher().await?;
        shared.set(State::Up);
        Ok(true)
    }
}
