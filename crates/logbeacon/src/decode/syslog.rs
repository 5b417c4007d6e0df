//! Syslog: one message, RFC 5424 or RFC 3164 or what devices take for it, → a draft.
//!
//! Knows the text of a message. Does not know sockets nor how messages are framed. Nothing is
//! refused: what cannot be read is the message.

use super::draft::Draft;
use super::level;
use super::limits::Limits;
use super::quoted::until_quote;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use logwell_query::Value;

/// Reads a message. RFC 3164 has neither year nor zone: the zone is UTC, the year the one in which
/// the moment is nearest to `now_ns`.
///
/// ```
/// use logbeacon::decode::limits::Limits;
/// use logbeacon::decode::syslog::decode;
///
/// let text = b"<34>1 2026-02-19T10:30:00Z web-1 su 7 ID47 [x@1 user=\"ann\"] failed";
/// let draft = decode(text, 0, &Limits::default());
/// assert_eq!((draft.host.as_str(), draft.service.as_str()), ("web-1", "su"));
/// assert_eq!(draft.message, "failed");
/// ```
#[must_use]
pub fn decode(message: &[u8], now_ns: i64, limits: &Limits) -> Draft {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end_matches(['\n', '\r', '\0']);
    let mut draft = Draft::default();
    let Some((priority, rest)) = priority(text) else {
        draft.message = text.to_owned();
        return draft;
    };
    draft.level = Some(level::from_severity(priority & 7));
    if let Some(name) = FACILITIES.get(usize::from(priority >> 3)) {
        draft.fields.put("facility", Value::Text((*name).to_owned()));
    }
    if priority & 7 == 5 {
        draft.fields.put("level_text", Value::Text("notice".to_owned()));
    }
    match rest.strip_prefix("1 ") {
        Some(rest) => rfc5424(rest, &mut draft, limits),
        None => rfc3164(rest, now_ns, &mut draft),
    }
    draft
}

/// RFC 5424, table 1.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// `<34>`, and what follows.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u8>().ok().filter(|number| is_number && *number <= 191)?;
    Some((number, rest))
}

/// What follows `<34>1 `: TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG.
fn rfc5424(rest: &str, draft: &mut Draft, limits: &Limits) {
    let mut rest = rest;
    let mut word = || {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after;
        if word == "-" { "" } else { word }
    };
    let (time, host, app, process, id) = (word(), word(), word(), word(), word());
    set_time(draft, time);
    host.clone_into(&mut draft.host);
    app.clone_into(&mut draft.service);
    for (name, text) in [("process", process), ("msgid", id)] {
        if !text.is_empty() {
            draft.fields.put(name, Value::Text(text.to_owned()));
        }
    }
    let message = structured_data(rest, draft, limits);
    let message = message.strip_prefix(' ').unwrap_or(message);
    message.trim_start_matches('\u{feff}').clone_into(&mut draft.message);
}

/// Reads `[id name="value" …]…` or `-`; returns what follows. What is not such data is message.
fn structured_data<'a>(text: &'a str, draft: &mut Draft, limits: &Limits) -> &'a str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest;
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let Some((pairs, after)) = element_of(element) else { return rest };
        for (name, value) in pairs {
            draft.fields.push(&name, Value::Text(value), limits);
        }
        rest = after;
    }
    rest
}

type Pairs = Vec<(String, String)>;

