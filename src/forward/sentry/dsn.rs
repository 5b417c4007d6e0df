//! Dsn: where a project's events go, and the key that lets them in.
//!
//! Knows how Sentry writes both into one URL. Pure. The key is not shown.

use logwell_options::secret::{Secret, SecretUrl};
use logwell_options::value::{Form, OptionValue};

/// What a DSN says.
pub(super) struct Dsn {
    /// Where envelopes are posted to.
    pub(super) url: SecretUrl,
    /// The public key, which is a secret all the same: who has it can send events.
    pub(super) key: Secret,
}

impl Dsn {
    /// Reads `https://key@host/path/7`; `None` if it is not that.
    pub(super) fn read(dsn: &str) -> Option<Self> {
        let (scheme, rest) =
            dsn.split_once("://").filter(|(s, _)| ["https", "http"].contains(s))?;
        let (keys, place) = rest.split_once('@')?;
        // Old ones have a secret key too, which is not needed.
        let key = keys.split(':').next().filter(|key| !key.is_empty())?;
        let (host, project) = place.trim_end_matches('/').rsplit_once('/')?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_fine = !host.is_empty() && !project.is_empty() && key.chars().all(is_plain);
        is_fine.then(|| Self {
            url: SecretUrl::new(format!("{scheme}://{host}/api/{project}/envelope/")),
            key: Secret::new(key),
        })
    }
}

/// The kind of an option: a DSN, which is shown nowhere.
pub(super) fn secret_dsn(value: &mut Secret) -> OptionValue<'_> {
    OptionValue::Secret { value, form: Form::Checked(check) }
}

fn check(text: &str) -> Result<(), (&'static str, &'static str)> {
    let url = Dsn::read(text).map(|dsn| dsn.url);
    match text.is_empty() || url.is_some_and(|url| url.fault().is_none()) {
        true => Ok(()),
        false => Err(("is not a DSN", "copy it from the project's settings: https://key@host/7")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_is_a_url_and_a_key() {
        for (dsn, url, key) in [
            (
                "https://abc@o1.ingest.example.com/7",
                "https://o1.ingest.example.com/api/7/envelope/",
                "abc",
            ),
            (
                "http://abc:old@127.0.0.1:9000/sub/7/",
                "http://127.0.0.1:9000/sub/api/7/envelope/",
                "abc",
            ),
        ] {
            let read = Dsn::read(dsn).unwrap();
            assert_eq!((read.url.reveal(), read.key.reveal()), (url, key));
            assert!(check(dsn).is_ok());
        }
        for bad in
            ["https://host/7", "https://@host/7", "ftp://a@host/7", "https://a@host", "a@b/7"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("").is_ok());
    }
}
