//! Options: the section `forward.sentry`.

use super::dsn::secret_dsn;
use crate::forward::delivery::destination_section;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, flag, time};
use std::time::Duration;

destination_section! {
    /// Sentry, or a server that takes its envelopes: each record is an event.
    pub struct SentryConfig from Error {
        /// The project's DSN, such as `https://key@sentry.example.com/7`.
        dsn: Secret = Secret::default() => secret_dsn();
        /// Whether the fields of records are sent, as they are in the files.
        fields: bool = true => flag();
    }
}
