//! Digests: SHA-256 of ids and tokens, random secrets, and comparison in constant time.
//!
//! The only file that names `ring`. Pure, but for the system's random numbers.

use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write as _;

/// SHA-256 of some bytes.
pub type Digest = [u8; 32];

/// SHA-256 of parts, each with its length before it: `["ab", "c"]` is not `["a", "bc"]`.
#[must_use]
pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The first 128 bits of a digest: the identity of a record.
#[must_use]
pub fn identity(digest: &Digest) -> u128 {
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Whether two digests are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn equal(a: &Digest, b: &Digest) -> bool {
    std::hint::black_box(a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b))) == 0
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of a hexadecimal text.
#[must_use]
pub fn from_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// Bytes that nobody can guess.
///
/// # Errors
///
/// The system has no random numbers.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// The system has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandom;

impl std::fmt::Display for NoRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system has no random numbers")
    }
}

impl std::error::Error for NoRandom {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_of_parts_count() {
        let of = |parts: &[&str]| of_parts(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
        assert!(equal(&of(&["a"]), &of(&["a"])) && !equal(&of(&["a"]), &of(&["b"])));
    }

    #[test]
    fn hexadecimal_comes_back_and_nothing_else_is_a_digest() {
        let digest = of_parts([&b"x"[..]]);
        assert_eq!(from_hex(&hex(&digest)), Some(digest));
        for bad in ["", "zz", &"z".repeat(64), &"é".repeat(32)] {
            assert_eq!(from_hex(bad), None);
        }
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
