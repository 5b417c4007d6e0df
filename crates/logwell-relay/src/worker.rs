//! Worker: takes messages from a queue one by one, delivers each, and settles it with the broker.
//!
//! A message is acknowledged only when the destination has taken it or the dead queue has confirmed
//! it. Knows neither AMQP nor HTTP: `broker.rs` and `post.rs` do.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logwell::forward::amqp::{Broker, Consumer, Delivery, Trouble};
use logwell::forward::telegram::SendLimits;
use logwell::forward::{Backoff, Blame, Outcome, Refusals};
use tokio::sync::Notify;

use crate::broker;
use crate::counters::Counters;
use crate::dead::{self, Graveyard};
use crate::destination::{Destination, Patience, dead_queue};
use crate::message::{self, Request};
use crate::options::{Settings, Telegram};
use crate::post::Post;
use crate::status;
use crate::stop::Stop;
use crate::tries::{Evidence, PutOff, Step, step};
use crate::web;

/// A worker of one queue.
#[derive(Debug)]
pub(crate) struct Worker {
    settings: Settings,
    destination: Destination,
    queue: String,
    patience: Patience,
    post: Post,
    limits: SendLimits,
    graveyard: Graveyard,
    /// What the messages have shown about the destination.
    blame: Blame,
    /// How long to rest while nothing passes because a person must fix something.
    rest: Backoff,
    counters: Arc<Counters>,
    stop: Stop,
}

/// What becomes of a message that was taken.
enum End {
    /// It is delivered.
    Delivered,
    /// It goes to the dead queue.
    Dead { reason: String, tries: u32 },
    /// It is an array that is refused: each of its records goes to the end of the queue alone.
    Split(Vec<Vec<u8>>),
    /// It was refused, and goes to the end of its queue.
    PutOff(PutOff),
    /// It goes to the end of its queue untried: the others have their turn until it is due.
    NotDue,
    /// It goes back to the queue: the worker stops, or has lost the broker.
    Back,
}

impl Worker {
    /// Makes ready; nothing is connected yet.
    pub(crate) fn new(
        settings: Settings,
        destination: Destination,
        counters: Arc<Counters>,
        stop: Stop,
    ) -> Result<Self, String> {
        let post = Post::new(&settings, destination)?;
        let queue = destination.queue(&settings.domain);
        let graveyard = Graveyard::new(&queue, &settings.broker);
        let Telegram { per_second, per_chat_per_minute, .. } = settings.telegram;
        let limits = SendLimits::new(per_second, per_chat_per_minute);
        let patience = destination.patience(&settings);
        let rest = Backoff::new(patience.pause, patience.pause.max(patience.blocked.rest));
        let blame = Blame::new(patience.blocked);
        Ok(Self {
            settings,
            destination,
            queue,
            patience,
            post,
            limits,
            graveyard,
            blame,
            rest,
            counters,
            stop,
        })
    }

    /// Works until it is asked to stop.
    ///
    /// # Errors
    ///
    /// The broker could not be reached as often as `broker.tries` says.
    pub(crate) async fn run(&mut self) -> Result<(), Trouble> {
        let mut pause = Duration::ZERO;
        while let Some(broker) = self.connect(pause).await? {
            pause = self.settings.broker.pause;
            Counters::set(&self.counters.connected, 1);
            let served = self.serve(&broker).await;
            Counters::set(&self.counters.connected, 0);
            Counters::set(&self.counters.in_hand, 0);
            broker.close().await;
            match served {
                Ok(()) => break,
                Err(trouble) => {
                    Counters::count(&self.counters.connections_lost_total);
                    tracing::warn!(queue = self.queue, %trouble, "the broker was lost");
                }
            }
        }
        self.graveyard.close().await;
        Ok(())
    }

    /// Connects, as often as it is allowed; `None` if it was asked to stop meanwhile.
    async fn connect(&mut self, mut pause: Duration) -> Result<Option<Broker>, Trouble> {
        let options = &self.settings.broker;
        let name = format!("logwell-relay {}", self.queue);
        let mut made = 0_u32;
        while self.stop.pause(pause).await {
            pause = options.pause;
            made = made.saturating_add(1);
            match broker::connect(options, &name).await {
                Ok(broker) => return Ok(Some(broker)),
                Err(trouble) if options.tries != 0 && made >= options.tries => return Err(trouble),
                Err(trouble) => {
                    let (host, port) = (&options.host, options.port);
                    tracing::warn!(host, port, made, %trouble, "the broker cannot be reached");
                }
            }
        }
        Ok(None)
    }

