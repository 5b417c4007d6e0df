//! Inbox: dead letters that people have asked to be sent again.
//!
//! Knows the directory into which [`crate::dead_letters`] puts them. Does not know what is in a
//! message nor how it is sent. A file stays until each of its messages is settled, so that a kill
//! loses none: what was sent already comes again, with the same hash.

use super::message::{Message, NOT_SPOOLED};
use crate::base::selflog;
use crate::dead_letters::{self, Letter};
use logwell_options::secret::{MASK, Secret};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// The letters of one destination that are to be sent again.
pub(super) struct Inbox {
    dir: PathBuf,
    name: String,
    /// What letters have a mask for, and messages must have.
    hidden: Secret,
    /// The file whose messages are on their way, and how many are not settled.
    in_hand: Option<(PathBuf, usize)>,
    /// Files that are done and cannot be deleted: they must not be sent forever.
    done: HashSet<PathBuf>,
}

impl Inbox {
    /// That of the destination of that name, in the directory of the spools.
    pub(super) fn new(dir: &Path, name: &str, hidden: Secret) -> Self {
        let (in_hand, done) = (None, HashSet::new());
        let dir = dead_letters::inbox(dir, name);
        Self { dir, name: name.to_owned(), hidden, in_hand, done }
    }

    /// The messages of the oldest file. Each must be [settled](Self::settled) before the next file
    /// is given.
    pub(super) fn take(&mut self) -> Vec<Message> {
        if self.in_hand.is_some() {
            return Vec::new();
        }
        let Some(path) = self.oldest() else { return Vec::new() };
        match std::fs::read(&path) {
            Ok(bytes) => {
                let messages = self.messages(&bytes);
                self.in_hand = Some((path, messages.len()));
                if messages.is_empty() {
                    self.finish();
                }
                messages
            }
            Err(error) => {
                self.tell(&path, "read", &error);
                self.done.insert(path);
                Vec::new()
            }
        }
    }

    /// One of the messages has arrived, or is a dead letter again.
    pub(super) fn settled(&mut self) {
        if let Some((_, left)) = &mut self.in_hand {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.finish();
            }
        }
    }

    /// What is not settled is taken again.
    pub(super) fn rewind(&mut self) {
        self.in_hand = None;
    }

    fn finish(&mut self) {
        let Some((path, _)) = self.in_hand.take() else { return };
        if let Err(error) = std::fs::remove_file(&path) {
            self.tell(&path, "deleted", &error);
            self.done.insert(path);
        }
    }

    fn oldest(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(&self.dir).ok()?;
        let files = entries.flatten().map(|entry| entry.path());
        files.filter(|path| dead_letters::is_handed_over(path) && !self.done.contains(path)).min()
    }

    fn messages(&self, bytes: &[u8]) -> Vec<Message> {
        let letters = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        letters
            .filter_map(|line| Letter::parse(&self.name, line))
            .map(|it| self.message(it))
            .collect()
    }

    fn message(&self, letter: Letter) -> Message {
        let body = match self.hidden.is_empty() {
            true => letter.message,
            false => {
                let (masked, shown) =
                    (format!("\"{MASK}\""), format!("\"{}\"", self.hidden.reveal()));
                letter.message.replace(&masked, &shown)
            }
        };
        let Letter { id, records, .. } = letter;
        Message { id, body: body.into_bytes(), records, from: NOT_SPOOLED }
    }

    fn tell(&self, path: &Path, what: &str, error: &io::Error) {
        let kind =
            format!("{}: a file of dead letters to be sent again cannot be {what}", self.name);
        selflog::tell(&kind, &format_args!("{}: {error}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letters::{DeadLetters, LetterFile, Selection};

    fn letter(n: usize) -> String {
        format!(
            "{{\"refused_at\":\"2026-02-19T10:30:00Z\",\"why\":\"no\",\"id\":\"{n}\",\"records\":1,\
             \"message\":{{\"tg_token\":\"(secret)\",\"n\":{n}}}}}\n"
        )
    }

    #[test]
    fn a_file_stays_until_each_of_its_messages_is_settled_and_comes_again_after_a_kill() {
        let dir = tempfile::tempdir().unwrap();
        let file = LetterFile::new(dir.path(), "x");
        (0..3).for_each(|n| file.append(letter(n).as_bytes(), 1 << 20).unwrap());
        let dead = DeadLetters::open(dir.path()).unwrap();
        assert_eq!(dead.replay(&Selection::default()).unwrap(), 3);
        assert_eq!(dead.replay(&Selection::default()).unwrap(), 0);

        let mut inbox = Inbox::new(dir.path(), "x", Secret::new("12:ab"));
        assert_eq!(inbox.take().len(), 3);
        inbox.settled();
        // A kill: whoever starts next has them all again.
        let mut inbox = Inbox::new(dir.path(), "x", Secret::new("12:ab"));
        let messages = inbox.take();
        let ids: Vec<_> = messages.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids, ["0", "1", "2"]);
        assert_eq!(messages[1].body, br#"{"tg_token":"12:ab","n":1}"#);
        assert!(inbox.take().is_empty());
        (0..3).for_each(|_| inbox.settled());
        assert!(inbox.take().is_empty());
        assert_eq!(dir.path().join("x.replay").read_dir().unwrap().count(), 0);
    }
}
