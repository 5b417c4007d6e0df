//! Partial: what a server says of the records that it has rejected.
//!
//! Knows `ExportLogsServiceResponse` in protobuf. Pure; any bytes may come in, and what cannot be
//! read rejects nothing: the status has said that all is well.

/// The field `partial_success` of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PartialSuccess {
    /// How many records were rejected.
    pub(super) rejected: u64,
    /// Why, in the server's words.
    pub(super) message: String,
}

impl PartialSuccess {
    pub(super) fn read(answer: &[u8]) -> Self {
        let mut partial = Self::default();
        for field in Fields(answer) {
            let (1, Field::Bytes(inner)) = field else { continue };
            for field in Fields(inner) {
                match field {
                    // It is signed; below zero is nonsense.
                    (1, Field::Number(number)) => {
                        partial.rejected = u64::try_from(number.cast_signed()).unwrap_or_default();
                    }
                    (2, Field::Bytes(text)) => {
                        partial.message = String::from_utf8_lossy(text).into_owned();
                    }
                    _ => {}
                }
            }
        }
        partial
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message with their numbers, up to the first that cannot be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self, length: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.number()?;
        let field = match tag & 7 {
            0 => Field::Number(self.number()?),
            1 => self.bytes(8).map(|_| Field::Fixed)?,
            2 => {
                let length = self.number()?;
                Field::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Field::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_rejected_is_read_with_its_reason() {
        let answer = [0x0a, 6, 0x08, 2, 0x12, 2, b'n', b'o'];
        let expected = PartialSuccess { rejected: 2, message: "no".to_owned() };
        assert_eq!(PartialSuccess::read(&answer), expected);
        assert_eq!(PartialSuccess::read(b""), PartialSuccess::default());
        assert_eq!(PartialSuccess::read(&[0x0a, 0]), PartialSuccess::default());
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = PartialSuccess::read(&bytes);
        }
    }
}