/// `id name="value" …]`: the pairs with names `id.name`, and what follows.
fn element_of(text: &str) -> Option<(Pairs, &str)> {
    let id_end = text.find([' ', ']'])?;
    let (id, mut rest) = text.split_at_checked(id_end)?;
    let mut pairs = Vec::new();
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(']') {
            return Some((pairs, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = param_value(after)?;
        pairs.push((format!("{id}.{name}"), value));
        rest = after;
    }
}

/// The text up to a quote, without the backslashes before `"`, `\` and `]` (RFC 5424, 6.3.3).
fn param_value(text: &str) -> Option<(String, &str)> {
    until_quote(text, |characters, value| {
        match characters.next()?.1 {
            escaped @ ('"' | '\\' | ']') => value.push(escaped),
            other => value.extend(['\\', other]),
        }
        Some(())
    })
}

/// What follows `<34>`: a time, mostly a host, a tag with its process, the message.
fn rfc3164(rest: &str, now_ns: i64, draft: &mut Draft) {
    let Some((time_ns, rest)) = old_time(rest, now_ns) else {
        return tag(rest, draft);
    };
    draft.time_ns = Some(time_ns);
    match rest.split_once(' ') {
        // `logger` and others leave the host out: then this word is the tag.
        Some((host, rest)) if !host.is_empty() && !host.ends_with(':') && !host.ends_with(']') => {
            host.clone_into(&mut draft.host);
            tag(rest, draft);
        }
        _ => tag(rest, draft),
    }
}

/// `Feb 19 10:30:00`, or a time of RFC 3339 as rsyslog writes it; and what follows.
fn old_time(text: &str, now_ns: i64) -> Option<(i64, &str)> {
    if let Some((word, rest)) = text.split_once(' ')
        && word.contains('T')
        && let Some(time_ns) = super::time::from_text(word)
    {
        return Some((time_ns, rest));
    }
    let (stamp, rest) = text.split_at_checked(15)?;
    let now = jiff::Timestamp::from_nanosecond(now_ns.into()).ok()?;
    let this_year = now.to_zoned(TimeZone::UTC).year();
    let moments = (-1..=1).filter_map(|offset| moment_in(this_year + offset, stamp));
    let nearest = moments.min_by_key(|moment| moment.abs_diff(now_ns))?;
    Some((nearest, rest.strip_prefix(' ').unwrap_or(rest)))
}

fn moment_in(year: i16, stamp: &str) -> Option<i64> {
    let text = format!("{year} {stamp}");
    let civil = DateTime::strptime("%Y %b %e %H:%M:%S", &text).ok()?;
    let moment = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    i64::try_from(moment.as_nanosecond()).ok()
}

/// `su[7]: failed`: the program, its process, the message. Without a colon all is message.
fn tag(text: &str, draft: &mut Draft) {
    let is_tag =
        |word: &str| !word.is_empty() && word.len() <= 48 && !word.contains(char::is_whitespace);
    match text.split_once(':') {
        Some((word, message)) if is_tag(word) => {
            let (program, process) = match word.strip_suffix(']').and_then(|w| w.split_once('[')) {
                Some((program, process)) => (program, Some(process)),
                None => (word, None),
            };
            program.clone_into(&mut draft.service);
            if let Some(process) = process {
                draft.fields.put("process", Value::Text(process.to_owned()));
            }
            message.strip_prefix(' ').unwrap_or(message).clone_into(&mut draft.message);
        }
        _ => text.clone_into(&mut draft.message),
    }
}

fn set_time(draft: &mut Draft, text: &str) {
    match super::time::from_text(text) {
        Some(time_ns) => draft.time_ns = Some(time_ns),
        None if text.is_empty() => {}
        None => draft.fields.put("timestamp", Value::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Level;
    use proptest::prelude::*;

    const NOW: i64 = 1_771_497_000_000_000_000; // 2026-02-19T10:30:00Z

    fn read(text: &str) -> Draft {
        decode(text.as_bytes(), NOW, &Limits::default())
    }

    fn field(draft: &Draft, name: &str) -> String {
        draft.fields.get(name).map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn rfc_5424_is_read_with_its_structured_data() {
        let draft = read(
            "<165>1 2026-02-19T10:30:00.003Z web-1 app 71 ID47 \
             [a@32473 iut=\"3\" src=\"x\\\"\\]\\\\y\"][b@1 class=\"high\"] \u{feff}an event\n",
        );
        assert_eq!(draft.time_ns, Some(NOW + 3_000_000));
        assert_eq!((&*draft.host, &*draft.service, &*draft.message), ("web-1", "app", "an event"));
        assert_eq!(draft.level, Some(Level::Info));
        for (name, text) in [
            ("facility", "local4"),
            ("process", "71"),
            ("msgid", "ID47"),
            ("a@32473.iut", "3"),
            ("a@32473.src", "x\"]\\y"),
            ("b@1.class", "high"),
            ("level_text", "notice"),
        ] {
            assert_eq!(field(&draft, name), text);
        }
    }

    #[test]
    fn nil_values_are_absent() {
        let draft = read("<3>1 - - - - - -");
        assert_eq!(draft.level, Some(Level::Error));
        assert_eq!((draft.time_ns, &*draft.host, &*draft.message), (None, "", ""));
    }

    #[test]
    fn rfc_3164_and_its_relatives_are_read() {
        for (text, host, service, message) in [
            ("<34>Feb 19 10:30:00 web-1 su[7]: failed: x", "web-1", "su", "failed: x"),
            ("<34>2026-02-19T10:30:00+00:00 web-1 su: failed", "web-1", "su", "failed"),
            ("<34>Feb 19 10:30:00 su: failed", "", "su", "failed"),
        ] {
            let draft = read(text);
            assert_eq!((&*draft.host, &*draft.service, &*draft.message), (host, service, message));
            assert_eq!((draft.time_ns, draft.level), (Some(NOW), Some(Level::Critical)), "{text}");
        }
        assert_eq!(read("<34>Feb  9 10:30:00 h a: b").time_ns, Some(NOW - 10 * 86_400_000_000_000));
    }

    #[test]
    fn the_year_is_the_nearest_one() {
        let draft = read("<34>Dec 31 23:59:59 h a: b");
        let december = super::super::time::from_text("2025-12-31T23:59:59Z");
        assert_eq!(draft.time_ns, december);
    }

    #[test]
    fn what_cannot_be_read_is_the_message() {
        for text in ["plain text", "<999>x y", "<>", "<34", ""] {
            assert_eq!(read(text).message, text);
        }
        assert_eq!(read("<34>no time here").message, "no time here");
        assert_eq!(read("<34>1 - h a - - [broken x").message, "[broken x");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = decode(&bytes, NOW, &Limits::default());
        }

        #[test]
        fn anything_after_a_priority_is_a_message(
            text in "<1[0-9]>(1 )?[-\\[\\]\" =a:\\\\é]{0,40}",
        ) {
            let _any = read(&text);
        }
    }
}
