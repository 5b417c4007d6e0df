//! Against: whether a log server has every record of the files.
//!
//! Knows the server's answer to `/api/v1/completeness` and how records are numbered. The only file
//! that names `ureq`. Does not read log files: a report has their numbers.

use crate::level_name::LevelName;
use crate::verify::{Report, SentByBoot, visible};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Which log server is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compared with a log server")]
pub(crate) struct Against {
    /// Ask the LogBeacon at this address whether it has every record of the files
    #[arg(long = "against", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A token with the scope `read` for all streams
    #[arg(long, env = "LOGBEACON_TOKEN", hide_env_values = true, requires = "url")]
    pub(crate) token: Option<String>,
    /// Certificates to trust, in PEM, if its own is not signed by a public authority
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The server should have records of this level and above; forwarding sends none below INFO
    #[arg(long, value_enum, ignore_case = true, value_name = "LEVEL", default_value = "info")]
    pub(crate) against_level: LevelName,
}

/// A log server.
#[derive(Debug)]
pub(crate) struct Server {
    agent: Agent,
    url: String,
    bearer: Option<String>,
}

/// What a server has of the records of a directory.
#[derive(Debug)]
pub(crate) struct Compared {
    url: String,
    boots: Vec<Boot>,
}

#[derive(Debug)]
struct Boot {
    process: u64,
    id: Option<String>,
    records: u64,
    missing: Vec<(u64, u64)>,
}

/// The longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 256 << 20;
/// The forwarder's times have no fractions of a second.
const SECOND_NS: i64 = 1_000_000_000;
/// Gaps that are printed, unless all are asked for.
const SHOWN: usize = 20;

impl Server {
    /// The server that is asked for, if one is.
    ///
    /// # Errors
    ///
    /// The certificates cannot be read.
    pub(crate) fn of(asked: &Against) -> Result<Option<Self>, String> {
        let Some(url) = &asked.url else { return Ok(None) };
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)));
        if let Some(path) = &asked.ca_file {
            let roots = RootCerts::Specific(Arc::new(certificates(path)?));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let bearer = asked.token.as_ref().map(|token| format!("Bearer {token}"));
        let url = url.trim_end_matches('/').to_owned();
        Ok(Some(Self { agent: config.build().into(), url, bearer }))
    }

    /// Asks for the numbers of each boot, and compares them with those in the files.
    ///
    /// # Errors
    ///
    /// The server cannot say what it has.
    pub(crate) fn compare(&self, report: &Report) -> Result<Compared, String> {
        let mut boots = Vec::new();
        for sent in report.sent().filter(|sent| !sent.ranges.is_empty()) {
            if sent.is_cut {
                return Err(format!("process {}: too many gaps to compare", sent.process));
            }
            let files = joined(sent.ranges.to_vec());
            let missing = without((&files, &self.has(&sent)?));
            let (process, id) = (sent.process, sent.boot_id.map(str::to_owned));
            boots.push(Boot { process, id, records: count(&files), missing });
        }
        Ok(Compared { url: self.url.clone(), boots })
    }

    /// The numbers that the server has of a boot.
    fn has(&self, sent: &SentByBoot<'_>) -> Result<Vec<(u64, u64)>, String> {
        let (first_ns, last_ns) = sent.times;
        let (start, end) =
            (first_ns.saturating_sub(SECOND_NS), last_ns.saturating_add(2 * SECOND_NS));
        let url = format!("{}/api/v1/completeness?start={start}&end={end}", self.url);
        let failed = |why: String| format!("{} cannot say what it has: {why}", self.url);
        let mut request = self.agent.get(&url);
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", bearer);
        }
        let mut response = request.call().map_err(|error| failed(error.to_string()))?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string();
        let body = body.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        if !status.is_success() {
            let shown: String = body.chars().take(300).collect();
            return Err(failed(format!("status {status}: {shown}")));
        }
        let answer: Answer = serde_json::from_str(&body)
            .map_err(|error| failed(format!("its answer is not LogBeacon's: {error}")))?;
        if !answer.summary.complete {
            return Err(failed("not everything could be read there".to_owned()));
        }
        let process = sent.process.to_string();
        let is_it = |producer: &&Producer| match (producer.boot_id.as_str(), sent.boot_id) {
            ("", _) => producer.process == process,
            (boot_id, Some(known)) => boot_id == known,
            (_, None) => false,
        };
        let producers = answer.producers.iter().filter(is_it);
        Ok(joined(producers.flat_map(|producer| producer.ranges.iter().copied()).collect()))
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    producers: Vec<Producer>,
    #[serde(rename = "_summary")]
    summary: Summary,
}

