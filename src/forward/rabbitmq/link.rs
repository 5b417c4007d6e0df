//! Link: the thread that holds the connection to the broker, and the requests to publish.
//!
//! The thread reconnects forever, with back-off, and drives the connection while nobody publishes,
//! so that heartbeats are sent and trouble is seen. Knows when to try again. Knows no AMQP.

use super::connection::{Address, Connection};
use crate::base::error::{Error, ErrorKind};
use crate::base::threads;
use crate::forward::amqp;
use crate::forward::backoff::Backoff;
use crate::forward::message::Message;
use crate::forward::transport::Stop;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long it rests after a connection that failed; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_millis(200);
/// It never rests longer.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How soon it is seen that the deadline of the stop has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The way to the thread that holds the connection; the thread ends with it.
pub(super) struct Link {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    /// An answer takes longer only if the thread is not there any more.
    patience: Duration,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&*self.shared.lock()).finish()
    }
}

/// Messages to be published, and where the answer goes.
pub(super) struct Request {
    pub(super) messages: Vec<Message>,
    answer: Sender<Published>,
}

/// What became of messages that were to be published.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// For each, whether the broker has confirmed it; what is missing was not.
    pub(super) confirmed: Vec<bool>,
    /// Why not all of them were.
    pub(super) trouble: Option<String>,
}

impl Published {
    pub(super) fn nothing(why: &str) -> Self {
        Self { confirmed: Vec::new(), trouble: Some(why.to_owned()) }
    }
}

impl Request {
    pub(super) fn answer(self, published: Published) {
        // Who has asked may have gone.
        let _ = self.answer.try_send(published);
    }
}

/// What both sides know of the connection. The thread writes.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// The first attempt is under way.
    Connecting,
    /// It takes messages.
    Up,
    /// It does not, for that reason.
    Down(String),
}

impl Shared {
    pub(super) fn set(&self, state: State) {
        *self.lock() = state;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the first attempt is over; then how it is.
    fn settled(&self, at_most: Duration) -> State {
        let connecting = |state: &mut State| *state == State::Connecting;
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, connecting);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

impl Link {
    /// Starts the thread, which connects at once.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub(super) fn start(address: Address) -> Result<Self, Error> {
        const NAME: &str = "logwell-rabbitmq";
        let fail = |source| Error::from(ErrorKind::Thread { name: NAME, source });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(fail)?;
        let (requests, receiver) = mpsc::channel(1);
        let state = Mutex::new(State::Connecting);
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let patience = 3 * address.timeout();
        let run = {
            let shared = Arc::clone(&shared);
            move || {
                amqp::silence_thread();
                runtime.block_on(keep(&address, receiver, &shared));
                // Whatever lapin still does there is not waited for.
                runtime.shutdown_background();
            }
        };
        threads::spawn(NAME, run).map_err(fail)?;
        Ok(Self { requests, shared, patience })
    }

    /// Publishes the messages if the connection stands; waits for the confirms, not beyond the
    /// deadline of the stop.
    pub(super) fn publish(&self, messages: &[Message], stop: &Stop) -> Published {
        let until = Instant::now() + self.patience;
        loop {
            match self.shared.settled(LOOK_EVERY) {
                State::Up => break,
                State::Down(why) => return Published::nothing(&why),
                State::Connecting if stop.is_over() || Instant::now() >= until => {
                    return Published::nothing("it does not answer");
                }
                State::Connecting => {}
            }
        }
        let (answer, answered) = bounded(1);
        let request = Request { messages: messages.to_vec(), answer };
        match self.requests.try_send(request) {
            Ok(()) => wait(&answered, until, stop),
            Err(_) => Published::nothing("its thread is busy or gone"),
        }
    }
}

fn wait(answered: &Receiver<Published>, until: Instant, stop: &Stop) -> Published {
    loop {
        match answered.recv_timeout(LOOK_EVERY) {
            Ok(published) => return published,
            Err(RecvTimeoutError::Disconnected) => {
                return Published::nothing("its thread has ended");
            }
            Err(RecvTimeoutError::Timeout) if stop.is_over() || Instant::now() >= until => {
                return Published::nothing("it does not confirm in time");
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Keeps a connection until nobody can ask any more.
async fn keep(address: &Address, mut requests: mpsc::Receiver<Request>, shared: &Shared) {
    let mut backoff = Backoff::new(FIRST_REST, LONGEST_REST);
    loop {
        let why = match Connection::open(address).await {
            Ok(connection) => {
                shared.set(State::Up);
                match connection.serve(&mut requests, shared, &mut backoff).await {
                    Some(why) => why.to_string(),
                    None => return,
                }
            }
            Err(why) => why.to_string(),
        };
        shared.set(State::Down(why.clone()));
        let rest = tokio::time::sleep(backoff.failed());
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = &mut rest => break,
                request = requests.recv() => match request {
                    // Sent in the moment in which it was lost.
                    Some(request) => request.answer(Published::nothing(&why)),
                    None => return,
                }
            }
        }
    }
}
