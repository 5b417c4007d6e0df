//! Value: the place of one option's value: reading it, checking it, showing it.
//!
//! Knows the types an option can have. Does not know which options exist, nor where a value was
//! given: a slot takes a [`RawValue`] and answers with what is [`Problem`].

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choice::Choice;
use super::section::{Entry, Section};
use super::units::{bytes_text, parse_time, time_text};
use crate::raw_value::{Problem, RawValue, shorten};
use crate::secret::{Secret, SecretUrl};
use crate::suggest::nearest;

/// The place of a value.
pub enum OptionValue<'a> {
    /// Not its own value but options.
    Section(Vec<Entry<'a>>),
    /// Yes or no.
    Flag(&'a mut bool),
    /// A whole number.
    Count {
        /// The value.
        value: &'a mut dyn Number,
        /// The least and the most.
        limits: RangeInclusive<u64>,
    },
    /// A size.
    Bytes {
        /// The value.
        value: &'a mut dyn Number,
        /// The least and the most.
        limits: RangeInclusive<u64>,
    },
    /// A size, or `none`.
    OptionalBytes {
        /// The value.
        value: &'a mut Option<u64>,
        /// The least and the most.
        limits: RangeInclusive<u64>,
    },
    /// A length of time.
    Time {
        /// The value.
        value: &'a mut Duration,
        /// The least and the most.
        limits: RangeInclusive<Duration>,
    },
    /// A length of time, or `none`.
    OptionalTime {
        /// The value.
        value: &'a mut Option<Duration>,
        /// The least and the most.
        limits: RangeInclusive<Duration>,
    },
    /// The permissions of a file.
    Mode(&'a mut u32),
    /// One of a few words.
    Choice(&'a mut dyn Choice),
    /// A path.
    Path(&'a mut PathBuf),
    /// The name of a file, without a directory.
    FileName(&'a mut String),
    /// A text in one line; it may be empty.
    Text {
        /// The value.
        value: &'a mut String,
        /// How long it may be.
        max_bytes: usize,
    },
    /// A text that is shown nowhere.
    Secret {
        /// The value.
        value: &'a mut Secret,
        /// What it must look like.
        form: Form,
    },
    /// A value of a type that its owner reads and checks.
    Custom(Box<dyn CustomValue + 'a>),
}

/// A value whose type the engine does not know: its owner reads, checks and describes it.
pub trait CustomValue {
    /// Takes a value.
    ///
    /// # Errors
    ///
    /// It is of another type, is spelled wrongly, or breaks a rule of its owner.
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal>;
    /// Checks the value that is there, which a program may have changed by hand.
    ///
    /// # Errors
    ///
    /// It breaks a rule of its owner.
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }
    /// The value as a text that [`read`](Self::read) reads back.
    fn text(&self) -> String;
    /// What may be written, for a message.
    fn expected(&self) -> &'static str;
    /// The keywords of the JSON Schema that say which values are allowed.
    fn schema(&self) -> serde_json::Value;
}

/// Checks the text of a secret: what is wrong, and what to write instead.
pub type SecretCheck = fn(&str) -> Result<(), (&'static str, &'static str)>;

/// What a secret must look like, if it is given.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// One line.
    Line,
    /// A URL of http or https.
    Url,
    /// One that its owner checks: what is wrong with it, without showing any of it, and what to
    /// write.
    Checked(SecretCheck),
}

impl OptionValue<'_> {
    /// Takes a value and checks it against its limits.
    pub fn set(&mut self, given: RawValue<'_>) -> Result<(), Problem> {
        match self.take(given) {
            Ok(()) => self.check(),
            Err(Refusal::Unfit) => Err(self.unfit(given)),
            Err(Refusal::Problem(wrong)) => Err(wrong),
        }
    }

    fn take(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        let written = given.text();
        let text = written.map(str::trim);
        match self {
            OptionValue::Section(_) => return Err(Refusal::Unfit),
            OptionValue::Custom(value) => value.read(given)?,
            OptionValue::Flag(value) => **value = given.flag().ok_or(Refusal::Unfit)?,
            OptionValue::Count { value, limits } => {
                let number = given.whole().ok_or(Refusal::Unfit)?;
                within(&number, limits, u64::to_string)?;
                value.put(number);
            }
            OptionValue::Bytes { value, limits } => {
                let number = given.size().ok_or(Refusal::Unfit)?;
                within(&number, limits, |&bytes| bytes_text(bytes))?;
                value.put(number);
            }
            OptionValue::Time { value, .. } => {
                **value = text.and_then(parse_time).ok_or(Refusal::Unfit)?;
            }
            OptionValue::OptionalBytes { value, .. } => {
                **value = match given.is_none() {
                    true => None,
                    false => Some(given.size().ok_or(Refusal::Unfit)?),
                };
            }
            OptionValue::OptionalTime { value, .. } => {
                **value = match given.is_none() {
                    true => None,
                    false => Some(text.and_then(parse_time).ok_or(Refusal::Unfit)?),
                };
            }
            OptionValue::Mode(value) => {
                **value = text.and_then(parse_mode).ok_or(Refusal::Unfit)?;
            }
            OptionValue::Choice(value) => {
                let found = text.is_some_and(|text| value.choose(text));
                found.then_some(()).ok_or(Refusal::Unfit)?;
            }
            OptionValue::Path(value) => **value = PathBuf::from(written.ok_or(Refusal::Unfit)?),
            OptionValue::FileName(value) | OptionValue::Text { value, .. } => {
                written.ok_or(Refusal::Unfit)?.clone_into(value);
            }
            OptionValue::Secret { value, .. } => value.replace(text.ok_or(Refusal::Unfit)?),
        }
        Ok(())
    }

    /// Whether a URL can be its value: its type is a text or one that its owner reads.
    pub(crate) fn is_text(&self) -> bool {
        matches!(
            self,
            OptionValue::Text { .. } | OptionValue::Secret { .. } | OptionValue::Custom(_)
        )
    }

    /// Whether it is the path of a directory.
    pub fn is_path(&self) -> bool {
        matches!(self, OptionValue::Path(_))
    }

    /// Checks the value that is there, which a program may have changed by hand.
    pub fn check(&self) -> Result<(), Problem> {
        match self {
            OptionValue::Custom(value) => value.check(),
            OptionValue::Count { value, limits } => within(&value.get(), limits, u64::to_string),
            OptionValue::Bytes { value, limits } => {
                within(&value.get(), limits, |&bytes| bytes_text(bytes))
            }
            OptionValue::OptionalBytes { value: Some(value), limits } => {
                within(value, limits, |&bytes| bytes_text(bytes))
            }
            OptionValue::Time { value, limits } => {
                within(&**value, limits, |&time| time_text(time))
            }
            OptionValue::OptionalTime { value: Some(value), limits } => {
                within(value, limits, |&time| time_text(time))
            }
            OptionValue::Mode(value) if **value > 0o777 || **value & 0o600 != 0o600 => {
                Err(Problem {
                    problem: format!(
                        "{} does not let the owner read and write",
                        mode_text(**value)
                    ),
                    help: "use an octal mode from \"0600\" to \"0777\", such as \"0640\"".into(),
                })
            }
            OptionValue::Path(value) => check_path(value),
            OptionValue::FileName(value) => check_file_name(value),
            OptionValue::Text { value, max_bytes } => check_text(value, *max_bytes),
            OptionValue::Secret { value, form } => check_secret(value, *form),
            _ => Ok(()),
        }
    }

    /// The value as a text that [`set`](Self::set) reads back; a secret is not returned.
    pub fn text(&self) -> String {
        match self {
            OptionValue::Section(_) => String::new(),
            OptionValue::Custom(value) => value.text(),
            OptionValue::Flag(value) => value.to_string(),
            OptionValue::Count { value, .. } => value.get().to_string(),
            OptionValue::Bytes { value, .. } => bytes_text(value.get()),
            OptionValue::OptionalBytes { value, .. } => {
                value.map_or_else(|| "none".into(), bytes_text)
            }
            OptionValue::Time { value, .. } => time_text(**value),
            OptionValue::OptionalTime { value, .. } => {
                value.map_or_else(|| "none".into(), time_text)
            }
            OptionValue::Mode(value) => mode_text(**value),
            OptionValue::Choice(value) => value.word().to_owned(),
            OptionValue::Path(value) => value.to_string_lossy().into_owned(),
            OptionValue::FileName(value) | OptionValue::Text { value, .. } => value.to_string(),
            OptionValue::Secret { value, .. } => value.to_string(),
        }
    }

    /// What may be written, as a sentence's end: `1 to 100`.
    pub fn limits(&self) -> Option<String> {
        let range = |low: String, high: String| Some(format!("{low} to {high}"));
        match self {
            OptionValue::Count { limits, .. } => {
                range(limits.start().to_string(), limits.end().to_string())
            }
            OptionValue::Bytes { limits, .. } => {
                range(bytes_text(*limits.start()), bytes_text(*limits.end()))
            }
            OptionValue::OptionalBytes { limits, .. } => {
                range(bytes_text(*limits.start()), bytes_text(*limits.end()) + ", or none")
            }
            OptionValue::Time { limits, .. } => {
                range(time_text(*limits.start()), time_text(*limits.end()))
            }
            OptionValue::OptionalTime { limits, .. } => {
                range(time_text(*limits.start()), time_text(*limits.end()) + ", or none")
            }
            _ => None,
        }
    }

    /// The mistake of giving a value of another type or spelling.
    fn unfit(&self, given: RawValue<'_>) -> Problem {
        let shown = match self {
            // A token may have been written where its section should be.
            OptionValue::Secret { .. } | OptionValue::Section(_) => {
                format!("{} (not shown)", given.kind())
            }
            _ => given.to_string(),
        };
        let help = match self {
            OptionValue::Section(entries) => {
                let names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
                format!("it is a section; write its options below it: {}", names.join(", "))
            }
            OptionValue::Choice(value) => {
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
        Problem { problem: format!("{shown} does not fit"), help }
    }

    fn expected(&self) -> &'static str {
        match self {
            OptionValue::Section(_) => "a section",
            OptionValue::Custom(value) => value.expected(),
            OptionValue::Flag(_) => "true or false",
            OptionValue::Count { .. } => "a whole number",
            OptionValue::Bytes { .. } | OptionValue::OptionalBytes { .. } => {
                "a size such as 10MiB, 64KiB, 1GB, or bytes as a number"
            }
            OptionValue::Time { .. } => "a time with its unit, such as 100ms or 5s",
            OptionValue::OptionalTime { .. } => "a time with its unit, such as 100ms or 5s",
            OptionValue::Mode(_) => "an octal mode in quotes, such as \"0640\"",
            OptionValue::Choice(_) => "one of its words",
            OptionValue::Path(_)
            | OptionValue::FileName(_)
            | OptionValue::Text { .. }
            | OptionValue::Secret { .. } => "a text; put it in quotes",
        }
    }
}

impl fmt::Debug for OptionValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OptionValue({})", self.text())
    }
}

/// A whole number of any width.
pub trait Number {
    /// The number.
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

/// A section: its options are listed below it.
pub fn section<S: Section>(value: &mut S) -> OptionValue<'_> {
    OptionValue::Section(value.entries())
}

/// Yes or no.
pub fn flag(value: &mut bool) -> OptionValue<'_> {
    OptionValue::Flag(value)
}

/// A whole number within limits.
pub fn count(value: &mut impl Number, least: u64, most: u64) -> OptionValue<'_> {
    OptionValue::Count { value, limits: least..=most }
}

