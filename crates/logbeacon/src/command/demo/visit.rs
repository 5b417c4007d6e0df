//! Visit: what one customer of the invented shop leaves in the logs of its services.
//!
//! Knows the shop. Does not know the server. A visit's number decides everything but the time: a
//! trace over up to five services, with a span each.

use crate::decode::draft::Draft;
use logwell_query::{Level, Value};

/// One visit.
#[derive(Debug)]
pub(super) struct Visit {
    /// Decides who comes and what happens.
    pub(super) number: usize,
    /// When it ends.
    pub(super) ends_ns: i64,
    /// Whether the shop's bank answers.
    pub(super) bank_answers: bool,
}

const USERS: [&str; 8] = ["ann", "bob", "carla", "dmitri", "emeka", "fatima", "李雷", "zoë"];
const THINGS: [&str; 6] = ["teapot", "lamp", "chair", "kettle", "rug", "clock"];

impl Visit {
    /// Its records, the first first.
    pub(super) fn records(&self) -> Vec<Draft> {
        let mut story = Story::new(self);
        match story.pick(100) {
            0..=2 => story.housekeeping(),
            3..=59 => story.looks_around(),
            _ => story.buys(self.bank_answers),
        }
        story.end(self.ends_ns)
    }
}

/// Where something happens: a part of a service.
#[derive(Debug, Clone, Copy)]
struct Place {
    service: &'static str,
    logger: &'static str,
    /// The number of its span in the trace, and that of the span around it. 0 is none.
    span: usize,
    parent: usize,
}

const GATEWAY: Place = Place { service: "gateway", logger: "gateway::http", span: 1, parent: 0 };
const CATALOGUE: Place =
    Place { service: "catalogue", logger: "catalogue::items", span: 2, parent: 1 };
const CHECKOUT: Place =
    Place { service: "checkout", logger: "checkout::orders", span: 2, parent: 1 };
const INVENTORY: Place =
    Place { service: "inventory", logger: "inventory::stock", span: 3, parent: 2 };
const PAYMENT: Place = Place { service: "payment", logger: "payment::bank", span: 4, parent: 2 };
const MAIL: Place = Place { service: "mail", logger: "mail::outbox", span: 5, parent: 2 };

