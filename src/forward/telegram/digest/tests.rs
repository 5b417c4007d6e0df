//! The state machine, step by step and against a naive count.

use super::super::alert::tests::{alert, news};
use super::*;
use crate::Level;
use proptest::prelude::*;
use std::collections::HashSet;

const WINDOW: Duration = Duration::from_secs(300);
const ROOM: usize = 20;

/// One chat, and the clock that its tests move.
struct Chat {
    groups: Digests,
    now: Instant,
    next_id: u64,
}

impl Chat {
    fn new() -> Self {
        Self { groups: Digests::new(WINDOW), now: Instant::now(), next_id: 1 }
    }

    fn take(&mut self, alert: Alert) -> &mut Self {
        self.groups.take(self.next_id, alert, self.now);
        self.next_id += 1;
        self
    }

    fn pass(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn next(&mut self) -> Option<Draft> {
        self.groups.next(self.now, ROOM)
    }

    /// Message and count of the one kind that is sent.
    fn one(&mut self) -> Option<(String, u64)> {
        match self.next()? {
            Draft::One(told) => Some((told.alert.message, told.count)),
            other => panic!("more than one: {other:?}"),
        }
    }

    fn due_in(&self) -> Option<u64> {
        Some(self.groups.due_at()?.saturating_duration_since(self.now).as_secs())
    }
}

fn some(message: &str, count: u64) -> Option<(String, u64)> {
    Some((message.to_owned(), count))
}

#[test]
fn the_first_of_a_kind_is_told_at_once_and_the_rest_when_its_window_ends() {
    let mut chat = Chat::new();
    assert_eq!(chat.due_in(), None);
    chat.take(alert("order 1 failed"));
    assert_eq!(chat.due_in(), Some(0));
    assert_eq!(chat.one(), some("order 1 failed", 1));
    assert_eq!(chat.groups.oldest_id(), None);

    for order in 2..175 {
        chat.take(alert(&format!("order {order} failed")));
    }
    assert_eq!((chat.one(), chat.due_in()), (None, Some(300)));
    assert_eq!(chat.groups.oldest_id(), Some(2));
    assert_eq!(chat.pass(299).one(), None);
    assert_eq!(chat.pass(1).one(), some("order 174 failed", 173));
    assert_eq!(chat.groups.oldest_id(), None);
}

#[test]
fn a_kind_that_had_repeated_is_closed_with_a_note_and_one_that_had_not_is_forgotten() {
    let mut chat = Chat::new();
    chat.take(alert("once")).one();
    assert_eq!(chat.due_in(), None);
    assert_eq!(chat.pass(301).next(), None);

    chat.take(alert("twice")).one();
    chat.take(alert("twice")).pass(300).one();
    assert_eq!(chat.due_in(), Some(300));
    let Some(Draft::Quiet(told)) = chat.pass(300).next() else { panic!("no note") };
    assert_eq!((told.len(), told[0].alert.message.as_str(), told[0].count), (1, "twice", 2));
    assert!(chat.groups.kinds.is_empty());
    assert_eq!(chat.take(alert("twice")).one(), some("twice", 1), "and it begins anew");
}

#[test]
fn another_kind_is_told_at_once_while_one_is_waiting() {
    let mut chat = Chat::new();
    chat.take(alert("disk full")).one();
    chat.take(alert("disk full")).take(alert("cannot connect"));
    assert_eq!(chat.one(), some("cannot connect", 1));
    assert_eq!(chat.one(), None);
    let elsewhere = Alert { place: vec!["other".into()], ..alert("disk full") };
    assert_eq!(chat.take(elsewhere).one(), some("disk full", 1), "of another place");
    let worse = Alert { level: Level::Critical, ..alert("disk full") };
    assert_eq!(chat.take(worse).one(), some("disk full", 1), "of another level");
}

#[test]
fn each_piece_of_news_is_told_even_if_it_says_the_same() {
    let mut chat = Chat::new();
    chat.take(news("parcel 1 has arrived")).take(news("parcel 1 has arrived"));
    assert_eq!(chat.one(), some("parcel 1 has arrived", 1));
    assert_eq!(chat.one(), some("parcel 1 has arrived", 1));
    assert_eq!((chat.one(), chat.groups.kinds.len()), (None, 0));
}

#[test]
fn many_kinds_at_once_share_a_message_with_the_most_severe_first() {
    let mut chat = Chat::new();
    for kind in 'a'..='z' {
        chat.take(alert(&format!("kind {kind}")));
    }
    chat.take(Alert { level: Level::Critical, ..alert("worst") });
    let Some(Draft::Several { told, more }) = chat.next() else { panic!("not several") };
    assert_eq!((told.len(), more), (MAX_TOGETHER, 7));
    assert_eq!(told[0].alert.message, "worst");
    assert_eq!(told[1].alert.message, "kind a");
    assert_eq!(chat.groups.oldest_id(), Some(20));
    let Some(Draft::Several { told, more }) = chat.next() else { panic!("not several") };
    assert_eq!((told.len(), more), (7, 0));
    assert_eq!(chat.groups.oldest_id(), None);
}

#[test]
fn what_does_not_have_room_apart_is_told_together() {
    let mut chat = Chat::new();
    chat.take(alert("a")).take(alert("b"));
    assert_eq!(chat.groups.next(chat.now, 0), None);
    let told = chat.groups.next(chat.now, 1).unwrap();
    assert_eq!(told.told().len(), 2);
}

#[test]
fn at_the_end_everything_that_waits_is_due_and_no_note_is_written() {
    let mut chat = Chat::new();
    chat.take(alert("x")).one();
    chat.take(alert("x")).take(alert("x"));
    chat.groups.close();
    assert_eq!(chat.due_in(), Some(0));
    assert_eq!(chat.one(), some("x", 2));
    assert_eq!((chat.due_in(), chat.pass(1_000).next()), (None, None));
}

#[test]
fn more_kinds_than_there_is_room_for_are_counted_as_others_and_idle_ones_make_room() {
    let mut chat = Chat::new();
    let name = |n: usize| "abcdefghij".chars().nth(n % 10).unwrap();
    let kind = |n: usize| format!("{}{}{}x", name(n / 100), name(n / 10), name(n));
    for n in 0..MAX_KINDS + 200 {
        chat.take(alert(&kind(n)));
    }
    assert_eq!(chat.groups.kinds.len(), MAX_KINDS + 1);
    let mut told = 0;
    while let Some(draft) = chat.next() {
        told += draft.records();
    }
    assert_eq!(told, MAX_KINDS as u64 + 200);
    chat.take(alert("new and at once"));
    assert_eq!(chat.one(), some("new and at once", 1));
    assert!(chat.groups.kinds.len() <= MAX_KINDS + Level::COUNT);
}

#[test]
fn a_message_is_called_by_the_hash_of_its_record_or_by_those_of_all() {
    let mut chat = Chat::new();
    chat.take(alert("x"));
    let first = chat.next().unwrap();
    assert_eq!(first.id(), first.told()[0].alert.hash);
    let digest = |hashes: &[&str]| {
        let mut chat = Chat::new();
        for hash in hashes {
            chat.take(Alert { hash: (*hash).to_owned(), ..alert("x") });
        }
        chat.next().unwrap().id()
    };
    assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
    let all = [&["a", "b"][..], &["a", "c"], &["ab", ""], &["a", "b", "c"]].map(digest);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    assert_eq!(all[0].len(), 32);
}

#[derive(Debug, Clone)]
enum Step {
    Take(u8, bool),
    Pass(u16),
    Next(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_u8, any::<bool>()).prop_map(|(kind, news)| Step::Take(kind, news)),
        2 => (0..400_u16).prop_map(Step::Pass),
        3 => (0..8_usize).prop_map(Step::Next),
    ]
}

