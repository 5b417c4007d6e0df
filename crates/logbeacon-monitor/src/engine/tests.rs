//! Tests: what is told, when, and to whom, in scenes of a few steps of ten seconds.
//!
//! Knows: the engine from outside. Must not know: its tables' bytes. In: scenes; out: what arrived.

use crate::group::Told;
use crate::incident::{Ack, EndCause};
use crate::maintenance::Window;
use crate::matcher::Matcher;
use crate::message::Reason;
use crate::outbox::{Ending, Outcome};
use crate::phase::Phase;
use crate::rule::{Evaluation, Missing, MissingPolicy, Rule, Sample, Seen};
use crate::setup::{Setup, Waits};
use crate::severity::Severity;
use crate::silence::Silence;
use crate::testing::{Play, channel, rule, seen, setup, target};
use crate::time::GapCause;

fn bad() -> Evaluation {
    seen("r", &[("shop", 95.0)])
}

fn good() -> Evaluation {
    seen("r", &[("shop", 10.0)])
}

fn silence(play: &Play, seconds: i64) -> Silence {
    Silence {
        id: "s".into(),
        matchers: vec![Matcher::parse("target=shop").unwrap()],
        author: "ann".into(),
        comment: "moving".into(),
        starts_ms: play.time.wall_ms,
        ends_ms: play.time.wall_ms + seconds * 1_000,
    }
}

#[test]
fn an_outage_is_told_once_and_its_end_once() {
    let mut play = Play::new(setup());
    play.steps(60, &bad());
    play.steps(60, &good());
    assert_eq!(play.told(), ["First: shop | ", "AllResolved:  | shop"]);
    let [first, last] = &play.arrived[..] else { unreachable!() };
    assert_eq!(first.message.firing[0].incident, last.message.resolved[0].incident);
    assert!(first.message.firing[0].sequence < last.message.resolved[0].sequence);
    assert_eq!(first.message.firing[0].summary, "shop is at 95");
    assert_eq!(last.message.resolved[0].end_cause, Some(EndCause::Recovered));
    assert_ne!(first.id, last.id);
}

#[test]
fn what_ends_within_the_wait_is_in_the_history_only() {
    let waits = Waits { group_ms: 30_000, ..Waits::default() };
    let mut play = Play::new(Setup { waits, ..setup() });
    play.steps(1, &bad());
    play.steps(60, &good());
    assert!(play.arrived.is_empty());
    assert_eq!(play.engine.tables().incidents.len(), 1);
    assert!(play.engine.tables().groups.is_empty());
}

#[test]
fn incidents_of_a_group_share_messages() {
    let mut play = Play::new(setup());
    let both = |shop, till| seen("r", &[("shop", shop), ("till", till)]);
    play.steps(3, &both(95.0, 95.0));
    play.steps(10, &both(95.0, 10.0));
    play.steps(10, &both(95.0, 95.0));
    play.steps(10, &both(10.0, 10.0));
    let expected = [
        "First: shop till | ",
        "SomeResolved: shop | till",
        "New: shop till | ",
        "AllResolved:  | shop till",
    ];
    assert_eq!(play.told(), expected);
}

#[test]
fn a_severity_that_rises_is_an_update_of_the_same_incident() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    play.steps(10, &seen("r", &[("shop", 99.0)]));
    play.steps(10, &good());
    assert_eq!(play.told(), ["First: shop | ", "Changed: shop | ", "AllResolved:  | shop"]);
    let ids: Vec<_> = play.arrived.iter().flat_map(|it| &it.message.firing).collect();
    assert_eq!(ids[0].incident, ids[1].incident);
    assert_eq!(ids[1].severity, Severity::Critical);
    assert_eq!(ids[1].summary, "shop is at 99");
}

#[test]
fn reminders_come_every_four_hours_until_somebody_looks_after_it() {
    let mut play = Play::new(setup());
    play.steps(9 * 360, &bad());
    let told = play.told();
    assert_eq!(told, ["First: shop | ", "Reminder: shop | ", "Reminder: shop | "]);
    let id = play.engine.tables().incidents.keys().next().unwrap().clone();
    let until_ms = play.time.wall_ms + 86_400_000;
    let ack = Ack { by: "ann".into(), comment: "on it".into(), until_ms };
    play.engine.acknowledge(&id, ack.clone()).unwrap();
    play.steps(9 * 360, &bad());
    assert_eq!(play.arrived.len(), 3);
    play.steps(10, &good());
    assert_eq!(play.told()[3..], ["AllResolved:  | shop"]);
    assert!(play.engine.acknowledge(&id, ack).is_err(), "it has ended");
}

