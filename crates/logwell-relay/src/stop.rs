//! Stop: the wish to end, from SIGTERM or SIGINT.
//!
//! The first signal lets the worker finish what it has in hand. A second one ends it at once; the
//! broker then gives the message to another worker.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::EXIT_FAILED;

/// Tells whether the worker shall end, to as many as ask.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for the signals from now on; must be called inside the runtime.
    pub(crate) fn on_signals() -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            for is_first in [true, false] {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                if is_first {
                    tracing::info!("asked to stop; finishing what is in hand");
                    sender.send_replace(true);
                } else {
                    std::process::exit(EXIT_FAILED.into());
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Returns once it is asked.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // Nobody can ask any more.
            std::future::pending::<()>().await;
        }
    }

    /// Waits that long; `false` if it was asked to stop meanwhile.
    pub(crate) async fn pause(&mut self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.asked() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}
