//! Group: the incidents that one channel is told of together, and what it was told of each.
//!
//! Knows: the told-log and the order of decisions when a group is due. Must not know: how held
//! incidents came to be held, nor what a message looks like. In: how the members are; out: whether
//! to send, and why.

use crate::identity::IncidentId;
use crate::message::Reason;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which group: the channel, and the values of the labels that it groups by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKey {
    /// The channel.
    pub channel: String,
    /// Label names and values, such as `rule=disk`.
    pub labels: String,
}

/// A group with its told-log. Times are observed milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Which.
    pub key: GroupKey,
    /// Its incidents, and what the channel was last told of each.
    pub members: BTreeMap<IncidentId, Told>,
    /// When it is due.
    pub next_ms: u64,
    /// When it last made a message.
    pub told_ms: Option<u64>,
}

/// What a channel was last told of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing yet.
    Nothing,
    /// That it fires.
    Firing {
        /// With that severity.
        severity: Severity,
        /// Whether it was told to flap.
        flapping: bool,
    },
    /// The channel refused the message, or it expired: nothing is owed.
    GivenUp,
}

/// How a member is when its group is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// What was told of it.
    pub told: Told,
    /// Whether it goes on.
    pub is_open: bool,
    /// Its severity now.
    pub severity: Severity,
    /// Whether it flaps now.
    pub flapping: bool,
    /// Whether nothing new may be told of it: a silence, a parent, maintenance.
    pub is_held: bool,
    /// Whether somebody looks after it.
    pub is_acked: bool,
}

impl Member {
    /// Whether a message must say that it ended: whoever was told that it fires is owed that.
    #[must_use]
    pub(crate) fn owes_resolve(&self) -> bool {
        !self.is_open && matches!(self.told, Told::Firing { .. })
    }

    fn is_new(&self) -> bool {
        self.is_open && !self.is_held && self.told == Told::Nothing
    }

    fn is_changed(&self) -> bool {
        let now = Told::Firing { severity: self.severity, flapping: self.flapping };
        let was_told = matches!(self.told, Told::Firing { .. });
        self.is_open && !self.is_held && was_told && self.told != now
    }

    fn wants_reminder(&self) -> bool {
        self.is_open && !self.is_held && !self.is_acked && self.told != Told::Nothing
    }
}

/// Whether a group that is due makes a message, and why.
#[must_use]
pub(crate) fn decide(members: &[Member], due: Due) -> Option<Reason> {
    let was_told = members.iter().any(|member| matches!(member.told, Told::Firing { .. }));
    if members.iter().any(Member::is_new) {
        return Some(if was_told { Reason::New } else { Reason::First });
    }
    if due.wants_resolves && members.iter().any(Member::owes_resolve) {
        let goes_on = |member: &Member| member.is_open && member.told != Told::Nothing;
        let some = members.iter().any(goes_on);
        return Some(if some { Reason::SomeResolved } else { Reason::AllResolved });
    }
    if members.iter().any(Member::is_changed) {
        return Some(Reason::Changed);
    }
    (due.is_repeat && members.iter().any(Member::wants_reminder)).then_some(Reason::Reminder)
}

/// What a decision depends on beside the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// Whether the last message is as long ago as reminders are apart.
    pub is_repeat: bool,
    /// Whether the channel is told of ends.
    pub wants_resolves: bool,
}

#[cfg(test)]
mod tests {
    use super::Severity::{Critical, Warning};
    use super::*;

    const DUE: Due = Due { is_repeat: false, wants_resolves: true };

    fn member(told: Told, is_open: bool) -> Member {
        let (is_held, is_acked, flapping) = (false, false, false);
        Member { told, is_open, severity: Warning, flapping, is_held, is_acked }
    }

    fn told() -> Told {
        Told::Firing { severity: Warning, flapping: false }
    }

    #[test]
    fn decisions_come_in_their_order() {
        let new = member(Told::Nothing, true);
        let gone = member(Told::Nothing, false);
        let on = member(told(), true);
        let over = member(told(), false);
        let worse = Member { severity: Critical, ..on };
        for (members, expected) in [
            (vec![], None),
            (vec![gone], None),
            (vec![new, gone], Some(Reason::First)),
            (vec![on, new, over], Some(Reason::New)),
            (vec![on], None),
            (vec![over, gone], Some(Reason::AllResolved)),
            (vec![over, on], Some(Reason::SomeResolved)),
            (vec![worse, over], Some(Reason::SomeResolved)),
            (vec![worse, on], Some(Reason::Changed)),
        ] {
            assert_eq!(decide(&members, DUE), expected, "{members:?}");
        }
    }

    #[test]
    fn reminders_leave_out_what_is_acknowledged_or_held() {
        let due = Due { is_repeat: true, ..DUE };
        let on = member(told(), true);
        assert_eq!(decide(&[on], due), Some(Reason::Reminder));
        assert_eq!(decide(&[Member { is_acked: true, ..on }], due), None);
        assert_eq!(decide(&[Member { is_held: true, ..on }], due), None);
        assert_eq!(decide(&[member(Told::GivenUp, true)], due), Some(Reason::Reminder));
    }

    /// All members there can be: a resolve is sent exactly if "firing" was told last, whatever
    /// holds new messages.
    #[test]
    fn a_resolve_is_owed_exactly_to_whoever_was_told() {
        for told in [Told::Nothing, told(), Told::GivenUp] {
            for bits in 0..8 {
                let bit = |at: u32| bits & (1 << at) != 0;
                let gone = Member {
                    is_held: bit(0),
                    is_acked: bit(1),
                    flapping: bit(2),
                    ..member(told, false)
                };
                let expected = matches!(told, Told::Firing { .. }).then_some(Reason::AllResolved);
                assert_eq!(decide(&[gone], DUE), expected, "{gone:?}");
            }
        }
    }
}