#[test]
fn a_silence_holds_the_message_and_its_end_tells_what_still_fires() {
    let mut play = Play::new(setup());
    let silence = silence(&play, 600);
    play.engine.silence(silence).unwrap();
    play.steps(58, &bad());
    assert!(play.arrived.is_empty());
    play.steps(10, &bad());
    assert_eq!(play.told(), ["First: shop | "]);
}

#[test]
fn a_resolve_is_owed_under_a_silence_too() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    let silence = silence(&play, 36_000);
    play.engine.silence(silence).unwrap();
    play.steps(10, &bad());
    play.steps(10, &good());
    play.steps(10, &bad());
    play.steps(10, &good());
    assert_eq!(play.told(), ["First: shop | ", "AllResolved:  | shop"]);
    let note = play.arrived[1].message.resolved[0].note.as_deref();
    assert_eq!(note, Some("resolved while silence s holds"));
}

#[test]
fn maintenance_tells_at_its_end_only_what_changed() {
    use jiff::civil::Weekday;
    let days = vec![
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    // The play begins at 22:13:20 UTC.
    let window = Window {
        id: "nightly".into(),
        matchers: Vec::new(),
        days,
        from: jiff::civil::time(22, 20, 0, 0),
        to: jiff::civil::time(22, 50, 0, 0),
        zone: jiff::tz::TimeZone::UTC,
    };
    let before = |shop, till| seen("r", &[("shop", shop), ("till", till)]);
    let mut play = Play::new(Setup { maintenance: vec![window], ..setup() });
    play.steps(45, &before(95.0, 10.0));
    assert_eq!(play.told(), ["First: shop | "]);
    // Within the window the till fails as well; both go on after it.
    play.steps(150, &before(95.0, 95.0));
    assert_eq!(play.arrived.len(), 1);
    play.steps(60, &before(95.0, 95.0));
    assert_eq!(play.told()[1..], ["New: shop till | "]);
}

#[test]
fn a_rule_that_is_removed_resolves_what_was_told_and_nothing_else() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    play.setup.rules.clear();
    play.engine.reload(play.setup.clone());
    play.steps(10, &bad());
    assert_eq!(play.told(), ["First: shop | ", "AllResolved:  | shop"]);
    assert_eq!(play.arrived[1].message.resolved[0].end_cause, Some(EndCause::RuleRemoved));
    assert!(play.engine.tables().instances.is_empty());
}

#[test]
fn a_target_that_is_removed_resolves() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    play.engine.remove_target(&target("shop"));
    play.steps(10, &seen("r", &[]));
    assert_eq!(play.arrived[1].message.resolved[0].end_cause, Some(EndCause::TargetRemoved));
}

#[test]
fn an_edited_threshold_neither_resolves_nor_alarms_by_itself() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    let mut edited = rule("r");
    edited.scale.thresholds[0].raise = 94.0;
    edited.for_ms = 3_600_000;
    play.setup.rules.insert("r".into(), edited);
    play.engine.reload(play.setup.clone());
    play.steps(20, &bad());
    assert_eq!(play.told(), ["First: shop | "]);
}

#[test]
fn a_new_channel_is_told_what_fires_and_another_grouping_tells_nothing_twice() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    play.setup.channels.insert("slack".into(), channel("slack"));
    let by_target = vec!["target".to_owned()];
    play.setup.channels.get_mut("mail").unwrap().group_by = by_target;
    play.engine.reload(play.setup.clone());
    play.steps(20, &bad());
    play.steps(10, &good());
    let mut by_channel: Vec<_> =
        play.arrived.iter().map(|it| format!("{} {:?}", it.channel, it.message.reason)).collect();
    by_channel.sort();
    let expected = ["mail AllResolved", "mail First", "slack AllResolved", "slack First"];
    assert_eq!(by_channel, expected);
}

