//! Sent: the numbers of the records of a boot that a log server should have.
//!
//! Knows levels and logwell's own records. Does not know servers: `against.rs` asks one.

/// The numbers of records of a level or above, but for logwell's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    pub(super) from: Option<logwell::Level>,
    pub(super) ranges: Vec<(u64, u64)>,
    /// There were more than are kept.
    pub(super) is_cut: bool,
}

impl Sent {
    pub(super) fn note(&mut self, seq: u64, level: Option<logwell::Level>) {
        let Some(from) = self.from else { return };
        if level.is_some_and(|level| level < from) {
            return;
        }
        let has_room = self.ranges.len() < MAX_SENT;
        match self.ranges.last_mut() {
            Some((_, last)) if *last + 1 == seq => *last = seq,
            _ if has_room => self.ranges.push((seq, seq)),
            _ => self.is_cut = true,
        }
    }
}

/// Ranges of numbers to compare with a server, in one boot: 64 MiB.
const MAX_SENT: usize = 4 << 20;
