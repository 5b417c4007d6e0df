//! Options: the section `forward.slack`.

use crate::forward::delivery::destination_section;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, flag, secret_url, time};
use std::time::Duration;

destination_section! {
    /// A channel of Slack, or of another chat that takes its incoming webhooks.
    ///
    /// Records of some seconds are one message, those of one kind a line with their number.
    pub struct SlackConfig from Error {
        /// The URL of the incoming webhook. Who has it can write to the channel.
        url: Secret = Secret::default() => secret_url();
        /// How long to collect records for one message, from the first on.
        batch_wait: Duration = Duration::from_secs(10) => time(Duration::ZERO, HOUR);
        /// How many messages may be sent in a minute. Slack's own limit is one a second.
        per_minute: u32 = 30 => count(1, 60);
    }
}