#[test]
fn errors_and_missing_data_resolve_nothing() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    let error = Evaluation { rule: "r".into(), result: Err("refused".into()) };
    play.steps(10, &error);
    play.steps(100, &seen("r", &[]));
    assert_eq!(play.told(), ["First: shop | "]);
    play.steps(10, &good());
    assert_eq!(play.told().len(), 2);
}

#[test]
fn a_rule_that_cannot_be_evaluated_is_an_alert_of_its_own() {
    let mut play = Play::new(setup());
    let error = Evaluation { rule: "r".into(), result: Err("refused".into()) };
    play.steps(40, &error);
    assert_eq!(play.told(), ["First: r | "]);
    assert_eq!(play.arrived[0].message.firing[0].summary, "rule r cannot be evaluated");
    play.steps(10, &good());
    assert_eq!(play.told()[1..], ["AllResolved:  | r"]);
}

#[test]
fn data_that_a_rule_misses_can_alarm_and_can_resolve() {
    for (policy, expected) in [
        (MissingPolicy::Alert, vec!["First: shop | "]),
        (MissingPolicy::Ok, vec!["First: shop | ", "AllResolved:  | shop"]),
    ] {
        let mut setup = setup();
        let missing = Missing { policy, for_ms: 60_000 };
        setup.rules.insert("r".into(), Rule { missing, ..rule("r") });
        let mut play = Play::new(setup);
        let first = if policy == MissingPolicy::Ok { bad() } else { good() };
        play.steps(10, &first);
        play.steps(30, &seen("r", &[]));
        assert_eq!(play.told(), expected, "{policy:?}");
    }
}

#[test]
fn a_flapping_instance_is_told_three_times() {
    let mut play = Play::new(setup());
    for at in 0..60 {
        play.step(vec![if at % 2 == 0 { bad() } else { good() }]);
    }
    play.steps(60, &good());
    let told = play.told();
    assert!(told.len() <= 4, "{told:?}");
    assert!(told.last().unwrap().starts_with("AllResolved"), "{told:?}");
    assert!(play.arrived.iter().any(|it| it.message.firing.iter().any(|line| line.flapping)));
}

/// A router, and a shop behind it.
fn network() -> Setup {
    let mut setup = setup();
    let up = Rule { marks_down: true, ..rule("r") };
    setup.rules.insert("r".into(), up);
    setup.parents.insert("shop".into(), vec!["router".into()]);
    setup.parents.insert("till".into(), vec!["router".into()]);
    setup
}

fn three(router: f64, shop: f64, till: f64) -> Evaluation {
    seen("r", &[("router", router), ("shop", shop), ("till", till)])
}

#[test]
fn children_of_a_parent_that_is_down_are_counted_and_not_told() {
    let mut play = Play::new(network());
    play.steps(30, &three(95.0, 95.0, 95.0));
    assert_eq!(play.told(), ["First: router | "]);
    let line = &play.arrived[0].message.firing[0];
    assert_eq!((line.affected_count, line.affected.join(" ")), (2, "shop till".to_owned()));
    // The router recovers, the till does not: it is told after the settle time.
    play.steps(30, &three(10.0, 10.0, 95.0));
    let told = play.told();
    assert_eq!(told[1..], ["AllResolved:  | router", "First: till | "], "{told:?}");
    play.steps(10, &three(10.0, 10.0, 10.0));
    assert_eq!(play.told().last().unwrap(), "AllResolved:  | till");
}

#[test]
fn a_child_waits_until_its_parent_was_looked_at_but_not_for_ever() {
    let mut play = Play::new(network());
    play.steps(1, &three(10.0, 10.0, 10.0));
    let children = seen("r", &[("shop", 95.0), ("till", 10.0)]);
    // The router has no data any more.
    play.steps(89, &children);
    assert!(play.arrived.is_empty(), "{:?}", play.told());
    play.steps(10, &children);
    assert_eq!(play.told(), ["First: shop | "]);
}

#[test]
fn a_resolve_of_a_child_is_not_held_by_its_parent() {
    let mut play = Play::new(network());
    play.steps(10, &three(10.0, 95.0, 10.0));
    play.steps(10, &three(95.0, 95.0, 10.0));
    play.steps(10, &three(95.0, 10.0, 10.0));
    let told = play.told();
    assert_eq!(told, ["First: shop | ", "New: shop router | ", "SomeResolved: router | shop"]);
}

