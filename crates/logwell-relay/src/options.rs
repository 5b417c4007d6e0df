//! Options: the one list of what can be set, with each default, meaning and limit.
//!
//! Flags with their help, the configuration file and the variables are made from it by
//! `logwell-options`. Knows how variables are named. Knows no value's use.

use std::net::SocketAddr;
use std::time::Duration;

use logwell::config::{Secret, TelegramGroup};
use logwell_options::env::{Names, OtherName};
use logwell_options::raw_value::{Problem, RawValue};
use logwell_options::report::Report;
use logwell_options::section;
use logwell_options::units::{HOUR, MINUTE};
use logwell_options::value::{
    CustomValue, OptionValue, Refusal, count, flag, secret, secret_url, section, text, time,
};

section! {
    /// All options of a worker.
    pub struct Settings {
        /// Whose queues: the worker takes from {domain}_logbeacon or {domain}_tg.
        domain: String = String::new() => text(200);
        /// The connection to RabbitMQ
        broker: Broker = Broker::default() => section();
        /// LogBeacon, the log server
        logbeacon: LogBeacon = LogBeacon::default() => section();
        /// Telegram
        telegram: Telegram = Telegram::default() => section();
        /// HTTP, for both destinations
        http: Http = Http::default() => section();
        /// How the worker shows how it is
        status: Status = Status::default() => section();
        /// The worker's own log
        logging: Logging = Logging::default() => section();
    }
}

section! {
    /// The connection to RabbitMQ.
    pub struct Broker {
        /// Where RabbitMQ is: a name or an address, not a URL. Reports show it.
        host: String = "127.0.0.1".to_owned() => text(253);
        /// Its port; with TLS usually 5671.
        port: u16 = 5_672 => count(1, 65_535);
        /// The user name.
        user: String = "guest".to_owned() => text(255);
        /// The password.
        password: Secret = Secret::new("guest") => secret();
        /// The virtual host.
        vhost: String = "/".to_owned() => text(255);
        /// Whether the connection is encrypted.
        tls: bool = false => flag();
        /// A file of PEM certificates to trust in addition to the public ones. Empty: none.
        ca_file: String = String::new() => text(4096);
        /// The heartbeat interval, in whole seconds. 0s turns heartbeats off.
        heartbeat: Duration = 10 * MINUTE => time(Duration::ZERO, 18 * HOUR);
        /// How long connecting, and each answer of the broker, may take.
        timeout: Duration = Duration::from_secs(10) => time(MILLISECOND, 24 * HOUR);
        /// How many times to try to connect before the worker ends with code 3. 0: forever.
        tries: u32 = 5 => count(0, 1_000_000_000);
        /// The pause between these tries.
        pause: Duration = Duration::from_secs(5) => time(Duration::ZERO, 24 * HOUR);
        /// How many messages the broker hands over at once. They are delivered one by one.
        prefetch: u16 = 1 => count(1, 65_535);
    }
}

section! {
    /// LogBeacon, and how patient the worker is with it.
    pub struct LogBeacon {
        /// Where LogBeacon takes messages.
        url: Secret = Secret::default() => secret_url();
        /// Sent as `Authorization: Bearer …`. Empty: none is sent.
        token: Secret = Secret::default() => secret();
        /// How many times to try a message before giving it up.
        tries: u32 = 3 => count(1, 1_000_000_000);
        /// The pause between these tries; longer if LogBeacon asks for it.
        pause: Duration = Duration::from_secs(5) => time(Duration::ZERO, 24 * HOUR);
        /// Give a message up if LogBeacon asks for a longer pause.
        longest_pause: Duration = 15 * MINUTE => time(Duration::ZERO, 24 * HOUR);
        /// The longest rest while nothing passes since a person must fix something first. A message
        /// is in doubt for 30 s, or for this time if it is less.
        blocked_rest: Duration = MINUTE => time(Duration::from_millis(100), HOUR);
        /// Give a message up that is blocked (401, 404, …) for so long while others pass.
        blocked_alone: Duration = 10 * MINUTE => time(Duration::ZERO, 9_000 * HOUR);
        /// How long connecting may take.
        connect_timeout: Duration = Duration::from_secs(5) => time(MILLISECOND, 24 * HOUR);
        /// How long a request may take in all.
        timeout: Duration = Duration::from_secs(30) => time(MILLISECOND, 24 * HOUR);
    }
}

