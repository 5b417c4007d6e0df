//! DeadLetters: what was refused for good, each with the reason, in bounded files for people.
//!
//! Knows messages and letters; where they lie is known by [`crate::dead_letters`]. Does not know
//! who refused.

use super::message::Message;
use crate::base::clock;
use crate::dead_letters::Letter;
use crate::dead_letters::LetterFile;
use logwell_options::secret::Secret;
use std::io;
use std::path::Path;

/// The files of what was refused. They are made with the first of them.
pub(crate) struct DeadLetters {
    name: String,
    file: LetterFile,
    max_bytes: u64,
    /// What is in the messages and only the other side is to see.
    hidden: Secret,
    /// Whether the last letter could not be written.
    is_stuck: bool,
}

impl DeadLetters {
    /// Those of the destination of that name; a file has at most so many bytes.
    pub(crate) fn new(dir: &Path, name: &str, (max_bytes, hidden): (u64, Secret)) -> Self {
        let (name, file) = (name.to_owned(), LetterFile::new(dir, name));
        Self { name, file, max_bytes, hidden, is_stuck: false }
    }

    /// Adds a message, and why it was refused. Older ones go when there is no room.
    pub(crate) fn write(&mut self, message: &Message, why: &str) -> io::Result<()> {
        let line = self.line(message, why);
        let written = self.file.append(line.as_bytes(), self.max_bytes);
        self.is_stuck = written.is_err();
        written
    }

    /// Whether the last letter could not be written: what is refused stays where it is.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// Has messages sent again by the next start. They are durable when it returns.
    pub(crate) fn put_off<'a>(
        &self,
        messages: impl Iterator<Item = &'a Message>,
    ) -> io::Result<()> {
        let lines: Vec<_> = messages.map(|message| self.line(message, "in doubt")).collect();
        if lines.is_empty() { Ok(()) } else { self.file.hand_over(&lines) }
    }

    fn line(&self, message: &Message, why: &str) -> String {
        Letter {
            destination: self.name.clone(),
            id: message.id.clone(),
            refused_at: clock::utc_text(clock::unix_ns()),
            why: why.to_owned(),
            records: message.records,
            message: self.hidden.scrub(&String::from_utf8_lossy(&message.body)),
        }
        .to_line()
    }

    /// Makes them durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_a_json_line_and_the_files_have_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logbeacon.dead");
        let mut dead = DeadLetters::new(dir.path(), "logbeacon", (4096, Secret::default()));
        assert!(!path.exists());
        for number in 0..1_000 {
            let body = format!("{{\"n\":{number}}}").into_bytes();
            let message = Message { id: String::new(), body, records: 1, from: number };
            dead.write(&message, "HTTP status 400: \"no\"\n").unwrap();
        }
        dead.sync().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["why"], "HTTP status 400: \"no\"\n");
        assert_eq!(last["message"]["n"], 999);
        let files: Vec<_> = dir.path().read_dir().unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|file| file.metadata().unwrap().len() <= 4096));
    }
}
