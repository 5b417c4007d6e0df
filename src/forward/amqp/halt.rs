//! Halt: when nothing can be published on a connection, and when it goes on.
//!
//! Knows the events of a connection. A broker that is short of memory or disk blocks those that
//! publish, and says when it is not any more. Knows no message.

use super::trouble::Trouble;
use lapin::Event;
use std::fmt;
use std::pin::Pin;
use tokio_stream::{Stream, StreamExt as _};

/// Why nothing can be published now.
pub(crate) enum Halted {
    /// The broker is short of memory or disk; it will say when it is not any more.
    Blocked(String),
    /// The connection is lost.
    Lost(Trouble),
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(reason) => write!(f, "it takes no messages: {reason}"),
            Self::Lost(why) => why.fmt(f),
        }
    }
}

/// What happens to a connection.
pub(crate) struct Watch(Pin<Box<dyn Stream<Item = Event> + Send>>);

impl Watch {
    pub(super) fn new(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self(Box::pin(events))
    }

    /// Waits until nothing can be published. May be dropped while it waits.
    pub(crate) async fn halted(&mut self) -> Halted {
        loop {
            match self.next().await {
                Ok(Event::ConnectionBlocked(reason)) => return Halted::Blocked(reason),
                Ok(_) => {}
                Err(lost) => return Halted::Lost(lost),
            }
        }
    }

    /// Waits until a blocked connection is not blocked any more. May be dropped while it waits.
    ///
    /// # Errors
    ///
    /// It is lost.
    pub(crate) async fn unblocked(&mut self) -> Result<(), Trouble> {
        loop {
            if let Event::ConnectionUnblocked = self.next().await? {
                return Ok(());
            }
        }
    }

    async fn next(&mut self) -> Result<Event, Trouble> {
        match self.0.next().await {
            // A soft error closes a channel: its user gets an error. The others end the
            // connection.
            Some(Event::Error(error)) if !error.is_amqp_soft_error() => Err(error.into()),
            Some(event) => Ok(event),
            None => Err(Trouble::new("the connection has ended")),
        }
    }
}
