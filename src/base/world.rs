//! World: what a pipeline has instead of the machine, as one value that the builder hands on.
//!
//! Knows the clock and who does the work of other threads. Knows nothing of what they are used for.

use crate::base::background::Hands;
use crate::base::clock::Clock;

/// The machine by default; parts of it are a test's.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) hands: Hands,
}
