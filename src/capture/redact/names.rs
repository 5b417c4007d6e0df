//! Names: which names say that their value is a secret.
//!
//! A name is taken apart into words (`x-api-key`, `apiKey` and `API_KEY` are three spellings of
//! one), and the last of them decide: `db.password` and `newPassword` are secrets,
//! `password_length` is not. Knows no values.

/// Names that are secret by default.
const KNOWN: &str = "\
    password, passwords, passwd, passphrase, passcode, db_pass, user_pass, smtp_pass, \
    mail_pass, default_pass, redis_pass, mysql_pass, postgres_pass, mongo_pass, admin_pass, \
    root_pass, ldap_pass, ftp_pass, ssh_pass, become_pass, sudo_pass, rediscli_auth, \
    key_pass, store_pass, db_pwd, user_pwd, admin_pwd, root_pwd, mysql_pwd, secret, secrets, \
    client_secret, secret_key_base, token, access_token, auth_token, refresh_token, \
    session_token, api_key, api_keys, access_key, account_key, auth_key, master_key, \
    secret_key, private_key, encryption_key, signing_key, shared_key, subscription_key, \
    functions_key, storage_key, authorization, cookie, cookies, credential, credentials, \
    jwt, amz_signature, goog_signature, shared_access_signature, cvv, cvc, card_number, \
    preshared_key, pre_shared_key, psk, jsessionid, phpsessid";

/// Names that are secret in a text, if the value looks like one: `Pwd=x;` is, `PWD=/home` is not.
const IN_TEXTS: &str = "pwd, sig, signature, pass";

/// Names that end like a secret and are none.
const KEPT: &str = "\
    max_token, first_token, last_token, bos_token, eos_token, pad_token, unk_token, \
    sep_token, stop_token, per_token, mask_token, cls_token, end_token, start_token, \
    special_token, next_token, image_pull_secret, image_pull_secrets, pull_secrets";

/// No word of a language ends so: it is found in `PGPASSWORD` too.
const ENDING: &[u8] = b"password";

/// Before or behind them there may be a name, which counts.
const BESIDE_A_NAME: [&[u8]; 2] = [b"value", b"name"];

/// Which names are secret, and which are not though they end like one.
#[derive(Debug)]
pub(super) struct Names {
    /// Letters and digits of each, in lower case, with what it says; those of one length together.
    known: Vec<Vec<(Box<[u8]>, Means)>>,
    /// With which last letters one of them ends: this rules most names out at a glance.
    endings: Box<[bool; ENDINGS]>,
}

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Plain,
    /// A secret, in a text, if it looks like one.
    SecretInText,
    Secret,
}

impl Names {
    /// Those of the two lists, separated by commas, besides those that are known.
    pub(super) fn new(more: &str, keep: &str) -> Self {
        let mut names = Self { known: Vec::new(), endings: Box::new([false; ENDINGS]) };
        let known = [(IN_TEXTS, Means::SecretInText), (KNOWN, Means::Secret), (KEPT, Means::Plain)];
        let own = [(more, Means::Secret), (keep, Means::Plain)];
        for (list, means) in known.into_iter().chain(own) {
            list.split(',').for_each(|name| names.add(name, means));
        }
        BESIDE_A_NAME.iter().for_each(|word| names.has_ending(word));
        names
    }

    fn add(&mut self, name: &str, means: Means) {
        let letters = trimmed(name.as_bytes()).iter().filter(|byte| is_letter(byte));
        let letters: Box<[u8]> = letters.map(u8::to_ascii_lowercase).collect();
        if letters.is_empty() {
            return;
        }
        if means != Means::Plain {
            self.has_ending(&letters);
        }
        if self.known.len() <= letters.len() {
            self.known.resize(letters.len() + 1, Vec::new());
        }
        let Some(same_len) = self.known.get_mut(letters.len()) else { return };
        // What comes later says better.
        same_len.retain(|(known, _)| *known != letters);
        same_len.push((letters, means));
    }

    fn has_ending(&mut self, letters: &[u8]) {
        // Before those of a short name there may be any letter.
        let (first, count) = ending(letters);
        let others = 1 << (LETTER_BITS * (ENDING_LETTERS - count));
        self.endings.iter_mut().skip(first).take(others).for_each(|ends| *ends = true);
    }