section! {
    /// Telegram, what it allows, and how patient the worker is with it.
    pub struct Telegram {
        /// Where the Bot API is. Reports show it.
        base_url: String = "https://api.telegram.org".to_owned() => text(1024);
        /// For messages of type developer that come without a token or chat
        developer: TelegramGroup = TelegramGroup::default() => section();
        /// For messages of type customer that come without a token or chat
        customer: TelegramGroup = TelegramGroup::default() => section();
        /// How many messages are sent in any second. Telegram's limit is 30 for a bot.
        per_second: u32 = 30 => count(1, 1_000_000);
        /// How many messages are sent to one chat in any minute. Telegram's limit is 20.
        per_chat_per_minute: u32 = 20 => count(1, 1_000_000);
        /// How many times to try a message before giving it up.
        tries: u32 = 3 => count(1, 1_000_000_000);
        /// The pause between these tries; longer if Telegram asks for it.
        pause: Duration = Duration::from_secs(30) => time(Duration::ZERO, 24 * HOUR);
        /// Give a message up if Telegram asks for a longer pause.
        longest_pause: Duration = 15 * MINUTE => time(Duration::ZERO, 24 * HOUR);
        /// The longest rest while nothing passes since a person must fix something first.
        blocked_rest: Duration = MINUTE => time(Duration::from_millis(100), HOUR);
        /// Give a message up that is blocked (chat not found, bot removed, wrong token) for so long
        /// while others pass.
        blocked_alone: Duration = 24 * HOUR => time(Duration::ZERO, 9_000 * HOUR);
        /// How long connecting may take.
        connect_timeout: Duration = Duration::from_secs(5) => time(MILLISECOND, 24 * HOUR);
        /// How long a request may take in all.
        timeout: Duration = Duration::from_secs(30) => time(MILLISECOND, 24 * HOUR);
    }
}

section! {
    /// HTTP settings of both destinations.
    pub struct Http {
        /// The proxy, `http://user:password@host:port`. Empty: none.
        proxy: Secret = Secret::default() => secret_url();
        /// A file of PEM certificates to trust in addition to the public ones. Empty: none.
        ca_file: String = String::new() => text(4096);
    }
}

section! {
    /// How the worker shows how it is.
    pub struct Status {
        /// How often state and queue depth are logged.
        every: Duration = MINUTE => time(MILLISECOND, 24 * HOUR);
        /// The address that serves /health and /metrics, such as 127.0.0.1:9464. Empty: none.
        listen: Option<SocketAddr> = None => address();
    }
}

section! {
    /// The worker's own log.
    pub struct Logging {
        /// A configuration file of logwell for the worker's own log. Empty: INFO on the console.
        file: String = String::new() => text(4096);
    }
}

/// `LOGWELL_RELAY_` and the key in capitals; then the names by which logwell itself takes the same
/// option, so that one file of variables serves a program and its worker; then short ones.
pub(crate) const NAMES: Names = Names { prefix: "LOGWELL_RELAY_", others: OTHERS };