type Fields = Vec<(&'static str, Value)>;

/// A visit that is being told. Times count from its begin.
struct Story {
    number: u64,
    picks: u64,
    passed_us: i64,
    user: &'static str,
    records: Vec<Draft>,
}

impl Story {
    fn new(visit: &Visit) -> Self {
        let number = visit.number as u64;
        let mut story = Self { number, picks: 0, passed_us: 0, user: "", records: Vec::new() };
        let user = story.pick(USERS.len());
        story.user = USERS.get(user).copied().unwrap_or_default();
        story
    }

    /// A number below `count`: by the visit, and by how many were picked before.
    fn pick(&mut self, count: usize) -> usize {
        self.picks += 1;
        let mixed = (self.number << 8 | self.picks).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 33;
        usize::try_from(mixed).unwrap_or(0) % count.max(1)
    }

    /// Lets so much time pass, more or less.
    fn wait_ms(&mut self, about: usize) {
        let spread = self.pick(about * 1000 + 1);
        self.passed_us += i64::try_from(about * 500 + spread).unwrap_or(0);
    }

    fn passed_ms(&self) -> Value {
        Value::Int(self.passed_us / 1000)
    }

    fn say(&mut self, place: Place, (level, message): (Level, String), fields: Fields) {
        let span_id = |span: usize| format!("{:012x}{span:04x}", self.number + 0x5_0000);
        let mut draft = Draft {
            time_ns: Some(self.passed_us * 1000),
            level: Some(level),
            message,
            logger: place.logger.to_owned(),
            service: place.service.to_owned(),
            host: format!("{}-{}", place.service, 1 + self.number % 2),
            trace_id: format!("{:032x}", u128::from(self.number + 1) * 0x9e37_79b9_7f4a_7c15_f39c),
            span_id: span_id(place.span),
            ..Draft::default()
        };
        if place.parent > 0 {
            draft.fields.put("parent_span_id", Value::Text(span_id(place.parent)));
        }
        draft.fields.put("user", text(self.user));
        draft.fields.put("version", text("2.14.0"));
        fields.into_iter().for_each(|(name, value)| draft.fields.put(name, value));
        self.records.push(draft);
        self.wait_ms(4);
    }

    fn info(&mut self, place: Place, message: impl Into<String>, fields: Fields) {
        self.say(place, (Level::Info, message.into()), fields);
    }

    fn debug(&mut self, place: Place, message: impl Into<String>, fields: Fields) {
        self.say(place, (Level::Debug, message.into()), fields);
    }

    /// The gateway's line at the end of a request.
    fn answers(&mut self, method: &'static str, path: String, status: u64) {
        let level = match status {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ => Level::Info,
        };
        let message = format!("{method} {path} {status} in {} ms", self.passed_us / 1000);
        let fields = vec![
            ("http.method", text(method)),
            ("http.path", text(path)),
            ("http.status", Value::UInt(status)),
            ("duration_ms", self.passed_ms()),
        ];
        self.say(GATEWAY, (level, message), fields);
    }

    fn looks_around(&mut self) {
        let item = 1000 + self.pick(400);
        let thing = THINGS.get(item % THINGS.len()).copied().unwrap_or_default();
        let path = format!("/items/{item}");
        self.debug(GATEWAY, format!("route {path} to catalogue"), vec![]);
        if self.pick(3) == 0 {
            self.debug(CATALOGUE, format!("cache miss for item {item}"), vec![]);
            self.reads_database();
        }
        match self.pick(40) {
            0 => {
                let message = format!("item {item} is not in the catalogue");
                self.say(CATALOGUE, (Level::Warn, message), vec![("item", int(item))]);
                self.answers("GET", path, 404);
            }
            _ => {
                let fields = vec![("item", int(item)), ("kind", text(thing))];
                self.info(CATALOGUE, format!("show {thing} {item}"), fields);
                self.answers("GET", path, 200);
            }
        }
    }

    fn reads_database(&mut self) {
        let slow = self.pick(12) == 0;
        let before_us = self.passed_us;
        self.wait_ms(if slow { 700 } else { 9 });
        let took_ms = (self.passed_us - before_us) / 1000;
        let fields =
            vec![("db.table", text("items")), ("db.rows", int(1)), ("took_ms", took_ms.into())];
        let message = format!("slow answer from the database: {took_ms} ms");
        match slow {
            true => self.say(CATALOGUE, (Level::Warn, message), fields),
            false => self.debug(CATALOGUE, format!("database answered in {took_ms} ms"), fields),
        }
    }

    fn buys(&mut self, bank_answers: bool) {
        let order = usize::try_from(self.number).unwrap_or(0) + 70_000;
        let (items, cents) = (1 + self.pick(4), 990 + self.pick(20_000));
        let amount = Value::Float(f64::from(u32::try_from(cents).unwrap_or(0)) / 100.0);
        let of_order = |more: Fields| {
            [vec![("order", int(order)), ("amount_eur", amount.clone())], more].concat()
        };
        self.debug(GATEWAY, "route /checkout to checkout", vec![]);
        let basket = Value::Json(format!(
            "[{{\"item\":{},\"count\":{items}}},{{\"item\":1207,\"count\":1}}]",
            1000 + order % 400
        ));
        let fields = of_order(vec![("items", int(items)), ("basket", basket)]);
        self.info(CHECKOUT, format!("order {order} placed by {}", self.user), fields);
        self.wait_ms(12);
        self.info(INVENTORY, format!("{items} items reserved for order {order}"), of_order(vec![]));
        self.wait_ms(30);
        self.debug(PAYMENT, "charge card ending in 4242", of_order(vec![]));
        match self.pick(14) {
            _ if !bank_answers => self.bank_is_silent(&of_order),
            0 => self.card_is_declined(&of_order),
            _ => self.is_paid(order, &of_order),
        }
    }

    fn is_paid(&mut self, order: usize, of_order: &dyn Fn(Fields) -> Fields) {
        self.wait_ms(90);
        let fields = of_order(vec![("card", text("visa")), ("duration_ms", Value::Int(88))]);
        self.info(PAYMENT, format!("payment of order {order} accepted"), fields);
        self.wait_ms(8);
        let message = match self.user {
            "李雷" => format!("订单 {order} 的确认邮件已发送"),
            user => format!("confirmation of order {order} sent to {user}"),
        };
        self.info(MAIL, message, of_order(vec![("template", text("confirmation"))]));
        self.answers("POST", "/checkout".to_owned(), 201);
    }

    fn card_is_declined(&mut self, of_order: &dyn Fn(Fields) -> Fields) {
        self.wait_ms(120);
        let why = ["insufficient funds", "card expired", "limit exceeded"];
        let why = why.get(self.pick(why.len())).copied().unwrap_or_default();
        let chain = Value::Json(format!("[\"payment failed\",\"card declined\",\"{why}\"]"));
        let fields = of_order(vec![("error.kind", text("declined")), ("error.chain", chain)]);
        self.say(PAYMENT, (Level::Error, format!("payment failed: card declined: {why}")), fields);
        self.answers("POST", "/checkout".to_owned(), 402);
    }

    fn bank_is_silent(&mut self, of_order: &dyn Fn(Fields) -> Fields) {
        for attempt in 1..=2 {
            self.wait_ms(500);
            let fields = of_order(vec![("attempt", int(attempt)), ("bank", text("acme"))]);
            let message = format!("bank does not answer, attempt {attempt} of 3");
            self.say(PAYMENT, (Level::Warn, message), fields);
        }
        self.wait_ms(600);
        let chain = "[\"payment failed\",\"bank did not answer\",\"connection timed out\"]";
        let fields = of_order(vec![
            ("error.kind", text("timeout")),
            ("error.chain", Value::Json(chain.to_owned())),
            ("bank", text("acme")),
        ]);
        let message = "payment failed: bank did not answer within 500 ms".to_owned();
        self.say(PAYMENT, (Level::Error, message), fields);
        if self.pick(6) == 0 {
            let message = "no bank answers: orders are not taken".to_owned();
            self.say(CHECKOUT, (Level::Critical, message), of_order(vec![]));
        }
        self.answers("POST", "/checkout".to_owned(), 502);
    }

    /// What happens without a customer: records without a trace.
    fn housekeeping(&mut self) {
        let place = |service, logger| Place { service, logger, span: 0, parent: 0 };
        let (first, second) = (self.pick(400), 70 + self.pick(25));
        self.info(
            place("checkout", "checkout::sessions"),
            format!("{first} sessions expired"),
            vec![("sessions", int(first))],
        );
        if second > 90 {
            let message = format!("disk /var is {second} % full");
            let fields = vec![("disk", text("/var")), ("used_percent", int(second))];
            self.say(place("mail", "mail::disk"), (Level::Warn, message), fields);
        }
        for record in &mut self.records {
            record.trace_id.clear();
            record.span_id.clear();
        }
    }

    /// The records, moved so that the last is at that time.
    fn end(mut self, ends_ns: i64) -> Vec<Draft> {
        let begin_ns = ends_ns.saturating_sub(self.passed_us * 1000);
        for record in &mut self.records {
            record.time_ns = record.time_ns.map(|after_ns| begin_ns.saturating_add(after_ns));
        }
        self.records
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn int(number: usize) -> Value {
    Value::from(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn purchases_cross_services_and_fail_when_the_bank_is_silent() {
        let visit = |number, bank_answers| Visit { number, ends_ns: 1 << 60, bank_answers };
        let most = (0..100)
            .map(|number| visit(number, true).records())
            .max_by_key(|records| {
                records.iter().map(|record| record.service.clone()).collect::<BTreeSet<_>>().len()
            })
            .unwrap();
        let traces: BTreeSet<_> = most.iter().map(|record| &record.trace_id).collect();
        assert_eq!(traces.len(), 1);
        let services: BTreeSet<_> = most.iter().map(|record| &record.service).collect();
        assert!(services.len() >= 4, "{services:?}");
        let failed = |number| {
            let records = visit(number, false).records();
            records.iter().any(|record| record.message.starts_with("payment failed: bank"))
        };
        assert!((0..100).any(failed));
    }
}
