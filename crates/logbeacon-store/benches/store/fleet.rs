//! The log of a made-up fleet: records as twenty services of a shop would write them.
//!
//! Knows: what such records look like, and how long their JSON is. Must not know: the store. In:
//! a seed and a number of records. Out: records, in the order in which they arrive.

use logbeacon_store::Record;
use logwell_query::{Level, Value};
use std::fmt::Write;

/// Writes the records of a fleet one after the other.
pub(crate) struct Fleet {
    random: Random,
    records: u64,
    written: u64,
    traces: Vec<Trace>,
    endpoints: Vec<String>,
    /// A trace that is over, in the middle of the time: a needle to look for.
    pub(crate) needle: Option<(String, String)>,
}

struct Trace {
    id: String,
    left: u64,
    user: u64,
    order: String,
    has_order: bool,
    endpoint: usize,
}

/// The first moment of the records, 2026-11-24T00:00:00Z, and how long they take: five days.
pub(crate) const START_NS: i64 = 1_795_478_400_000_000_000;
pub(crate) const SPAN_NS: i64 = 5 * 86_400_000_000_000;

impl Fleet {
    pub(crate) fn new(seed: u64, records: u64) -> Self {
        let parts = ["list", "detail", "update", "create", "status", "export"];
        let endpoint =
            |n: usize| format!("/api/v{}/{}/{}", 1 + n % 2, SERVICES[n % 20], parts[n / 10]);
        let endpoints = (0..60).map(endpoint).collect();
        let mut fleet = Self {
            random: Random(seed),
            records,
            written: 0,
            traces: Vec::new(),
            endpoints,
            needle: None,
        };
        fleet.traces = (0..96).map(|_| fleet.trace()).collect();
        fleet
    }

    fn trace(&mut self) -> Trace {
        let random = &mut self.random;
        Trace {
            id: format!("{:016x}{:016x}", random.next(), random.next()),
            left: 4 + random.below(9),
            user: 1_000 + (random.unit().powi(2) * 50_000.0) as u64,
            order: order_id(random.next()),
            has_order: random.below(100) < 45,
            endpoint: (random.unit().powi(2) * 60.0) as usize,
        }
    }

    /// The next record, and the bytes that it has as a line of JSON.
    pub(crate) fn record(&mut self) -> (Record, usize) {
        let place = self.random.below(96) as usize;
        if self.traces[place].left == 0 {
            let over = self.trace();
            let over = std::mem::replace(&mut self.traces[place], over);
            if over.has_order && self.needle.is_none() && self.written * 10 > self.records * 6 {
                self.needle = Some((over.id, over.order));
            }
        }
        self.traces[place].left -= 1;
        let random = &mut self.random;
        let trace = &self.traces[place];
        let late_ns = if random.below(100) == 0 { random.unit() * 5e9 } else { 0.0 };
        let jitter_ns = (random.unit() - random.unit()) * 300e6 - late_ns;
        let offset = self.written as f64 / self.records as f64 * SPAN_NS as f64 + jitter_ns;
        let time_ns = START_NS + (offset as i64).clamp(0, SPAN_NS - 1);
        let (level, templates) = match random.below(100) {
            0..90 => (Level::Info, INFO),
            90..97 => (Level::Warn, WARN),
            97..99 => (Level::Error, ERROR),
            _ => (Level::Debug, DEBUG),
        };
        let service = SERVICES[(random.unit().powf(1.6) * 20.0) as usize];
        let logger = PARTS[(random.unit().powf(1.4) * 10.0) as usize];
        let status = match level {
            Level::Error => [500, 500, 500, 502, 503, 504][random.below(6) as usize],
            Level::Warn => [400, 401, 404, 409, 429, 200][random.below(6) as usize],
            _ => [200, 200, 200, 200, 200, 200, 201, 204, 304, 302][random.below(10) as usize],
        };
        let slow = if level == Level::Error { 12.0 } else { 1.0 };
        let latency =
            (2.2 + 0.35 * (trace.endpoint % 9) as f64 + 0.9 * random.normal()).exp() * slow;
        let latency = (latency * 1000.0).round() / 1000.0;
        let endpoint = &self.endpoints[trace.endpoint];
        let template = templates[(random.unit().powf(1.5) * templates.len() as f64) as usize];
        let known = Known { trace, endpoint, status, latency };
        let mut message = fill(template, random, &known);
        if message.len() < 40 {
            message.push_str(" as requested by the operator");
        }
        let host = random.below(5);
        let mut fields = vec![
            ("endpoint".to_owned(), Value::Text(endpoint.clone())),
            ("latency_ms".to_owned(), Value::Float(latency)),
            ("status_code".to_owned(), Value::Int(status)),
            ("user_id".to_owned(), Value::Int(trace.user as i64)),
        ];
        if trace.has_order {
            fields.push(("order_id".to_owned(), Value::Text(trace.order.clone())));
        }
        if random.below(10) < 6 {
            fields.push(("region".to_owned(), Value::Text(REGIONS[host as usize].to_owned())));
        }
        if random.below(10) < 4 {
            let method = METHODS[trace.endpoint % 4].to_owned();
            fields.push(("method".to_owned(), Value::Text(method)));
        }
        if random.below(10) < 3 {
            fields.push(("bytes".to_owned(), Value::Int(random.below(60_000) as i64)));
        }
        if random.below(10) < 2 {
            fields.push(("cached".to_owned(), Value::Bool(random.below(2) == 0)));
        }
        if level == Level::Error {
            let error = stack(random, &known, service);
            fields.push(("error".to_owned(), Value::Text(error)));
        }
        fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        let record = Record {
            time_ns,
            // A thousand at a time.
            arrived_ns: START_NS + (self.written / 1000 * 1_000_000) as i64,
            hash: u128::from(random.next()) << 64 | u128::from(random.next()),
            stream: String::new(),
            level,
            service: service.to_owned(),
            host: format!("{service}-node{host:03}"),
            logger: format!("shop.{service}.{logger}"),
            message,
            trace_id: Some(trace.id.clone()),
            span_id: Some(format!("{:016x}", random.next())),
            fields,
        };
        self.written += 1;
        let bytes = json_bytes(&record);
        (record, bytes)
    }
}

