//! Signature: how a server of the user's own knows that a request is from this program.
//!
//! Knows the scheme of Standard Webhooks: HMAC-SHA256 of id, time and body. Knows no request. The
//! only file that names `ring`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use logwell_options::secret::Secret;
use logwell_options::value::{Form, OptionValue};
use ring::hmac;

/// What is before a secret, so that people know what it is.
const PREFIX: &str = "whsec_";
/// Shorter secrets can be guessed.
const MIN_BYTES: usize = 24;

/// A key that requests are signed with. It is not shown.
pub(super) struct SigningKey(hmac::Key);

impl SigningKey {
    /// The key of that secret; `None` if it is empty or not one.
    pub(super) fn read(secret: &Secret) -> Option<Self> {
        let bytes = decode(secret.reveal())?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, unix_seconds: u64, body: &[u8]) -> String {
        let time = unix_seconds.to_string();
        let signed = [id.as_bytes(), time.as_bytes(), body].join(&b'.');
        format!("v1,{}", BASE64.encode(hmac::sign(&self.0, &signed)))
    }
}

fn decode(secret: &str) -> Option<Vec<u8>> {
    let text = secret.strip_prefix(PREFIX).unwrap_or(secret);
    BASE64.decode(text).ok().filter(|bytes| bytes.len() >= MIN_BYTES)
}

/// The kind of an option: the secret, which is shown nowhere.
pub(super) fn signing_secret(value: &mut Secret) -> OptionValue<'_> {
    OptionValue::Secret { value, form: Form::Checked(check) }
}

fn check(text: &str) -> Result<(), (&'static str, &'static str)> {
    match text.is_empty() || decode(text).is_some() {
        true => Ok(()),
        false => Err((
            "is no base64 of at least 24 bytes",
            "make one: echo whsec_$(openssl rand -base64 32)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standards_own_example() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = SigningKey::read(&secret).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_can_be_guessed_or_is_no_base64_is_a_mistake() {
        assert!(check("").is_ok() && check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok());
        assert!(check("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_ok());
        for bad in ["hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_ä"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
