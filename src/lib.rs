//! logwell.

pub mod callsite;
pub mod error;
pub mod fields;
pub mod level;
pub mod record;
pub mod rotate;
pub mod sink;
pub mod span;

pub use error::{Error, Mistake, Origin};
pub use level::Level;
