//! Frames: a stream of bytes → syslog messages. Octet counting and lines (RFC 6587).
//!
//! Pure: bytes in, messages out. Knows no socket. Memory is bounded by one message.

/// Splits what a TCP connection carries into messages. Each message may be framed either way, which
/// its first byte tells: a digit begins a length, anything else a line.
#[derive(Debug)]
pub struct Frames {
    max_bytes: usize,
    message: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Before a message.
    Start,
    /// In the digits of a length.
    Length(usize),
    /// In a message with that many bytes left.
    Counted(usize),
    /// In a line.
    Line,
}

impl Frames {
    /// Longer messages are cut to `max_bytes`, and what is cut off is skipped.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, message: Vec::new(), state: State::Start }
    }

    /// Takes bytes, and hands over each message that they complete.
    pub fn push(&mut self, bytes: &[u8], mut hand_over: impl FnMut(Vec<u8>)) {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            match self.state {
                State::Start => match first {
                    b'1'..=b'9' => self.state = State::Length(0),
                    b'\n' | b'\r' | b'\0' | b' ' => rest = after,
                    _ => self.state = State::Line,
                },
                State::Length(length) => match first {
                    b'0'..=b'9' if length <= MAX_LENGTH => {
                        self.message.push(*first);
                        self.state = State::Length(length * 10 + usize::from(first - b'0'));
                        rest = after;
                    }
                    b' ' => {
                        self.message.clear();
                        self.state = State::Counted(length);
                        rest = after;
                    }
                    // Digits without a blank are the beginning of a line.
                    _ => self.state = State::Line,
                },
                State::Counted(left) => {
                    let (taken, after) = rest.split_at_checked(left).unwrap_or((rest, &[]));
                    self.keep(taken);
                    rest = after;
                    self.state = State::Counted(left - taken.len());
                    if left == taken.len() {
                        self.finish(&mut hand_over);
                    }
                }
                State::Line => match memchr::memchr(b'\n', rest) {
                    Some(end) => {
                        let (taken, after) = rest.split_at(end);
                        self.keep(taken);
                        rest = after;
                        self.finish(&mut hand_over);
                    }
                    None => {
                        self.keep(rest);
                        rest = &[];
                    }
                },
            }
        }
    }

    /// The connection has ended: hands over what is left, which may be part of a message.
    pub fn end(&mut self, mut hand_over: impl FnMut(Vec<u8>)) {
        if !self.message.is_empty() {
            self.finish(&mut hand_over);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.max_bytes.saturating_sub(self.message.len());
        self.message.extend(bytes.iter().take(room));
    }

    fn finish(&mut self, hand_over: &mut impl FnMut(Vec<u8>)) {
        hand_over(std::mem::take(&mut self.message));
        self.state = State::Start;
    }
}

/// A longer length is no length, but a line of digits.
const MAX_LENGTH: usize = 99_999_999;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]], max_bytes: usize) -> Vec<String> {
        let mut frames = Frames::new(max_bytes);
        let mut messages = Vec::new();
        let mut take = |message: Vec<u8>| messages.push(String::from_utf8(message).unwrap());
        for chunk in chunks {
            frames.push(chunk, &mut take);
        }
        frames.end(&mut take);
        messages
    }

    #[test]
    fn both_ways_of_framing_may_alternate() {
        let bytes = b"5 <1>a\n<2>b c\r\n\n3 <3>7<4>";
        assert_eq!(split(&[bytes], 100), ["<1>a\n", "<2>b c\r", "<3>", "7<4>"]);
    }

    #[test]
    fn a_long_message_is_cut_and_the_next_one_is_whole() {
        assert_eq!(split(&[b"9 123456789<abcdefgh\n<x"], 4), ["1234", "<abc", "<x"]);
    }

    proptest! {
        #[test]
        fn cuts_between_chunks_change_nothing(
            bytes in "[0-9 <>a\n]{0,40}",
            at in 0_usize..40,
        ) {
            let (a, b) = bytes.as_bytes().split_at(at.min(bytes.len()));
            prop_assert_eq!(split(&[a, b], 20), split(&[bytes.as_bytes()], 20));
        }

        #[test]
        fn counted_messages_come_back(
            messages in proptest::collection::vec("[a-z\n 0-9]{1,20}", 0..6),
        ) {
            let bytes: String =
                messages.iter().map(|text| format!("{} {text}", text.len())).collect();
            prop_assert_eq!(split(&[bytes.as_bytes()], 100), messages);
        }
    }
}
