//! Tokens: who may do what, in which streams.
//!
//! Knows the file `tokens.json` of the data directory, which holds digests and no secrets. Does not
//! know HTTP. The command `logbeacon token` writes the file; a running server reads it again when
//! it has changed, at most once a second, so a token that is revoked is of no use a second later.

use crate::digest::{self, Digest};
use crate::{file, stream_name};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Sending records.
    Ingest,
    /// Searching.
    Read,
    /// Everything, the stream `_audit` included.
    Admin,
}

/// The streams of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Streams {
    /// All.
    All,
    /// These only.
    Some(Vec<String>),
}

impl Streams {
    /// Whether the stream is one of them.
    #[must_use]
    pub fn contain(&self, stream: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.iter().any(|name| name == stream),
        }
    }
}

/// A token as it is kept: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name: shown in lists, in `_audit` and in `_refused`.
    pub name: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub sha256: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Where; without it, in all streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<Vec<String>>,
    /// When it was made, in RFC 3339.
    pub created: String,
}

impl Token {
    /// A new token, and its secret, which is not kept.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn create(
        name: &str,
        scopes: &[Scope],
        streams: Option<Vec<String>>,
    ) -> Result<(Self, String), digest::NoRandom> {
        let secret = format!("lb_{}", BASE64_URL_SAFE_NO_PAD.encode(digest::random::<32>()?));
        let token = Self {
            name: name.to_owned(),
            sha256: digest::hex(&digest_of(&secret)),
            scopes: scopes.to_vec(),
            streams,
            created: jiff::Timestamp::now().to_string(),
        };
        Ok((token, secret))
    }

    /// What the token allows.
    #[must_use]
    pub fn grant(&self) -> Grant {
        let streams = match &self.streams {
            Some(names) => Streams::Some(names.clone()),
            None => Streams::All,
        };
        Grant { name: self.name.clone(), scopes: self.scopes.clone(), streams }
    }
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub name: String,
    /// What.
    pub scopes: Vec<Scope>,
    /// Where.
    pub streams: Streams,
}

impl Grant {
    /// Whether it allows that much: an admin may do everything.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// Whether a search may show the stream `_audit`.
    #[must_use]
    pub fn sees_audit(&self) -> bool {
        self.allows(Scope::Admin) && self.streams.contain(stream_name::AUDIT)
    }
}

/// The tokens of a data directory.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    /// The token of `LOGBEACON_TOKEN`: an admin that is not kept.
    from_environment: Option<Digest>,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    tokens: Vec<(Digest, Token)>,
    modified: Option<SystemTime>,
    checked: Instant,
}

/// How long a change of the file may go unseen.
const RECHECK: Duration = Duration::from_secs(1);

/// The name of the file in the data directory.
const FILE: &str = "tokens.json";

/// Why tokens cannot be used.
#[derive(Debug)]
pub enum TokenError {
    /// `LOGBEACON_TOKEN` is set and empty: that would let everybody in.
    Empty,
    /// The file cannot be read or written.
    File(PathBuf, std::io::Error),
    /// The file is no list of tokens; what is wrong, and where.
    Invalid(PathBuf, String),
    /// There are no random numbers.
    Random(digest::NoRandom),
    /// There is a token of that name, or none.
    Name(String),
}

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("LOGBEACON_TOKEN is empty: give it a value or unset it"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Invalid(path, what) => {
                write!(f, "{}: {what}; mend it or move it away", path.display())
            }
            Self::Random(error) => error.fmt(f),
            Self::Name(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for TokenError {}

impl From<digest::NoRandom> for TokenError {
    fn from(error: digest::NoRandom) -> Self {
        Self::Random(error)
    }
}

impl Tokens {
    /// Reads the tokens of a data directory. `from_environment` is the value of `LOGBEACON_TOKEN`.
    ///
    /// # Errors
    ///
    /// The value is empty, or the file is damaged.
    pub fn open(data_dir: &Path, from_environment: Option<&str>) -> Result<Self, TokenError> {
        if from_environment.is_some_and(|secret| secret.trim().is_empty()) {
            return Err(TokenError::Empty);
        }
        let path = data_dir.join(FILE);
        let modified = modified(&path);
        let tokens = read(&path)?;
        let read = Read { tokens, modified, checked: Instant::now() };
        let from_environment = from_environment.map(|secret| digest_of(secret.trim()));
        Ok(Self { path, from_environment, read: Mutex::new(read) })
    }

    /// Whether nobody could do anything: then the first token is to be made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from_environment.is_none() && self.locked(|read| read.tokens.is_empty())
    }

    /// What a secret allows; `None` if it is nobody's.
    #[must_use]
    pub fn grant(&self, secret: &str) -> Option<Grant> {
        let digest = digest_of(secret);
        if self.from_environment.is_some_and(|own| digest::equal(&own, &digest)) {
            return Some(environment_grant());
        }
        self.locked(|read| {
            let found = read.tokens.iter().find(|(other, _)| digest::equal(other, &digest));
            found.map(|(_, token)| token.grant())
        })
    }

    /// Whether there is still a token that allows exactly this.
    #[must_use]
    pub fn is_current(&self, grant: &Grant) -> bool {
        let of_environment = self.from_environment.is_some() && *grant == environment_grant();
        of_environment
            || self.locked(|read| read.tokens.iter().any(|(_, token)| token.grant() == *grant))
    }

    /// All tokens, without secrets.
    #[must_use]
    pub fn list(&self) -> Vec<Token> {
        self.locked(|read| read.tokens.iter().map(|(_, token)| token.clone()).collect())
    }

    /// Adds a token.
    ///
    /// # Errors
    ///
    /// There is one of that name, or the file cannot be written.
    pub fn add(&self, token: Token) -> Result<(), TokenError> {
        self.change(|tokens| match tokens.iter().any(|other| other.name == token.name) {
            true => Err(TokenError::Name(format!("there is a token {:?} already", token.name))),
            false => {
                tokens.push(token);
                Ok(())
            }
        })
    }

    /// Removes a token.
    ///
    /// # Errors
    ///
    /// No token has that name, or the file cannot be written.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            let before = tokens.len();
            tokens.retain(|token| token.name != name);
            match tokens.len() < before {
                true => Ok(()),
                false => Err(TokenError::Name(format!("there is no token {name:?}"))),
            }
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>,
    ) -> Result<(), TokenError> {
        let mut held = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock =
            file::lock(&self.path).map_err(|error| TokenError::File(self.path.clone(), error))?;
        let mut tokens: Vec<Token> =
            read(&self.path)?.into_iter().map(|(_, token)| token).collect();
        change(&mut tokens)?;
        write(&self.path, &tokens)?;
        held.tokens = read(&self.path)?;
        held.modified = modified(&self.path);
        Ok(())
    }

    /// Calls `look` with what the file says now. A file that has become unreadable changes nothing.
    fn locked<T>(&self, look: impl FnOnce(&Read) -> T) -> T {
        let mut held = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if held.checked.elapsed() >= RECHECK {
            held.checked = Instant::now();
            let now = modified(&self.path);
            if now != held.modified {
                match read(&self.path) {
                    Ok(tokens) => (held.tokens, held.modified) = (tokens, now),
                    Err(error) => tracing::error!(%error, "the tokens stay as they were"),
                }
            }
        }
        look(&held)
    }
}

