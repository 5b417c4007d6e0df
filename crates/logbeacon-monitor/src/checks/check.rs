//! Check: what is looked at, and what is expected of it.
//!
//! Knows: the kinds of checks with their fields. Must not know: how a check is done, or YAML. In:
//! what the configuration read; out: what probes read.

use crate::identity::Labels;
use logwell_options::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// A check of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// What it is about; the label `target` of its samples.
    pub target: String,
    /// How often it runs.
    pub every: Duration,
    /// How long it may take in all, name resolution included.
    pub timeout: Duration,
    /// What it does.
    pub kind: Kind,
}

/// What a check does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Asks for a page.
    Http(Http),
    /// Connects to `host:port`, by TLS if asked to.
    Tcp {
        /// Where.
        address: String,
        /// Whether a TLS handshake with a certificate that can be verified is part of it.
        tls: bool,
        /// A file of certificates, in PEM, to trust beside the public ones.
        ca: Option<PathBuf>,
    },
    /// Connects and says the first words of a protocol.
    Greeting {
        /// Where, `host:port`.
        address: String,
        /// Which protocol.
        protocol: Protocol,
    },
    /// Resolves a name.
    Dns {
        /// The name.
        name: String,
        /// Addresses of which at least one must be among the answers; none expects any answer.
        expect: Vec<String>,
    },
    /// Somebody must report at least once in each period.
    Push,
    /// A process must run whose name or command line is like this.
    Process {
        /// The pattern; `*` stands for any text.
        pattern: String,
    },
    /// A directory's disk must have room.
    Disk {
        /// The directory.
        path: PathBuf,
        /// How much of it must be free, in percent.
        free_percent: f64,
    },
}

/// A page, and what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// Its URL, of http or https.
    pub url: String,
    /// Headers to send, beside `host` and `user-agent`. Their values are shown nowhere.
    pub headers: Vec<Header>,
    /// Statuses that are good; none at all is 200 to 299.
    pub statuses: Vec<u16>,
    /// A text that the body must have.
    pub body: Option<String>,
    /// Values that the body must have as JSON: a path such as `status.db` or `items.0`, and the
    /// value as text.
    pub json: Vec<(String, String)>,
    /// How many redirects are followed.
    pub redirects: u8,
    /// A file of certificates, in PEM, to trust beside the public ones.
    pub ca: Option<PathBuf>,
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, which may be a token.
    pub value: Secret,
}

/// A protocol whose first words are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `PING`.
    Redis,
    /// The question whether TLS is spoken, which every server answers.
    PostgreSql,
    /// The header of AMQP 0-9-1, which a broker answers by `connection.start`.
    RabbitMq,
}

impl Check {
    /// The labels of its samples.
    #[must_use]
    pub fn labels(&self) -> Labels {
        Labels::from([
            ("check".to_owned(), self.id.clone()),
            ("target".to_owned(), self.target.clone()),
        ])
    }
}
