//! Names: sinks and destinations have one name each, and there are not too many of them.
//!
//! Pure. Knows the names only.

use crate::base::error::Error;
use crate::pipeline::route::SinkSet;
use logwell_options::problem::{ConfigProblem, Origin};

/// # Errors
///
/// Two have one name, or there are more than a route can have.
pub(super) fn check(names: &[&str]) -> Result<(), Error> {
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().skip(at + 1).any(|n| n == *name));
    let (problem, help) = if names.len() > SinkSet::MAX {
        let problem = format!("{} sinks are too many", names.len());
        (problem, "there can be 64 at most, files and console included")
    } else if let Some((_, name)) = twice {
        let problem = format!("two sinks are called {name}");
        (
            problem,
            "give each its own name; app, errors, ai, console and the destinations of forward are \
             taken",
        )
    } else {
        return Ok(());
    };
    let (key, help) = ("sinks".to_owned(), help.to_owned());
    Err(Error::config(vec![ConfigProblem { origin: Origin::Code, key, problem, help }]))
}