    /// Whether the value of that name is a secret.
    #[inline]
    pub(super) fn is_secret(&self, name: &[u8]) -> bool {
        self.may_be_secret(name) && self.means(trimmed(name)) == Means::Secret
    }

    /// The same for a name in a text, where values are looked at that are secrets sometimes.
    #[inline]
    pub(super) fn is_secret_in_text(&self, name: &[u8]) -> bool {
        // `user=bob&pass=x`, but `proxy_pass` of nginx is an address.
        let is_part_of_pass = |name: &[u8]| {
            let (lead, last) = name.split_at(name.len().saturating_sub("pass".len()));
            last.eq_ignore_ascii_case(b"pass") && !matches!(lead.last(), None | Some(b'.'))
        };
        let name = trimmed(name);
        self.may_be_secret(name)
            && match self.means(name) {
                Means::Plain => false,
                Means::SecretInText => !is_part_of_pass(name),
                Means::Secret => true,
            }
    }

    /// Whether it may be, by its ending; whatever is before the name.
    #[inline]
    pub(super) fn may_be_secret(&self, name: &[u8]) -> bool {
        let (ending, _) = ending(trimmed(name));
        self.endings.get(ending).is_some_and(|&ends| ends)
    }

    /// Whether that ends in three letters with which nothing ends that matters.
    #[inline]
    pub(super) fn rule_out(&self, text: &[u8]) -> bool {
        let Some(last) = text.last_chunk::<ENDING_LETTERS>() else { return false };
        let place = |ending, letter: &u8| ending << LETTER_BITS | usize::from(letter & 31);
        let ending = last.iter().rev().fold(0, place);
        last.iter().all(u8::is_ascii_alphabetic)
            && self.endings.get(ending).is_some_and(|&ends| !ends)
    }

    /// Goes through the words from the last; the most of them that are known decide.
    fn means(&self, name: &[u8]) -> Means {
        const MOST: usize = 64;
        let mut letters = [0; MOST];
        let mut start = MOST;
        let mut means = Means::Plain;
        for (at, byte) in name.iter().enumerate().rev() {
            if !is_letter(byte) {
                continue;
            }
            if start == 0 || MOST - start + 1 >= self.known.len() {
                break;
            }
            start -= 1;
            if let Some(slot) = letters.get_mut(start) {
                *slot = byte.to_ascii_lowercase();
            }
            let words = letters.get(start..).unwrap_or_default();
            if begins_word(name, at) || words == ENDING {
                let same_len = self.known.get(words.len()).into_iter().flatten();
                let known = same_len.into_iter().find(|(known, _)| **known == *words);
                means = known.map_or(means, |&(_, means)| means);
            }
        }
        means
    }
}

/// Without digits and signs at its end: `token2` is a token.
#[inline]
fn trimmed(name: &[u8]) -> &[u8] {
    let is_last = |byte: &u8| is_letter(byte) && !byte.is_ascii_digit();
    match name.last() {
        Some(last) if is_last(last) => name,
        _ => {
            let len = name.iter().rposition(is_last).map_or(0, |at| at + 1);
            name.get(..len).unwrap_or_default()
        }
    }
}

const ENDING_LETTERS: usize = 3;
/// Enough to tell letters apart, whatever their case.
const LETTER_BITS: usize = 5;
const ENDINGS: usize = 1 << (LETTER_BITS * ENDING_LETTERS);

/// Its last letters, the last one first, as a number, and how many there are.
#[inline]
fn ending(name: &[u8]) -> (usize, usize) {
    let letters = name.iter().rev().filter(|byte| is_letter(byte)).take(ENDING_LETTERS);
    let (ending, count) = letters.fold((0, 0), |(ending, count), letter| {
        (ending << LETTER_BITS | usize::from(letter & 31), count + 1)
    });
    (ending << (LETTER_BITS * (ENDING_LETTERS - count)), count)
}

