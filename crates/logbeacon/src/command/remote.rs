//! Remote: commands that ask a running server: `retention` and `delete`, and the client that they
//! use.
//!
//! The only file that names `ureq`.

use super::{Failure, Target};
use clap::Args;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// A client of a running server. Clones share its connections.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    agent: Agent,
    url: String,
    bearer: String,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

impl Remote {
    /// A client; nothing is connected yet.
    pub(super) fn new(target: &Target) -> Result<Self, Failure> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        if let Some(path) = &target.ca_file {
            let roots = RootCerts::Specific(Arc::new(certificates(path)?));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let url = target.url.trim_end_matches('/').to_owned();
        let agent = config.build().into();
        Ok(Self { agent, url, bearer: format!("Bearer {}", target.token) })
    }

    /// Gets a path. Blocks until there is an answer.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        let request = self.agent.get(format!("{}{path}", self.url));
        answer(request.header("authorization", &self.bearer).call()?)
    }

    /// Posts JSON to a path. Blocks until there is an answer.
    pub(super) fn post(&self, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request.header("authorization", &self.bearer);
        answer(request.content_type("application/json").send(body)?)
    }

    /// Puts JSON to a path. Blocks until there is an answer.
    pub(super) fn put(&self, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let request = request.header("authorization", &self.bearer);
        answer(request.content_type("application/json").send(body)?)
    }
}

impl Answer {
    /// The JSON of an answer that is good.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        let json: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        match self.status {
            200..=299 => Ok(json),
            status => {
                let reason = json.pointer("/error/reason").and_then(Value::as_str);
                Err(format!("status {status}: {}", reason.unwrap_or(&self.body)).into())
            }
        }
    }
}

fn answer(mut response: ureq::http::Response<Body>) -> Result<Answer, Failure> {
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?;
    Ok(Answer { status: response.status().as_u16(), retry_after, body })
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(format!("{}: there is no certificate in it", path.display()).into()),
        false => Ok(found),
    }
}

/// What is asked about retention.
#[derive(Debug, Args)]
pub(super) struct RetentionArgs {
    #[command(flatten)]
    target: Target,
    /// A file with the new rules, a JSON array:
    /// `[{"stream":"web","level_max":"INFO","age":"30d"}]`. Without it, the rules in force are
    /// printed.
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
}

/// Prints or replaces the rules.
pub(super) fn retention(args: RetentionArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let remote = Remote::new(&args.target)?;
    let answer = match &args.set {
        None => remote.get("/api/v1/retention")?.json()?,
        Some(path) => {
            let rules =
                std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            remote.put("/api/v1/retention", &rules)?.json()?
        }
    };
    writeln!(out, "{answer:#}")?;
    Ok(())
}

/// What is to be deleted.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    target: Target,
    /// Which records: a filter of the query language.
    query: String,
    /// From this moment on.
    #[arg(long)]
    start: Option<String>,
    /// Before this moment.
    #[arg(long)]
    end: Option<String>,
    /// Deletes without asking for confirmation by this word.
    #[arg(long, required = true)]
    yes: bool,
}

/// Deletes, and prints the certificate.
pub(super) fn delete(args: DeleteArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let DeleteArgs { target, query, start, end, yes: _ } = args;
    let mut wish = serde_json::Map::from_iter([("query".to_owned(), Value::from(query))]);
    for (name, moment) in [("start", start), ("end", end)] {
        if let Some(moment) = moment {
            wish.insert(name.to_owned(), moment.into());
        }
    }
    let body = Value::Object(wish).to_string();
    let answer = Remote::new(&target)?.post("/api/v1/delete", body.as_bytes())?.json()?;
    writeln!(out, "{answer:#}")?;
    Ok(())
}
