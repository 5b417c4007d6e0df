//! Hours: a part of the day, such as `22:00-07:00`.
//!
//! Pure: knows neither clock nor zone.

use logwell_options::raw_value::RawValue;
use logwell_options::value::{CustomValue, OptionValue, Refusal};
use std::fmt;

/// Hours of the day, such as `22:00-07:00`; they may span midnight.
///
/// ```
/// use logwell::config::Hours;
///
/// let night = Hours::parse("22:00-07:30").expect("hours");
/// assert!(night.contains(23 * 60) && !night.contains(7 * 60 + 30));
/// assert_eq!(night.to_string(), "22:00-07:30");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Minutes since midnight; from here on.
    from: u16,
    /// The first that is no part of them.
    to: u16,
}

impl Hours {
    /// Reads `22:00-07:00`; `None` if it is not that, or has no length. `24:00` is a day's end.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from.trim())?, minute(to.trim())?);
        (from != to).then_some(Self { from, to })
    }

    /// Whether that minute of the day (0 to 1439) is one of them.
    #[must_use]
    pub fn contains(self, minute_of_day: u16) -> bool {
        let Self { from, to } = self;
        match from < to {
            true => (from..to).contains(&minute_of_day),
            false => minute_of_day >= from || minute_of_day < to,
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
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

/// Hours as an option.
struct HoursValue<'a>(&'a mut Option<Hours>);

impl CustomValue for HoursValue<'_> {
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        *self.0 = match given.is_none() {
            true => None,
            false => Some(given.text().and_then(Hours::parse).ok_or(Refusal::Unfit)?),
        };
        Ok(())
    }

    fn text(&self) -> String {
        self.0.map_or_else(|| "none".into(), |hours| hours.to_string())
    }

    fn expected(&self) -> &'static str {
        "hours of the day such as \"22:00-07:00\", or none"
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({
            "anyOf": [
                { "type": "null" },
                { "type": "string", "pattern": "^([0-9]{2}:[0-9]{2} *- *[0-9]{2}:[0-9]{2}|none)$" },
            ],
        })
    }
}

/// The kind of an option: hours of the day, or `none`.
pub(crate) fn hours(value: &mut Option<Hours>) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(HoursValue(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_span_midnight_and_their_end_is_no_part_of_them() {
        let night = Hours::parse("22:00-07:30").unwrap();
        let day = Hours::parse(" 09:00 - 17:00 ").unwrap();
        for minute in 0..24 * 60 {
            assert_eq!(night.contains(minute), !(450..1_320).contains(&minute), "{minute}");
            assert_eq!(day.contains(minute), (540..1_020).contains(&minute), "{minute}");
        }
        assert!(Hours::parse("00:00-24:00").unwrap().contains(0));
        assert_eq!(day.to_string(), "09:00-17:00");
    }

    #[test]
    fn what_is_no_span_of_hours_is_not_read_as_one() {
        let wrong = ["", "22:00", "22-07", "22:00-", "25:00-07:00", "22:60-07:00", "07:00-07:00"];
        for text in wrong.into_iter().chain([
            "+1:00-07:00",
            "24:01-07:00",
            "22:00-07:00-08:00",
            "٢٢:٠٠-٠٧:٠٠",
        ]) {
            assert_eq!(Hours::parse(text), None, "{text}");
        }
    }
}
