//! Options: what is masked, and how large a record may be.

use logwell_options::section;
use logwell_options::units::MIB;
use logwell_options::value::{bytes, count, flag, text};

section! {
    /// Masking of your program's secrets, before anything is written or sent.
    ///
    /// The log call writes `(secret)` in their place, so that no queue, black box, file or server
    /// ever has them. In records, spans and contexts alike; `unified: false` masks nothing.
    pub struct RedactConfig {
        /// Whether anything is masked.
        enabled: bool = true => flag();
        /// Names of fields whose values are masked, separated by commas, in addition to the known
        /// ones: password, passwd, passphrase, passcode, db_pass, secret, token, api_key,
        /// access_key, account_key, auth_key, master_key, secret_key, private_key, encryption_key,
        /// signing_key, authorization, cookie, credential, jwt, cvv, card_number and the like. The
        /// last words of a name count, in any spelling: `api_key` masks `x-api-key` too. Values
        /// that are true or false are not masked, nor numbers of a token, cookie or secret.
        fields: String = String::new() => text(4_096);
        /// Names of fields that are not masked although they end like a masked one, such as
        /// `page_token`.
        keep: String = String::new() => text(4_096);
        /// Whether to mask secrets in text: messages, text fields, errors, `Debug` output.
        /// Detects the values of those names (`password=…`, `"token": "…"`, `--password …`, and the
        /// like in headers, connection strings, XML, queries), signatures and passwords in URLs,
        /// `Bearer` and `Basic` credentials, JWTs, private keys, and keys of AWS, GitHub, GitLab,
        /// Google, Hugging Face, npm, OpenAI, Slack, Stripe and Telegram.
        texts: bool = true => flag();
    }
}

section! {
    /// How large a record may be. Longer values are cut, and the record says so.
    pub struct Limits {
        /// How long the value of one field may be, in bytes.
        field_bytes: usize = 64 * 1024 => bytes(64, 16 * MIB);
        /// How long a record may be, in bytes. Not below field_bytes.
        record_bytes: usize = 256 * 1024 => bytes(64, 64 * MIB);
        /// How long the value of one field of an AI record may be, in bytes.
        ai_field_bytes: usize = 1024 * 1024 => bytes(64, 16 * MIB);
        /// How long an AI record may be, in bytes. Not below ai_field_bytes.
        ai_record_bytes: usize = 4 * 1024 * 1024 => bytes(64, 64 * MIB);
        /// How many fields of a record are kept.
        fields: usize = 128 => count(1, 250);
        /// How many spans around a record are written: half from the root, half to the leaf.
        spans: usize = 64 => count(1, 1_000);
        /// How many sources of an error are followed.
        error_sources: usize = 16 => count(1, 1_000);
    }
}
