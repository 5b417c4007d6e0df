//! Post: one attempt to deliver a request over HTTP, and what came of it.
//!
//! Knows where requests go and how they look there. Knows neither queues nor how often is tried.
//! Blocks: call it on a thread for that.

use logwell::forward::telegram::TelegramClient;
use logwell::forward::{Answer, HttpClient, HttpOptions, Outcome, Secret, SecretUrl, classify};

use crate::message::Request;
use crate::settings::{Destination, Settings};

/// Posts the requests of one destination. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    client: HttpClient,
    log_beacon: SecretUrl,
    token: Secret,
    headers: Vec<(String, Secret)>,
    telegram: TelegramClient,
}

impl Post {
    /// Makes ready; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The options cannot be used: a proxy that is no URL, certificates that cannot be read.
    pub(crate) fn new(settings: &Settings, destination: Destination) -> Result<Self, String> {
        let (connect_timeout, timeout) = match destination {
            Destination::LogBeacon => {
                (settings.logbeacon.connect_timeout, settings.logbeacon.timeout)
            }
            Destination::Telegram => (settings.telegram.connect_timeout, settings.telegram.timeout),
        };
        let mut options = HttpOptions::default();
        options.connect_timeout = connect_timeout;
        options.timeout = timeout;
        options.proxy = Some(settings.http.proxy.clone()).filter(|proxy| !proxy.is_empty());
        options.ca_file = settings.http.ca_file.clone();
        let token = settings.logbeacon.token.reveal();
        let bearer = (!token.is_empty()).then(|| Secret::new(format!("Bearer {token}")));
        let client = HttpClient::new(&options).map_err(|error| error.to_string())?;
        Ok(Self {
            telegram: TelegramClient::new(client.clone(), &settings.telegram.base_url),
            client,
            log_beacon: settings.logbeacon.url.clone(),
            token: settings.logbeacon.token.clone(),
            headers: bearer
                .map(|bearer| ("Authorization".to_owned(), bearer))
                .into_iter()
                .collect(),
        })
    }

    /// Tries once. Takes as long as the destination's `timeout` at most.
    pub(crate) fn try_once(&self, request: &Request) -> Outcome {
        match request {
            Request::LogBeacon(body) => {
                match self.client.post_json(&self.log_beacon, &self.headers, body) {
                    Ok(answer) => classify(&without(&self.token, answer)),
                    Err(error) => error.into(),
                }
            }
            Request::Telegram { token, message } => self.telegram.send(token, message),
        }
    }
}

/// The answer without the token, should the other side have repeated it alone.
fn without(token: &Secret, mut answer: Answer) -> Answer {
    answer.body_start = token.scrub(&answer.body_start);
    answer
}
