//! Headers: more headers of a request, as one text: `name=value,name=value`.
//!
//! The spelling is that of OpenTelemetry's `OTEL_EXPORTER_OTLP_HEADERS`: in a value `%` begins two
//! hexadecimal digits. Knows no request.

use logwell_options::secret::Secret;
use logwell_options::value::{Form, OptionValue};

/// The headers with their values.
///
/// # Errors
///
/// What is wrong, without showing any of it.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, Secret)>, &'static str> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs.map(parse_pair).collect()
}

/// The kind of an option: headers, which are shown nowhere.
pub(crate) fn secret_headers(value: &mut Secret) -> OptionValue<'_> {
    OptionValue::Secret { value, form: Form::Checked(check) }
}

fn check(text: &str) -> Result<(), (&'static str, &'static str)> {
    let help = "write it as name=value,name=value, a comma as %2C";
    parse(text).map(drop).map_err(|problem| (problem, help))
}

fn parse_pair(pair: &str) -> Result<(String, Secret), &'static str> {
    let (name, value) = pair.split_once('=').ok_or("has a part without `=`")?;
    let name = name.trim();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err("has a name that no header can have");
    }
    let value = decode(value.trim()).ok_or("has a `%` that is not followed by two digits")?;
    match value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Ok((name.to_owned(), Secret::new(value))),
        false => Err("has a value with a character that no header can have"),
    }
}

fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read_and_blanks_around_them_do_not_count() {
        let headers = parse(" x-team = a%2Cb ,authorization=Basic%20eA==,").unwrap();
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.reveal())).collect();
        assert_eq!(headers, [("x-team", "a,b"), ("authorization", "Basic eA==")]);
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn what_could_break_a_request_is_refused() {
        for text in
            ["x", "=v", "a b=v", "x=%0d%0aevil: 1", "x=%4", "x=%zz", "x=é", "x\ny=v", "x=%ff"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
