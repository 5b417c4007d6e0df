//! Broker: a connection to RabbitMQ, as the options say.
//!
//! There are two for a worker, since a broker that is short of memory or disk blocks the one that
//! publishes: the other still takes messages and acknowledges them. Knows options; AMQP is
//! [`logwell::forward::amqp`]'s.

use logwell::forward::amqp::{Broker, Server, Tls, Trouble};

use crate::options::Broker as Options;

/// Connects; `name` is what the broker's own tools show.
pub(crate) async fn connect(options: &Options, name: &str) -> Result<Broker, Trouble> {
    let tls = options.tls.then(|| Tls::new(&options.ca_file)).transpose();
    let server = Server {
        host: options.host.clone(),
        port: options.port,
        user: options.user.clone(),
        password: options.password.clone(),
        vhost: options.vhost.clone(),
        tls: tls.map_err(|error| Trouble::new(error.to_string()))?,
        heartbeat: options.heartbeat,
        timeout: options.timeout,
        name: name.to_owned(),
    };
    Broker::connect(&server).await
}