proptest! {
    /// Whatever comes when: each record is reported once, of each kind in order, none before its
    /// window is over, and the entry that is kept in the spool is the first that is not reported.
    #[test]
    fn every_record_is_told_exactly_once(steps in prop::collection::vec(step(), 1..200)) {
        let mut chat = Chat::new();
        let mut untold: Vec<(u64, String)> = Vec::new();
        let mut told_at: HashMap<String, Instant> = HashMap::new();
        let end = [Step::Pass(301), Step::Next(1), Step::Next(1), Step::Next(1)];
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Take(kind, is_news) => {
                    let message = format!("{}{}", if is_news { "news" } else { "trouble" }, (b'a' + kind) as char);
                    untold.push((chat.next_id, message.clone()));
                    chat.take(if is_news { news(&message) } else { alert(&message) });
                }
                Step::Pass(seconds) => drop(chat.pass(seconds.into())),
                Step::Next(room) => {
                    let due = chat.groups.due_at();
                    let draft = chat.groups.next(chat.now, room);
                    if room > 0 && !matches!(draft, Some(Draft::Quiet(_))) {
                        prop_assert_eq!(draft.is_some(), due.is_some_and(|at| at <= chat.now));
                    }
                    let Some(draft) = draft else { continue };
                    if let Draft::Quiet(_) = draft { continue }
                    for told in draft.told() {
                        let message = &told.alert.message;
                        let is_news = matches!(told.kind, Kind::News { .. });
                        if let Some(before) = told_at.insert(message.clone(), chat.now) {
                            prop_assert!(is_news || chat.now - before >= WINDOW);
                        }
                        let before = untold.len();
                        untold.retain(|(id, other)| match is_news {
                            true => *id != told.first_id,
                            false => other != message,
                        });
                        prop_assert_eq!((before - untold.len()) as u64, told.count);
                    }
                }
            }
            prop_assert_eq!(chat.groups.oldest_id(), untold.first().map(|(id, _)| *id));
        }
        prop_assert!(untold.is_empty(), "{:?}", untold);
    }
}
