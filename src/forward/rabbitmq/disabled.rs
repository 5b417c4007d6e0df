//! Disabled: a build without the feature `rabbitmq` has no way there, and says so if asked to.

use crate::base::error::Error;
use crate::forward::ForwardSetup;
use crate::forward::destination::Destination;
use logwell_options::problem::{ConfigProblem, Origin};

/// The destination, unless the configuration asks for the broker.
///
/// # Errors
///
/// It does.
pub(crate) fn through(
    destination: Destination,
    config: &ForwardSetup<'_>,
) -> Result<Destination, Error> {
    if !config.forward.rabbitmq.enabled {
        return Ok(destination);
    }
    Err(Error::config(vec![ConfigProblem {
        origin: Origin::Code,
        key: "forward.rabbitmq.enabled".to_owned(),
        problem: "this program was built without logwell's feature `rabbitmq`".to_owned(),
        help: "add it to the dependency in Cargo.toml: features = [\"rabbitmq\"]".to_owned(),
    }]))
}