/// Of any alphabet: what is not ASCII counts as a letter.
#[inline]
pub(super) fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Whether a word begins there: after a sign, or with a capital (`apiKey`, `APIKey`).
fn begins_word(name: &[u8], at: usize) -> bool {
    let is =
        |at: Option<usize>, is: fn(&u8) -> bool| at.and_then(|at| name.get(at)).is_some_and(is);
    let (before, after) = (at.checked_sub(1), at.checked_add(1));
    let is_capital = is(Some(at), u8::is_ascii_uppercase);
    !is(before, is_letter)
        || is_capital && !is(before, u8::is_ascii_uppercase)
        || is_capital && is(after, u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_secret(names: &Names, all: &[&str]) -> Vec<bool> {
        all.iter().map(|name| names.is_secret(name.as_bytes())).collect()
    }

    #[test]
    fn the_last_words_of_a_name_decide_in_any_spelling() {
        let names = Names::new("", "");
        let secret = [
            "password",
            "db.password",
            "newPassword",
            "PASSWORD",
            "user_password",
            "password2",
            "api_key",
            "apiKey",
            "APIKey",
            "x-api-key",
            "API_KEY",
            "apikey",
            "http.header.x_api_key",
            "authorization",
            "http.request.header.authorization",
            "proxy-authorization",
            "set-cookie",
            "Cookie",
            "accessToken",
            "refresh_token",
            "token",
            "jwt",
            "clientSecret",
            "aws.secret_access_key",
            "r#token",
            "token_1",
            "_password_",
            "PGPASSWORD",
            "dbpassword",
            "passwords",
            "DB_PASS",
            "RABBITMQ_DEFAULT_PASS",
            "MYSQL_PWD",
            "accesstoken",
            "X-Amz-Signature",
            "AccountKey",
        ];
        let plain = [
            "",
            "a",
            "_",
            "key",
            "primary_key",
            "keys",
            "tokens",
            "input_tokens",
            "password_length",
            "tokenizer",
            "secretary",
            "monkey",
            "user",
            "location",
            "version",
            "broken",
            "market",
            "password.is_set",
            "mycookie_jar",
            "NOPASSWD",
            "compass",
            "bypass",
            "test_pass",
            "unset",
            "7",
            "ключ",
        ];
        assert_eq!(are_secret(&names, &secret), [true; 36]);
        assert_eq!(are_secret(&names, &plain), [false; 26]);
    }

    #[test]
    fn names_can_be_added_and_kept_and_the_longest_that_is_known_decides() {
        let names = Names::new("iban, n\u{e4}he, Session-Id,", "page_token, cookie");
        let secret = ["iban", "customer.iban", "NÄHE", "nähe", "session_id", "sessionId", "token"];
        // A capital that is not ASCII is another letter.
        assert_eq!(are_secret(&names, &secret), [true, true, false, true, true, true, true]);
        let kept = ["page_token", "nextPageToken", "cookie", "set-cookie", "id", "sessions_id"];
        assert_eq!(are_secret(&names, &kept), [false; 6]);
        assert!(Names::new("", "password").is_secret(b"cookie"));
        // Short ones, and those whose last word is short or ends in digits.
        let names = Names::new("pw, x, plan_b, user_id, oauth2, 7", "");
        let secret =
            ["pw", "my_pw", "myPw", "x", "a.x", "plan_b", "planB", "user_id", "userId", "oauth2"];
        assert_eq!(are_secret(&names, &secret), [true; 10]);
        assert_eq!(are_secret(&names, &["w", "b", "id", "ax", "7", "floorplan"]), [false; 6]);
        assert_eq!(
            are_secret(&Names::new("", "password"), &["PGPASSWORD", "password"]),
            [false; 2]
        );
        assert_eq!(are_secret(&Names::new("", "pgpassword"), &["PGPASSWORD"]), [false]);
    }

    #[test]
    fn whatever_stands_before_or_in_front_of_a_secret_word_does_not_hide_it() {
        let names = Names::new("", "");
        for before in ["a", "x9", "long.".repeat(40).as_str(), "é", ".", "__"] {
            for between in ["_", "-", ".", "/", " "] {
                let name = format!("{before}{between}password");
                assert!(names.is_secret(name.as_bytes()), "{name}");
            }
        }
    }
}