/// The length of the record as a line of JSON, without its hash.
fn json_bytes(record: &Record) -> usize {
    let keys = concat!(
        r#"{"ts":1795478400000000000,"level":"","service":"","host":"","logger":"","#,
        r#""message":"","trace_id":"","span_id":"","fields":{}}"#,
    );
    let members = [&record.service, &record.host, &record.logger, &record.message];
    let of_field = |(name, value): &(String, Value)| {
        let quotes = if matches!(value, Value::Text(_)) { 2 } else { 0 };
        let text = value.as_ref().text();
        let escapes = text.matches('\n').count();
        name.len() + 4 + text.len() + quotes + escapes
    };
    let fields: usize = record.fields.iter().map(of_field).sum();
    let members: usize = members.iter().map(|text| text.len()).sum();
    keys.len() + record.level.name().len() + members + 48 + fields
}

struct Known<'a> {
    trace: &'a Trace,
    endpoint: &'a str,
    status: i64,
    latency: f64,
}

/// A text with its holes filled.
fn fill(template: &str, random: &mut Random, known: &Known<'_>) -> String {
    let mut out = String::with_capacity(96);
    let mut pieces = template.split('{');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (hole, text) = piece.split_once('}').unwrap_or((piece, ""));
        let _ = match hole {
            "user" => write!(out, "{}", known.trace.user),
            "order" => write!(out, "{}", known.trace.order),
            "endpoint" => write!(out, "{}", known.endpoint),
            "method" => write!(out, "{}", METHODS[known.trace.endpoint % 4]),
            "status" => write!(out, "{}", known.status),
            "ms" => write!(out, "{}", known.latency as u64 + 1),
            "n" => {
                let digits = 1 + random.below(5) as u32;
                write!(out, "{}", random.below(10_u64.pow(digits)) + 1)
            }
            "k" => write!(out, "{}", random.below(99) + 1),
            "port" => write!(out, "{}", 1024 + random.below(60_000)),
            "ip" => {
                let (b, c, d) = (random.below(64), random.below(256), random.below(254) + 1);
                write!(out, "10.{b}.{c}.{d}")
            }
            "hex" => write!(out, "{:012x}", random.next() >> 16),
            _ => write!(out, "{}", WORDS[random.below(WORDS.len() as u64) as usize]),
        };
        out.push_str(text);
    }
    out
}

/// The text of an error, with what called what.
fn stack(random: &mut Random, known: &Known<'_>, service: &str) -> String {
    let cause = EXCEPTIONS[random.below(EXCEPTIONS.len() as u64) as usize];
    let mut text = fill(cause, random, known);
    for frame in 0..3 + random.below(4) {
        let word = WORDS[(frame as usize * 7 + service.len()) % WORDS.len()];
        let line = 20 + (frame * 37 + service.len() as u64 * 13) % 600;
        let _ = write!(text, "\n    at {service}::{word}::call (src/{word}.rs:{line})");
    }
    text
}

fn order_id(mut bits: u64) -> String {
    let mut id = "ORD-".to_owned();
    for _ in 0..10 {
        id.push(char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(bits & 31) as usize]));
        bits >>= 5;
    }
    id
}

/// Splitmix: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().max(1e-12).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

