//! logwell.

pub mod callsite;
pub mod encode;
pub mod error;
pub mod fields;
pub mod level;
pub mod record;
pub mod rotate;
pub mod sink;
pub mod span;
pub mod terminal;
pub mod trace_context;

pub use error::{Error, Mistake, Origin};
pub use level::Level;