const OTHERS: &[OtherName] = &[
    other(("domain", "LOG_SERVICE_DOMAIN")),
    other(("domain", "LOG_DOMAIN")),
    other(("broker.host", "LOG_FORWARD_RABBITMQ_HOST")),
    other(("broker.host", "MQ_HOST")),
    other(("broker.port", "LOG_FORWARD_RABBITMQ_PORT")),
    other(("broker.port", "MQ_PORT")),
    other(("broker.user", "LOG_FORWARD_RABBITMQ_USER")),
    other(("broker.user", "MQ_USER")),
    other(("broker.password", "LOG_FORWARD_RABBITMQ_PASSWORD")),
    other(("broker.password", "MQ_PASSWORD")),
    other(("broker.vhost", "LOG_FORWARD_RABBITMQ_VHOST")),
    other(("broker.vhost", "MQ_VHOST")),
    other(("broker.tls", "LOG_FORWARD_RABBITMQ_TLS")),
    other(("broker.ca_file", "LOG_FORWARD_RABBITMQ_CA_FILE")),
    other(("logbeacon.url", "LOG_FORWARD_LOGBEACON_URL")),
    other(("logbeacon.url", "LOGBEACON_URL")),
    other(("logbeacon.token", "LOG_FORWARD_LOGBEACON_TOKEN")),
    other(("logbeacon.token", "LOGBEACON_TOKEN")),
    other(("telegram.developer.token", "LOG_FORWARD_TELEGRAM_DEVELOPER_TOKEN")),
    other(("telegram.developer.token", "DEV_TG_TOKEN")),
    other(("telegram.developer.chat_id", "LOG_FORWARD_TELEGRAM_DEVELOPER_CHAT_ID")),
    other(("telegram.developer.chat_id", "DEV_TG_CHATID")),
    other(("telegram.customer.token", "LOG_FORWARD_TELEGRAM_CUSTOMER_TOKEN")),
    other(("telegram.customer.token", "CUSTOMER_TG_TOKEN")),
    other(("telegram.customer.chat_id", "LOG_FORWARD_TELEGRAM_CUSTOMER_CHAT_ID")),
    other(("telegram.customer.chat_id", "CUSTOMER_TG_CHATID")),
    other(("http.proxy", "LOG_FORWARD_HTTP_PROXY")),
    other(("http.ca_file", "LOG_FORWARD_HTTP_CA_FILE")),
    other(("logging.file", "LOG_CONFIG")),
];

/// Of a key and a variable.
const fn other((key, variable): (&'static str, &'static str)) -> OtherName {
    OtherName { key, variable, switch: None, is_shown: true }
}

/// Notes what the limits of each option alone do not say.
pub(crate) fn check(settings: &Settings, report: &mut Report) {
    let mut refuse = |key, problem: &str, help: &str| {
        if !report.is_faulty(key) {
            let wrong = Problem { problem: problem.to_owned(), help: help.to_owned() };
            report.fault(report.place(&[key]), key, wrong);
        }
    };
    let host = &settings.broker.host;
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/@".contains(c)) {
        let help = "write a name or an address, such as 127.0.0.1; the port has its own key";
        refuse("broker.host", "is no host", help);
    }
    let url = &settings.telegram.base_url;
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    if !is_http || url.contains(|c: char| c.is_whitespace() || c == '@') {
        let help = "write it as https://host, without a user and password";
        refuse("telegram.base_url", "is no URL that can be shown", help);
    }
}

/// An address with its port, or none.
fn address(value: &mut Option<SocketAddr>) -> OptionValue<'_> {
    OptionValue::Custom(Box::new(Address(value)))
}

struct Address<'a>(&'a mut Option<SocketAddr>);

impl CustomValue for Address<'_> {
    fn read(&mut self, given: RawValue<'_>) -> Result<(), Refusal> {
        *self.0 = match given {
            RawValue::Null => None,
            RawValue::Text(text) | RawValue::Env(text) if text.trim().is_empty() => None,
            _ => {
                let text = given.text().ok_or(Refusal::Unfit)?;
                Some(text.trim().parse().map_err(|_| Refusal::Unfit)?)
            }
        };
        Ok(())
    }

    fn text(&self) -> String {
        self.0.map(|address| address.to_string()).unwrap_or_default()
    }

    fn expected(&self) -> &'static str {
        "an address and a port, such as 127.0.0.1:9464"
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "string"})
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_options::flags;
    use logwell_options::section::{Section as _, each_option};

    #[test]
    fn no_key_flag_or_variable_is_there_twice() {
        let mut names: Vec<String> = Vec::new();
        each_option(Settings::default().entries(), "", &mut |key, slot| {
            assert_eq!(slot.check(), Ok(()), "the default of {key}");
            names.extend([key.to_owned(), flags::name(key), NAMES.name(key)]);
        });
        let is_key = |key: &str| names.iter().any(|name| name == key);
        assert!(OTHERS.iter().all(|other| is_key(other.key)));
        names.extend(OTHERS.iter().map(|other| other.variable.to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