const SERVICES: [&str; 20] = [
    "gateway",
    "checkout",
    "payments",
    "inventory",
    "catalog",
    "search",
    "auth",
    "users",
    "sessions",
    "mailer",
    "billing",
    "shipping",
    "pricing",
    "reviews",
    "recommend",
    "media",
    "webhooks",
    "scheduler",
    "audit",
    "edge-cache",
];
const PARTS: [&str; 10] = [
    "http",
    "db",
    "cache",
    "queue",
    "auth",
    "worker",
    "client.retry",
    "pool",
    "handler",
    "metrics",
];
const REGIONS: [&str; 5] = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const WORDS: [&str; 32] = [
    "alpha", "amber", "atlas", "aurora", "beacon", "birch", "bravo", "cedar", "cobalt", "comet",
    "coral", "delta", "ember", "falcon", "fjord", "garnet", "harbor", "hazel", "indigo", "iris",
    "jade", "juniper", "kestrel", "lagoon", "lemon", "linden", "lotus", "maple", "meadow",
    "mistral", "nectar", "nova",
];
const INFO: &[&str] = &[
    "request completed {method} {endpoint} with status {status} in {ms} ms for user {user}",
    "accepted connection from {ip}:{port} using TLS 1.3 and cipher suite {word}",
    "cache hit for key user:{user}:profile after {n} lookups, entry age {ms} ms",
    "cache miss for key catalog:{n}:page:{k}, loading from the primary database",
    "order {order} was created for user {user} with {k} items and a total of {n}.{k} EUR",
    "payment for order {order} was authorised by provider {word} in {ms} ms",
    "published message {hex} to topic orders.{word}.v2 partition {k} offset {n}",
    "consumed message {hex} from topic orders.{word}.v2 partition {k} offset {n} lag {k}",
    "query finished in {ms} ms, {n} rows returned from table {word}_events by index scan",
    "scheduled job nightly-{word} started with {k} workers and batch size {n}",
    "scheduled job nightly-{word} finished, processed {n} items, skipped {k}, took {ms} ms",
    "session {hex} of user {user} was renewed for another 3600 seconds from {ip}",
    "user {user} signed in from {ip} with a one time password, device {hex}",
    "sent template order-confirmation to user {user}, provider message id {hex}",
    "health probe answered ready: database {ms} ms, cache {k} ms, queue depth {n}",
    "configuration reloaded, version {n}, {k} keys changed by deployer {word}",
    "inventory for sku SKU-{n} was reserved, {k} left in warehouse {word}",
    "shipment {hex} for order {order} was handed over to carrier {word}",
    "webhook delivered to endpoint {endpoint} in {ms} ms on attempt {k}",
    "search for {word} {word} returned {n} hits in {ms} ms, {k} shards queried",
    "image {hex} was resized to {n}x{n} and stored in bucket media-{word}",
    "recommendation model {word}-v{k} scored {n} candidates in {ms} ms for user {user}",
    "price rule {n} applied to order {order}, discount of {k} percent granted",
    "token issued for client {word}-app with {k} scopes, expires in {n} seconds",
    "collection of expired sessions removed {n} rows in {ms} ms",
    "circuit breaker for {word} is closed again after {k} successful calls",
    "feature flag {word}-rollout evaluated to variant {k} for user {user}",
    "streamed {n} bytes to {ip}:{port} over {k} chunks in {ms} ms",
];
const WARN: &[&str] = &[
    "upstream {word} connection refused by {ip}:{port}, retry {k} of 99 in {ms} ms",
    "slow query took {n} ms on table {word}_events, plan hash {hex}",
    "rate limit reached for user {user} at endpoint {endpoint}, {n} requests in the window",
    "request {method} {endpoint} was rejected with status {status}: field {word} is invalid",
    "connection pool {word} is nearly exhausted, {k} idle of {n}, waited {ms} ms",
    "deprecated client version {k}.{n} used by user {user} from {ip}",
    "message {hex} was redelivered {k} times on topic orders.{word}.v2",
    "payment provider {word} answered slowly for order {order}, timeout near after {ms} ms",
    "disk usage of volume {word} is at {k} percent, {n} inodes left",
];
const ERROR: &[&str] = &[
    "request {method} {endpoint} failed with status {status} after {ms} ms for user {user}",
    "payment for order {order} failed: provider {word} returned an unexpected code {n}",
    "transaction {hex} was rolled back after {ms} ms: deadlock detected on {word}_events",
    "upstream {word} timeout after {ms} ms, connection to {ip}:{port} closed, giving up",
    "could not deserialize message {hex} from topic orders.{word}.v2, moved to dead letters",
    "order {order} could not be completed, compensation started for {k} steps",
    "worker {k} panicked while handling job {hex}, restarting it in {ms} ms",
];
const DEBUG: &[&str] = &[
    "entering handler {word} with {k} headers and a body of {n} bytes",
    "resolved host {word}.internal to {ip} in {ms} ms (ttl {n})",
    "serialised response of {n} bytes, compression ratio {k} percent",
    "lock {word} acquired by worker {k} after {ms} ms, queue length {n}",
];
const EXCEPTIONS: &[&str] = &[
    "SqlTimeout: pool {word} could not lend a connection within {ms} ms",
    "UpstreamClosed: peer {ip}:{port} closed the connection before the response was complete",
    "ValueError: cannot parse field {word} at byte {n}",
    "DeadlockDetected: process {n} waits for ShareLock on transaction {n}",
    "ProviderError: {word} answered 502 with request id {hex}",
    "PanicInfo: index out of bounds: the len is {k} but the index is {n}",
];
