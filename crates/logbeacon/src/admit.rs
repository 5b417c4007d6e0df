//! Admission: drafts → records of the store, and refusals → records of the stream `_refused`.
//!
//! Knows the sender's rights, the limits, identity and time of arrival. Does not know protocols,
//! HTTP or how the store keeps records.

use crate::decode::cut::cut;
use crate::decode::draft::{Draft, Identity, Item, Reason, Refusal};
use crate::decode::fields::{CUT, TRUNCATED, cut_at, push_json};
use crate::decode::limits::Limits;
use crate::digest::{self, Digest};
use crate::stream_name;
use crate::token::Streams;
use logbeacon_store::Record;
use logwell_query::{Level, Value};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is known of a request beside its body.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The protocol, for metrics and refused records: `beacon`, `bulk`, `loki`, ….
    pub protocol: &'static str,
    /// The name of the token, or the address of a syslog sender.
    pub sender: String,
    /// Where the sender may write.
    pub streams: Streams,
    /// The stream of records that name none.
    pub stream: String,
    /// The sender's name for this request: with it, repeated requests are duplicates.
    pub idempotency_key: Option<String>,
    /// Whether records without identity are identified by their content.
    pub by_content: bool,
    /// The device, for records that do not say.
    pub host: String,
    /// The time of arrival, in nanoseconds since the epoch.
    pub arrived_ns: i64,
}

/// Makes records of drafts.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    /// Tells records without identity from those of all other starts.
    seed: u128,
    count: AtomicU64,
}

