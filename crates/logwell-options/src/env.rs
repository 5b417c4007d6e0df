//! Env: environment variables are laid over the options.
//!
//! A pure function over pairs: it never asks the process. Knows the names of variables, not what
//! options exist.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::report::{Place, Report};
use super::section::{Entry, each_option};
use crate::raw_value::{Problem, RawValue};

/// The variable for the option: `LOG_` and its key in capitals, but for the names fixed below.
pub fn name(key: &str) -> String {
    match FIXED.iter().find(|&&(fixed, _)| fixed == key) {
        Some(&(_, name)) => name.to_owned(),
        None => format!("LOG_{}", key.replace('.', "_").to_ascii_uppercase()),
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
/// Variables of other names are not ours, whatever they begin with.
pub fn read(entries: Vec<Entry<'_>>, variables: &Variables, report: &mut Report) {
    each_option(entries, "", &mut |key, slot| {
        let name = match name(key) {
            name if key == "level" && variables.get(&name).is_none() => RUST_LOG.to_owned(),
            name => name,
        };
        let Some(value) = variables.get(&name) else { return };
        let place = Place::Env(name);
        report.give(key, place.clone());
        let result = match value.to_str() {
            Some(text) => slot.set(RawValue::Env(text)),
            None => Err(Problem {
                problem: "is not valid UTF-8".to_owned(),
                help: "set it to a text in UTF-8".to_owned(),
            }),
        };
        if let Err(wrong) = result {
            report.fault(place, key, wrong);
        }
    });
}

/// The variable that names the configuration file.
pub const CONFIG: &str = "LOG_CONFIG";

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