#[test]
fn for_counts_observed_time_across_a_restart_and_a_sleep() {
    let mut setup = setup();
    setup.rules.insert("r".into(), Rule { for_ms: 60_000, ..rule("r") });
    let mut play = Play::new(setup);
    play.steps(4, &bad());
    play.restart(8 * 3_600);
    play.steps(1, &bad());
    assert_eq!(phase(&play), "pending", "the restart is a gap");
    play.pass(3_600);
    let gap = play.engine.observe(play.time, vec![bad()]).unwrap();
    assert_eq!(gap.cause, GapCause::Sleep);
    assert_eq!(phase(&play), "pending", "the sleep is a gap");
    play.steps(4, &bad());
    assert_eq!(phase(&play), "firing");
}

fn phase(play: &Play) -> &'static str {
    let instances = &play.engine.tables().instances;
    instances.values().next().map_or("none", |instance| instance.phase.name())
}

#[test]
fn nothing_is_judged_while_the_monitor_itself_is_offline() {
    let mut play = Play::new(setup());
    play.steps(3, &good());
    play.engine.set_offline(true);
    play.steps(360, &bad());
    assert!(play.engine.tables().incidents.is_empty());
    assert_eq!(play.engine.tables().counts.ignored_offline, 360);
    assert_eq!(play.engine.tables().gaps.len(), 2 - 1, "one gap, however many steps");
    play.engine.set_offline(false);
    play.steps(10, &bad());
    assert_eq!(play.told(), ["First: shop | "], "what really changed alarms once");
}

#[test]
fn a_restart_tells_nothing_again_and_resolves_what_was_told() {
    let mut play = Play::new(setup());
    play.steps(10, &bad());
    play.restart(60);
    play.steps(10, &bad());
    play.restart(60);
    play.steps(20, &good());
    assert_eq!(play.told(), ["First: shop | ", "AllResolved:  | shop"]);
}

#[test]
fn after_a_start_nothing_is_told_before_every_rule_was_evaluated() {
    let mut setup = setup();
    setup.rules.insert("other".into(), rule("other"));
    let mut play = Play::new(setup);
    play.steps(4, &bad());
    assert!(play.arrived.is_empty());
    play.step(vec![bad(), seen("other", &[])]);
    assert_eq!(play.told(), ["First: shop | "]);
}

#[test]
fn a_message_is_tried_until_it_arrives_and_has_one_id() {
    let mut play = Play::new(setup());
    let retry = || Outcome::of_status(503, None);
    let mut attempts = 0;
    for _ in 0..360 {
        play.pass(10);
        play.engine.observe(play.time, vec![bad()]);
        attempts += play.answer(&retry());
    }
    assert!((10..40).contains(&attempts), "an hour of waits that double: {attempts}");
    play.pass(300);
    play.engine.observe(play.time, vec![bad()]);
    play.pass(10);
    play.engine.observe(play.time, vec![bad()]);
    play.deliver();
    assert_eq!(play.told(), ["First: shop | "]);
    assert_eq!(play.arrived[0].attempts as usize, attempts);
}

#[test]
fn an_outage_that_ends_while_the_channel_is_down_is_told_in_one_message() {
    let mut play = Play::new(setup());
    let retry = || Outcome::of_status(503, None);
    for at in 0..60 {
        play.pass(10);
        play.engine.observe(play.time, vec![if at < 20 { bad() } else { good() }]);
        play.answer(&retry());
    }
    play.steps(60, &good());
    let endings: Vec<_> = play.engine.tables().entries.values().map(|it| it.ended).collect();
    assert_eq!(endings[0].unwrap().0, Ending::Superseded);
    assert_eq!(play.told(), ["AllResolved:  | shop"]);
    let line = &play.arrived[0].message.resolved[0];
    assert!(line.started_ms < line.ended_ms.unwrap(), "it tells the whole story");
}