impl Admission {
    /// Admission within limits.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn new(limits: Limits) -> Result<Self, digest::NoRandom> {
        let seed = u128::from_le_bytes(digest::random()?);
        Ok(Self { limits, seed, count: AtomicU64::new(0) })
    }

    /// The limits of records.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The record that a draft becomes, if the sender may write to its stream. `index` is the
    /// draft's place in the request.
    ///
    /// # Errors
    ///
    /// The stream is invalid or not the sender's.
    pub fn admit(
        &self,
        mut draft: Draft,
        origin: &Origin,
        index: usize,
    ) -> Result<Record, Refusal> {
        let stream = draft.stream.take().unwrap_or_else(|| origin.stream.clone());
        if let Some((reason, detail)) = forbidden(&stream, origin) {
            return Err(Refusal::new(reason, detail, summary(&draft).as_bytes()));
        }
        if draft.host.is_empty() {
            draft.host.clone_from(&origin.host);
        }
        let identity = std::mem::take(&mut draft.identity);
        cut(&mut draft, &self.limits);
        let mut record = record(draft, stream, origin.arrived_ns);
        record.hash = match (&identity, &origin.idempotency_key) {
            (Identity::Given(id), _) => of_id("id", &record.stream, &[id.as_bytes()]),
            (Identity::Content, _) => of_content(&record, origin.arrived_ns),
            (Identity::None, Some(key)) => {
                let index = (index as u64).to_le_bytes();
                of_id(
                    "request",
                    &record.stream,
                    &[origin.sender.as_bytes(), key.as_bytes(), &index],
                )
            }
            (Identity::None, None) if origin.by_content => of_content(&record, origin.arrived_ns),
            (Identity::None, None) => self.unique(),
        };
        Ok(record)
    }

    /// The record of the stream `_refused` for a refusal.
    #[must_use]
    pub fn refused(&self, refusal: &Refusal, origin: &Origin) -> Record {
        let mut fields = vec![
            ("detail".to_owned(), Value::Text(refusal.detail.clone())),
            ("protocol".to_owned(), Value::Text(origin.protocol.to_owned())),
            ("reason".to_owned(), Value::Text(refusal.reason.code().to_owned())),
            ("sender".to_owned(), Value::Text(origin.sender.clone())),
            ("wanted_stream".to_owned(), Value::Text(origin.stream.clone())),
        ];
        let message = match cut_at(&refusal.raw, self.limits.refused_bytes) {
            None => refusal.raw.clone(),
            Some(kept) => {
                let length = Value::UInt(refusal.raw.len() as u64);
                fields.push((format!("{TRUNCATED}message"), length));
                format!("{kept}{CUT}")
            }
        };
        self.own(stream_name::REFUSED, (Level::Warn, message), fields, origin.arrived_ns)
    }

    /// A record that the server itself writes, for one of the reserved streams.
    #[must_use]
    pub fn own(
        &self,
        stream: &str,
        (level, message): (Level, String),
        fields: Vec<(String, Value)>,
        now_ns: i64,
    ) -> Record {
        let mut record = Record {
            time_ns: now_ns,
            arrived_ns: now_ns,
            hash: self.unique(),
            stream: stream.to_owned(),
            level,
            service: "logbeacon".to_owned(),
            message,
            fields,
            ..Record::default()
        };
        record.tidy();
        record
    }

    /// An identity that no other record has: a counter, scattered, on a random base.
    fn unique(&self) -> u128 {
        let number = u128::from(self.count.fetch_add(1, Ordering::Relaxed));
        // Multiplying by an odd number maps different counts to different identities.
        self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

fn forbidden(stream: &str, origin: &Origin) -> Option<(Reason, String)> {
    if !stream_name::is_valid(stream) {
        let detail = format!(
            "{stream:?} is no stream: use 1 to {} of A-Z a-z 0-9 . _ - :, not beginning with _",
            stream_name::MAX_BYTES
        );
        return Some((Reason::BadStream, detail));
    }
    let sender = &origin.sender;
    (!origin.streams.contain(stream))
        .then(|| (Reason::Forbidden, format!("{sender} may not write to the stream {stream:?}")))
}

/// What is shown of a draft that is refused.
fn summary(draft: &Draft) -> String {
    let mut text = draft.message.clone();
    for (name, value) in draft.fields.iter() {
        text.push(' ');
        text.push_str(name);
        text.push('=');
        push_json(value, &mut text);
    }
    text
}

fn record(draft: Draft, stream: String, arrived_ns: i64) -> Record {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut record = Record {
        time_ns: draft.time_ns.unwrap_or(arrived_ns),
        arrived_ns,
        hash: 0,
        stream,
        level: draft.level.unwrap_or(Level::Info),
        service: draft.service,
        host: draft.host,
        logger: draft.logger,
        message: draft.message,
        trace_id: some(draft.trace_id),
        span_id: some(draft.span_id),
        fields: draft.fields.into_sorted(),
    };
    record.tidy();
    record
}

/// The identity within a stream: who writes to one cannot shut records out of another.
fn of_id(kind: &str, stream: &str, parts: &[&[u8]]) -> u128 {
    let head = [kind.as_bytes(), stream.as_bytes()];
    identity(head.into_iter().chain(parts.iter().copied()))
}

/// The identity of everything that the record says; its time of arrival is not part of it.
fn of_content(record: &Record, arrived_ns: i64) -> u128 {
    let time = if record.time_ns == arrived_ns { 0 } else { record.time_ns };
    let mut fields = String::new();
    for (name, value) in &record.fields {
        fields.push_str(name);
        fields.push('\0');
        push_json(value, &mut fields);
        fields.push('\0');
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (trace, span) = (text(&record.trace_id), text(&record.span_id));
    let members = [
        "content",
        &record.stream,
        record.level.name(),
        &record.service,
        &record.host,
        &record.logger,
        &record.message,
        &trace,
        &span,
        &fields,
    ];
    let time = time.to_le_bytes();
    identity(members.into_iter().map(str::as_bytes).chain([&time[..]]))
}

fn identity<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u128 {
    let digest: Digest = digest::of_parts(parts);
    digest::identity(&digest)
}

/// The items of a request as records, refused ones in `_refused`, each with its place.
#[must_use]
pub fn admit_all(admission: &Admission, items: Vec<Item>, origin: &Origin) -> Admitted {
    let mut admitted = Admitted { records: Vec::with_capacity(items.len()), refusals: Vec::new() };
    for (index, item) in items.into_iter().enumerate() {
        match item.and_then(|draft| admission.admit(draft, origin, index)) {
            Ok(record) => admitted.records.push((Some(index), record)),
            Err(refusal) => {
                admitted.records.push((None, admission.refused(&refusal, origin)));
                admitted.refusals.push((index, refusal));
            }
        }
    }
    admitted
}

/// What a request has become.
#[derive(Debug)]
pub struct Admitted {
    /// Records for the store, with their places in the request; those of `_refused` have none.
    pub records: Vec<(Option<usize>, Record)>,
    /// What was refused, with its place in the request.
    pub refusals: Vec<(usize, Refusal)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            protocol: "beacon",
            sender: "shop".to_owned(),
            streams: Streams::All,
            stream: "default".to_owned(),
            idempotency_key: None,
            by_content: false,
            host: String::new(),
            arrived_ns: 5,
        }
    }

    fn admission() -> Admission {
        Admission::new(Limits::default()).unwrap()
    }

    fn hash(draft: &Draft, origin: &Origin) -> u128 {
        admission().admit(draft.clone(), origin, 0).unwrap().hash
    }

    #[test]
    fn an_id_identifies_within_its_stream() {
        let draft = Draft { identity: Identity::Given("x".to_owned()), ..Draft::default() };
        let other = Draft { message: "other".to_owned(), ..draft.clone() };
        let elsewhere = Origin { stream: "b".to_owned(), ..origin() };
        assert_eq!(hash(&draft, &origin()), hash(&other, &origin()));
        assert_ne!(hash(&draft, &origin()), hash(&draft, &elsewhere));
    }

    #[test]
    fn without_identity_every_delivery_is_a_record() {
        let admission = admission();
        let hash = || admission.admit(Draft::default(), &origin(), 0).unwrap().hash;
        assert_ne!(hash(), hash());
    }

    #[test]
    fn a_key_of_the_request_or_the_content_identifies_if_asked() {
        let draft = Draft { message: "m".to_owned(), ..Draft::default() };
        let other = Draft { message: "n".to_owned(), ..Draft::default() };
        let keyed = Origin { idempotency_key: Some("k".to_owned()), ..origin() };
        assert_eq!(hash(&draft, &keyed), hash(&other, &keyed));
        let later = Origin { by_content: true, arrived_ns: 9, ..origin() };
        let sooner = Origin { by_content: true, ..origin() };
        assert_eq!(hash(&draft, &later), hash(&draft, &sooner));
        assert_ne!(hash(&draft, &later), hash(&other, &later));
    }

    #[test]
    fn a_stream_that_is_not_the_senders_is_refused_and_the_record_is_kept() {
        let limited = Origin { streams: Streams::Some(vec!["a".to_owned()]), ..origin() };
        let draft = |stream: &str| {
            let (message, stream) = ("m".to_owned(), Some(stream.to_owned()));
            Ok(Draft { message, stream, ..Draft::default() })
        };
        let items = vec![draft("a"), draft("b"), draft("_audit")];
        let admitted = admit_all(&admission(), items, &limited);
        let reasons: Vec<_> =
            admitted.refusals.iter().map(|(index, refusal)| (*index, refusal.reason)).collect();
        assert_eq!(reasons, [(1, Reason::Forbidden), (2, Reason::BadStream)]);
        let streams: Vec<&str> =
            admitted.records.iter().map(|(_, record)| record.stream.as_str()).collect();
        assert_eq!(streams, ["a", "_refused", "_refused"]);
        assert_eq!(admitted.records[1].1.message, "m");
    }

    #[test]
    fn what_is_kept_of_a_refused_record_is_bounded() {
        let refusal = Refusal::new(Reason::NotJson, "", "é".repeat(100_000).as_bytes());
        let record = admission().refused(&refusal, &origin());
        assert!(record.message.len() <= (64 << 10) + 3 && record.message.ends_with('…'));
    }
}
