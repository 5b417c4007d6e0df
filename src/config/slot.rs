//! Slot: the place of one option's value: reading it, checking it, showing it.
//!
//! Knows the types an option can have. Does not know which options exist, nor where a value was
//! given: a slot takes a [`Given`] and answers with what is [`Wrong`].

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choice::Choice;
use super::directives::Directives;
use super::given::{Given, Wrong, shorten};
use super::headers;
use super::hours::Hours;
use super::nearest::nearest;
use super::section::{Entry, Section};
use super::units::{bytes_text, parse_time, time_text};
use crate::secret::{Secret, SecretUrl};

/// The place of a value.
pub(super) enum Slot<'a> {
    /// Not a value but options of its own.
    Section(Vec<Entry<'a>>),
    /// Directives; those of a sink may not speak of spans.
    Levels { value: &'a mut Directives, sink: bool },
    /// Yes or no.
    Flag(&'a mut bool),
    /// A whole number.
    Count { value: &'a mut dyn Number, limits: RangeInclusive<u64> },
    /// A size.
    Bytes { value: &'a mut dyn Number, limits: RangeInclusive<u64> },
    /// A size, or `none`.
    OptionalBytes { value: &'a mut Option<u64>, limits: RangeInclusive<u64> },
    /// A length of time.
    Time { value: &'a mut Duration, limits: RangeInclusive<Duration> },
    /// A length of time, or `none`.
    OptionalTime { value: &'a mut Option<Duration>, limits: RangeInclusive<Duration> },
    /// Hours of the day, or `none`.
    Hours(&'a mut Option<Hours>),
    /// The permissions of a file.
    Mode(&'a mut u32),
    /// One of a few words.
    Choice(&'a mut dyn Choice),
    /// A path.
    Path(&'a mut PathBuf),
    /// The name of a file, without a directory.
    FileName(&'a mut String),
    /// A text in one line; it may be empty.
    Text { value: &'a mut String, max_bytes: usize },
    /// A text that is shown nowhere.
    Secret { value: &'a mut Secret, form: Form },
}

/// What a secret must look like, if it is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// One line.
    Line,
    /// A URL of http or https.
    Url,
    /// Headers: `name=value,name=value`.
    Headers,
}

impl Slot<'_> {
    /// Takes a value and checks it against its limits.
    pub(super) fn set(&mut self, given: Given<'_>) -> Result<(), Wrong> {
        match self.take(given) {
            Ok(()) => self.check(),
            Err(Refusal::Unfit) => Err(self.unfit(given)),
            Err(Refusal::Wrong(wrong)) => Err(wrong),
        }
    }

    fn take(&mut self, given: Given<'_>) -> Result<(), Refusal> {
        let written = given.text();
        let text = written.map(str::trim);
        match self {
            Slot::Section(_) => return Err(Refusal::Unfit),
            Slot::Levels { value, .. } => {
                **value = text.ok_or(Refusal::Unfit)?.parse().map_err(Wrong::from)?;
            }
            Slot::Flag(value) => **value = given.flag().ok_or(Refusal::Unfit)?,
            Slot::Count { value, limits } => {
                let number = given.whole().ok_or(Refusal::Unfit)?;
                within(&number, limits, u64::to_string)?;
                value.put(number);
            }
            Slot::Bytes { value, limits } => {
                let number = given.size().ok_or(Refusal::Unfit)?;
                within(&number, limits, |&bytes| bytes_text(bytes))?;
                value.put(number);
            }
            Slot::Time { value, .. } => {
                **value = text.and_then(parse_time).ok_or(Refusal::Unfit)?;
            }
            Slot::OptionalBytes { value, .. } => {
                **value = match given.is_none() {
                    true => None,
                    false => Some(given.size().ok_or(Refusal::Unfit)?),
                };
            }
            Slot::OptionalTime { value, .. } => {
                **value = match given.is_none() {
                    true => None,
                    false => Some(text.and_then(parse_time).ok_or(Refusal::Unfit)?),
                };
            }
            Slot::Hours(value) => {
                **value = match given.is_none() {
                    true => None,
                    false => Some(text.and_then(Hours::parse).ok_or(Refusal::Unfit)?),
                };
            }
            Slot::Mode(value) => {
                **value = text.and_then(parse_mode).ok_or(Refusal::Unfit)?;
            }
            Slot::Choice(value) => {
                let found = text.is_some_and(|text| value.choose(text));
                found.then_some(()).ok_or(Refusal::Unfit)?;
            }
            Slot::Path(value) => **value = PathBuf::from(written.ok_or(Refusal::Unfit)?),
            Slot::FileName(value) | Slot::Text { value, .. } => {
                written.ok_or(Refusal::Unfit)?.clone_into(value);
            }
            Slot::Secret { value, .. } => value.replace(text.ok_or(Refusal::Unfit)?),
        }
        Ok(())
    }

    /// Whether it is the path of a directory.
    pub(super) fn is_path(&self) -> bool {
        matches!(self, Slot::Path(_))
    }

    /// Checks the value that is there, which a program may have changed by hand.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        match self {
            Slot::Levels { value, sink: true } if value.span_directives().is_some() => Err(Wrong {
                problem: "has a directive about spans or fields, which only `level` may have"
                    .into(),
                help: "name targets only, such as info,my_crate=debug".into(),
            }),
            Slot::Count { value, limits } => within(&value.get(), limits, u64::to_string),
            Slot::Bytes { value, limits } => {
                within(&value.get(), limits, |&bytes| bytes_text(bytes))
            }
            Slot::OptionalBytes { value: Some(value), limits } => {
                within(value, limits, |&bytes| bytes_text(bytes))
            }
            Slot::Time { value, limits } => within(&**value, limits, |&time| time_text(time)),
            Slot::OptionalTime { value: Some(value), limits } => {
                within(value, limits, |&time| time_text(time))
            }
            Slot::Mode(value) if **value > 0o777 || **value & 0o600 != 0o600 => Err(Wrong {
                problem: format!("{} does not let the owner read and write", mode_text(**value)),
                help: "use an octal mode from \"0600\" to \"0777\", such as \"0640\"".into(),
            }),
            Slot::Path(value) => check_path(value),
            Slot::FileName(value) => check_file_name(value),
            Slot::Text { value, max_bytes } => check_text(value, *max_bytes),
            Slot::Secret { value, form } => check_secret(value, *form),
            _ => Ok(()),
        }
    }

    /// The value as a text that [`set`](Self::set) reads back; a secret is not told.
    pub(super) fn text(&self) -> String {
        match self {
            Slot::Section(_) => String::new(),
            Slot::Levels { value, .. } => value.to_string(),
            Slot::Flag(value) => value.to_string(),
            Slot::Count { value, .. } => value.get().to_string(),
            Slot::Bytes { value, .. } => bytes_text(value.get()),
            Slot::OptionalBytes { value, .. } => value.map_or_else(|| "none".into(), bytes_text),
            Slot::Time { value, .. } => time_text(**value),
            Slot::OptionalTime { value, .. } => value.map_or_else(|| "none".into(), time_text),
            Slot::Hours(value) => value.map_or_else(|| "none".into(), |hours| hours.to_string()),
            Slot::Mode(value) => mode_text(**value),
            Slot::Choice(value) => value.word().to_owned(),
            Slot::Path(value) => value.to_string_lossy().into_owned(),
            Slot::FileName(value) | Slot::Text { value, .. } => value.to_string(),
            Slot::Secret { value, .. } => value.to_string(),
        }
    }

    /// What may be written, as a sentence's end: `1 to 100`.
    pub(super) fn limits(&self) -> Option<String> {
        let range = |low: String, high: String| Some(format!("{low} to {high}"));
        match self {
            Slot::Count { limits, .. } => {
                range(limits.start().to_string(), limits.end().to_string())
            }
            Slot::Bytes { limits, .. } => {
                range(bytes_text(*limits.start()), bytes_text(*limits.end()))
            }
            Slot::OptionalBytes { limits, .. } => {
                range(bytes_text(*limits.start()), bytes_text(*limits.end()) + ", or none")
            }
            Slot::Time { limits, .. } => {
                range(time_text(*limits.start()), time_text(*limits.end()))
            }
            Slot::OptionalTime { limits, .. } => {
                range(time_text(*limits.start()), time_text(*limits.end()) + ", or none")
            }
            _ => None,
        }
    }

    /// The mistake of giving a value of another type or spelling.
    fn unfit(&self, given: Given<'_>) -> Wrong {
        let shown = match self {
            // A token may have been written where its section should be.
            Slot::Secret { .. } | Slot::Section(_) => format!("{} (not shown)", given.kind()),
            _ => given.to_string(),
        };
        let help = match self {
            Slot::Section(entries) => {
                let names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
                format!("it is a section; write its options below it: {}", names.join(", "))
            }
            Slot::Choice(value) => {
                let words: Vec<_> = value.words().iter().map(|&(word, _)| word).collect();
                match nearest(given.text().unwrap_or_default(), words.iter().copied()) {
                    Some(word) => format!("did you mean {word}? It is one of {}", words.join(", ")),
                    None => format!("it is one of {}", words.join(", ")),
                }
            }
            _ => match self.limits() {
                Some(limits) => format!("expected {}: {limits}", self.expected()),
                None => format!("expected {}", self.expected()),
            },
        };
        Wrong { problem: format!("{shown} does not fit"), help }
    }

    fn expected(&self) -> &'static str {
        match self {
            Slot::Section(_) => "a section",
            Slot::Levels { .. } => "a level such as info, or info,my_crate=debug",
            Slot::Flag(_) => "true or false",
            Slot::Count { .. } => "a whole number",
            Slot::Bytes { .. } | Slot::OptionalBytes { .. } => {
                "a size such as 10MiB, 64KiB, 1GB, or bytes as a number"
            }
            Slot::Time { .. } => "a time with its unit, such as 100ms or 5s",
            Slot::OptionalTime { .. } => "a time with its unit, such as 100ms or 5s",
            Slot::Hours(_) => "hours of the day such as \"22:00-07:00\", or none",
            Slot::Mode(_) => "an octal mode in quotes, such as \"0640\"",
            Slot::Choice(_) => "one of its words",
            Slot::Path(_) | Slot::FileName(_) | Slot::Text { .. } | Slot::Secret { .. } => {
                "a text; put it in quotes"
            }
        }
    }
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.text())
    }
}

/// A whole number of any width.
pub(super) trait Number {
    fn get(&self) -> u64;
    /// Takes the number, or the largest that fits.
    fn put(&mut self, number: u64);
}

macro_rules! numbers {
    ($($type:ty),+) => { $(
        impl Number for $type {
            fn get(&self) -> u64 {
                u64::try_from(*self).unwrap_or(u64::MAX)
            }

            fn put(&mut self, number: u64) {
                *self = Self::try_from(number).unwrap_or(Self::MAX);
            }
        }
    )+ };
}
numbers!(u8, u16, u32, u64, usize);

// The kinds that `section!` names.

pub(super) fn section<S: Section>(value: &mut S) -> Slot<'_> {
    Slot::Section(value.entries())
}

pub(super) fn levels(value: &mut Directives) -> Slot<'_> {
    Slot::Levels { value, sink: false }
}

pub(super) fn sink_levels(value: &mut Directives) -> Slot<'_> {
    Slot::Levels { value, sink: true }
}

pub(super) fn flag(value: &mut bool) -> Slot<'_> {
    Slot::Flag(value)
}

pub(super) fn count(value: &mut impl Number, least: u64, most: u64) -> Slot<'_> {
    Slot::Count { value, limits: least..=most }
}

pub(super) fn bytes(value: &mut impl Number, least: u64, most: u64) -> Slot<'_> {
    Slot::Bytes { value, limits: least..=most }
}

pub(super) fn optional_bytes(value: &mut Option<u64>, least: u64, most: u64) -> Slot<'_> {
    Slot::OptionalBytes { value, limits: least..=most }
}