#[derive(Debug, Deserialize)]
struct Producer {
    #[serde(default)]
    process: String,
    #[serde(default)]
    boot_id: String,
    ranges: Vec<(u64, u64)>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    complete: bool,
}

impl Compared {
    /// Whether the server has everything.
    pub(crate) fn is_complete(&self) -> bool {
        self.boots.iter().all(|boot| boot.missing.is_empty())
    }

    /// All of it as JSON.
    pub(crate) fn json(&self) -> Value {
        let boot = |boot: &Boot| {
            json!({
                "boot_id": boot.id, "process": boot.process, "records": boot.records,
                "missing": boot.missing,
            })
        };
        let boots: Vec<Value> = self.boots.iter().map(boot).collect();
        json!({"url": self.url, "complete": self.is_complete(), "boots": boots})
    }

    /// All of it for people: of long lists only the beginning, unless `all`.
    pub(crate) fn text(&self, all: bool) -> String {
        let mut text = format!("\nserver {}:\n", visible(&self.url));
        for boot in &self.boots {
            let id = boot.id.as_deref().unwrap_or("without a known id");
            let missing = count(&boot.missing);
            let there = boot.records - missing;
            text += &format!(
                "  boot {}, process {}: {there} of {} records are there\n",
                visible(id),
                boot.process,
                boot.records
            );
            let shown = if all { boot.missing.len() } else { SHOWN };
            for (first, last) in boot.missing.iter().take(shown) {
                text += &match first == last {
                    true => format!("    not there: seq {first}\n"),
                    false => format!("    not there: seq {first} to {last}\n"),
                };
            }
            if boot.missing.len() > shown {
                text += &format!("    … and {} more gaps (--all)\n", boot.missing.len() - shown);
            }
        }
        text += match self.is_complete() {
            true => "everything in the files is at the server\n",
            false => "NOT everything in the files is at the server\n",
        };
        text
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(format!("{}: there is no certificate in it", path.display())),
        false => Ok(found),
    }
}

fn count(ranges: &[(u64, u64)]) -> u64 {
    ranges.iter().map(|(first, last)| last - first + 1).sum()
}

/// Ranges in order, those that touch joined.
fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.retain(|(first, last)| first <= last);
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Inclusive ranges of numbers.
type Ranges = [(u64, u64)];

/// What of the first ranges is in none of the second; both are [`joined`].
fn without((all, there): (&Ranges, &Ranges)) -> Vec<(u64, u64)> {
    let mut missing = Vec::new();
    let mut there = there.iter().peekable();
    for &(first, last) in all {
        let mut next = first;
        while let Some(&&(from, to)) = there.peek() {
            if from > last {
                break;
            }
            if from > next {
                missing.push((next, from - 1));
            }
            next = next.max(to.saturating_add(1));
            if to > last {
                break;
            }
            there.next();
        }
        if next <= last {
            missing.push((next, last));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn numbers(ranges: &[(u64, u64)]) -> BTreeSet<u64> {
        ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
    }

    fn ranges() -> impl Strategy<Value = Vec<(u64, u64)>> {
        let range = (0_u64..60, 0_u64..6).prop_map(|(first, more)| (first, first + more));
        proptest::collection::vec(range, 0..12)
    }

    proptest! {
        #[test]
        fn missing_is_what_is_in_the_files_and_not_at_the_server(
            files in ranges(), server in ranges(),
        ) {
            let (files, server) = (joined(files), joined(server));
            let missing = without((&files, &server));
            let wanted: BTreeSet<u64> =
                numbers(&files).difference(&numbers(&server)).copied().collect();
            prop_assert_eq!(count(&missing), wanted.len() as u64);
            prop_assert_eq!(numbers(&missing), wanted);
        }
    }
}
