//! Golden texts, and the promise that whatever a record holds the text fits.
//!
//! After a wanted change run `UPDATE_GOLDEN=1 cargo test --features forward --lib telegram` and
//! look at the difference before committing.

use super::super::alert::tests::{alert, news};
use super::super::message::Audience;
use super::*;
use crate::base::zone::TimeZone;
use crate::forward::telegram::digest::MessageId;
use proptest::prelude::*;

fn header(audience: Audience) -> Header {
    Header {
        who: ["billing", "shop.example.com"].map(str::to_owned),
        has_place: audience == DEVELOPER,
    }
}

const DEVELOPER: Audience = Audience::Developer;
const CUSTOMER: Audience = Audience::Customer;

fn told(alert: Alert, count: u64) -> Summary {
    let first_ms = alert.unix_ms - (count - 1) * 1_700;
    let kind = alert.kind(1);
    Summary { kind, alert, count, first_ms, first_id: 1, id: MessageId::NONE, is_again: false }
}

fn shown(draft: &Draft, header: &Header) -> String {
    text(draft, header, &mut Stamp::new(TimeZone::Utc))
}

/// One with all that an alert can have.
fn full(message: &str) -> Alert {
    let fields = [
        ("order_id", "17"),
        ("error", "cannot save, caused by: disk full"),
        ("to", "a\nb \u{202e}c"),
    ];
    Alert {
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        ..alert(message)
    }
}

fn specimens() -> Vec<(&'static str, Draft, Audience)> {
    let one = |told| Draft::One(Box::new(told));
    let others = Kind::Others { level: Level::Error };
    let bare = Alert { place: Vec::new(), ..alert("") };
    let worst = Alert { level: Level::Critical, ..alert("database 3 is gone\nfor good") };
    let several = vec![
        told(worst, 1),
        told(full("order 17 failed: card declined"), 120),
        told(bare.clone(), 2),
    ];
    let some_news =
        vec![told(news("order 17 has arrived"), 1), told(news("order 18 has arrived"), 1)];
    vec![
        (
            "a failure, for developers",
            one(told(full("order 17 failed: card declined"), 1)),
            DEVELOPER,
        ),
        (
            "a failure, for the customer",
            one(told(full("order 17 failed: card declined"), 1)),
            CUSTOMER,
        ),
        ("news", one(told(news("order 17 has arrived"), 1)), CUSTOMER),
        ("a digest", one(told(full("order 17 failed: card declined"), 173)), DEVELOPER),
        (
            "one more within the window",
            one(Summary { is_again: true, ..told(alert("order 18 failed"), 1) }),
            DEVELOPER,
        ),
        ("others", one(Summary { kind: others, ..told(alert("the last one"), 9_000) }), DEVELOPER),
        (
            "several lines, hostile",
            one(told(alert("a\n🔴 ERROR\u{1b}[2J\u{202e}x\tz"), 1)),
            DEVELOPER,
        ),
        ("nothing known", one(told(bare, 1)), DEVELOPER),
        ("several kinds", Draft::Several { told: several.clone(), more: 7 }, DEVELOPER),
        ("several pieces of news", Draft::Several { told: some_news, more: 0 }, CUSTOMER),
        ("quiet again", Draft::Quiet(several.into_iter().skip(1).collect()), DEVELOPER),
    ]
}

#[test]
fn the_golden_texts_are_unchanged() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/telegram.txt");
    let mut all = String::new();
    for (name, draft, audience) in specimens() {
        all += &format!("======== {name}\n{}\n", shown(&draft, &header(audience)));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &all).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(all == golden, "the texts are now:\n{all}");
}

