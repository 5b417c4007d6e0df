//! Values: the types of `monitor.yaml` that the engine of options does not know.
//!
//! Knows: how numbers, matchers, zones, cron expressions and such are spelled. Must not know: which
//! option has which. In: texts; out: values, or what is wrong with a text.

use crate::checks::Header;
use crate::matcher::Matcher;
use crate::rule::Share;
use crate::tasks::Cron;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use logwell_options::raw_value::{Problem, RawValue};
use logwell_options::secret::Secret;
use logwell_options::suggest::nearest;
use logwell_options::value::{CustomValue, OptionValue, Refusal};
use std::fmt;

/// A type of `monitor.yaml`: how it is read from a text and shown as one.
pub trait Spelled: Sized {
    /// What may be written.
    const EXPECTED: &'static str;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, String>;

    /// Shows it, so that it is read back.
    fn show(&self) -> String;
}

/// The place of a value that may be absent.
pub(super) fn maybe<T: Spelled + fmt::Debug>(value: &mut Option<T>) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(Maybe(value)))
}

/// The place of a list of values.
pub(super) fn list<T: Spelled + fmt::Debug>(values: &mut Vec<T>) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(List(values)))
}

struct Maybe<'a, T>(&'a mut Option<T>);

impl<T: Spelled> CustomValue for Maybe<'_, T> {
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        *self.0 = if given.is_none() { None } else { Some(one(given)?) };
        Ok(())
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or_else(|| "none".to_owned(), T::show)
    }

    fn expected(&self) -> &'static str {
        T::EXPECTED
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "description": T::EXPECTED })
    }
}

struct List<'a, T>(&'a mut Vec<T>);

impl<T: Spelled> CustomValue for List<'_, T> {
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        let text = given.text().ok_or(Refusal::Unfit)?;
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        *self.0 = parts.map(|part| one(RawValue::Text(part))).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn text(&self) -> String {
        self.0.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }

    fn expected(&self) -> &'static str {
        T::EXPECTED
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "description": T::EXPECTED })
    }
}

fn one<T: Spelled>(given: RawValue<'_>) -> Result<T, Refusal> {
    let text = match given {
        RawValue::Whole(number) => number.to_string(),
        RawValue::Float(number) => number.to_string(),
        other => other.text().ok_or(Refusal::Unfit)?.trim().to_owned(),
    };
    T::parse(&text).map_err(|problem| {
        Refusal::Problem(Problem { problem, help: format!("expected {}", T::EXPECTED) })
    })
}

impl Spelled for f64 {
    const EXPECTED: &'static str = "a number";

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim_end_matches('%').trim_end().parse::<Self>().ok();
        number.filter(|it| it.is_finite()).ok_or_else(|| format!("{text:?} is not a number"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Spelled for String {
    const EXPECTED: &'static str = "a list such as [a, b]";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Spelled for Header {
    const EXPECTED: &'static str = "headers such as [\"authorization: Bearer …\"]";

    fn parse(text: &str) -> Result<Self, String> {
        // The text may be a token that was written without a name.
        let (name, value) = text.split_once(':').ok_or("a header has no colon (not shown)")?;
        Ok(Self { name: name.trim().to_owned(), value: Secret::new(value.trim()) })
    }

    fn show(&self) -> String {
        format!("{}: {}", self.name, self.value)
    }
}

impl Spelled for Matcher {
    const EXPECTED: &'static str = "matchers such as [target=shop, \"rule!=disk*\"]";

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|problem| format!("{text:?}: {problem}"))
    }

    fn show(&self) -> String {
        let sign = if self.negated { "!=" } else { "=" };
        format!("{}{sign}{}", self.label, self.value)
    }
}

impl Spelled for Share {
    const EXPECTED: &'static str = "how many of the last readings, such as 3/5, at most 64";

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers =
            parts.and_then(|(n, m)| Some((n.trim().parse().ok()?, m.trim().parse().ok()?)));
        match numbers {
            Some((n, m)) if 1 <= n && n <= m && m <= 64 => Ok(Self { n, m }),
            _ => Err(format!("{text:?} is not a share")),
        }
    }

    fn show(&self) -> String {
        format!("{}/{}", self.n, self.m)
    }
}

impl Spelled for Cron {
    const EXPECTED: &'static str = "a cron expression of five fields, such as \"30 2 * * *\"";

    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }

    fn show(&self) -> String {
        self.text().to_owned()
    }
}

impl Spelled for TimeZone {
    const EXPECTED: &'static str = "a time zone such as Europe/Berlin or UTC";

    fn parse(text: &str) -> Result<Self, String> {
        Self::get(text).map_err(|_| {
            let names: Vec<_> = jiff::tz::db().available().map(|it| it.to_string()).collect();
            match nearest(text, names.iter().map(String::as_str)) {
                Some(name) => format!("{text:?} is not a time zone; did you mean {name}?"),
                None => format!("{text:?} is not a time zone of this system"),
            }
        })
    }

    fn show(&self) -> String {
        self.iana_name().unwrap_or("UTC").to_owned()
    }
}

impl Spelled for Weekday {
    const EXPECTED: &'static str = "weekdays such as [mon, tue]";

    fn parse(text: &str) -> Result<Self, String> {
        let day = DAYS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        day.map(|(_, day)| *day).ok_or_else(|| format!("{text:?} is not a weekday"))
    }

    fn show(&self) -> String {
        let name = DAYS.iter().find(|(_, day)| day == self).map(|(name, _)| *name);
        name.unwrap_or_default().to_owned()
    }
}

impl Spelled for Time {
    const EXPECTED: &'static str = "a time of day such as \"22:30\"";

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let numbers = parts.and_then(|(h, m)| Some((h.parse().ok()?, m.parse().ok()?)));
        let time = numbers.and_then(|(hour, minute)| Self::new(hour, minute, 0, 0).ok());
        time.ok_or_else(|| format!("{text:?} is not a time of day"))
    }

    fn show(&self) -> String {
        format!("{:02}:{:02}", self.hour(), self.minute())
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
