//! Options: the engine that lists, reads, checks and documents options. It knows no option itself.

pub(crate) mod choice;
pub(crate) mod env;
pub(crate) mod problem;
pub(crate) mod raw_value;
pub(crate) mod read;
pub(crate) mod report;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod section;
pub(crate) mod suggest;
pub(crate) mod units;
pub(crate) mod value;
pub(crate) mod write;
pub(crate) mod yaml;
