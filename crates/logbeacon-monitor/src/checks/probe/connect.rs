//! Connect: from `host:port` to a TCP connection, with the address rules between.
//!
//! Knows: resolving anew each time, IPv6 and IPv4, and whose fault a failure is. Must not know:
//! what is spoken afterwards. In: an address as text; out: a stream, or a failure.

use super::failure::{Failure, ms};
use crate::checks::address::permit;
use crate::checks::report::CheckReport;
use hickory_resolver::TokioResolver;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The way to other machines.
#[derive(Debug)]
pub(super) struct Network {
    resolver: TokioResolver,
}

impl Network {
    pub(super) fn new() -> Result<Self, String> {
        let mut builder = TokioResolver::builder_tokio()
            .map_err(|error| format!("the configuration of name servers: {error}"))?;
        // Each check asks anew, or it would look at yesterday's address.
        builder.options_mut().cache_size = 0;
        let resolver = builder.build().map_err(|error| format!("the resolver: {error}"))?;
        Ok(Self { resolver })
    }

    /// Connects to `host:port`, to one address after another.
    pub(super) async fn connect(
        &self,
        address: &str,
        report: &mut CheckReport,
    ) -> Result<TcpStream, Failure> {
        let host = host_of(address)?;
        let port = port_of(address)?;
        let addresses = self.resolve(host, report).await?;
        let begin = Instant::now();
        let mut problem = String::new();
        for ip in addresses {
            permit(ip).map_err(Failure::down)?;
            let address = SocketAddr::new(ip, port);
            report.address = Some(address);
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    report.times.connect_ms = Some(ms(begin.elapsed()));
                    return Ok(stream);
                }
                Err(error) => problem = format!("{address}: {error}"),
            }
        }
        Err(Failure::down(problem))
    }

    /// Resolves a name and compares the answers.
    pub(super) async fn expect(
        &self,
        name: &str,
        expect: &[String],
        report: &mut CheckReport,
    ) -> Result<(), Failure> {
        let found = self.resolve(name, report).await?;
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        if expect.is_empty() || expect.iter().any(|address| found.contains(address)) {
            return Ok(());
        }
        Err(Failure::down(format!("{name} is {}", found.join(", "))))
    }

    /// A name that does not exist is the target's failure; silent name servers are ours.
    async fn resolve(&self, host: &str, report: &mut CheckReport) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![ip]);
        }
        let begin = Instant::now();
        let found = self.resolver.lookup_ip(host).await;
        report.times.dns_ms = Some(ms(begin.elapsed()));
        match found {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if error.is_nx_domain() => {
                Err(Failure::down(format!("{host}: no such name")))
            }
            Err(error) if error.is_no_records_found() => {
                Err(Failure::down(format!("{host} has no address")))
            }
            Err(error) => Err(Failure::unknown(format!("name servers do not say: {error}"))),
        }
    }
}

/// The host of `host:port`, without brackets.
pub(super) fn host_of(address: &str) -> Result<&str, Failure> {
    let host = address.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']));
    host.filter(|host| !host.is_empty()).ok_or_else(|| no_address(address))
}

fn port_of(address: &str) -> Result<u16, Failure> {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| no_address(address))
}

fn no_address(address: &str) -> Failure {
    Failure::unknown(format!("{address:?} is not host:port"))
}
