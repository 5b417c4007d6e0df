//! Options: the section `forward.webhook`.

use super::signature::signing_secret;
use super::template::DEFAULT;
use crate::forward::delivery::destination_section;
use crate::forward::headers::secret_headers;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, flag, secret_url, text, time};
use std::time::Duration;

destination_section! {
    /// A server of your own that takes a POST for each record, signed by Standard Webhooks.
    pub struct WebhookConfig from Error {
        /// The URL to post to.
        url: Secret = Secret::default() => secret_url();
        /// The secret that requests are signed with: base64, mostly with `whsec_` before it. Empty:
        /// they are not signed.
        secret: Secret = Secret::default() => signing_secret();
        /// More headers, as `name=value,name=value`; commas in a value are written `%2C`.
        headers: Secret = Secret::default() => secret_headers();
        /// The body, JSON with placeholders: `{{ json message }}` is the record's member `message`
        /// as JSON, `{{ json record }}` the whole record, `{{ json hash }}` its hash.
        /// What is missing is null.
        body: String = DEFAULT.to_owned() => text(16_384);
    }
}
