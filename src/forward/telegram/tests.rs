//! A whole group, from records to a strict Telegram, in times that a test can afford: the clock is
//! moved by hand.

use super::alert::Alert;
use super::alert::tests::alert;
use super::*;
use crate::forward::Outcome;
use crate::forward::destination::{Compose, Taken};
use crate::forward::message::Message;
use crate::forward::telegram::composer::tests::{TestDesk, entry_of};
use crate::record::level::Level;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use strict::Strict;

#[path = "../../../tests/support/strict_telegram.rs"]
mod strict;

const CHAT: &str = "-100123";

/// What the forwarder and [`Direct`] do, with a clock that is moved: a message is on its way for a
/// while, and is tried again as late as it is asked to.
struct Way {
    desk: Composer,
    limits: SendLimits,
    telegram: Strict,
    now: Instant,
    latency: Duration,
    pending: VecDeque<Message>,
    rests_until: Option<Instant>,
    /// How many records the delivered messages stand for.
    delivered: u64,
    next_id: u64,
}

impl Way {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            desk: TestDesk::new().desk(now),
            limits: SendLimits::new(30, 20),
            telegram: Strict::new(),
            now,
            latency: Duration::from_millis(80),
            pending: VecDeque::new(),
            rests_until: None,
            delivered: 0,
            next_id: 1,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let taken = Taken { id: self.next_id, at_unix_ms: 0, bytes };
        self.desk.take(taken, self.now);
        self.next_id += 1;
    }

    /// Lets so much time pass; whatever is due meanwhile is sent.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            if self.pending.is_empty() {
                self.pending.extend(self.desk.ready(self.now));
            }
            let next = match self.pending.front() {
                Some(message) if self.rests_until.is_none_or(|until| until <= self.now) => {
                    let chat = TelegramMessage::from_json(&message.body).unwrap().chat_id;
                    match self.limits.take(&chat, self.now) {
                        Ok(()) => {
                            self.send();
                            continue;
                        }
                        Err(wait) => Some(self.now + wait),
                    }
                }
                Some(_) => self.rests_until,
                None => self.desk.due().map(|due| due.max(self.now + Duration::from_millis(1))),
            };
            match next.filter(|next| *next < end) {
                Some(next) => self.now = next,
                None => break,
            }
        }
        self.now = self.now.max(end);
    }

    fn send(&mut self) {
        let message = self.pending.pop_front().unwrap();
        let parsed = TelegramMessage::from_json(&message.body).unwrap();
        let sent = self.now;
        // The request is counted somewhere on its way.
        let arrival = sent + self.latency.mul_f64(fastrand::f64());
        let (status, answer) = self.telegram.send_message(&parsed.request(CHAT), arrival);
        self.now += self.latency;
        self.limits.answered(&parsed.chat_id, sent, self.now);
        match client::tests::judged(status, &answer.to_string()).unwrap() {
            Outcome::Delivered => self.delivered += message.records,
            Outcome::Retry { after, .. } => {
                let until = self.now + after.unwrap();
                self.rests_until = Some(until);
                self.limits.pause(&parsed.chat_id, until);
                self.pending.push_front(message);
            }
            other => panic!("refused: {other:?}"),
        }
    }
}

#[test]
fn ten_thousand_errors_in_a_minute_are_all_told_and_no_limit_is_passed() {
    let mut way = Way::new();
    for n in 0..10_000_u64 {
        // A storm of one kind, some others, and a new one each second.
        let message = match n % 100 {
            0..60 => format!("order {n} failed"),
            60..90 => format!("cannot reach 10.0.0.{}: timed out", n % 250),
            90..95 => "disk full".to_owned(),
            _ => format!("kind {}", letters(n / 160)),
        };
        let level = if n == 7_777 { Level::Critical } else { Level::Error };
        way.take(&entry_of(&Alert { level, ..alert(&message) }));
        way.pass(Duration::from_millis(6));
    }
    way.pass(Duration::from_secs(300));
    assert_eq!(way.delivered, 10_000);
    assert_eq!(way.telegram.refused, Vec::<&str>::new());
    let texts = || way.telegram.taken.iter().map(|taken| taken.text.as_str());
    let critical = way.telegram.taken.iter().find(|taken| taken.text.contains("CRITICAL")).unwrap();
    let waited = critical.at - (way.telegram.taken[0].at + Duration::from_millis(7_777 * 6));
    assert!(waited < Duration::from_secs(5), "a CRITICAL has waited {waited:?}");
    assert!(texts().next().unwrap().contains("order 0 failed"), "the first is told at once");
    assert!(texts().count() < 100, "{} messages", texts().count());

    way.pass(Duration::from_secs(400));
    let last = way.telegram.taken.last().unwrap();
    assert!(last.text.starts_with("✅ quiet again"), "{}", last.text);
    assert_eq!((way.desk.due(), way.desk.held_from()), (None, None));
    way.pass(Duration::from_secs(86_400));
    assert_eq!(way.telegram.refused, Vec::<&str>::new());
}

#[test]
fn no_two_failures_alike_do_not_pass_the_limits_either() {
    let mut way = Way::new();
    for n in 0..10_000_u64 {
        way.take(&entry_of(&alert(&format!("kind {}", letters(n)))));
        way.pass(Duration::from_millis(6));
    }
    way.pass(Duration::from_secs(600));
    assert_eq!(way.delivered, 10_000);
    assert_eq!(way.telegram.refused, Vec::<&str>::new());
}

#[test]
fn nothing_is_sent_before_the_time_that_telegram_asks_for_and_nothing_is_lost() {
    let mut way = Way::new();
    way.telegram.close(CHAT, way.now + Duration::from_secs(37));
    way.take(&entry_of(&alert("disk full")));
    way.pass(Duration::from_secs(10));
    assert_eq!(way.telegram.refused.len(), 1, "it had to find out");
    way.take(&entry_of(&alert("cannot connect")));
    way.pass(Duration::from_secs(20));
    assert_eq!((way.telegram.refused.len(), way.delivered), (1, 0));
    way.pass(Duration::from_secs(10));
    assert_eq!((way.telegram.refused.len(), way.delivered), (1, 2));
}

/// A number in letters: part of a message's shape.
fn letters(n: u64) -> String {
    n.to_string().bytes().map(|digit| (b'a' + digit - b'0') as char).chain(['x']).collect()
}
