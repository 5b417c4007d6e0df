//! Env: environment variables are laid over the options.
//!
//! A function over pairs: it never asks the process, and tells the self-log what it reads otherwise than
//! it is written. Knows the names of variables, not what options exist.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::report::{Place, Report};
use super::section::{Section as _, each_option};
use crate::base::selflog;
use crate::config::LoggingConfig;
use crate::config::options::raw_value::{Problem, RawValue};
use crate::config::options::value::OptionValue;

/// The variable for the option: `LOG_` and its key in capitals.
pub(crate) fn name(key: &str) -> String {
    format!("LOG_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The shorter name of the same variable, if it has one. [`name`] wins if both are set.
pub(crate) fn short_name(key: &str) -> Option<&'static str> {
    SHORT.iter().find(|&&(known, _)| known == key).map(|&(_, name)| name)
}

/// All its names, as documents show them.
pub(crate) fn names(key: &str) -> String {
    match short_name(key) {
        Some(short) => format!("{} or {short}", name(key)),
        None => name(key),
    }
}

/// Variables by name, without the empty ones: an empty value is as good as none.
#[derive(Debug, Default)]
pub(crate) struct Variables(HashMap<OsString, OsString>);

impl Variables {
    /// Takes pairs such as those of `std::env::vars_os()`; of one name the last counts.
    pub(crate) fn new<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The value, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

/// Sets what the variables give; everything wrong with them goes to the report.
///
/// Variables of other names are not ours, whatever they begin with. A name that does not begin as ours
/// do is asked only if its section is on: another program may use it.
pub(crate) fn read(config: &mut LoggingConfig, variables: &Variables, report: &mut Report) {
    each_option(config.entries(), "", &mut |key, slot| {
        let short = short_name(key).filter(|short| section_of(short).is_none());
        let rust_log = (key == "level").then_some(RUST_LOG);
        let names = [Some(name(key)), short.map(str::to_owned), rust_log.map(str::to_owned)];
        take(key, slot, names.into_iter().flatten(), (variables, report));
    });
    // Those above may have switched the sections on.
    let on = [(BROKER, config.forward.rabbitmq.enabled), (PEOPLE, config.forward.telegram.enabled)];
    each_option(config.entries(), "", &mut |key, slot| {
        let Some(short) = short_name(key) else { return };
        let is_on = section_of(short).is_some_and(|section| on.contains(&(section, true)));
        let is_given = report.place(&[key]) == Place::Env(name(key));
        if is_on && !is_given {
            take(key, slot, [short.to_owned()].into_iter(), (variables, report));
        }
    });
}

/// Sets the option by the first of the variables that is set, and not another program's.
fn take(
    key: &str,
    slot: &mut OptionValue<'_>,
    names: impl Iterator<Item = String>,
    (variables, report): (&Variables, &mut Report),
) {
    for name in names {
        let Some(value) = variables.get(&name) else { continue };
        if value.to_str().is_some_and(|text| is_of_another(slot, text)) {
            report.pass_over(&name, key);
            continue;
        }
        let shown = name.clone();
        let place = Place::Env(name);
        report.give(key, place.clone());
        let result = match value.to_str() {
            Some(text) if slot.is_path() => match path(text, variables) {
                Ok(path) => {
                    if path != text {
                        let told = format_args!("{shown} is {text:?}, and is read as {path:?}");
                        selflog::tell("a variable is not as it should be", &told);
                    }
                    slot.set(RawValue::Env(&path))
                }
                Err(wrong) => Err(wrong),
            },
            Some(text) => slot.set(RawValue::Env(text)),
            None => Err(Problem {
                problem: "is not valid UTF-8".to_owned(),
                help: "set it to a text in UTF-8".to_owned(),
            }),
        };
        if let Err(wrong) = result {
            report.fault(place, key, wrong);
        }
        return;
    }
}

/// Whether the value is plainly another program's: where a Service is called `mq`, Kubernetes sets
/// `MQ_PORT=tcp://10.0.0.5:5672`.
fn is_of_another(slot: &OptionValue<'_>, value: &str) -> bool {
    matches!(slot, OptionValue::Count { .. } | OptionValue::Flag(_)) && value.contains("://")
}

/// The section to which a name belongs that does not begin as ours do, if it has a switch.
fn section_of(name: &str) -> Option<&'static str> {
    match name {
        _ if name.starts_with("MQ_") => Some(BROKER),
        _ if name.contains("_TG_") => Some(PEOPLE),
        _ => None,
    }
}

const BROKER: &str = "forward.rabbitmq";
const PEOPLE: &str = "forward.telegram";

/// The path that a variable means. What reads a file of variables may have left a carriage return at its
/// end, or the quotes around it; and no shell has looked at a `~`.
fn path(text: &str, variables: &Variables) -> Result<String, Problem> {
    let text = text.trim_end_matches(['\r', '\n']);
    let is_quoted =
        |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    let text = match ['"', '\''].into_iter().find(|quote| is_quoted(*quote)) {
        Some(quote) => text.trim_matches(quote),
        None => text,
    };
    let Some(below) = text.strip_prefix("~/").or((text == "~").then_some("")) else {
        return Ok(text.to_owned());
    };
    let home = variables.get("HOME").and_then(OsStr::to_str).ok_or_else(|| Problem {
        problem: "begins with ~, and HOME is not set".to_owned(),
        help: "write the whole path".to_owned(),
    })?;
    Ok(format!("{}/{below}", home.trim_end_matches('/')))
}

/// The variable that names the configuration file.
pub(crate) const CONFIG: &str = "LOG_CONFIG";

/// What `level` is read from when its own variable is not set.
const RUST_LOG: &str = "RUST_LOG";

/// Shorter names, and names that are older than the keys.
const SHORT: [(&str, &str); 14] = [
    ("unified", "USE_UNIFIED_LOGGING"),
    ("files.dir", "LOG_DIR"),
    ("files.level", "LOG_FILE_LEVEL"),
    ("files.ai.enabled", "LOG_ENABLE_AI_HANDLER"),
    ("service.domain", "LOG_DOMAIN"),
    ("forward.rabbitmq.enabled", "USE_NEW_LOGSYS"),
    ("forward.rabbitmq.host", "MQ_HOST"),
    ("forward.rabbitmq.port", "MQ_PORT"),
    ("forward.rabbitmq.user", "MQ_USER"),
    ("forward.rabbitmq.password", "MQ_PASSWORD"),
    ("forward.telegram.developer.token", "DEV_TG_TOKEN"),
    ("forward.telegram.developer.chat_id", "DEV_TG_CHATID"),
    ("forward.telegram.customer.token", "CUSTOMER_TG_TOKEN"),
    ("forward.telegram.customer.chat_id", "CUSTOMER_TG_CHATID"),
];
