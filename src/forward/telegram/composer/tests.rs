//! What is handed out when, and what must stay in the spool.

use super::super::alert::tests::alert;
use super::super::entry::tests::json_of;
use super::*;
use serde_json::Value;

/// A desk with other options than the default ones.
pub(in super::super) struct TestDesk(ComposerOptions);

impl TestDesk {
    pub(in super::super) fn new() -> Self {
        Self(ComposerOptions {
            audience: Audience::Developer,
            chat_id: "-100123".to_owned(),
            token: None,
            header: Header { who: ["billing".to_owned(), String::new()], has_place: true },
            per_minute: 20,
            digest_every: Duration::from_secs(300),
            quiet_hours: None,
            zone: TimeZone::Utc,
            unix_ms: || 1_771_497_000_123,
        })
    }

    fn with(mut self, change: impl FnOnce(&mut ComposerOptions)) -> Self {
        change(&mut self.0);
        self
    }

    pub(in super::super) fn desk(self, now: Instant) -> Composer {
        Composer::new(self.0, now)
    }
}

/// The entry from which that alert is read.
pub(in super::super) fn entry_of(alert: &Alert) -> Vec<u8> {
    json_of(alert).to_string().into_bytes()
}

fn take(desk: &mut Composer, id: u64, alert: &Alert, now: Instant) {
    desk.take(Taken { id, at_unix_ms: 0, bytes: &entry_of(alert) }, now);
}

fn body(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

#[test]
fn a_message_says_what_it_is_made_of_and_the_rest_is_held() {
    let now = Instant::now();
    let mut desk = TestDesk::new().desk(now);
    assert_eq!((desk.due(), desk.held_from(), desk.ready(now).len()), (None, None, 0));
    for id in 7..10 {
        take(&mut desk, id, &alert("disk full"), now);
    }
    assert_eq!((desk.due(), desk.held_from()), (Some(now), Some(7)));
    let messages = desk.ready(now);
    assert_eq!((messages.len(), messages[0].from, messages[0].records), (1, 7, 3));
    assert!(messages[0].id.ends_with("-developer"), "{}", messages[0].id);
    assert_eq!(body(&messages[0])["timestamp"], "2026-02-19 10:30:00");
    assert_eq!(body(&messages[0])["type"], "developer");
    assert_eq!(body(&messages[0]).get("tg_token"), None);
    let later = now + Duration::from_secs(300);
    assert_eq!((desk.due(), desk.held_from()), (Some(later), None), "the closing note");

    take(&mut desk, 10, &alert("disk full"), now);
    assert_eq!((desk.due(), desk.held_from(), desk.ready(now).len()), (Some(later), Some(10), 0));
    desk.finish();
    assert_eq!(desk.ready(now)[0].from, 10, "at the end nothing is held back");
    assert_eq!((desk.due(), desk.held_from()), (None, None));
}

#[test]
fn a_closing_note_keeps_no_entry() {
    let mut now = Instant::now();
    let mut desk = TestDesk::new().desk(now);
    for id in 1..3 {
        take(&mut desk, id, &alert("disk full"), now);
        assert_eq!(desk.ready(now).len(), 1);
        now += Duration::from_secs(300);
    }
    let note = desk.ready(now);
    assert_eq!((note[0].from, note[0].records), (u64::MAX, 0));
}

#[test]
fn one_record_is_two_messages_for_two_groups() {
    let now = Instant::now();
    let message = |audience| {
        let mut desk = TestDesk::new().with(|options| options.audience = audience).desk(now);
        take(&mut desk, 1, &alert("disk full"), now);
        desk.ready(now).remove(0)
    };
    let [developer, customer] = Audience::ALL.map(message);
    assert_ne!(developer.id, customer.id);
    assert_eq!(body(&developer)["hash"], body(&customer)["hash"]);
}

#[test]
fn in_quiet_hours_messages_are_silent_but_for_critical_ones() {
    let now = Instant::now();
    let silent = |hours: &str, level| {
        let hours = Hours::parse(hours);
        let mut desk = TestDesk::new().with(|options| options.quiet_hours = hours).desk(now);
        take(&mut desk, 1, &Alert { level, ..alert("disk full") }, now);
        body(&desk.ready(now)[0]).get("silent").is_some()
    };
    assert!(silent("10:00-11:00", Level::Error));
    assert!(!silent("10:00-11:00", Level::Critical));
    assert!(!silent("11:00-10:00", Level::Error));
    assert!(!silent("none", Level::Error));
}

#[test]
fn the_token_travels_only_if_it_is_told_to_and_is_shown_by_nothing() {
    let now = Instant::now();
    let token = Some(Secret::new("123456:PLANTED"));
    let mut desk = TestDesk::new().with(|options| options.token = token).desk(now);
    take(&mut desk, 1, &alert("disk full"), now);
    assert!(!format!("{desk:?}").contains("PLANTED"));
    assert_eq!(body(&desk.ready(now)[0])["tg_token"], "123456:PLANTED");
}

#[test]
fn an_entry_that_cannot_be_read_is_told_too() {
    let now = Instant::now();
    let mut desk = TestDesk::new().desk(now);
    for (id, bytes) in [&b""[..], b"{}", b"\xff", br#"{"v":2}"#].into_iter().enumerate() {
        desk.take(Taken { id: id as u64, at_unix_ms: 5, bytes }, now);
    }
    let message = desk.ready(now).remove(0);
    assert_eq!((message.from, message.records), (0, 4));
    assert!(body(&message)["notify_msg"].as_str().unwrap().contains("could not be read"));
}

#[test]
fn what_does_not_fit_into_the_pace_waits_a_little_and_is_told_together() {
    let now = Instant::now();
    let mut desk = TestDesk::new().with(|options| options.per_minute = 2).desk(now);
    for (id, kind) in (1..).zip(["a", "b", "c", "d", "e"]) {
        take(&mut desk, id, &alert(&format!("kind {kind}")), now);
    }
    let told = |desk: &mut Composer, now| desk.ready(now).first().map(|message| message.records);
    assert_eq!(told(&mut desk, now), Some(5), "five kinds do not fit into one message apart");
    take(&mut desk, 6, &alert("kind f"), now);
    let later = now + Duration::from_secs(30);
    assert_eq!((told(&mut desk, now), desk.due()), (None, Some(later)));
    assert_eq!(told(&mut desk, later), Some(1));
}

#[test]
fn no_minute_ever_has_more_messages_than_the_limit_and_many_are_used() {
    for limit in 1..=60 {
        let start = Instant::now();
        let mut pace = pace(limit, start);
        let mut taken = |tenth| pace.take(start + Duration::from_millis(100 * tenth)).is_ok();
        let times: Vec<u64> = (0..6_000)
            .filter(|&tenth| {
                // Idle for a while now and then: the worst minute begins after that.
                tenth % 1_000 > 400 && taken(tenth)
            })
            .collect();
        let within =
            |first: u64| times.iter().filter(|&&t| (first..first + 600).contains(&t)).count();
        let most = times.iter().map(|&first| within(first)).max().unwrap();
        assert!(most <= limit as usize, "{most} of {limit}");
        assert!(most * 10 >= limit as usize * 8, "{most} of {limit}");
    }
}
