//! Options: the section `forward.loki`.

use crate::forward::delivery::destination_section;
use crate::forward::headers::secret_headers;
use crate::record::level::Level;
use logwell_options::choices;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, flag, secret, secret_url, text, time};
use std::time::Duration;

destination_section! {
    /// Loki, or a server that takes what is pushed to it.
    ///
    /// Labels are `service_name`, `environment` and `level`; ids and the logger are structured
    /// metadata.
    pub struct LokiConfig from Info {
        /// The URL of Loki, such as `https://loki.example.com`; `/loki/api/v1/push` is added.
        url: Secret = Secret::default() => secret_url();
        /// The token of `Authorization: Bearer`. Empty: none is sent.
        token: Secret = Secret::default() => secret();
        /// The user of `Authorization: Basic`. Empty: none is sent.
        user: String = String::new() => text(255);
        /// The user's password.
        password: Secret = Secret::default() => secret();
        /// The tenant: the header `X-Scope-OrgID`. Empty: none is sent.
        tenant: String = String::new() => text(150);
        /// More headers, as `name=value,name=value`; commas in a value are written `%2C`.
        headers: Secret = Secret::default() => secret_headers();
        /// What a line is.
        line: LokiLine = LokiLine::Json => choice();
        /// Whether ids and the logger are sent as structured metadata. Loki before version 3, or
        /// with a schema before v13, refuses it.
        metadata: bool = true => flag();
        /// How many records are pushed at once.
        batch_records: usize = 500 => count(1, 10_000);
        /// How many bytes of records are pushed at once. Loki takes 4 MiB a second by default.
        batch_bytes: usize = 1_048_576 => bytes(4 * KIB, 100 * MIB);
        /// How long a record waits for others to fill the batch.
        batch_wait: Duration = Duration::from_secs(1) => time(Duration::ZERO, MINUTE);
        /// Whether bodies of 1 KiB and more are compressed.
        gzip: bool = true => flag();
    }
}

choices! {
    /// What a line is.
    pub enum LokiLine: Json {
        /// the whole record, as in the files
        Json = "json",
        /// the message alone
        Message = "message",
    }
}
