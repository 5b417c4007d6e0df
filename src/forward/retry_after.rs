//! RetryAfter: how long the other side wants to be left alone, as HTTP's header says it.
//!
//! Knows the header's two forms and a bound. Does not know who asks, nor what is done
//! meanwhile.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// Longer waits are not obeyed: by a mistake over there nothing should rest for days. It is as long
/// as the longest rest that the options allow, `forward.blocked_rest`.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// `120`, or a date as HTTP has them.
pub(super) fn parse_retry_after(text: &str) -> Option<Duration> {
    pause_from(text, Timestamp::now())
}

fn pause_from(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let after = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(after.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_obeyed_up_to_an_hour() {
        let now = "2025-11-26T10:30:00Z".parse().unwrap();
        let seconds = |text| pause_from(text, now).map(|after| after.as_secs());
        assert_eq!((seconds("120"), seconds(" 3600 ")), (Some(120), Some(3600)));
        assert_eq!(seconds("Wed, 26 Nov 2025 10:31:00 GMT"), Some(60));
        for far in ["3601", "999999999999", "Wed, 26 Nov 2036 10:31:00 GMT"] {
            assert_eq!(seconds(far), Some(3600), "{far}");
        }
        assert_eq!((seconds("-1"), seconds("soon")), (None, None));
    }
}
