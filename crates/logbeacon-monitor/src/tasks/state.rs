//! State: what is remembered of a task.
use serde::{Deserialize, Serialize};
/// What is remembered of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    /// Its id.
    pub id: String,
}
