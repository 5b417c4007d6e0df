//! Quiet: the hours of the day in which messages come without a sound.
//!
//! Pure: knows neither clock nor zone.

/// Hours of the day, such as `22:00-07:00`; they may span midnight.
///
/// In them messages are sent as ever, but silently, so that nobody is woken and nothing is late.
/// What is CRITICAL always sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuietHours {
    /// Minutes since midnight; from here on.
    from: u16,
    /// The first that is no longer quiet.
    to: u16,
}

impl QuietHours {
    /// Reads `22:00-07:00`; nothing if it is not that, or is empty in both senses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from.trim())?, minute(to.trim())?);
        (from != to).then_some(Self { from, to })
    }

    /// Whether that minute of the day is one of them.
    pub(crate) fn contains(self, minute_of_day: u16) -> bool {
        let Self { from, to } = self;
        match from < to {
            true => (from..to).contains(&minute_of_day),
            false => minute_of_day >= from || minute_of_day < to,
        }
    }
}

/// `07:30` → 450; `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= 24 * 60).then_some(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_span_midnight_and_their_end_is_no_part_of_them() {
        let night = QuietHours::parse("22:00-07:30").unwrap();
        let day = QuietHours::parse(" 09:00 - 17:00 ").unwrap();
        for minute in 0..24 * 60 {
            assert_eq!(night.contains(minute), !(450..1_320).contains(&minute), "{minute}");
            assert_eq!(day.contains(minute), (540..1_020).contains(&minute), "{minute}");
        }
        assert!(QuietHours::parse("00:00-24:00").unwrap().contains(0));
    }

    #[test]
    fn what_is_no_span_of_hours_is_not_read_as_one() {
        let wrong = ["", "22:00", "22-07", "22:00-", "25:00-07:00", "22:60-07:00", "07:00-07:00"];
        for text in wrong.into_iter().chain(["+1:00-07:00", "24:01-07:00", "22:00-07:00-08:00", "٢٢:٠٠-٠٧:٠٠"]) {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
    }
}
