//! Escape: text into a JSON string that no reader, terminal or line splitter can misread.
//!
//! Beyond what JSON asks for, DEL, the C1 controls, the line separators U+2028/2029 and the
//! bidirectional controls are written as `\uXXXX`: a log line must look like what it is.

/// What a byte means to [`push_escaped`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Escape,
    /// First byte of a sequence that may be one of those to escape.
    Look,
}

const fn class_of(byte: u8) -> Class {
    match byte {
        0..0x20 | b'"' | b'\\' | 0x7f => Class::Escape,
        0xc2 | 0xd8 | 0xe2 => Class::Look,
        _ => Class::Plain,
    }
}

/// Appends `text` as the inside of a JSON string.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let mut at = 0;
    loop {
        at += plain_run(bytes.get(at..).unwrap_or_default());
        let Some(&byte) = bytes.get(at) else { break };
        let class = class_of(byte);
        // `at` is a character boundary here: only first bytes have a class.
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        let next = at + character.len_utf8();
        if class == Class::Escape || must_escape(character) {
            out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
            push_escape(out, character);
            done = next;
        }
        at = next;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

/// How many bytes at the beginning are written as they are.
///
/// Eight at a time, since most texts are plain ASCII: this halves the cost of a line.
fn plain_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    while let Some(word) = bytes.get(run..).and_then(<[u8]>::first_chunk::<8>) {
        if !is_plain_ascii(u64::from_le_bytes(*word)) {
            break;
        }
        run += 8;
    }
    let rest = bytes.get(run..).unwrap_or_default();
    run + rest.iter().take_while(|byte| class_of(**byte) == Class::Plain).count()
}

/// Whether none of eight bytes is a control character, a quote, a backslash, DEL or beyond ASCII.
pub(crate) const fn is_plain_ascii(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The high bit of a byte becomes set where that byte equals `byte`; borrows reach only bytes
    // above one that is set already.
    const fn equals(word: u64, byte: u8) -> u64 {
        let zero_where_equal = word ^ (ONES * byte as u64);
        zero_where_equal.wrapping_sub(ONES) & !zero_where_equal
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let special = equals(word, b'"') | equals(word, b'\\') | equals(word, 0x7f);
    (word | control | special) & HIGHS == 0
}

fn push_escape(out: &mut Vec<u8>, character: char) {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            let code = u32::from(character);
            out.extend_from_slice(b"\\u");
            for shift in [12, 8, 4, 0] {
                let digit = HEX.get(((code >> shift) & 0xf) as usize);
                out.extend_from_slice(digit.map(std::slice::from_ref).unwrap_or_default());
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Whether a character must not reach a reader as it is: it could break the line, steer a terminal
/// or change the order in which text appears.
///
/// These are the control characters (C0, DEL, C1), the line and paragraph separators and the
/// controls of bidirectional text.
pub(crate) fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        push_escaped(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_comes_back_and_none_that_deceives_is_written_raw() {
        for character in (0..=0x0001_0fff).filter_map(char::from_u32) {
            let written = escaped(&format!("a{character}b"));
            let back: String = serde_json::from_str(&format!("\"{written}\"")).unwrap();
            assert_eq!(back, format!("a{character}b"));
            let raw = written.chars().any(must_escape);
            assert!(!raw, "{character:?} stands raw in {written:?}");
        }
    }

    #[test]
    fn eight_bytes_at_a_time_see_what_one_at_a_time_sees() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut word = *b"abcdefgh";
                word[place] = byte;
                let plain = class_of(byte) == Class::Plain && byte < 0x80;
                assert_eq!(is_plain_ascii(u64::from_le_bytes(word)), plain, "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn ordinary_text_of_all_scripts_is_left_as_it_is() {
        for text in ["plain", "größe", "日本語", "🦀", "عربى", "…–€"] {
            assert_eq!(escaped(text), text);
        }
        assert_eq!(escaped("a\"b\\c\nd\u{1b}[0m"), r#"a\"b\\c\nd\u001b[0m"#);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let back: String = serde_json::from_str(&format!("\"{}\"", escaped(&text))).unwrap();
            prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn exactly_the_known_characters_must_be_escaped() {
        let ranges = [
            0x00..=0x1f,
            0x7f..=0x9f,
            0x61c..=0x61c,
            0x200e..=0x200f,
            0x2028..=0x202e,
            0x2066..=0x2069,
        ];
        for c in '\0'..=char::MAX {
            let known = ranges.iter().any(|range| range.contains(&u32::from(c)));
            assert_eq!(must_escape(c), known, "{:?}", c.escape_unicode());
        }
    }
}
