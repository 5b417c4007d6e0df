//! Env: environment variables are laid over the options.
//!
//! A function over pairs: it never asks the process, and tells the self-log what it reads otherwise than
//! it is written. Knows the names of variables, not what options exist.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::given::{Given, Wrong};
use super::report::{Place, Report};
use super::section::{Entry, each_option};
use crate::selflog;

/// The variable for the option: `LOG_` and its key in capitals, but for the names fixed below.
pub(super) fn name(key: &str) -> String {
    match FIXED.iter().find(|&&(fixed, _)| fixed == key) {
        Some(&(_, name)) => name.to_owned(),
        None => format!("LOG_{}", key.replace('.', "_").to_ascii_uppercase()),
    }
}

/// Variables by name, without the empty ones: an empty value is as good as none.
#[derive(Debug, Default)]
pub(super) struct Variables(HashMap<OsString, OsString>);

impl Variables {
    /// Takes pairs such as those of `std::env::vars_os()`; of one name the last counts.
    pub(super) fn new<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The value, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

/// Sets what the variables give; everything wrong with them goes to the report.
///
/// Variables of other names are not ours, whatever they begin with.
pub(super) fn read(entries: Vec<Entry<'_>>, variables: &Variables, report: &mut Report) {
    each_option(entries, "", &mut |key, slot| {
        let name = match name(key) {
            name if key == "level" && variables.get(&name).is_none() => RUST_LOG.to_owned(),
            name => name,
        };
        let Some(value) = variables.get(&name) else { return };
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
                    slot.set(Given::Env(&path))
                }
                Err(wrong) => Err(wrong),
            },
            Some(text) => slot.set(Given::Env(text)),
            None => Err(Wrong {
                problem: "is not valid UTF-8".to_owned(),
                help: "set it to a text in UTF-8".to_owned(),
            }),
        };
        if let Err(wrong) = result {
            report.fault(place, key, wrong);
        }
    });
}

/// The path that a variable means. What reads a file of variables may have left a carriage return at its
/// end, or the quotes around it; and no shell has looked at a `~`.
fn path(text: &str, variables: &Variables) -> Result<String, Wrong> {
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
    let home = variables.get("HOME").and_then(OsStr::to_str).ok_or_else(|| Wrong {
        problem: "begins with ~, and HOME is not set".to_owned(),
        help: "write the whole path".to_owned(),
    })?;
    Ok(format!("{}/{below}", home.trim_end_matches('/')))
}

/// The variable that names the configuration file.
pub(super) const CONFIG: &str = "LOG_CONFIG";

/// What `level` is read from when its own variable is not set.
const RUST_LOG: &str = "RUST_LOG";

/// Names that are older than the keys.
const FIXED: [(&str, &str); 14] = [
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