    /// Takes and settles messages until it is asked to stop, or the broker is lost.
    async fn serve(&mut self, broker: &Broker) -> Result<(), Trouble> {
        broker.ensure_queue(&self.queue).await?;
        broker.ensure_queue(&dead_queue(&self.queue)).await?;
        tracing::info!(queue = self.queue, "at work");
        let queue = self.queue.clone();
        let counters = Arc::clone(&self.counters);
        status::tell(broker, &queue, &counters).await?;
        let consumer = broker.consume(&queue, self.settings.broker.prefetch).await?;
        let lost = Notify::new();
        let every = self.settings.status.every;
        let telling = status::keep_telling(every, (broker, &queue), &counters, &lost);
        tokio::select! {
            done = self.work(broker, consumer, &lost) => done,
            () = telling => Ok(()),
        }
    }

    async fn work(
        &mut self,
        broker: &Broker,
        mut consumer: Consumer,
        lost: &Notify,
    ) -> Result<(), Trouble> {
        loop {
            let taken = tokio::select! {
                biased;
                () = self.stop.asked() => return Ok(()),
                () = lost.notified() => return Err(Trouble::new("it does not answer")),
                taken = consumer.next() => taken?,
            };
            Counters::set(&self.counters.in_hand, 1);
            self.settle(broker, &taken).await?;
            Counters::set(&self.counters.in_hand, 0);
        }
    }

    async fn settle(&mut self, broker: &Broker, taken: &Delivery) -> Result<(), Trouble> {
        let past = dead::refusals(taken);
        match self.deliver(broker, taken, past).await? {
            End::Delivered => {
                let now = unix_now();
                Counters::count(&self.counters.delivered_total);
                Counters::set(&self.counters.last_delivery_timestamp_seconds, now.as_secs());
                Counters::set(&self.counters.blocked, 0);
                self.blame.passed(past, now);
                self.rest.succeeded();
                tracing::debug!(id = taken.id(), "delivered");
                taken.acknowledge().await
            }
            End::Dead { reason, tries } => match self.graveyard.bury(taken, &reason, tries).await {
                Ok(()) => {
                    let counters = &self.counters;
                    let counter = if tries == 0 {
                        &counters.unreadable_total
                    } else {
                        &counters.given_up_total
                    };
                    Counters::count(counter);
                    tracing::error!(id = taken.id(), tries, reason, "given up");
                    taken.acknowledge().await
                }
                Err(trouble) => self.not_moved(taken, &trouble).await,
            },
            End::Split(records) => self.split(taken, &records).await,
            End::PutOff(refusal) => self.put_off(taken, &refusal).await,
            End::NotDue => match self.graveyard.move_to_end(taken, &self.queue).await {
                Ok(()) => taken.acknowledge().await,
                Err(trouble) => self.not_moved(taken, &trouble).await,
            },
            End::Back => self.give_back(taken).await,
        }
    }

    /// Puts the message at the end of its queue. While nothing passes it rests first, longer each
    /// time.
    async fn put_off(&mut self, taken: &Delivery, refusal: &PutOff) -> Result<(), Trouble> {
        let PutOff { why: reason, refusals, is_blocked } = refusal;
        let passed_at = self.blame.passed_at().unwrap_or_default();
        let others_pass = unix_now().saturating_sub(passed_at) < RECENT;
        if *is_blocked || !others_pass {
            Counters::set(&self.counters.blocked, 1);
            tracing::error!(id = taken.id(), reason, "blocked: it waits until that is fixed");
        } else {
            let refusals = refusals.count;
            tracing::warn!(id = taken.id(), refusals, reason, "refused while others pass");
        }
        let rest = if others_pass { Duration::ZERO } else { self.rest.failed() };
        if !self.stop.pause(rest).await {
            return self.give_back(taken).await;
        }
        match self.graveyard.put_off(taken, &self.queue, *refusals).await {
            Ok(()) => {
                Counters::count(&self.counters.put_off_total);
                taken.acknowledge().await
            }
            Err(trouble) => self.not_moved(taken, &trouble).await,
        }
    }

    /// One record that is refused must not take those with it that came in the same array.
    async fn split(&mut self, taken: &Delivery, records: &[Vec<u8>]) -> Result<(), Trouble> {
        match self.graveyard.split(taken, &self.queue, records).await {
            Ok(()) => {
                tracing::warn!(id = taken.id(), records = records.len(), "refused: taken apart");
                taken.acknowledge().await
            }
            Err(trouble) => self.not_moved(taken, &trouble).await,
        }
    }

    /// A message that could not be put into another queue goes back to its own.
    async fn not_moved(&mut self, taken: &Delivery, trouble: &Trouble) -> Result<(), Trouble> {
        tracing::error!(id = taken.id(), %trouble, "the broker does not take it elsewhere");
        // Else it would be back in hand at once, without end.
        self.stop.pause(self.patience.pause).await;
        self.give_back(taken).await
    }

    async fn give_back(&self, taken: &Delivery) -> Result<(), Trouble> {
        Counters::count(&self.counters.given_back_total);
        tracing::info!(id = taken.id(), "given back to the queue");
        taken.give_back().await
    }

