//! Options: the section `forward.otlp`.

use crate::forward::delivery::destination_section;
use crate::forward::headers::secret_headers;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, flag, secret, secret_url, time};
use std::time::Duration;

destination_section! {
    /// A collector, or another server that takes logs over OTLP/HTTP.
    ///
    /// The body is protobuf. Records have the attributes that the schema `otel` has in files.
    pub struct OtlpConfig from Info {
        /// The URL of the server, such as `https://otel.example.com:4318`; `/v1/logs` is added.
        url: Secret = Secret::default() => secret_url();
        /// The token of `Authorization: Bearer`. Empty: none is sent.
        token: Secret = Secret::default() => secret();
        /// More headers, as `name=value,name=value`; commas in a value are written `%2C`.
        headers: Secret = Secret::default() => secret_headers();
        /// How many records are posted at once.
        batch_records: usize = 500 => count(1, 10_000);
        /// How many bytes of records are posted at once, before they become protobuf.
        batch_bytes: usize = 2_097_152 => bytes(4 * KIB, 100 * MIB);
        /// How long a record waits for others to fill the batch.
        batch_wait: Duration = Duration::from_secs(1) => time(Duration::ZERO, MINUTE);
        /// Whether bodies of 1 KiB and more are compressed.
        gzip: bool = true => flag();
    }
}
