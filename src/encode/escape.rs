//! Escape: text into a JSON string that no reader, terminal or line splitter can misread.
//!
//! Beyond what JSON asks for, DEL, the C1 controls, the line separators U+2028/2029 and the
//! bidirectional controls are written as `\uXXXX`: a log line must look like what it is.

use crate::encode::must_escape;

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
    while let Some(&byte) = bytes.get(at) {
        let class = class_of(byte);
        if class == Class::Plain {
            at += 1;
            continue;
        }
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
}
