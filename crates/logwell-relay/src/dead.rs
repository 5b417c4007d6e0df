//! Dead: the queue of what was given up: how messages come into it, and what people do with them.
//!
//! A message lies there as it was, with headers that say why. The next queue has confirmed a message
//! before the one it leaves is told to forget it: what is interrupted may be there twice, with one
//! hash, and is never lost.

use crate::broker::{Broker, Publisher, Taken, Trouble};
use crate::message;
use crate::settings::{Broker as Options, Destination, Settings, dead_queue};

/// Why a message was given up.
const REASON: &str = "x-logwell-reason";
/// How often it was tried; 0 if it could not be read.
const TRIES: &str = "x-logwell-tries";
/// When it was given up, in UTC.
const AT: &str = "x-logwell-given-up-at";

/// The way into a dead queue, on a connection of its own that is opened when it is needed.
#[derive(Debug)]
pub(crate) struct Graveyard {
    queue: String,
    options: Options,
    open: Option<(Broker, Publisher)>,
}

impl Graveyard {
    /// That of the queue.
    pub(crate) fn new(queue: &str, options: &Options) -> Self {
        Self { queue: dead_queue(queue), options: options.clone(), open: None }
    }

    /// Puts a copy into the dead queue; returns when the broker has confirmed it.
    pub(crate) async fn bury(
        &mut self,
        message: &Taken,
        reason: &str,
        tries: u32,
    ) -> Result<(), Trouble> {
        let tries = tries.to_string();
        let at = jiff::Timestamp::now().to_string();
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let headers = [(REASON, Some(&*reason)), (TRIES, Some(&*tries)), (AT, Some(&*at))];
        let is_open = self.open.as_ref().is_some_and(|(broker, _)| broker.is_open());
        if !is_open {
            let broker = Broker::connect(&self.options, "logwell-relay dead letters").await?;
            broker.ensure_queue(&self.queue).await?;
            let publisher = broker.publisher().await?;
            self.open = Some((broker, publisher));
        }
        let Some((_, publisher)) = &self.open else {
            return Err(Trouble::new("no connection for dead letters"));
        };
        let copied = publisher.copy(message, &self.queue, &headers).await;
        if copied.is_err() {
            // Whatever it is, a new connection begins without it; the queue may be gone too.
            self.close().await;
        }
        copied
    }

    /// Closes its connection.
    pub(crate) async fn close(&mut self) {
        if let Some((broker, _)) = self.open.take() {
            broker.close().await;
        }
    }
}

/// What people ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Show what is there, so many at most.
    List { limit: usize },
    /// Put those back into the queue they came from.
    Replay(Which),
    /// Delete those.
    Drop(Which),
}

/// Which of the dead messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// All that are there now.
    All,
    /// Those with this id (the hash).
    Id(String),
}

/// Does that with the dead queue of the destination; the text says what was done.
pub(crate) async fn run(
    settings: &Settings,
    destination: Destination,
    wish: &Wish,
) -> Result<String, Trouble> {
    let broker = Broker::connect(&settings.broker, "logwell-relay dead").await?;
    let queue = destination.queue(&settings.domain);
    let done = match wish {
        Wish::List { limit } => list(&broker, &dead_queue(&queue), *limit).await,
        Wish::Replay(which) => {
            broker.ensure_queue(&queue).await?;
            let publisher = broker.publisher().await?;
            let headers = [(REASON, None), (TRIES, None), (AT, None)];
            let back = async |message: &Taken| publisher.copy(message, &queue, &headers).await;
            let count = take_out(&broker, &dead_queue(&queue), which, back).await;
            count.map(|count| format!("{} put back into {queue}\n", messages(count)))
        }
        Wish::Drop(which) => {
            let nowhere = async |_: &Taken| Ok(());
            let count = take_out(&broker, &dead_queue(&queue), which, nowhere).await;
            count.map(|count| format!("{} deleted from {}\n", messages(count), dead_queue(&queue)))
        }
    };
    broker.close().await;
    done
}

async fn list(broker: &Broker, queue: &str, limit: usize) -> Result<String, Trouble> {
    let Some(depth) = broker.depth(queue).await? else {
        return Ok(format!("{queue}: no such queue yet\n"));
    };
    let mut text = format!("{queue}: {}\n", messages(depth.waiting as usize));
    let look = broker.look(queue).await?;
    for shown in 0.. {
        if shown == limit {
            text.push_str("  …\n");
            break;
        }
        let Some(message) = look.next().await? else { break };
        let header = |name| message.header(name).unwrap_or_else(|| "?".to_owned());
        let id = hash_of(&message).unwrap_or_else(|| "(no id)".to_owned());
        text.push_str(&format!(
            "  {}  {}  after {} tries: {}\n      {}\n",
            line(&id),
            line(&header(AT)),
            line(&header(TRIES)),
            line(&header(REASON)),
            message::summary(message.body()),
        ));
    }
    look.close().await?;
    Ok(text)
}

/// Hands each that is wanted to `to`, and takes it out of the queue once that has worked. Ends at
/// the last one that is there now: what comes meanwhile is not touched.
async fn take_out(
    broker: &Broker,
    queue: &str,
    which: &Which,
    to: impl AsyncFn(&Taken) -> Result<(), Trouble>,
) -> Result<usize, Trouble> {
    let Some(depth) = broker.depth(queue).await? else { return Ok(0) };
    let look = broker.look(queue).await?;
    let mut count = 0;
    for _ in 0..depth.waiting {
        let Some(message) = look.next().await? else { break };
        let is_wanted = match which {
            Which::All => true,
            Which::Id(id) => hash_of(&message).is_some_and(|hash| hash == *id),
        };
        if is_wanted {
            to(&message).await?;
            message.acknowledge().await?;
            count += 1;
        }
    }
    look.close().await?;
    Ok(count)
}

/// What people know the message by: its id, else the hash in its body.
fn hash_of(message: &Taken) -> Option<String> {
    match message.id() {
        "" => message::hash(message.body()),
        id => Some(id.to_owned()),
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// One line that moves no cursor.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Longer reasons are cut: a header must fit a frame.
const MAX_REASON_CHARS: usize = 500;