pub(super) fn time(value: &mut Duration, least: Duration, most: Duration) -> Slot<'_> {
    Slot::Time { value, limits: least..=most }
}

pub(super) fn optional_time(
    value: &mut Option<Duration>,
    least: Duration,
    most: Duration,
) -> Slot<'_> {
    Slot::OptionalTime { value, limits: least..=most }
}

pub(super) fn hours(value: &mut Option<Hours>) -> Slot<'_> {
    Slot::Hours(value)
}

pub(super) fn mode(value: &mut u32) -> Slot<'_> {
    Slot::Mode(value)
}

pub(super) fn choice(value: &mut impl Choice) -> Slot<'_> {
    Slot::Choice(value)
}

pub(super) fn path(value: &mut PathBuf) -> Slot<'_> {
    Slot::Path(value)
}

pub(super) fn file_name(value: &mut String) -> Slot<'_> {
    Slot::FileName(value)
}

pub(super) fn text(value: &mut String, max_bytes: usize) -> Slot<'_> {
    Slot::Text { value, max_bytes }
}

pub(super) fn secret(value: &mut Secret) -> Slot<'_> {
    Slot::Secret { value, form: Form::Line }
}

pub(super) fn secret_url(value: &mut Secret) -> Slot<'_> {
    Slot::Secret { value, form: Form::Url }
}