    /// Waits until a message that was refused is due. Says what becomes of it if it is not tried.
    async fn wait_until_due(
        &mut self,
        broker: &Broker,
        past: Refusals,
    ) -> Result<Option<End>, Trouble> {
        let due = past.last.saturating_add(self.blame.pause());
        loop {
            let now = unix_now();
            // A clock that was set back must not make it wait forever.
            if now >= due || now < past.last {
                return Ok(None);
            }
            let waiting = broker.depth(&self.queue).await?.unwrap_or_default().waiting;
            let is_alone = waiting == 0 && self.settings.broker.prefetch == 1;
            // Should all that wait be such messages, they go round once in that time.
            let rest = (due - now).min(ROUND / waiting.saturating_add(1));
            if !self.stop.pause(rest).await {
                return Ok(Some(End::Back));
            }
            if !is_alone {
                return Ok(Some(End::NotDue));
            }
        }
    }

    /// Tries as often as it is worth it.
    async fn deliver(
        &mut self,
        broker: &Broker,
        taken: &Delivery,
        past: Option<Refusals>,
    ) -> Result<End, Trouble> {
        if let Some(past) = past
            && let Some(end) = self.wait_until_due(broker, past).await?
        {
            return Ok(end);
        }
        let body = taken.body().to_vec();
        let request = match message::read(self.destination, body, &self.settings.telegram) {
            Ok(request) => Arc::new(request),
            Err(reason) => return Ok(End::Dead { reason, tries: 0 }),
        };
        let mut made = 0;
        loop {
            let Some(sent) = self.wait_for_leave(&request).await else { return Ok(End::Back) };
            made += 1;
            Counters::count(&self.counters.tries_total);
            let outcome = self.try_once(&request).await;
            if let Request::Telegram { message, .. } = &*request {
                self.limits.answered(&message.chat_id, sent, Instant::now());
            }
            if outcome != Outcome::Delivered {
                Counters::count(&self.counters.tries_failed_total);
            }
            if matches!(outcome, Outcome::Refused { .. } | Outcome::Doubtful { .. })
                && let Some(records) = request.records()
            {
                return Ok(End::Split(records));
            }
            let evidence = Evidence { blame: &self.blame, past, now: unix_now() };
            match step(outcome, made, evidence, &self.patience) {
                Step::Done => return Ok(End::Delivered),
                Step::PutOff(refusal) => return Ok(End::PutOff(refusal)),
                Step::GiveUp(reason) => return Ok(End::Dead { reason, tries: made }),
                Step::Again(pause, reason) => {
                    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    tracing::warn!(id = taken.id(), made, pause_ms, reason, "not delivered");
                    if !self.stop.pause(pause).await || !broker.is_open() {
                        return Ok(End::Back);
                    }
                }
            }
        }
    }

    async fn try_once(&self, request: &Arc<Request>) -> Outcome {
        let (post, request) = (self.post.clone(), Arc::clone(request));
        let posted = tokio::task::spawn_blocking(move || post.try_once(&request)).await;
        posted.unwrap_or_else(|_| Outcome::retry("the attempt panicked"))
    }

    /// Waits until the limits let a message through; `None` if it was asked to stop meanwhile.
    async fn wait_for_leave(&mut self, request: &Request) -> Option<Instant> {
        loop {
            let now = Instant::now();
            let Request::Telegram { message, .. } = request else { return Some(now) };
            let Err(wait) = self.limits.take(&message.chat_id, now) else { return Some(now) };
            if !self.stop.pause(wait).await {
                return None;
            }
        }
    }
}

/// The time since 1970, in whole milliseconds as the headers have it.
fn unix_now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// A message that passed so shortly before shows that the destination itself works.
const RECENT: Duration = Duration::from_secs(5);
/// In this time the messages that are not due yet go once through their queue.
const ROUND: Duration = Duration::from_secs(1);

/// Runs a worker with its page of metrics until it is asked to stop.
///
/// # Errors
///
/// It cannot be started, or the broker is out of reach.
pub(crate) async fn run(settings: Settings, destination: Destination) -> Result<(), Failure> {
    let stop = Stop::on_signals().map_err(|error| Failure::Start(error.to_string()))?;
    let counters = Arc::new(Counters::default());
    if let Some(address) = settings.status.listen {
        web::serve(address, destination, Arc::clone(&counters))
            .await
            .map_err(|error| Failure::Start(format!("cannot listen on {address}: {error}")))?;
    }
    let mut worker = Worker::new(settings, destination, counters, stop).map_err(Failure::Start)?;
    worker.run().await.map_err(|trouble| Failure::Broker(trouble.to_string()))
}

/// Why a worker has ended before it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not start.
    Start(String),
    /// The broker is out of reach.
    Broker(String),
}