fn environment_grant() -> Grant {
    let (name, scopes) = ("LOGBEACON_TOKEN".to_owned(), vec![Scope::Admin]);
    Grant { name, scopes, streams: Streams::All }
}

fn digest_of(secret: &str) -> Digest {
    digest::of_parts([secret.as_bytes()])
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn read(path: &Path) -> Result<Vec<(Digest, Token)>, TokenError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TokenError::File(path.to_owned(), error)),
    };
    let invalid = |what: String| TokenError::Invalid(path.to_owned(), what);
    let tokens: Vec<Token> =
        serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let with_digest = |token: Token| match digest::from_hex(&token.sha256) {
        Some(digest) => Ok((digest, token)),
        None => Err(invalid(format!("sha256 of the token {:?} is no digest", token.name))),
    };
    tokens.into_iter().map(with_digest).collect()
}

/// Written beside, synced and renamed: a kill leaves the old file or the new one.
fn write(path: &Path, tokens: &[Token]) -> Result<(), TokenError> {
    let text = serde_json::to_string_pretty(tokens).unwrap_or_default();
    file::replace(path, text.as_bytes()).map_err(|error| TokenError::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(from_environment: Option<&str>) -> (tempfile::TempDir, Tokens) {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(dir.path(), from_environment).unwrap();
        (dir, tokens)
    }

    #[test]
    fn a_token_is_known_by_its_secret_after_a_restart_and_not_once_revoked() {
        let (dir, tokens) = tokens(None);
        assert!(tokens.is_empty());
        let streams = Some(vec!["web".to_owned()]);
        let (token, secret) = Token::create("shop", &[Scope::Ingest], streams).unwrap();
        tokens.add(token).unwrap();
        let again = Tokens::open(dir.path(), None).unwrap();
        let grant = again.grant(&secret).unwrap();
        assert!(grant.allows(Scope::Ingest) && !grant.allows(Scope::Read));
        assert!(grant.streams.contain("web") && !grant.streams.contain("other"));
        let file = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!file.contains(&secret), "the secret is not kept");
        again.revoke("shop").unwrap();
        assert_eq!(again.grant(&secret), None);
        assert!(again.revoke("shop").is_err());
    }

    #[test]
    fn an_empty_token_of_the_environment_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for empty in ["", " \n"] {
            assert!(matches!(Tokens::open(dir.path(), Some(empty)), Err(TokenError::Empty)));
        }
        let (_dir, tokens) = tokens(Some("secret"));
        assert!(tokens.grant("secret").unwrap().allows(Scope::Admin));
        for wrong in ["", "secret ", "Secret", "secre"] {
            assert_eq!(tokens.grant(wrong), None);
        }
    }

    #[test]
    fn names_are_unique_and_a_damaged_file_stops_the_start() {
        let (dir, tokens) = tokens(None);
        let create = || Token::create("a", &[Scope::Read], None).unwrap().0;
        tokens.add(create()).unwrap();
        assert!(matches!(tokens.add(create()), Err(TokenError::Name(_))));
        std::fs::write(dir.path().join(FILE), "[{}]").unwrap();
        assert!(matches!(Tokens::open(dir.path(), None), Err(TokenError::Invalid(..))));
    }
}
