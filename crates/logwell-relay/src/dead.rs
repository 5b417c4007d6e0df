//! Dead: the queue of what was given up: how messages come into it, and what people do with them.
//! And how a message that waits for a person is put at the end of its own queue.
//!
//! A message is there as it was, with headers that say why. The next queue has confirmed a message
//! before the message is acknowledged in the one it leaves: what is interrupted may be there twice,
//! with one hash, and is never lost.

use std::time::Duration;

use logwell::dead_letters::{Facts, Letter};
use logwell::forward::Refusals;
use logwell::forward::amqp::{Broker, Delivery, Publisher, Trouble};

use crate::broker;
use crate::command::{Verb, Wish};
use crate::destination::{Destination, dead_queue};
use crate::message;
use crate::options::{Broker as Options, Settings};

/// Why a message was given up.
const REASON: &str = "x-logwell-reason";
/// How often it was tried; 0 if it could not be read.
const TRIES: &str = "x-logwell-tries";
/// When it was given up, in UTC.
const AT: &str = "x-logwell-given-up-at";

/// How often it was refused while others passed, and when first and last, in milliseconds since
/// 1970: it waits since.
const REFUSALS: &str = "x-logwell-refusals";
const REFUSED_SINCE: &str = "x-logwell-refused-since";
const REFUSED_AT: &str = "x-logwell-refused-at";

/// The refusals of a message that was put off.
pub(crate) fn refusals(message: &Delivery) -> Option<Refusals> {
    let number = |name| message.header(name)?.parse::<u64>().ok();
    Some(Refusals {
        count: number(REFUSALS).and_then(|count| count.try_into().ok()).unwrap_or_default(),
        since: Duration::from_millis(number(REFUSED_SINCE)?),
        last: Duration::from_millis(number(REFUSED_AT)?),
    })
}

/// The way into a dead queue, and to the end of a queue, on its own connection that is opened when
/// it is needed.
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
        message: &Delivery,
        reason: &str,
        tries: u32,
    ) -> Result<(), Trouble> {
        let tries = tries.to_string();
        let at = jiff::Timestamp::now().to_string();
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let headers = [
            (REASON, Some(&*reason)),
            (TRIES, Some(&*tries)),
            (AT, Some(&*at)),
            (REFUSALS, None),
            (REFUSED_SINCE, None),
            (REFUSED_AT, None),
        ];
        let queue = self.queue.clone();
        self.put(message, &queue, &headers).await
    }

    /// Puts a copy with its refusals at the end of its own queue; returns when the broker has
    /// confirmed it.
    pub(crate) async fn put_off(
        &mut self,
        message: &Delivery,
        queue: &str,
        refusals: Refusals,
    ) -> Result<(), Trouble> {
        let count = refusals.count.to_string();
        let since = refusals.since.as_millis().to_string();
        let at = refusals.last.as_millis().to_string();
        let headers =
            [(REFUSALS, Some(&*count)), (REFUSED_SINCE, Some(&*since)), (REFUSED_AT, Some(&*at))];
        self.put(message, queue, &headers).await
    }

    /// Puts a copy at the end of its own queue, for which it was not tried.
    pub(crate) async fn move_to_end(
        &mut self,
        message: &Delivery,
        queue: &str,
    ) -> Result<(), Trouble> {
        self.put(message, queue, &[]).await
    }

    /// Puts the records of an array at the end of its queue, each alone; returns when the broker
    /// has confirmed all of them.
    pub(crate) async fn split(
        &mut self,
        message: &Delivery,
        queue: &str,
        records: &[Vec<u8>],
    ) -> Result<(), Trouble> {
        for record in records {
            let id = message::hash(record).unwrap_or_default();
            let sent = self.publisher().await?.part(message, queue, (&id, record)).await;
            if sent.is_err() {
                self.close().await;
                return sent;
            }
        }
        Ok(())
    }

    async fn put(
        &mut self,
        message: &Delivery,
        queue: &str,
        headers: &[(&str, Option<&str>)],
    ) -> Result<(), Trouble> {
        let copied = self.publisher().await?.copy(message, queue, headers).await;
        if copied.is_err() {
            // Whatever it is, a new connection begins without it; the queue may be gone too.
            self.close().await;
        }
        copied
    }

    /// The way to the broker, opened if it is not open.
    async fn publisher(&mut self) -> Result<&Publisher, Trouble> {
        let is_open = self.open.as_ref().is_some_and(|(broker, _)| broker.is_open());
        if !is_open {
            let broker = broker::connect(&self.options, "logwell-relay dead letters").await?;
            broker.ensure_queue(&self.queue).await?;
            let publisher = broker.publisher().await?;
            self.open = Some((broker, publisher));
        }
        match &self.open {
            Some((_, publisher)) => Ok(publisher),
            None => Err(Trouble::new("no connection for dead letters")),
        }
    }

    /// Closes its connection.
    pub(crate) async fn close(&mut self) {
        if let Some((broker, _)) = self.open.take() {
            broker.close().await;
        }
    }
}

