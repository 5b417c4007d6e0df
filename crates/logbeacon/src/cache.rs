//! Cache: answers that are asked for again.
//!
//! Knows keys, bodies and the store's generation. An answer is used again only while nothing has
//! changed in the store, so it is never stale, neither for now nor after a deletion. It lives five
//! minutes at most; when room is short, what was not used for longest goes first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers by what was asked.
#[derive(Debug, Default)]
pub struct Cache {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    answers: HashMap<String, Answer>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Answer {
    body: String,
    generation: u64,
    made: Instant,
    used: u64,
}

/// How long an answer lives.
pub const TTL: Duration = Duration::from_secs(300);
/// What all answers may take.
const MAX_BYTES: usize = 32 << 20;
/// A larger answer is not kept.
const MAX_ANSWER_BYTES: usize = 1 << 20;

impl Cache {
    /// The answer to that key, if the store is as it was.
    pub fn get(&self, key: &str, generation: u64) -> Option<String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let used = held.uses;
        let answer = held.answers.get_mut(key)?;
        if answer.generation != generation || answer.made.elapsed() >= TTL {
            held.remove(key);
            return None;
        }
        answer.used = used;
        Some(answer.body.clone())
    }

    /// Keeps an answer that was made at that generation.
    pub fn put(&self, key: String, body: &str, generation: u64) {
        if body.len() > MAX_ANSWER_BYTES {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&key);
        held.bytes += key.len() + body.len();
        held.uses += 1;
        let (body, used) = (body.to_owned(), held.uses);
        held.answers.insert(key, Answer { body, generation, made: Instant::now(), used });
        while held.bytes > MAX_BYTES {
            let oldest = held.answers.iter().min_by_key(|(_, answer)| answer.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            held.remove(&key);
        }
    }
}

impl Held {
    fn remove(&mut self, key: &str) {
        if let Some((key, answer)) = self.answers.remove_entry(key) {
            self.bytes -= key.len() + answer.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_again_only_while_nothing_has_changed() {
        let cache = Cache::default();
        cache.put("a".to_owned(), "1", 7);
        assert_eq!(cache.get("a", 7).as_deref(), Some("1"));
        assert_eq!(cache.get("b", 7), None);
        assert_eq!(cache.get("a", 8), None);
        assert_eq!(cache.get("a", 7), None, "what is stale is gone");
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = Cache::default();
        let body = "x".repeat(MAX_ANSWER_BYTES);
        for number in 0..40 {
            cache.put(number.to_string(), &body, 1);
            assert!(cache.get("0", 1).is_some());
        }
        assert!(cache.get("39", 1).is_some());
        assert_eq!(cache.get("1", 1), None);
        assert!(cache.held.lock().unwrap().bytes <= MAX_BYTES);
    }
}
