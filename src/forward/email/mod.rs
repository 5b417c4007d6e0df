//! Email: digests by mail.
//!
//! Knows when a mail is sent and what its refusal means. `mime.rs` knows what it looks like,
//! `smtp.rs` how it is handed over, `socket.rs` how the connection is encrypted.

mod mime;
pub(crate) mod options;
mod smtp;
mod socket;

use super::batches::BatchSize;
use super::destination::Destination;
use super::digest::{Digest, Digests};
use super::exchange::{Exchange, InBatches, Verdict};
use super::hashed::Hashed;
use super::message::Message;
use super::transport::Stop;
use crate::base::error::Error;
use crate::base::selflog;
use crate::encode::json::JsonEncoder;
use crate::encode::options::ServiceConfig;
use crate::forward::ForwardSetup;
use crate::forward::email::options::EmailConfig;
use crate::forward::outcome::Outcome;
use logwell_options::secret::Secret;
use mime::Mail;
use smtp::{Fault, Session, Step};
use socket::{Connector, Interrupt};

/// The name of the destination and of its sink.
pub(crate) const NAME: &str = "email";

/// The destination that the configuration asks for.
///
/// # Errors
///
/// The file of certificates cannot be read.
pub(super) fn destination(setup: &ForwardSetup<'_>) -> Result<Destination, Error> {
    let config = &setup.forward.email;
    let delivery = config.delivery();
    let connector = Connector::new(config, &setup.forward.http.ca_file)?;
    let address = format!("smtp://{}:{}", config.host, config.port);
    let mailbox = Mailbox {
        connector,
        interrupt: Interrupt::default(),
        service: setup.service(),
        user: config.user.clone(),
        password: config.password.clone(),
        from: config.from.clone(),
        to: receivers(config).map(str::to_owned).collect(),
    };
    let render = Hashed::new(JsonEncoder::new(setup.json(delivery.max_bytes)));
    let transport = InBatches::new(mailbox, BatchSize::SINGLE);
    let destination = Destination::new(NAME, render, Digests::new(config.batch_wait), transport);
    Ok(destination.address(address).at_once(1).bounded(&delivery))
}

/// The receivers' addresses.
pub(super) fn receivers(config: &EmailConfig) -> impl Iterator<Item = &str> {
    config.to.split(',').map(str::trim).filter(|address| !address.is_empty())
}

/// Whether it can be an address in a command: `name@host`, nothing that could end the command.
pub(super) fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && text.chars().all(is_plain)
}

/// Sends mails to some people.
struct Mailbox {
    connector: Connector,
    interrupt: Interrupt,
    service: ServiceConfig,
    user: String,
    password: Secret,
    from: String,
    to: Vec<String>,
}

impl Exchange for Mailbox {
    fn send(&mut self, batch: &[Message], _stop: &Stop) -> Verdict {
        let [message] = batch else { return Outcome::Doubtful { why: String::new() }.into() };
        let Some(digest) = Digest::read(&message.body) else {
            return Outcome::refused("it is no digest").into();
        };
        let mail = Mail {
            id: &message.id,
            from: &self.from,
            to: &self.to,
            service: &self.service,
            digest: &digest,
        };
        let outcome = match self.hand_over(&mail.to_bytes()) {
            Ok(()) => Outcome::Delivered,
            Err(fault) => judge(fault),
        };
        // A server may repeat what it was told.
        outcome.map_why(|why| self.password.scrub(&why)).into()
    }

    fn start(&mut self, stop: &Stop) {
        let interrupt = self.interrupt.clone();
        stop.at_deadline(move || interrupt.interrupt());
    }
}

impl Mailbox {
    fn hand_over(&self, mail: &[u8]) -> Result<(), Fault> {
        let mut session = Session::open(&self.connector, &self.interrupt)?;
        if !self.user.is_empty() {
            session.sign_in(&self.user, &self.password)?;
        }
        session.sender(&self.from)?;
        let (mut taken, mut last) = (0, None);
        for receiver in &self.to {
            match session.receiver(receiver) {
                Ok(()) => taken += 1,
                // The others are to have their mail all the same.
                Err(fault @ Fault { step: Step::Receiver, .. }) => last = Some((receiver, fault)),
                Err(fault) => return Err(fault),
            }
        }
        if let Some((receiver, fault)) = last {
            if taken == 0 {
                return Err(fault);
            }
            let kind = "email: a receiver is refused, and the others have their mail";
            selflog::tell(kind, &format_args!("{receiver}: {}", fault.why));
        }
        session.data(mail)?;
        session.quit();
        Ok(())
    }
}

/// Who is to blame: a code of 4 hundred passes, one of 5 hundred speaks of what it answers.
fn judge(Fault { step, code, why }: Fault) -> Outcome {
    match (code, step) {
        (None | Some(400..=499), _) => Outcome::retry(why),
        (_, Step::Greeting) => Outcome::retry(why),
        (_, Step::SignIn) => {
            Outcome::blocked(format!("{why}; check forward.email.user and password"))
        }
        (_, Step::Encryption) => Outcome::blocked(format!("{why}; check forward.email.encryption")),
        (_, Step::Sender) => Outcome::blocked(format!("{why}; check forward.email.from")),
        (_, Step::Receiver) => Outcome::blocked(format!("{why}; check forward.email.to")),
        // Too large: a shorter one would pass.
        (Some(552), Step::Data) => Outcome::refused(why),
        (_, Step::Data) => Outcome::Doubtful { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_blame_depends_on_the_code_and_on_what_it_answers() {
        let judge = |step, code| judge(Fault { step, code, why: "said so".to_owned() });
        let steps = [
            Step::Greeting,
            Step::Encryption,
            Step::SignIn,
            Step::Sender,
            Step::Receiver,
            Step::Data,
        ];
        for step in steps {
            assert!(matches!(judge(step, Some(451)), Outcome::Retry { .. }), "{step:?}");
            assert!(matches!(judge(step, None), Outcome::Retry { .. }), "{step:?}");
        }
        for step in [Step::Encryption, Step::SignIn, Step::Sender, Step::Receiver] {
            assert!(matches!(judge(step, Some(550)), Outcome::Blocked { .. }), "{step:?}");
        }
        assert!(matches!(judge(Step::Greeting, Some(554)), Outcome::Retry { .. }));
        assert!(matches!(judge(Step::Data, Some(552)), Outcome::Refused { .. }));
        assert!(matches!(judge(Step::Data, Some(554)), Outcome::Doubtful { .. }));
    }

    #[test]
    fn an_address_cannot_end_a_command() {
        assert!(is_address("shop@example.com") && is_address("a.b+c@x"));
        for bad in ["", "shop", "@x", "a@", "a b@x", "a@x\r\nDATA", "a@x>", "a@b@c", "ä@x", "a,b@x"]
        {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