pub(super) fn secret_headers(value: &mut Secret) -> Slot<'_> {
    Slot::Secret { value, form: Form::Headers }
}

fn within<T: PartialOrd>(
    value: &T,
    limits: &RangeInclusive<T>,
    text: impl Fn(&T) -> String,
) -> Result<(), Wrong> {
    if limits.contains(value) {
        return Ok(());
    }
    let side = if value < limits.start() { "small" } else { "large" };
    Err(Wrong {
        problem: format!("{} is too {side}", text(value)),
        help: format!("use {} to {}", text(limits.start()), text(limits.end())),
    })
}

/// Why a value was not taken.
enum Refusal {
    /// It is of another type, or not spelled like one of this type.
    Unfit,
    /// There is more to say.
    Wrong(Wrong),
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

fn parse_mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let octal = !digits.is_empty() && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    octal.then(|| u32::from_str_radix(digits, 8).ok()).flatten()
}

fn mode_text(mode: u32) -> String {
    format!("{mode:04o}")
}

fn check_path(path: &Path) -> Result<(), Wrong> {
    let problem = if path.as_os_str().is_empty() {
        "is empty"
    } else if path.as_os_str().as_encoded_bytes().contains(&0) {
        "has a NUL character"
    } else if path.as_os_str().as_encoded_bytes().starts_with(b"~") {
        let help = "write the whole path, or ./~… for a directory of such a name";
        return Err(Wrong {
            problem: "begins with ~, which is a shell's".into(),
            help: help.into(),
        });
    } else {
        return Ok(());
    };
    Err(Wrong { problem: problem.into(), help: "write the path of a directory".into() })
}

