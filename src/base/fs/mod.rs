//! File system: the calls that the product makes, and what they need to know of the platform.
//!
//! Knows paths and files, and not what is in them.

pub(crate) mod calls;
pub(crate) mod lock;
pub(crate) mod os;

use std::path::PathBuf;

/// The same place, wherever the program goes later: a daemon changes its working directory.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