/// A size in bytes within limits.
pub fn bytes(value: &mut impl Number, least: u64, most: u64) -> OptionValue<'_> {
    OptionValue::Bytes { value, limits: least..=most }
}

/// A size within limits, or `none`.
pub fn optional_bytes(value: &mut Option<u64>, least: u64, most: u64) -> OptionValue<'_> {
    OptionValue::OptionalBytes { value, limits: least..=most }
}

/// A length of time within limits.
pub fn time(value: &mut Duration, least: Duration, most: Duration) -> OptionValue<'_> {
    OptionValue::Time { value, limits: least..=most }
}

/// A length of time within limits, or `none`.
pub fn optional_time(
    value: &mut Option<Duration>,
    least: Duration,
    most: Duration,
) -> OptionValue<'_> {
    OptionValue::OptionalTime { value, limits: least..=most }
}

/// The permissions of a file, as an octal text.
pub fn mode(value: &mut u32) -> OptionValue<'_> {
    OptionValue::Mode(value)
}

/// One of a few words; see [`choices!`](crate::choices).
pub fn choice(value: &mut impl Choice) -> OptionValue<'_> {
    OptionValue::Choice(value)
}

/// A path.
pub fn path(value: &mut PathBuf) -> OptionValue<'_> {
    OptionValue::Path(value)
}

