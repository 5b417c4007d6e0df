//! Distinct: how many different values there are; exact while they are few, then an estimate.
//!
//! Values are hashed to 64 bits by XXH3, which is the same everywhere, so that partial results of
//! other processes merge too. The estimate is HyperLogLog (Flajolet and others, 2007).

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64;

/// So many bits of the hash choose the register.
const BITS: u32 = 14;
const REGISTERS: usize = 1 << BITS;

/// The values of a group: their hashes, or the registers that have taken them in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distinct {
    /// That two of 65 536 values share a hash has a chance of 1 in 8 billion.
    hashes: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// For each register the most leading zeros that were seen, and one.
    registers: Option<Box<[u8]>>,
}

/// The hasher of what is a hash already.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Distinct {
    /// Adds a value by its bytes; up to `exact` values are kept themselves.
    pub(crate) fn add(&mut self, value: &[u8], exact: usize) {
        self.add_hash(xxh3_64(value), exact);
    }

    fn add_hash(&mut self, hash: u64, exact: usize) {
        if let Some(registers) = &mut self.registers {
            return note(registers, hash);
        }
        self.hashes.insert(hash);
        if self.hashes.len() > exact {
            self.registers();
        }
    }

    pub(crate) fn merge(&mut self, other: Self, exact: usize) {
        match other.registers {
            None => other.hashes.into_iter().for_each(|hash| self.add_hash(hash, exact)),
            Some(others) => {
                let mine = self.registers();
                mine.iter_mut().zip(others).for_each(|(mine, other)| *mine = other.max(*mine));
            }
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.registers.is_none()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.hashes.capacity() * 9 + self.registers.as_ref().map_or(0, |registers| registers.len())
    }

    pub(crate) fn count(&self) -> u64 {
        self.registers.as_deref().map_or(self.hashes.len() as u64, estimate)
    }

    fn registers(&mut self) -> &mut [u8] {
        let hashes = std::mem::take(&mut self.hashes);
        self.registers.get_or_insert_with(|| {
            let mut registers = vec![0; REGISTERS].into_boxed_slice();
            hashes.iter().for_each(|hash| note(&mut registers, *hash));
            registers
        })
    }
}

fn note(registers: &mut [u8], hash: u64) {
    let at = usize::try_from(hash >> (64 - BITS)).unwrap_or(0);
    let zeros = (hash << BITS | 1 << (BITS - 1)).leading_zeros() + 1;
    if let (Some(register), Ok(zeros)) = (registers.get_mut(at), u8::try_from(zeros)) {
        *register = zeros.max(*register);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an estimate is far below 2^63")]
#[expect(clippy::cast_sign_loss, reason = "it is not negative")]
#[expect(clippy::cast_precision_loss, reason = "registers are few")]
fn estimate(registers: &[u8]) -> u64 {
    let count = registers.len() as f64;
    let sum: f64 = registers.iter().map(|zeros| 0.5_f64.powi(i32::from(*zeros))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
    let empty = registers.iter().filter(|zeros| **zeros == 0).count();
    // While many registers are empty, how many there are tells more.
    let found = match empty > 0 && raw <= 2.5 * count {
        true => count * (count / empty as f64).ln(),
        false => raw,
    };
    found.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(range: std::ops::Range<u64>, exact: usize) -> Distinct {
        let mut distinct = Distinct::default();
        range.for_each(|n| distinct.add(n.to_string().as_bytes(), exact));
        distinct
    }

    #[test]
    fn few_values_are_counted_exactly_and_many_within_three_percent() {
        assert_eq!(counted(0..1000, 1000).count(), 1000);
        for n in [1_001, 10_000, 40_000, 100_000, 400_000] {
            let distinct = counted(0..n, 1000);
            assert!(!distinct.is_exact());
            let (found, n) = (distinct.count() as f64, n as f64);
            assert!((found - n).abs() / n < 0.03, "{found} for {n}"); // four standard errors
        }
    }

    #[test]
    fn merged_parts_count_what_the_whole_counts() {
        for exact in [0, 500, 5_000] {
            let mut merged = counted(0..900, exact);
            merged.merge(counted(600..1500, exact), exact);
            assert_eq!(merged.count(), counted(0..1500, exact).count());
        }
    }
}
