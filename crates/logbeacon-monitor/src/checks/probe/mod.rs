//! Probe: does a check once and says what it found.
//!
//! Knows: which probe is for which kind, and the time a check may take. Must not know: schedules or
//! rules. In: a check; out: a report, within the check's time-out.

use super::check::{Check, Kind};
use super::report::{CheckReport, Status};
use connect::Network;
use failure::{Failure, ms};
use tokio::time::{Instant, timeout};

mod connect;
mod failure;
mod greeting;
mod http;
mod local;
mod tls;

/// Does checks. One serves all of them; it holds no connection and caches no address.
#[derive(Debug)]
pub struct Prober {
    network: Network,
}

impl Prober {
    /// One that uses the system's resolver.
    ///
    /// # Errors
    ///
    /// The system's configuration of name servers cannot be read.
    pub fn new() -> Result<Self, String> {
        Ok(Self { network: Network::new()? })
    }

    /// Does a check. Ends within the check's time-out, name resolution included. A push check has
    /// nothing to do and is unknown: whoever takes the pushes knows.
    pub async fn run(&self, check: &Check) -> CheckReport {
        let begin = Instant::now();
        let mut report = CheckReport::up();
        let done = timeout(check.timeout, self.look(&check.kind, &mut report)).await;
        report.times.total_ms = ms(begin.elapsed());
        match done {
            Ok(Ok(())) => report,
            Ok(Err(failure)) => report.with(failure.status, failure.problem),
            Err(_) => {
                let after = check.timeout.as_millis();
                report.with(Status::Down, format!("no answer within {after} ms"))
            }
        }
    }

    async fn look(&self, kind: &Kind, report: &mut CheckReport) -> Result<(), Failure> {
        match kind {
            Kind::Http(http) => http::look(&self.network, http, report).await,
            Kind::Tcp { address, tls, ca } => {
                let stream = self.network.connect(address, report).await?;
                if *tls {
                    let host = connect::host_of(address)?;
                    tls::handshake(stream, host, ca.as_deref(), report).await?;
                }
                Ok(())
            }
            Kind::Greeting { address, protocol } => {
                let stream = self.network.connect(address, report).await?;
                greeting::greet(stream, *protocol, report).await
            }
            Kind::Dns { name, expect } => self.network.expect(name, expect, report).await,
            Kind::Push => Err(Failure::unknown("is reported from outside")),
            Kind::Process { pattern } => local::process(pattern),
            Kind::Disk { path, free_percent } => local::disk(path, *free_percent),
        }
    }
}

#[cfg(test)]
mod tests;
