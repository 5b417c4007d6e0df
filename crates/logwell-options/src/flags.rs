//! Flags: the command line is laid over the options.
//!
//! Knows how flags are named after keys. Does not parse the command line, and knows no option.

use crate::raw_value::RawValue;
use crate::report::{Place, Report};
use crate::section::{Section, each_option};
use std::collections::HashMap;

/// The flag for the option: `--broker-host` for `broker.host`.
#[must_use]
pub fn name(key: &str) -> String {
    format!("--{}", key.replace(['.', '_'], "-"))
}

/// Sets what the flags give, by key; everything wrong with them goes to the report.
pub fn read<S: Section>(options: &mut S, given: &HashMap<String, String>, report: &mut Report) {
    each_option(options.entries(), "", &mut |key, slot| {
        let Some(value) = given.get(key) else { return };
        let place = Place::Flag(name(key));
        report.give(key, place.clone());
        if let Err(wrong) = slot.set(RawValue::Env(value)) {
            report.fault(place, key, wrong);
        }
    });
}
