//! Parameters: what a request asks for, from its path, its form or its JSON, and as a search.
//!
//! Knows names of parameters, the caller's rights and the limits of searches. The rights become
//! part of the search itself: what a caller may not see is not looked at.

use super::answer::Problem;
use crate::decode::time::{duration, from_text};
use crate::server::Server;
use crate::stream_name::AUDIT;
use crate::token::{Grant, Streams};
use axum::body::to_bytes;
use axum::extract::{Query as UriQuery, Request};
use axum::http::{Uri, header};
use logbeacon_store::{Budget, Cancel, Order, SearchRequest};
use logwell_query::{Filter, Literal, Names, Query, Test, TimeRange};
use std::time::Duration;

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

/// A form or JSON of parameters is small.
const MAX_FORM_BYTES: usize = 1 << 20;

impl Params {
    /// Those of the path.
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = UriQuery::<Vec<(String, String)>>::try_from_uri(uri);
        Self(pairs.map(|UriQuery(pairs)| pairs).unwrap_or_default())
    }

    /// Those of the path, and of the body: a form, or a JSON object of texts and numbers.
    pub(super) async fn read(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let mut params = Self::of(&parts.uri);
        let body = to_bytes(body, MAX_FORM_BYTES)
            .await
            .map_err(|_| Problem::bad(format!("a form has at most {MAX_FORM_BYTES} bytes")))?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match kind.unwrap_or_default() {
            _ if body.is_empty() => {}
            // A form never begins so, and `curl -d` calls everything a form.
            kind if kind.starts_with("application/json") || body.starts_with(b"{") => {
                params.add_json(&body)?;
            }
            _ => {
                let form = String::from_utf8_lossy(&body);
                let uri: Uri = format!("/?{}", form.trim())
                    .parse()
                    .map_err(|_| Problem::bad("the body is neither a form nor JSON"))?;
                params.0.extend(Self::of(&uri).0);
            }
        }
        Ok(params)
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Problem> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)
            .map_err(|error| Problem::bad(format!("the body is no JSON object: {error}")))?;
        self.0.extend(object.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        }));
        Ok(())
    }

    /// The first value of that name, if it is not empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    /// All values of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| Problem::bad(format!("{name}={text} is no number")));
        number.map(Some)
    }

    /// A moment: RFC 3339, a number since the epoch, `now`, or what is before now: `15m`, `now-1h`.
    pub(super) fn moment(&self, name: &str, now_ns: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let relative = text.strip_prefix("now").unwrap_or(&text);
        let relative = relative.strip_prefix('-').unwrap_or(relative);
        let moment = match relative {
            "" => Some(now_ns),
            relative => match duration(relative) {
                Some(length) => Some(now_ns.saturating_sub(length)),
                None => from_text(&text),
            },
        };
        let unknown =
            || format!("{name}={text} is no moment: use RFC 3339, a number since 1970, or 15m");
        moment.map(Some).ok_or_else(|| Problem::bad(unknown()))
    }

    /// A length of time in nanoseconds: `30s`, `5m`, `1h`, `1d`, or seconds.
    pub(super) fn length(&self, name: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let seconds = || text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 1e9);
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^18")]
        let length = duration(&text).or_else(|| seconds().map(|number| (number * 1e9) as i64));
        let unknown = || Problem::bad(format!("{name}={text} is no length of time: use 30s or 5m"));
        // Less than a nanosecond is 0, by which no range can be divided.
        length.filter(|length_ns| *length_ns > 0).map(Some).ok_or_else(unknown)
    }

    /// The range from `start` to `end`, without its end.
    pub(super) fn range(&self, now_ns: i64) -> Result<TimeRange, Problem> {
        let first_ns = self.moment("start", now_ns)?.unwrap_or(i64::MIN);
        let last_ns = match self.moment("end", now_ns)? {
            Some(end) => end.saturating_sub(1),
            None => i64::MAX,
        };
        Ok(TimeRange { first_ns, last_ns })
    }
}

/// A search that a caller has asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The search, within the caller's rights.
    pub(super) search: SearchRequest,
    /// What is asked, as text: equal texts have equal answers. For the cache.
    pub(super) key: String,
}

/// Records of an answer, if the request does not say how many.
pub(super) const DEFAULT_LIMIT: u64 = 1000;

/// The search of a request: `query`, `start`, `end`, `limit`, `order`, `timeout`.
pub(super) fn asked(server: &Server, grant: &Grant, params: &Params) -> Result<Asked, Problem> {
    let now_ns = server.now_ns();
    let text = params.get("query").unwrap_or_else(|| "*".to_owned());
    let query = Query::parse_at(&text, now_ns)?;
    let range = params.range(now_ns)?;
    let order = match params.get("order").as_deref() {
        None | Some("desc" | "newest") => Order::NewestFirst,
        Some("asc" | "oldest") => Order::OldestFirst,
        Some(other) => return Err(Problem::bad(format!("order={other}: use asc or desc"))),
    };
    let limit = match (params.number("limit")?, query.pipes.is_empty()) {
        (Some(limit), _) => Some(limit),
        (None, true) => Some(DEFAULT_LIMIT),
        (None, false) => None,
    };
    let longest = server.settings.search_time;
    let timeout = params.length("timeout")?.and_then(|length| u64::try_from(length).ok());
    let time = timeout.map_or(longest, |length| Duration::from_nanos(length).min(longest));
    let budget = Budget { time, memory_bytes: server.settings.search_memory_bytes };
    let search = SearchRequest { range, limit, order, budget, ..SearchRequest::new(query) };
    let key = format!("{text}\0{range:?}\0{limit:?}\0{order:?}\0{grant:?}");
    Ok(Asked { search: within(search, grant), key })
}

/// Narrows a search to what the caller may see.
pub(super) fn within(search: SearchRequest, grant: &Grant) -> SearchRequest {
    let streams = match &grant.streams {
        Streams::All => None,
        Streams::Some(names) => Some(names.clone()),
    };
    let mut query = search.query;
    if !grant.sees_audit() {
        query.filter = Filter::And(vec![query.filter, not_audit()]);
    }
    SearchRequest { query, streams, cancel: Cancel::default(), ..search }
}

fn not_audit() -> Filter {
    let stream = Names::One("stream".to_owned());
    Filter::Not(Box::new(Filter::Field(stream, Test::Equals(Literal::text(AUDIT)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::of(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn moments_are_absolute_or_before_now() {
        let now = 1_771_497_000_000_000_000;
        let at = |query: &str| params(query).moment("start", now).unwrap();
        assert_eq!(at("start=15m"), Some(now - 900_000_000_000));
        assert_eq!(at("start=now-15m"), Some(now - 900_000_000_000));
        assert_eq!(at("start=now"), Some(now));
        assert_eq!(at("start=2026-02-19T10:30:00Z"), Some(now));
        assert_eq!(at("start=1771497000"), Some(now));
        assert_eq!(at("start="), None);
        assert!(params("start=soon").moment("start", now).is_err());
    }

    #[test]
    fn lengths_have_a_unit_or_are_seconds() {
        let length = |query: &str| params(query).length("step");
        assert_eq!(length("step=5m"), Ok(Some(300_000_000_000)));
        assert_eq!(length("step=0.5"), Ok(Some(500_000_000)));
        for bad in ["step=0s", "step=1e-10", "step=-1", "step=x", "step=99999999999999w"] {
            assert!(length(bad).is_err(), "{bad}");
        }
    }
}
