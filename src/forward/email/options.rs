//! Options: the section `forward.email`.

use crate::forward::delivery::destination_section;
use crate::record::level::Level;
use logwell_options::choices;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, flag, secret, text, time};
use std::time::Duration;

destination_section! {
    /// People who receive digests by e-mail, through a server that takes mail (SMTP).
    ///
    /// There is one mail for the records of some minutes, never one for each.
    pub struct EmailConfig from Error {
        /// The server's host name.
        host: String = String::new() => text(253);
        /// Its port: 587 with `starttls`, 465 with `tls`.
        port: u16 = 587 => count(1, 65_535);
        /// How the connection is encrypted.
        encryption: EmailEncryption = EmailEncryption::Starttls => choice();
        /// The user to sign in as. Empty: nobody signs in.
        user: String = String::new() => text(320);
        /// The user's password.
        password: Secret = Secret::default() => secret();
        /// The sender's address, such as `shop@example.com`.
        from: String = String::new() => text(320);
        /// The receivers' addresses, with commas between them.
        to: String = String::new() => text(4_096);
        /// How long to collect records for one mail, from the first on.
        batch_wait: Duration = 5 * MINUTE => time(Duration::from_secs(1), 24 * HOUR);
    }
}

choices! {
    /// How the connection is encrypted.
    pub enum EmailEncryption: Starttls {
        /// it begins in the clear and is encrypted before anything is said: port 587
        Starttls = "starttls",
        /// from the first byte on: port 465
        Tls = "tls",
        /// not at all: for a server on this machine
        None = "none",
    }
}