/// Does that with the dead queue of the destination; the text says what was done.
///
/// # Errors
///
/// The broker fails. A message that was in hand is then in the dead queue still, or in both.
pub(crate) async fn run(
    settings: &Settings,
    destination: Destination,
    wish: &Wish,
) -> Result<String, Trouble> {
    let broker = broker::connect(&settings.broker, "logwell-relay dead").await?;
    let queue = destination.queue(&settings.domain);
    let done = match wish.verb {
        Verb::List | Verb::Show => look(&broker, (destination, &queue), wish).await,
        Verb::Replay | Verb::Drop if wish.dry_run => {
            look(&broker, (destination, &queue), wish).await
        }
        Verb::Replay => {
            broker.ensure_queue(&queue).await?;
            let publisher = broker.publisher().await?;
            let headers = [(REASON, None), (TRIES, None), (AT, None)];
            let back = async |message: &Delivery| publisher.copy(message, &queue, &headers).await;
            let count = take_out(&broker, (destination, &queue), wish, back).await;
            count.map(|count| match wish.json {
                true => format!("{{\"replayed\":{count}}}\n"),
                false => format!("{} put back into {queue}\n", messages(count)),
            })
        }
        Verb::Drop => {
            let nowhere = async |_: &Delivery| Ok(());
            let count = take_out(&broker, (destination, &queue), wish, nowhere).await;
            count.map(|count| match wish.json {
                true => format!("{{\"dropped\":{count}}}\n"),
                false => format!("{} deleted from {}\n", messages(count), dead_queue(&queue)),
            })
        }
    };
    broker.close().await;
    done
}

/// Shows what is meant, and takes nothing.
async fn look(
    broker: &Broker,
    (destination, queue): (Destination, &str),
    wish: &Wish,
) -> Result<String, Trouble> {
    let queue = dead_queue(queue);
    let Some(depth) = broker.depth(&queue).await? else {
        return Ok(if wish.json { String::new() } else { format!("{queue}: no such queue yet\n") });
    };
    let mut text = String::new();
    if !wish.json {
        text.push_str(&format!("{queue}: {}\n", messages(depth.waiting as usize)));
    }
    let look = broker.look(&queue).await?;
    let mut shown = 0;
    for _ in 0..depth.waiting {
        let Some(message) = look.next().await? else { break };
        let letter = letter(destination, &message);
        if !is_meant(&letter, wish) {
            continue;
        }
        if shown == wish.limit {
            text.push_str(if wish.json { "" } else { "  …\n" });
            break;
        }
        shown += 1;
        match (wish.json, wish.verb) {
            (true, _) => text.push_str(&(letter.to_json() + "\n")),
            (false, Verb::Show) => push_whole(&letter, &message, &mut text),
            (false, _) => push_summary(&letter, &message, &mut text),
        }
    }
    if wish.dry_run && !wish.json {
        let what = if wish.verb == Verb::Drop { "deleted" } else { "put back" };
        text.push_str(&format!("{} would be {what}; nothing was changed\n", messages(shown)));
    }
    look.close().await?;
    Ok(text)
}

fn push_summary(letter: &Letter, message: &Delivery, text: &mut String) {
    let id = if letter.id.is_empty() { "(no id)" } else { &letter.id };
    text.push_str(&format!(
        "  {}  {}  after {} tries: {}\n      {}\n",
        line(id),
        line(&letter.refused_at),
        line(&message.header(TRIES).unwrap_or_else(|| "?".to_owned())),
        line(&letter.why),
        message::summary(message.body()),
    ));
}

fn push_whole(letter: &Letter, message: &Delivery, text: &mut String) {
    let tries = message.header(TRIES).unwrap_or_else(|| "?".to_owned());
    for (name, value) in [
        ("id", &letter.id),
        ("destination", &letter.destination),
        ("refused at", &letter.refused_at),
        ("why", &letter.why),
        ("tries", &tries),
    ] {
        text.push_str(&format!("{name}: {}\n", line(value)));
    }
    let body = message::without_token(message.body());
    text.push_str(&body.lines().map(|part| line(part) + "\n").collect::<String>());
}

/// What is known of a dead message, in the words that `logwell dead` uses too.
fn letter(destination: Destination, message: &Delivery) -> Letter {
    let header = |name| message.header(name).unwrap_or_else(|| "?".to_owned());
    let mut letter = Letter::default();
    letter.destination = destination.name().to_owned();
    letter.id = hash_of(message).unwrap_or_default();
    letter.refused_at = header(AT);
    letter.why = header(REASON);
    letter.records = 1;
    letter.message = message::json(message.body());
    letter
}

fn is_meant(letter: &Letter, wish: &Wish) -> bool {
    let at = letter.refused_at.parse::<jiff::Timestamp>().ok();
    let facts = Facts {
        destination: &letter.destination,
        id: &letter.id,
        why: &letter.why,
        at_unix_ms: at.and_then(|at| u64::try_from(at.as_millisecond()).ok()),
    };
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
    wish.which.takes(&facts, now)
}

/// Hands each that is meant to `to`, and takes it out of the queue once that has worked. Ends at
/// the last one that is there now: what comes meanwhile is not touched.
async fn take_out(
    broker: &Broker,
    (destination, queue): (Destination, &str),
    wish: &Wish,
    to: impl AsyncFn(&Delivery) -> Result<(), Trouble>,
) -> Result<usize, Trouble> {
    let queue = dead_queue(queue);
    let Some(depth) = broker.depth(&queue).await? else { return Ok(0) };
    let look = broker.look(&queue).await?;
    let mut count = 0;
    for _ in 0..depth.waiting {
        let Some(message) = look.next().await? else { break };
        if is_meant(&letter(destination, &message), wish) {
            to(&message).await?;
            message.acknowledge().await?;
            count += 1;
        }
    }
    look.close().await?;
    Ok(count)
}

/// What people know the message by: its id, else the hash in its body.
fn hash_of(message: &Delivery) -> Option<String> {
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
