//! Host: processor, memory, disks, network and load of the own machine, as metrics.
//!
//! Knows: Linux's files, and what a container may use of a machine. Must not know: rules. In: those
//! files; out: metrics.

mod counters;
mod linux;
mod metrics;

pub use counters::{Cgroup, CpuTime, Memory, Mount, Snapshot, Traffic};
pub use linux::Linux;
pub use metrics::{Looks, metrics};
