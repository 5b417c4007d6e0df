//! Fuzz: any bytes, for the fuzzer alone: whatever is on a disk, reading it ends and never panics.
//!
//! Checksums would keep the fuzzer out, so it enters behind them.

use crate::embedded::fuzz_manifest;
use crate::journal::fuzz_scan;
use crate::packed::Packed;
use crate::part::fuzz_part;

/// Reads bytes as what the first of them says.
///
/// # Panics
///
/// When reading panics, which is what the fuzzer looks for.
pub fn fuzz(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => {
            if let Some(packed) = Packed::parse(bytes.to_vec(), usize::from(*kind) / 4) {
                assert_eq!(packed.rows().count(), packed.len(), "rows that were parsed are there");
            }
        }
        1 => fuzz_scan(bytes),
        2 => fuzz_manifest(bytes),
        _ => fuzz_part(bytes),
    }
}