#[test]
fn nobody_is_told_the_end_of_what_was_refused() {
    let mut setup = setup();
    setup.channels.insert("slack".into(), channel("slack"));
    let mut play = Play::new(setup);
    for at in 0..40 {
        play.pass(10);
        play.engine.observe(play.time, vec![if at < 20 { bad() } else { good() }]);
        for dispatch in play.engine.due() {
            let outcome = match dispatch.channel.as_str() {
                "mail" => Outcome::of_status(403, None),
                _ => Outcome::Delivered,
            };
            if outcome == Outcome::Delivered {
                play.arrived.push(dispatch.clone());
            }
            play.engine.finished(play.time, dispatch.number, outcome);
        }
    }
    // The other channel is told of both, the shop and the channel that refuses.
    let told = play.told();
    assert_eq!(told, ["First: shop | ", "AllResolved:  | shop", "First: mail | "]);
    let mail = &play.engine.tables().channels["mail"];
    assert_eq!(mail.ended[&Ending::Refused], 1);
    assert_eq!(mail.trouble.as_deref(), Some("status 403"));
}

#[test]
fn a_message_that_expires_is_counted_and_told_again_with_the_next_reminder() {
    let waits = Waits { expire_ms: 600_000, ..Waits::default() };
    let mut play = Play::new(Setup { waits, ..setup() });
    for _ in 0..120 {
        play.pass(10);
        play.engine.observe(play.time, vec![bad()]);
        play.answer(&Outcome::of_status(503, None));
    }
    assert_eq!(play.engine.tables().channels["mail"].ended[&Ending::Expired], 1);
    let groups = &play.engine.tables().groups;
    let told = groups.values().flat_map(|group| group.members.values()).next();
    assert_eq!(told, Some(&Told::GivenUp));
    play.steps(5 * 360, &bad());
    assert_eq!(play.told(), ["Reminder: shop | "]);
}

#[test]
fn one_channel_that_hangs_delays_no_other() {
    let mut setup = setup();
    setup.channels.insert("slack".into(), channel("slack"));
    let mut play = Play::new(setup);
    for at in 0..30 {
        play.pass(10);
        play.engine.observe(play.time, vec![if at < 15 { bad() } else { good() }]);
        for dispatch in play.engine.due() {
            // Nothing comes back from `mail`.
            if dispatch.channel == "slack" {
                play.arrived.push(dispatch.clone());
                play.engine.finished(play.time, dispatch.number, Outcome::Delivered);
            }
        }
    }
    assert_eq!(play.told(), ["First: shop | ", "AllResolved:  | shop"]);
}

#[test]
fn a_full_disk_stops_no_alert_and_is_written_later() {
    let mut play = Play::new(setup());
    play.steps(3, &good());
    play.disk.set_full(true);
    play.steps(10, &bad());
    assert_eq!(play.told(), ["First: shop | "]);
    assert_eq!(play.engine.disk_trouble(), Some("no space"));
    assert!(play.engine.tables().counts.failed_commits > 0);
    play.disk.set_full(false);
    play.steps(1, &bad());
    assert_eq!(play.engine.disk_trouble(), None);
    play.restart(10);
    play.steps(10, &good());
    assert_eq!(play.told()[1..], ["AllResolved:  | shop"]);
}

#[test]
fn samples_that_are_errors_leave_the_others_alone() {
    let mut play = Play::new(setup());
    let sample = |name, reading| Sample { labels: target(name), reading };
    let result = Ok(vec![
        sample("shop", Seen::Value(95.0)),
        sample("till", Seen::Error("refused".into())),
        sample("door", Seen::Value(f64::NAN)),
    ]);
    play.steps(5, &Evaluation { rule: "r".into(), result });
    let ill = play.engine.tables().instances.values();
    let ill = ill.filter(|it| it.phase != Phase::Ok && it.identity.rule == "r");
    assert_eq!(ill.count(), 1);
    assert_eq!(play.arrived[0].message.reason, Reason::First);
}

#[test]
fn tables_stay_small_whatever_happens() {
    let mut play = Play::new(setup());
    for at in 0..900 {
        let name = format!("t{}", at % 100);
        play.step(vec![seen("r", &[(&name, if at % 2 == 0 { 95.0 } else { 10.0 })])]);
        if at % 2 == 1 {
            play.engine.remove_target(&target(&name));
        }
    }
    let tables = play.engine.tables();
    assert!(tables.entries.len() <= 201, "{}", tables.entries.len());
    assert!(tables.gaps.len() <= 1_000);
}
