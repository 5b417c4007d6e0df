//! Cause: why a handler answers with 5xx, for the access record.
//!
//! Knows how an error travels with a response: in its extensions, which are not sent. Does not know
//! records.

use std::error::Error;
use std::sync::Arc;

/// Why a response is a 5xx. The handler puts it into the response's extensions; the access record
/// has it as `error` and `error_chain`, and the client never sees it.
///
/// ```
/// use http::{Response, StatusCode};
/// use logwell_tower::Cause;
///
/// let error = std::io::Error::other("the pool is empty");
/// let mut response = Response::new(String::new());
/// *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
/// response.extensions_mut().insert(Cause::new(error));
/// ```
#[derive(Debug, Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// The error that is the reason.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }

    /// The error.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}
