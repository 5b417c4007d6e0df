//! After shutdown: a record that comes when logging has ended; ERROR and CRITICAL go to standard
//! error.
//!
//! Knows records and the line for people. Does not know why logging has ended. The record still
//! counts as dropped, since no sink has it.

use crate::base::clock;
use crate::base::selflog;
use crate::base::zone::TimeZone;
use crate::encode::Encode as _;
use crate::encode::text::{TextEncoder, TextOptions};
use crate::record::Record;
use crate::record::level::Level;

/// Writes it to standard error, if it is an ERROR or CRITICAL, and waits until it is there; not for
/// long, if nobody reads.
#[cold]
pub(crate) fn write(record: &mut Record) {
    if record.level() < Level::Error {
        return;
    }
    record.unix_ns = clock::unix_ns();
    let mut line = Vec::new();
    TextEncoder::new(TextOptions { color: false, zone: TimeZone::Utc }).encode(record, &mut line);
    selflog::to_stderr(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
}
