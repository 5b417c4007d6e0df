//! Sessions: who has logged in to the page.
//!
//! In memory only: a restart logs everybody out. What is kept is a digest, so neither a dump nor a
//! log has a cookie that works. A session ends when its token is revoked.

use crate::digest::{self, Digest, NoRandom};
use crate::token::{Grant, Tokens};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The sessions of a server.
#[derive(Debug)]
pub struct Sessions {
    tokens: Arc<Tokens>,
    sessions: Mutex<HashMap<Digest, Session>>,
}

#[derive(Debug)]
struct Session {
    grant: Grant,
    until: Instant,
}

/// How long a session lives.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Sessions at most; the one that ends first makes room.
const MAX_SESSIONS: usize = 10_000;

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(tokens: Arc<Tokens>) -> Self {
        Self { tokens, sessions: Mutex::default() }
    }

    /// Begins a session; its key is the cookie.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn begin(&self, grant: Grant) -> Result<String, NoRandom> {
        let key = digest::hex(&digest::random::<32>()?);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        sessions.retain(|_, session| session.until > now);
        if sessions.len() >= MAX_SESSIONS {
            let first = sessions.iter().min_by_key(|(_, session)| session.until);
            if let Some(first) = first.map(|(key, _)| *key) {
                sessions.remove(&first);
            }
        }
        sessions.insert(digest_of(&key), Session { grant, until: now + LIFETIME });
        Ok(key)
    }

    /// What a session allows: what its token allows now.
    pub fn grant(&self, key: &str) -> Option<Grant> {
        let digest = digest_of(key);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&digest)?;
        if session.until <= Instant::now() || !self.tokens.is_current(&session.grant) {
            sessions.remove(&digest);
            return None;
        }
        Some(session.grant.clone())
    }

    /// Ends a session.
    pub fn end(&self, key: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&digest_of(key));
    }
}

fn digest_of(key: &str) -> Digest {
    digest::of_parts([key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Scope, Token};

    #[test]
    fn a_session_ends_with_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Arc::new(Tokens::open(dir.path(), None).unwrap());
        let (token, secret) = Token::create("page", &[Scope::Read], None).unwrap();
        tokens.add(token).unwrap();
        let sessions = Sessions::new(Arc::clone(&tokens));
        let key = sessions.begin(tokens.grant(&secret).unwrap()).unwrap();
        assert!(sessions.grant(&key).unwrap().allows(Scope::Read));
        assert_eq!(sessions.grant("other"), None);
        tokens.revoke("page").unwrap();
        assert_eq!(sessions.grant(&key), None);
    }

    #[test]
    fn a_session_that_was_ended_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Arc::new(Tokens::open(dir.path(), Some("secret")).unwrap());
        let sessions = Sessions::new(Arc::clone(&tokens));
        let key = sessions.begin(tokens.grant("secret").unwrap()).unwrap();
        assert!(sessions.grant(&key).is_some());
        sessions.end(&key);
        assert_eq!(sessions.grant(&key), None);
    }
}