/// The name of a file, without a directory.
pub fn file_name(value: &mut String) -> OptionValue<'_> {
    OptionValue::FileName(value)
}

/// A text in one line, of at most so many bytes.
pub fn text(value: &mut String, max_bytes: usize) -> OptionValue<'_> {
    OptionValue::Text { value, max_bytes }
}

/// A secret in one line.
pub fn secret(value: &mut Secret) -> OptionValue<'_> {
    OptionValue::Secret { value, form: Form::Line }
}

/// A secret URL of http or https.
pub fn secret_url(value: &mut Secret) -> OptionValue<'_> {
    OptionValue::Secret { value, form: Form::Url }
}

fn within<T: PartialOrd>(
    value: &T,
    limits: &RangeInclusive<T>,
    text: impl Fn(&T) -> String,
) -> Result<(), Problem> {
    if limits.contains(value) {
        return Ok(());
    }
    let side = if value < limits.start() { "small" } else { "large" };
    Err(Problem {
        problem: format!("{} is too {side}", text(value)),
        help: format!("use {} to {}", text(limits.start()), text(limits.end())),
    })
}

/// Why a value was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// It is of another type, or not spelled like one of this type.
    Unfit,
    /// There is more to say.
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(wrong: Problem) -> Self {
        Self::Problem(wrong)
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

fn check_path(path: &Path) -> Result<(), Problem> {
    let problem = if path.as_os_str().is_empty() {
        "is empty"
    } else if path.as_os_str().as_encoded_bytes().contains(&0) {
        "has a NUL character"
    } else if path.as_os_str().as_encoded_bytes().starts_with(b"~") {
        let help = "write the whole path, or ./~… for a directory with that name";
        return Err(Problem {
            problem: "begins with ~, which is a shell's".into(),
            help: help.into(),
        });
    } else {
        return Ok(());
    };
    Err(Problem { problem: problem.into(), help: "write the path of a directory".into() })
}

/// A plain name: writing it cannot leave the directory, on any system.
fn check_file_name(name: &str) -> Result<(), Problem> {
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
    Err(Problem {
        problem: format!("{:?} {problem}", shorten(name)),
        help: "write a plain file name such as app.log; the directory is files.dir".into(),
    })
}

fn check_text(text: &str, max_bytes: usize) -> Result<(), Problem> {
    let problem = if text.contains(char::is_control) {
        "has a control character"
    } else if text.len() > max_bytes {
        "is too long"
    } else {
        return Ok(());
    };
    // It is not shown: what does not look like a text may be a URL with a password.
    Err(Problem {
        problem: problem.to_owned(),
        help: format!("write a text in one line, of at most {max_bytes} bytes"),
    })
}

/// What is wrong is reported without showing any of it.
fn check_secret(secret: &Secret, form: Form) -> Result<(), Problem> {
    let is_line = !secret.reveal().contains(char::is_control) && secret.reveal().is_ascii();
    let (problem, help) = match form {
        _ if secret.is_empty() => return Ok(()),
        Form::Line if is_line => return Ok(()),
        Form::Line => ("has a character that no token has", "copy it again, in one line"),
        Form::Url => match SecretUrl::from(secret).fault() {
            Some(problem) => (problem, "write it as https://host/path"),
            None => return Ok(()),
        },
        Form::Checked(check) => match check(secret.reveal()) {
            Err(problem) => problem,
            Ok(()) => return Ok(()),
        },
    };
    Err(Problem { problem: problem.to_owned(), help: help.to_owned() })
}

/// Room is left for `.1000.gz` in the 255 bytes that file systems allow.
const MAX_NAME_BYTES: usize = 200;
