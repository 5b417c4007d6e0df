//! Smtp: how a mail is handed over to a server.
//!
//! Knows commands and replies (RFC 5321), STARTTLS and signing in. Knows nothing of what is in a
//! mail, nor what a refusal means for it: a fault says at which step, with which code.

use super::socket::{Connector, Interrupt, Socket};
use crate::forward::email::options::EmailEncryption;
use crate::forward::http::shorten;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use logwell_options::secret::Secret;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

/// A line of a reply is not longer, and a reply has not more lines.
const MAX_LINE_BYTES: u64 = 2_048;
const MAX_LINES: usize = 128;

/// What was done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Greeting,
    Encryption,
    SignIn,
    Sender,
    Receiver,
    Data,
}

/// Why a mail was not handed over.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) step: Step,
    /// The server's code; none if it has said nothing.
    pub(super) code: Option<u16>,
    /// For people; the server's words may repeat what it was told.
    pub(super) why: String,
}

/// A conversation with a server, from the greeting on.
pub(super) struct Session {
    socket: BufReader<Socket>,
    /// What the server can do, a line each, in capitals.
    extensions: Vec<String>,
}

impl Session {
    /// Connects, and encrypts the connection as the connector says.
    pub(super) fn open(connector: &Connector, interrupt: &Interrupt) -> Result<Self, Fault> {
        let socket = connector.connect(interrupt);
        let socket = socket.map_err(|error| silent(Step::Greeting, &error))?;
        let (socket, extensions) = (BufReader::new(socket), Vec::new());
        let mut session = Self { socket, extensions };
        session.expect(Step::Greeting, 220)?;
        session.hello()?;
        if connector.encryption == EmailEncryption::Starttls {
            session = session.encrypt(connector)?;
            session.hello()?;
        }
        Ok(session)
    }

    fn encrypt(mut self, connector: &Connector) -> Result<Self, Fault> {
        if !self.has("STARTTLS") {
            let why = "the server does not offer STARTTLS".to_owned();
            return Err(Fault { step: Step::Encryption, code: Some(502), why });
        }
        self.command(Step::Encryption, "STARTTLS", 220)?;
        if !self.socket.buffer().is_empty() {
            // Somebody on the way wants this to be taken for an encrypted answer.
            let why = "the server speaks before the connection is encrypted".to_owned();
            return Err(Fault { step: Step::Encryption, code: Some(502), why });
        }
        let socket = connector.encrypt(self.socket.into_inner());
        let socket = socket.map_err(|error| silent(Step::Encryption, &error))?;
        Ok(Self { socket: BufReader::new(socket), extensions: Vec::new() })
    }

    fn hello(&mut self) -> Result<(), Fault> {
        let hello = format!("EHLO {}", self.socket.get_ref().own_address());
        let lines = self.command(Step::Greeting, &hello, 250)?;
        self.extensions = lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    fn has(&self, extension: &str) -> bool {
        self.extensions.iter().any(|line| line.split(' ').next() == Some(extension))
    }

    /// Signs in by PLAIN, or by LOGIN if the server offers nothing else.
    pub(super) fn sign_in(&mut self, user: &str, password: &Secret) -> Result<(), Fault> {
        let offers = |way: &str| {
            let auth = self.extensions.iter().find(|line| line.starts_with("AUTH"));
            auth.is_some_and(|line| line.split([' ', '=']).any(|offered| offered == way))
        };
        if !offers("PLAIN") && offers("LOGIN") {
            self.command(Step::SignIn, "AUTH LOGIN", 334)?;
            self.command(Step::SignIn, &BASE64.encode(user), 334)?;
            self.command(Step::SignIn, &BASE64.encode(password.reveal()), 235)?;
            return Ok(());
        }
        let pair = BASE64.encode(format!("\0{user}\0{}", password.reveal()));
        self.command(Step::SignIn, &format!("AUTH PLAIN {pair}"), 235)?;
        Ok(())
    }

    /// Says who sends the mail.
    pub(super) fn sender(&mut self, address: &str) -> Result<(), Fault> {
        self.command(Step::Sender, &format!("MAIL FROM:<{address}>"), 250).map(drop)
    }

    /// Says who is to have it. The session goes on if one is refused.
    pub(super) fn receiver(&mut self, address: &str) -> Result<(), Fault> {
        self.command(Step::Receiver, &format!("RCPT TO:<{address}>"), 250).map(drop)
    }

    /// Hands over the mail, whose lines end in `\r\n`. It is the server's when this returns.
    pub(super) fn data(&mut self, mail: &[u8]) -> Result<(), Fault> {
        self.command(Step::Data, "DATA", 354)?;
        let sent = self.write(&[&stuffed(mail), &b".\r\n"[..]].concat());
        sent.map_err(|error| silent(Step::Data, &error))?;
        self.expect(Step::Data, 250).map(drop)
    }

    /// Ends the session. The mail is the server's already: what it says now does not matter.
    pub(super) fn quit(mut self) {
        let _ = self.write(b"QUIT\r\n");
    }

    fn command(&mut self, step: Step, command: &str, code: u16) -> Result<Vec<String>, Fault> {
        let sent = self.write(&[command.as_bytes(), b"\r\n"].concat());
        sent.map_err(|error| silent(step, &error))?;
        self.expect(step, code)
    }

    /// Reads a reply of that class, such as 250 or 251: the lines without their code.
    fn expect(&mut self, step: Step, expected: u16) -> Result<Vec<String>, Fault> {
        let (code, lines) = self.reply().map_err(|error| silent(step, &error))?;
        match code / 100 == expected / 100 {
            true => Ok(lines),
            false => {
                let why = format!("SMTP status {code}: {}", shorten(&lines.join(" ")));
                Err(Fault { step, code: Some(code), why })
            }
        }
    }

    /// `250-first` … `250 last`.
    fn reply(&mut self) -> io::Result<(u16, Vec<String>)> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let mut line = Vec::new();
            (&mut self.socket).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let parts = line.split_at_checked(3).and_then(|(code, text)| {
                Some((code.parse().ok().filter(|code| (200..600).contains(code))?, text))
            });
            let Some((code, text)) = parts else {
                return Err(io::Error::other("the answer is no SMTP"));
            };
            lines.push(text.get(1..).unwrap_or_default().to_owned());
            if !text.starts_with('-') {
                return Ok((code, lines));
            }
        }
        Err(io::Error::other("the answer has no end"))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let socket = self.socket.get_mut();
        socket.write_all(bytes)?;
        socket.flush()
    }
}

/// A line that begins with a dot gets a second one.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len());
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        stuffed.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
        stuffed.extend_from_slice(line);
    }
    stuffed
}

fn silent(step: Step, error: &io::Error) -> Fault {
    let text = error.to_string();
    let advice = match text.contains("certificate") {
        true => "; check the server's certificate and forward.http.ca_file",
        false => "",
    };
    Fault { step, code: None, why: format!("{text}{advice}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_one_dot_is_not_the_end() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b\r\nc.d\r\n"), b"a\r\n..\r\n...b\r\nc.d\r\n");
    }
}