#[test]
fn however_long_the_message_title_fields_time_and_trace_are_there() {
    for crab in ["🦀", "x", "ö"] {
        let long = crab.repeat(100_000);
        let alert = Alert {
            fields: (0..40).map(|n| (format!("{n}{long}"), long.clone())).collect(),
            place: vec![long.clone(), long.clone()],
            ..full(&long)
        };
        let header = Header { who: [long.clone(), long], has_place: true };
        let text = shown(&Draft::One(Box::new(told(alert, 173))), &header);
        assert!(text_units(&text) <= MAX_TEXT_UNITS);
        assert!(text_units(&text) + 1 >= MAX_TEXT_UNITS, "the room is used");
        assert!(text.starts_with("🔴 ERROR ×173 in 5 min\n"));
        assert!(text.contains("\n(28 more fields)\n"));
        assert!(text.contains("\n2026-02-19 10:25:07.723Z to 2026-02-19 10:30:00.123Z\n"));
        assert!(text.ends_with("\ntrace 4bf92f3577b34da6a3ce929d0e0e4736"));
        let message = text.lines().nth(2).unwrap();
        assert!(text_units(message) > 1_000 && message.ends_with('…'), "{message}");
    }
}

#[test]
fn every_kind_of_a_full_message_has_a_line_however_long_they_are() {
    let long = "🦀 x".repeat(10_000);
    let kinds: Vec<_> = (0..20).map(|n| told(alert(&format!("{n} {long}")), 1 + n)).collect();
    for draft in [Draft::Several { told: kinds.clone(), more: 480 }, Draft::Quiet(kinds)] {
        let text = shown(&draft, &header(DEVELOPER));
        assert!(text_units(&text) <= MAX_TEXT_UNITS);
        let lines = text.lines().filter(|line| line.starts_with("ERROR ")).count();
        assert_eq!(lines, 20, "{text}");
        assert!(!matches!(draft, Draft::Several { .. }) || text.ends_with("480 more follow"));
    }
}

#[test]
fn a_span_of_time_is_told_as_people_do() {
    for (seconds, expected) in [
        (0, "1 s"),
        (2, "2 s"),
        (89, "89 s"),
        (90, "2 min"),
        (299, "5 min"),
        (5_369, "89 min"),
        (5_400, "2 h"),
        (100_000, "28 h"),
        (40 * 86_400, "40 days"),
    ] {
        assert_eq!(span(0, seconds * 1_000), expected);
    }
    assert_eq!(span(5, 1), "1 s", "a clock that went back");
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let text = || prop_oneof![any::<String>(), "(?s).{0,50}".prop_map(|text| text.repeat(300))];
    let level = prop::sample::select(Level::ALL.to_vec());
    let fields = prop::collection::vec((text(), text()), 0..20);
    let place = prop::collection::vec(text(), 0..4);
    let texts = (text(), text(), text());
    (level, any::<bool>(), any::<u64>(), place, fields, texts).prop_map(
        |(level, is_failure, unix_ms, place, fields, (hash, message, trace_id))| Alert {
            hash,
            unix_ms,
            level,
            is_failure,
            place,
            message,
            fields,
            trace_id,
        },
    )
}

proptest! {
    #[test]
    fn whatever_records_hold_their_text_fits_and_shows_nothing_raw(
        alerts in prop::collection::vec((any_alert(), any::<u64>(), any::<u64>()), 1..20),
        form in 0..3_u8,
        (who, domain, has_place) in any::<(String, String, bool)>(),
        more in any::<usize>(),
    ) {
        let told = alerts.into_iter().map(|(alert, count, first_ms)| {
            let kind = alert.kind(1);
            Summary { kind, alert, count, first_ms, first_id: 1, id: MessageId::NONE, is_again: false }
        });
        let mut told: Vec<_> = told.map(|told| Summary { count: told.count >> 8, ..told }).collect();
        let draft = match form {
            0 => Draft::One(Box::new(told.remove(0))),
            1 => Draft::Several { told, more },
            _ => Draft::Quiet(told),
        };
        let text = shown(&draft, &Header { who: [who, domain], has_place });
        prop_assert!(text.encode_utf16().count() <= MAX_TEXT_UNITS);
        prop_assert!(text.chars().any(char::is_alphabetic));
        prop_assert!(!text.chars().any(|c| c != '\n' && crate::encode::escape::must_escape(c)));
    }
}
