//! Mime: a digest as a mail.
//!
//! Knows the head of a mail and how text that is not ASCII gets into it. Pure, but for the time of
//! day. The body is base64, so that no line is too long and none can be taken for the end.

use crate::base::clock;
use crate::encode::options::ServiceConfig;
use crate::forward::digest::{Digest, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// So many characters of base64 are a line.
const LINE: usize = 76;
/// So many bytes are an encoded word, so that the first fits into a line with `Subject: `.
const WORD_BYTES: usize = 42;
/// A subject is for a list of mails.
const MAX_SUBJECT_CHARS: usize = 150;

/// What a mail is made of.
pub(super) struct Mail<'a> {
    /// The hash of the first record: equal for each attempt.
    pub(super) id: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
    pub(super) service: &'a ServiceConfig,
    pub(super) digest: &'a Digest,
}

impl Mail<'_> {
    /// The mail, with `\r\n` behind each line.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { id, from, to, service, digest } = self;
        let host = from.split_once('@').map_or("localhost", |(_, host)| host);
        let subject = text::headline(digest, service);
        let mut mail = format!(
            "From: <{from}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}@{host}>\r\n\
             Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            to.iter().map(|to| format!("<{to}>")).collect::<Vec<_>>().join(",\r\n "),
            encoded_words(&subject),
            clock::mail_date(clock::unix_ns()),
        );
        let body = BASE64.encode(self.body(&subject));
        for line in body.as_bytes().chunks(LINE) {
            mail += &String::from_utf8_lossy(line);
            mail += "\r\n";
        }
        mail.into_bytes()
    }

    fn body(&self, headline: &str) -> String {
        let mut body = format!("{headline}\r\n");
        for kind in &self.digest.kinds {
            body += &format!("\r\n{}\r\n", text::lines(kind).join("\r\n  "));
        }
        if let Some(others) = text::others(self.digest) {
            body += &format!("\r\n{others}\r\n");
        }
        body
    }
}

/// A text as words of a head (RFC 2047): plain if it is short ASCII.
fn encoded_words(text: &str) -> String {
    let text: String = text.chars().take(MAX_SUBJECT_CHARS).collect();
    let is_plain = text.len() <= 60 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain && !text.contains("=?") {
        return text;
    }
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars() {
        if word.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encode = |word: &String| format!("=?utf-8?B?{}?=", BASE64.encode(word));
    words.iter().map(encode).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_has_short_lines_of_ascii_and_says_in_base64_what_happened() {
        let message = format!("Störung <b>\r\n.\r\n {}", "x".repeat(300));
        let first = serde_json::json!({
            "timestamp": "t1", "level": "ERROR", "logger": "shop", "message": message,
        });
        let digest = serde_json::json!({
            "level": "ERROR", "records": 2, "others": 0,
            "kinds": [{ "count": 2, "last": "t2", "first": first }],
        });
        let digest = Digest::read(digest.to_string().as_bytes()).unwrap();
        let service = ServiceConfig { name: "shop".to_owned(), ..ServiceConfig::default() };
        let to = ["a@x".to_owned(), "b@y".to_owned()];
        let (from, service) = ("shop@example.com", &service);
        let mail = Mail { id: "9f2c", from, to: &to, service, digest: &digest }.to_bytes();
        let mail = String::from_utf8(mail).unwrap();
        assert!(mail.is_ascii());
        assert!(mail.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])));
        assert!(mail.contains("\r\nMessage-ID: <9f2c@example.com>\r\n"), "{mail}");
        assert!(mail.contains("\r\nTo: <a@x>,\r\n <b@y>\r\n"), "{mail}");
        let body = mail.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "");
        let body = String::from_utf8(BASE64.decode(body).unwrap()).unwrap();
        assert!(body.contains(r"ERROR shop: Störung <b>\r\n.\r\n xxx"), "{body}");
    }

    #[test]
    fn a_subject_is_plain_if_it_can_be_and_else_words_of_whole_characters() {
        assert_eq!(encoded_words("shop: no"), "shop: no");
        let words = encoded_words(&"ö".repeat(60));
        let words: Vec<_> = words.split("\r\n ").collect();
        let texts = words.iter().map(|word| {
            assert!(word.len() <= 75, "{word}");
            let inner = word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
            String::from_utf8(BASE64.decode(inner).unwrap()).unwrap()
        });
        assert_eq!(texts.collect::<String>(), "ö".repeat(60));
    }
}
