//! Post: one attempt to deliver a request over HTTP, and what came of it.
//!
//! Knows where requests go and how they look there. Knows neither queues nor how often is tried.
//! Blocks: call it on a thread for that.

use std::path::{Path, PathBuf};

use logwell::forward::telegram::TelegramClient;
use logwell::forward::{HttpClient, HttpOptions, LogBeaconClient, Outcome};

use crate::destination::Destination;
use crate::message::Request;
use crate::options::Settings;

/// Posts the requests of one destination. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    log_beacon: LogBeaconClient,
    telegram: TelegramClient,
}

impl Post {
    /// Makes ready; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The options cannot be used: a proxy that is no URL, certificates that cannot be read.
    pub(crate) fn new(settings: &Settings, destination: Destination) -> Result<Self, String> {
        let Settings { logbeacon, telegram, http, .. } = settings;
        let mut options = HttpOptions::default();
        (options.connect_timeout, options.timeout) = match destination {
            Destination::LogBeacon => (logbeacon.connect_timeout, logbeacon.timeout),
            Destination::Telegram => (telegram.connect_timeout, telegram.timeout),
        };
        options.proxy = Some(http.proxy.clone()).filter(|proxy| !proxy.is_empty());
        options.ca_file = Some(PathBuf::from(&http.ca_file)).filter(|path| path != Path::new(""));
        let client = HttpClient::new(&options).map_err(|error| error.to_string())?;
        let (url, token) = ((&logbeacon.url).into(), &logbeacon.token);
        Ok(Self {
            log_beacon: LogBeaconClient::with_token(client.clone(), url, token),
            telegram: TelegramClient::new(client, &telegram.base_url),
        })
    }

    /// Tries once. Takes as long as the destination's `timeout` at most.
    pub(crate) fn try_once(&self, request: &Request) -> Outcome {
        match request {
            Request::LogBeacon(body) => self.log_beacon.post(&[body]),
            Request::Telegram { token, message } => self.telegram.send(token, message),
        }
    }
}
