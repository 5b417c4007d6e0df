//! Bodies: unpacks what a request carries, within bounds.
//!
//! Knows encodings. Does not know HTTP's types, nor what a body means. A packed body that would
//! grow beyond the bound is given up at the bound: a bomb costs no more memory than an honest body.

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950; raw RFC 1951 is read too, since some senders mean that.
    Deflate,
    /// RFC 8878.
    Zstd,
    /// Snappy's block format, in which Loki's senders pack protocol buffers.
    Snappy,
}

impl Encoding {
    /// The encoding of a `Content-Encoding`; `None` if it is unknown.
    ///
    /// ```
    /// use logbeacon::body::Encoding;
    ///
    /// assert_eq!(Encoding::named("GZIP"), Some(Encoding::Gzip));
    /// assert_eq!(Encoding::named("br"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "zstd" => Self::Zstd,
            "snappy" => Self::Snappy,
            _ => return None,
        })
    }
}

/// Why a body cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than that many bytes, or would be when unpacked. HTTP status 413.
    TooLarge(usize),
    /// It is not packed as its header says. HTTP status 400.
    Damaged(String),
}

/// Unpacks a body, up to `max_bytes`.
///
/// # Errors
///
/// See [`BodyError`].
pub fn unpack(
    packed: &[u8],
    encoding: Encoding,
    max_bytes: usize,
) -> Result<Cow<'_, [u8]>, BodyError> {
    let unpacked = match encoding {
        Encoding::Identity => return within(packed, max_bytes).map(Cow::Borrowed),
        Encoding::Gzip => read(MultiGzDecoder::new(packed), max_bytes),
        Encoding::Deflate => match read(ZlibDecoder::new(packed), max_bytes) {
            Err(BodyError::Damaged(_)) => {
                read(flate2::read::DeflateDecoder::new(packed), max_bytes)
            }
            done => done,
        },
        Encoding::Zstd => zstd::Decoder::new(packed)
            .and_then(|mut decoder| {
                // A frame may ask for a window of gigabytes; 8 MiB is what RFC 8878 recommends.
                decoder.window_log_max(23)?;
                Ok(decoder)
            })
            .map_err(|error| BodyError::Damaged(error.to_string()))
            .and_then(|decoder| read(decoder, max_bytes)),
        Encoding::Snappy => unsnap(packed, max_bytes),
    };
    unpacked.map(Cow::Owned)
}

fn within(bytes: &[u8], max_bytes: usize) -> Result<&[u8], BodyError> {
    if bytes.len() > max_bytes { Err(BodyError::TooLarge(max_bytes)) } else { Ok(bytes) }
}

fn read(packed: impl Read, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    packed
        .take(max_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| BodyError::Damaged(error.to_string()))?;
    within(&bytes, max_bytes)?;
    Ok(bytes)
}

fn unsnap(packed: &[u8], max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let damaged = |error: snap::Error| BodyError::Damaged(error.to_string());
    let length = snap::raw::decompress_len(packed).map_err(damaged)?;
    if length > max_bytes {
        return Err(BodyError::TooLarge(max_bytes));
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<(Encoding, Vec<u8>)> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(bytes).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(bytes).unwrap();
        vec![
            (Encoding::Identity, bytes.to_vec()),
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Deflate, raw.finish().unwrap()),
            (Encoding::Zstd, zstd::encode_all(bytes, 1).unwrap()),
            (Encoding::Snappy, snap::raw::Encoder::new().compress_vec(bytes).unwrap()),
        ]
    }

    #[test]
    fn every_encoding_is_unpacked_up_to_the_bound_and_not_beyond() {
        let text = b"a line of a log\n".repeat(1000);
        for (encoding, body) in packed(&text) {
            assert_eq!(unpack(&body, encoding, text.len()).as_deref(), Ok(&text[..]));
            let bound = text.len() - 1;
            assert_eq!(unpack(&body, encoding, bound), Err(BodyError::TooLarge(bound)));
        }
    }

    #[test]
    fn a_bomb_is_given_up_at_the_bound() {
        for (encoding, body) in packed(&vec![0; 64 << 20]) {
            assert_eq!(unpack(&body, encoding, 1 << 20), Err(BodyError::TooLarge(1 << 20)));
        }
    }

    #[test]
    fn a_torn_body_is_damaged() {
        for (encoding, body) in packed(&b"a line of a log\n".repeat(100)) {
            if encoding != Encoding::Identity {
                let torn = &body[..body.len() / 2];
                assert!(matches!(unpack(torn, encoding, 1 << 20), Err(BodyError::Damaged(_))));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for (encoding, _) in packed(b"") {
                let _any = unpack(&bytes, encoding, 1000);
            }
        }
    }
}
