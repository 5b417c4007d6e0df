//! Env: environment variables are laid over the options.
//!
//! A pure function over pairs: it never asks the process. Knows how names are made of keys, not
//! which options exist.

use crate::raw_value::{Problem, RawValue};
use crate::report::{Place, Report};
use crate::section::{Section, each_option};
use crate::value::OptionValue;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

/// How the variables of a program are called.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// What each begins with, such as `LOG_`.
    pub prefix: &'static str,
    /// Other names, shorter or older than those made of the keys.
    pub others: &'static [OtherName],
}

/// Another name of an option's variable. The one made of the key wins if both are set.
#[derive(Debug, Clone, Copy)]
pub struct OtherName {
    /// The option's key.
    pub key: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// The key of the switch that must be on for the variable to be read: without the prefix, its
    /// name may be another program's. `None` if it is always read.
    pub switch: Option<&'static str>,
    /// Whether documents show it.
    pub is_shown: bool,
}

impl Names {
    /// The variable for the option: the prefix and its key in capitals.
    #[must_use]
    pub fn name(&self, key: &str) -> String {
        format!("{}{}", self.prefix, key.replace('.', "_").to_ascii_uppercase())
    }

    /// All its names, as documents show them.
    #[must_use]
    pub fn all(&self, key: &str) -> String {
        let others = self.others_of(key).filter(|other| other.is_shown);
        others.fold(self.name(key), |names, other| format!("{names} or {}", other.variable))
    }

    /// Its other names.
    pub fn others_of<'n>(&'n self, key: &str) -> impl Iterator<Item = &'n OtherName> {
        self.others.iter().filter(move |other| other.key == key)
    }
}

/// Variables by name, without the empty ones: an empty value is as good as none.
#[derive(Debug, Default)]
pub struct Variables(HashMap<OsString, OsString>);

impl Variables {
    /// Takes pairs such as those of `std::env::vars_os()`; of one name the last counts.
    pub fn new<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The value, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

/// Sets what the variables give; everything wrong with them goes to the report.
///
/// Variables of other names are not ours, whatever they begin with. A name that has a switch is
/// read only if that is on, after all others, which may have switched it on.
pub fn read<S: Section>(
    options: &mut S,
    names: &Names,
    variables: &Variables,
    report: &mut Report,
) {
    each_option(options.entries(), "", &mut |key, slot| {
        let always = names.others_of(key).filter(|other| other.switch.is_none());
        let always = always.map(|other| other.variable.to_owned());
        let long = names.name(key);
        let all = [long.clone()].into_iter().chain(always);
        take((key, names), slot, all, (variables, report));
    });
    let mut on = Vec::new();
    each_option(options.entries(), "", &mut |key, slot| {
        if matches!(slot, OptionValue::Flag(value) if **value) {
            on.push(key.to_owned());
        }
    });
    let is_on = |switch: &str| on.iter().any(|key| key == switch);
    each_option(options.entries(), "", &mut |key, slot| {
        let wanted = names.others_of(key).filter(|other| other.switch.is_some_and(is_on));
        let wanted: Vec<_> = wanted.map(|other| other.variable.to_owned()).collect();
        let long = names.name(key);
        if !wanted.is_empty() && report.place(&[key]) != Place::Env(long) {
            take((key, names), slot, wanted.into_iter(), (variables, report));
        }
    });
}

/// Sets the option by the first of the variables that is set, and not another program's.
fn take(
    (key, own): (&str, &Names),
    slot: &mut OptionValue<'_>,
    names: impl Iterator<Item = String>,
    (variables, report): (&Variables, &mut Report),
) {
    for name in names {
        let Some(value) = variables.get(&name) else { continue };
        let is_url = !slot.is_text() && value.to_str().is_some_and(|text| text.contains("://"));
        if is_url && is_of_another(&name, own.prefix, variables) {
            report.remark(
                format!("{name} is passed over as another program's"),
                format!("its value is a URL, and {key} is none"),
            );
            continue;
        }
        report.give(key, Place::Env(name.clone()));
        if let Err(wrong) = set(slot, (&name, value), variables, report) {
            report.fault(Place::Env(name), key, wrong);
        }
        return;
    }
}

fn set(
    slot: &mut OptionValue<'_>,
    (name, value): (&str, &OsStr),
    variables: &Variables,
    report: &mut Report,
) -> Result<(), Problem> {
    let text = value.to_str().ok_or_else(|| Problem {
        problem: "is not valid UTF-8".to_owned(),
        help: "set it to a text in UTF-8".to_owned(),
    })?;
    if !slot.is_path() {
        return slot.set(RawValue::Env(text));
    }
    let path = path(text, variables)?;
    if path != text {
        report.remark(
            "a variable is not as it should be".to_owned(),
            format!("{name} is {text:?}, and is read as {path:?}"),
        );
    }
    slot.set(RawValue::Env(&path))
}

/// Whether another program may have set a variable to a URL: its name is without our prefix, or it
/// is of a Kubernetes Service. Where one is called `mq`, Kubernetes sets
/// `MQ_PORT=tcp://10.0.0.5:5672`, and `MQ_SERVICE_HOST` beside it.
fn is_of_another(name: &str, prefix: &str, variables: &Variables) -> bool {
    let service = name.strip_suffix("_PORT").map(|service| format!("{service}_SERVICE_HOST"));
    !name.starts_with(prefix) || service.is_some_and(|host| variables.get(&host).is_some())
}

/// The path that a variable means. What reads a file of variables may have left a carriage return
/// at its end, or the quotes around it; and no shell has looked at a `~`.
fn path(text: &str, variables: &Variables) -> Result<String, Problem> {
    let text = text.trim_end_matches(['\r', '\n']);
    let is_quoted =
        |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let text = match ['"', '\''].into_iter().find(|quote| is_quoted(*quote)) {
        Some(quote) => text.trim_matches(quote),
        None => text,
    };
    if let Some(problem) = no_path(text) {
        return Err(problem);
    }
    let Some(below) = text.strip_prefix("~/").or((text == "~").then_some("")) else {
        return Ok(text.to_owned());
    };
    let home = variables.get("HOME").and_then(OsStr::to_str).ok_or_else(|| Problem {
        problem: "begins with ~, and HOME is not set".to_owned(),
        help: "write the whole path".to_owned(),
    })?;
    Ok(format!("{}/{below}", home.trim_end_matches('/')))
}

/// Why nobody can have meant the text as a path, and what to write.
fn no_path(text: &str) -> Option<Problem> {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '«' | '»');
    let is_named = |part: &str| {
        let name = part.strip_prefix('$').and_then(|name| name.chars().next());
        name.is_some_and(|first| first == '{' || first == '_' || first.is_alphabetic())
    };
    let (problem, help) = if let Some(path) = text.strip_prefix("file://") {
        ("is a URL, not a path", format!("write {path:?}"))
    } else if text.contains("://") {
        ("is a URL, not a path", "write the path of a directory".to_owned())
    } else if text.starts_with(is_quote) || text.ends_with(is_quote) {
        let path = text.trim_matches(is_quote);
        ("has a quote at its start or end", format!("write {path:?} without the quotes"))
    } else if text.trim() != text {
        ("has blanks at its start or end", format!("write {:?}", text.trim()))
    } else if text.split('/').any(is_named) {
        ("has a variable in it, which no shell has replaced", "write the whole path".to_owned())
    } else {
        return None;
    };
    Some(Problem { problem: problem.to_owned(), help })
}