/// A plain name: writing it cannot leave the directory, on any system.
fn check_file_name(name: &str) -> Result<(), Wrong> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.contains(['/', '\\', ':']) {
        "has a separator"
    } else if name == "." || name.contains("..") {
        "has a dot that could lead out of the directory"
    } else if name.contains(char::is_control) {
        "has a control character"
    } else if name.trim() != name {
        "begins or ends with a space"
    } else if name.len() > MAX_NAME_BYTES {
        "is too long"
    } else {
        return Ok(());
    };
    Err(Wrong {
        problem: format!("{:?} {problem}", shorten(name)),
        help: "write a plain file name such as app.log; the directory is files.dir".into(),
    })
}

fn check_text(text: &str, max_bytes: usize) -> Result<(), Wrong> {
    let problem = if text.contains(char::is_control) {
        "has a control character"
    } else if text.len() > max_bytes {
        "is too long"
    } else {
        return Ok(());
    };
    // It is not shown: what does not look like a text may be a URL with a password.
    Err(Wrong {
        problem: problem.to_owned(),
        help: format!("write a text in one line, of at most {max_bytes} bytes"),
    })
}

/// What is wrong is told without showing any of it.
fn check_secret(secret: &Secret, form: Form) -> Result<(), Wrong> {
    let is_line = !secret.reveal().contains(char::is_control) && secret.reveal().is_ascii();
    let (problem, help) = match form {
        _ if secret.is_empty() => return Ok(()),
        Form::Line if is_line => return Ok(()),
        Form::Line => ("has a character that no token has", "copy it again, in one line"),
        Form::Url => match SecretUrl::from(secret).fault() {
            Some(problem) => (problem, "write it as https://host/path"),
            None => return Ok(()),
        },
        Form::Headers => match headers::parse(secret.reveal()) {
            Err(problem) => (problem, "write it as name=value,name=value, a comma as %2C"),
            Ok(_) => return Ok(()),
        },
    };
    Err(Wrong { problem: problem.to_owned(), help: help.to_owned() })
}

/// Room is left for `.1000.gz` in the 255 bytes that file systems allow.
const MAX_NAME_BYTES: usize = 200;
