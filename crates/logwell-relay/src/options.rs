//! Options: the one list of what can be set, with each default, meaning and limit.
//!
//! Help, the configuration file, variables and flags are made from it. Knows the settings' places,
//! not where values come from.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::settings::Settings;
use logwell::forward::{Secret, SecretUrl};

/// One option: its key, its meaning, and how its text becomes a value.
pub(crate) struct Opt {
    /// Key in the file, such as `broker.host`; flag and variable are made from it.
    pub(crate) key: &'static str,
    /// A variable of a fixed name, asked after the one made from the key.
    pub(crate) alias: Option<&'static str>,
    /// As a text; empty is none.
    pub(crate) default: &'static str,
    /// Never shown, and not taken from the command line, which others on the machine can read.
    pub(crate) is_secret: bool,
    pub(crate) about: &'static str,
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Opt {
    /// The variable made from the key: `LOGWELL_RELAY_BROKER_HOST`.
    pub(crate) fn variable(&self) -> String {
        format!("LOGWELL_RELAY_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// The variable by which logwell itself takes the same option, so that one file of variables
    /// does for a program and its worker: `LOG_FORWARD_RABBITMQ_HOST`.
    pub(crate) fn shared_variable(&self) -> Option<String> {
        let key = match self.key.split_once('.') {
            None if self.key == "domain" => "service.domain".to_owned(),
            Some(("broker", name @ ("host" | "port" | "user" | "password" | "vhost" | "tls"))) => {
                format!("forward.rabbitmq.{name}")
            }
            Some(("broker", "ca_file")) => "forward.rabbitmq.ca_file".to_owned(),
            Some(("logbeacon", "url" | "token")) | Some(("http", "proxy" | "ca_file")) => {
                format!("forward.{}", self.key)
            }
            Some(("telegram", name))
                if name.contains("developer.") || name.contains("customer.") =>
            {
                format!("forward.{}", self.key)
            }
            _ => return None,
        };
        Some(format!("LOG_{}", key.replace('.', "_").to_ascii_uppercase()))
    }

    /// All variables of the option; of those that are set the last one counts.
    pub(crate) fn variables(&self) -> impl Iterator<Item = String> {
        let alias = self.alias.map(str::to_owned);
        [alias, self.shared_variable(), Some(self.variable())].into_iter().flatten()
    }

    /// The flag made from the key: `--broker-host`.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.key.replace(['.', '_'], "-"))
    }
}

/// `key, default, about => place = reader;` with `secret` before and `as ALIAS` after the key.
macro_rules! options {
    ($( $(#[$secret:ident])? $key:literal $(as $alias:literal)? = $default:literal, $about:literal
        => $($place:ident).+ : $reader:expr; )+) => {
        /// All options, in the order of the help.
        pub(crate) const OPTIONS: &[Opt] = &[$(
            Opt {
                key: $key,
                alias: options!(@alias $($alias)?),
                default: $default,
                is_secret: options!(@secret $($secret)?),
                about: $about,
                set: |settings, text| $reader(text).map(|value| settings.$($place).+ = value),
            },
        )+];
    };
    (@alias) => { None };
    (@alias $alias:literal) => { Some($alias) };
    (@secret) => { false };
    (@secret secret) => { true };
}

options! {
    "domain" as "LOG_DOMAIN" = "", "the domain of its queues, {domain}_logbeacon and {domain}_tg"
        => domain: domain;
    "broker.host" as "MQ_HOST" = "127.0.0.1", "where RabbitMQ is" => broker.host: word;
    "broker.port" as "MQ_PORT" = "5672", "its port; with TLS usually 5671" => broker.port: number;
    "broker.user" as "MQ_USER" = "guest", "the worker's user name" => broker.user: text;
    #[secret] "broker.password" as "MQ_PASSWORD" = "guest", "the password"
        => broker.password: secret;
    "broker.vhost" as "MQ_VHOST" = "/", "the virtual host" => broker.vhost: text;
    "broker.tls" = "false", "whether the connection is encrypted" => broker.tls: flag;
    "broker.ca_file" = "", "a PEM file of certificates to trust, in addition to the system's"
        => broker.ca_file: path;
    "broker.heartbeat" = "600s", "the heartbeat interval; 0s turns heartbeats off"
        => broker.heartbeat: time;
    "broker.timeout" = "10s", "how long connecting, and each answer of the broker, may take"
        => broker.timeout: some_time;
    "broker.tries" = "5", "how many times to try to connect before the worker ends; 0: forever"
        => broker.tries: number;
    "broker.pause" = "5s", "the pause between these tries" => broker.pause: time;
    "broker.prefetch" = "1",
        "how many messages the broker hands over at once; they are delivered one by one"
        => broker.prefetch: at_least_one;
    #[secret] "logbeacon.url" as "LOGBEACON_URL" = "", "where LogBeacon takes messages"
        => logbeacon.url: url;
    #[secret] "logbeacon.token" as "LOGBEACON_TOKEN" = "", "sent as `Authorization: Bearer …`"
        => logbeacon.token: secret;
    "logbeacon.tries" = "3", "how many times to try a message before giving it up"
        => logbeacon.patience.tries: at_least_one;
    "logbeacon.pause" = "5s", "the pause between these tries; longer if LogBeacon asks for it"
        => logbeacon.patience.pause: time;
    "logbeacon.longest_pause" = "15m", "give a message up if LogBeacon asks for a longer pause"
        => logbeacon.patience.longest_pause: time;
    "logbeacon.blocked_rest" = "60s",
        "the longest rest while nothing passes since a person must fix something first"
        => logbeacon.patience.blocked_rest: some_time;
    "logbeacon.blocked_alone" = "10m",
        "give up a message that is blocked (401, 404, …) this long while others pass; else it waits"
        => logbeacon.patience.blocked_alone: time;
    "logbeacon.connect_timeout" = "5s", "how long connecting may take"
        => logbeacon.connect_timeout: some_time;
    "logbeacon.timeout" = "30s", "how long a request may take in all"
        => logbeacon.timeout: some_time;
    "telegram.base_url" = "https://api.telegram.org", "where the Bot API is"
        => telegram.base_url: word;
    #[secret] "telegram.developer.token" as "DEV_TG_TOKEN" = "",
        "the bot for messages of type developer that have no token"
        => telegram.developer.token: secret;
    "telegram.developer.chat_id" as "DEV_TG_CHATID" = "", "the chat for those without one"
        => telegram.developer.chat_id: text;
    #[secret] "telegram.customer.token" as "CUSTOMER_TG_TOKEN" = "",
        "the bot for messages of type customer that have no token"
        => telegram.customer.token: secret;
    "telegram.customer.chat_id" as "CUSTOMER_TG_CHATID" = "", "the chat for those without one"
        => telegram.customer.chat_id: text;
    "telegram.per_second" = "30", "how many messages a second are sent at most"
        => telegram.per_second: at_least_one;
    "telegram.per_chat_per_minute" = "20", "how many a minute to one chat"
        => telegram.per_chat_per_minute: at_least_one;
    "telegram.tries" = "3", "how many times to try a message before giving it up"
        => telegram.patience.tries: at_least_one;
    "telegram.pause" = "30s", "the pause between these tries; longer if Telegram asks for it"
        => telegram.patience.pause: time;
    "telegram.longest_pause" = "15m", "give a message up if Telegram asks for a longer pause"
        => telegram.patience.longest_pause: time;
    "telegram.blocked_rest" = "60s",
        "the longest rest while nothing passes since a person must fix something first"
        => telegram.patience.blocked_rest: some_time;
    "telegram.blocked_alone" = "24h",
        "the same for a message that is blocked (chat not found, bot kicked, wrong token)"
        => telegram.patience.blocked_alone: time;
    "telegram.connect_timeout" = "5s", "how long connecting may take"
        => telegram.connect_timeout: some_time;
    "telegram.timeout" = "30s", "how long a request may take in all"
        => telegram.timeout: some_time;
    #[secret] "http.proxy" = "", "an HTTP proxy for both destinations" => http.proxy: secret;
    "http.ca_file" = "", "a PEM file of certificates to trust, in addition to the public ones"
        => http.ca_file: path;
    "status.every" = "60s", "how often state and queue depth are logged" => status.every: some_time;
    "status.listen" = "",
        "the address that serves /health and /metrics, such as 127.0.0.1:9464; empty: none"
        => status.listen: address;
    "logging.file" as "LOG_CONFIG" = "", "a configuration file of logwell for the worker's own log"
        => logging_file: path;
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("must be a word".to_owned());
    }
    Ok(text.to_owned())
}

/// Part of a queue's name, which AMQP limits to 255 bytes.
fn domain(text: &str) -> Result<String, String> {
    if text.len() > 200 || text.contains(char::is_control) {
        return Err("must have at most 200 bytes, and no control characters".to_owned());
    }
    Ok(text.to_owned())
}

fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

fn url(text: &str) -> Result<SecretUrl, String> {
    if text.is_empty() || text.starts_with("http://") || text.starts_with("https://") {
        return Ok(SecretUrl::new(text));
    }
    Err("must begin with http:// or https://".to_owned())
}

fn path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "must be an address and a port: 127.0.0.1:9464".to_owned())
}

fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn number<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    let number = text.parse::<u64>().ok().and_then(|number| N::try_from(number).ok());
    number.ok_or_else(|| "must be a whole number, and not too large".to_owned())
}

fn at_least_one<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    if text.parse::<u64>() == Ok(0) {
        return Err("must be at least 1".to_owned());
    }
    number(text)
}

/// `500ms`, `5s`, `10m`, `1h`; up to a day.
fn time(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
    let millis = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let duration = number.zip(millis).and_then(|(number, unit)| number.checked_mul(unit));
    match duration.map(Duration::from_millis) {
        Some(duration) if duration <= DAY => Ok(duration),
        _ => Err("must be a time up to 24h, such as 500ms, 5s, 10m or 1h".to_owned()),
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("must be longer than 0s".to_owned()),
        duration => Ok(duration),
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_option() {
        let mut settings = Settings::default();
        for option in OPTIONS {
            let set = (option.set)(&mut settings, option.default);
            assert_eq!(set, Ok(()), "{}", option.key);
        }
        assert_eq!(settings.broker.heartbeat, Duration::from_secs(600));
        assert_eq!(settings.telegram.patience.pause, Duration::from_secs(30));
        assert_eq!(settings.logbeacon.patience.tries, 3);
    }

    #[test]
    fn no_key_flag_or_variable_is_there_twice() {
        let mut names: Vec<String> = Vec::new();
        for option in OPTIONS {
            names.extend([option.key.to_owned(), option.flag()]);
            names.extend(option.variables());
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn times_are_read_with_their_unit_or_refused() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("24h"), Ok(DAY));
        for wrong in ["5", "", "s", "-1s", "1.5s", "25h", "5 s", "99999999999999999999s", "5d"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(some_time("0s").is_err());
    }
}
