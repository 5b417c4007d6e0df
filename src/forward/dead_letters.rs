//! DeadLetters: what was refused for good, each with the reason, in a bounded file for people.
//!
//! Knows lines and a rotating file. Does not know who refused.

use super::message::Message;
use crate::base::clock;
use crate::encode::push_string;
use crate::rotate::{FileOptions, RotatingFile};
use logwell_options::secret::Secret;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

/// A file of what was refused: a JSON object a line. It is made with the first of them.
pub(crate) struct DeadLetters {
    path: PathBuf,
    max_bytes: u64,
    /// What is in the messages and only the other side is to see.
    hidden: Secret,
    file: Option<RotatingFile>,
}

impl DeadLetters {
    pub(crate) fn new(path: PathBuf, max_bytes: u64, hidden: Secret) -> Self {
        Self { path, max_bytes, hidden, file: None }
    }

    /// Adds a message, and why it was refused. Older ones go when there is no room.
    pub(crate) fn write(&mut self, message: &Message, why: &str) -> io::Result<()> {
        let now = Instant::now();
        let mut line = b"{\"refused_at\":".to_vec();
        push_string(&mut line, &clock::utc_text(clock::unix_ns()));
        line.extend_from_slice(b",\"why\":");
        push_string(&mut line, why);
        line.extend_from_slice(b",\"message\":");
        let body = self.hidden.scrub(&String::from_utf8_lossy(&message.body));
        line.extend_from_slice(body.as_bytes());
        line.extend_from_slice(b"}\n");
        let file = self.open()?;
        file.append(&line, now)?;
        file.flush(now).map_err(|not_written| not_written.error)
    }

    /// Makes it durable. What could not be written before is tried again.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.sync(Instant::now()).map_err(|not_written| not_written.error),
            None => Ok(()),
        }
    }

    fn open(&mut self) -> io::Result<&mut RotatingFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => RotatingFile::open(FileOptions {
                max_bytes: self.max_bytes,
                backup_count: 1,
                mode: 0o600,
                ..FileOptions::new(&self.path)
            })?,
        };
        Ok(self.file.insert(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_a_json_line_and_the_files_have_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logbeacon.dead");
        let mut dead = DeadLetters::new(path.clone(), 4096, Secret::default());
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
