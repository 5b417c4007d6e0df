//! Options: where records go besides files and console, and how.

use crate::base::zone::TimeZone;
use crate::forward::elasticsearch::options::ElasticsearchConfig;
use crate::forward::email::options::EmailConfig;
use crate::forward::headers::secret_headers;
use crate::forward::hours::Hours;
use crate::forward::hours::hours;
use crate::forward::loki::options::LokiConfig;
use crate::forward::otlp::options::OtlpConfig;
use crate::forward::sentry::options::SentryConfig;
use crate::forward::slack::options::SlackConfig;
use crate::forward::webhook::options::WebhookConfig;
use crate::record::level::Level;
use logwell_options::choices;
use logwell_options::secret::Secret;
use logwell_options::section;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE, TIB};
use logwell_options::value::{
    bytes, choice, count, flag, path, secret, secret_url, section, text, time,
};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Forwarding: records that must reach a log server or people, at least once.
    ///
    /// It needs the cargo feature `forward`. What is to be forwarded waits on disk, in a spool of
    /// each destination, until the other side has it: also while the program is not running.
    pub struct ForwardConfig {
        /// The directory of the spools and dead letters; created if missing. A relative path starts
        /// at files.dir.
        spool_dir: PathBuf = PathBuf::from("spool") => path();
        /// How large a file of dead letters may be. There is one for each destination,
        /// `<name>.dead` in spool_dir, and one older one. It holds the messages that were refused
        /// for good, with the reason.
        dead_letter_bytes: u64 = 16 * MIB => bytes(4 * KIB, TIB);
        /// The longest pause between two attempts while a person must fix something first: a wrong
        /// token,
        /// a wrong URL, a group that is not found. The records wait on disk.
        blocked_rest: Duration = Duration::from_secs(30)
            => time(Duration::from_millis(100), HOUR);
        /// After this time other records are tried too. If they succeed and the first still fails,
        /// the fault
        /// is its own, as when a firewall rejects its text: it becomes a dead letter.
        blocked_alone: Duration = 10 * MINUTE => time(Duration::ZERO, 9_000 * HOUR);
        /// The level that LogBeacon and people see for a WARN.
        warn_as: WarnAs = WarnAs::Info => choice();
        /// The time zone of the times in forwarded records.
        zone: TimeZone = TimeZone::Utc => choice();
        /// Where the records of each level go. DEBUG and TRACE are `debug`, INFO is `info`, ERROR
        /// and CRITICAL are `error`; the others are set by the macros of the same name.
        levels: LevelsConfig = LevelsConfig::default() => section();
        /// HTTP settings of all destinations.
        http: HttpConfig = HttpConfig::default() => section();
        /// The log server.
        logbeacon: LogBeaconConfig = LogBeaconConfig::default() => section();
        /// The groups of people on Telegram.
        telegram: TelegramConfig = TelegramConfig::default() => section();
        /// The broker between this program and the workers that deliver (`logwell-relay`).
        rabbitmq: RabbitMqConfig = RabbitMqConfig::default() => section();
        /// Elasticsearch, OpenSearch, or a server that takes their `_bulk`.
        elasticsearch: ElasticsearchConfig = ElasticsearchConfig::default() => section();
        /// Loki, or a server that takes what is pushed to it.
        loki: LokiConfig = LokiConfig::default() => section();
        /// A collector, or another server that takes logs over OTLP/HTTP.
        otlp: OtlpConfig = OtlpConfig::default() => section();
        /// Sentry, or a server that takes its envelopes.
        sentry: SentryConfig = SentryConfig::default() => section();
        /// A server of your own that takes a POST for each record.
        webhook: WebhookConfig = WebhookConfig::default() => section();
        /// A channel of Slack.
        slack: SlackConfig = SlackConfig::default() => section();
        /// People who receive digests by e-mail.
        email: EmailConfig = EmailConfig::default() => section();
    }
}

choices! {
    /// The level that LogBeacon and people see for a WARN.
    pub enum WarnAs: Info {
        /// level 1, Info
        Info = "info",
        /// level 9, Error
        Error = "error",
    }
}

section! {
    /// Where the records of each level go.
    pub struct LevelsConfig {
        /// Level 0, Debug: following the flow while developing.
        debug: LevelRoute = LevelRoute::default() => section();
        /// Level 1, Info: normal operations.
        info: LevelRoute = LevelRoute { logbeacon: true, ..LevelRoute::default() } => section();
        /// Level 9, Error: failures that developers must see.
        error: LevelRoute = LevelRoute { logbeacon: true, developer: true, customer: false }
            => section();
        /// Level 11, Info_CTG: ordinary events that the customer's group sees.
        info_ctg: LevelRoute = LevelRoute { logbeacon: true, developer: false, customer: true }
            => section();
        /// Level 91, Error_CTG: failures that both must see.
        error_ctg: LevelRoute = LevelRoute { logbeacon: true, developer: true, customer: true }
            => section();
        /// Level 99, Monitor: monitoring and performance traces.
        monitor: LevelRoute = LevelRoute::default() => section();
    }
}

section! {
    /// Where the records of one level go, besides files and console.
    pub struct LevelRoute {
        /// To LogBeacon.
        logbeacon: bool = false => flag();
        /// To the developers' group on Telegram.
        developer: bool = false => flag();
        /// To the customer's group on Telegram.
        customer: bool = false => flag();
    }
}

section! {
    /// HTTP settings of all destinations.
    pub struct HttpConfig {
        /// The proxy, `http://user:password@host:port`. Empty: none.
        proxy: Secret = Secret::default() => secret_url();
        /// A file of PEM certificates to trust in addition to the public ones. Empty: none.
        ca_file: String = String::new() => text(4096);
        /// Whether URLs may begin with `http://` for hosts other than this machine. Anybody on the
        /// network path can then read the records and the tokens.
        allow_plain: bool = false => flag();
    }
}

section! {
    /// The log server: each record is posted as a JSON object.
    pub struct LogBeaconConfig {
        /// Whether to send records to it.
        enabled: bool = false => flag();
        /// The URL to post to.
        url: Secret = Secret::default() => secret_url();
        /// The token of `Authorization: Bearer`. Empty: none is sent.
        token: Secret = Secret::default() => secret();
        /// More headers, as `name=value,name=value`; commas in a value are written `%2C`.
        headers: Secret = Secret::default() => secret_headers();
        /// How many records are posted at once. With 1 the body is an object, else an array.
        batch_records: usize = 1 => count(1, 10_000);
        /// With more than 1: how long a record waits for others to fill the batch.
        batch_wait: Duration = Duration::from_millis(200) => time(Duration::ZERO, MINUTE);
        /// Whether bodies of 1 KiB and more are compressed. The server must take gzip.
        gzip: bool = false => flag();
        /// How long a connection may take.
        connect_timeout: Duration = Duration::from_secs(10)
            => time(Duration::from_millis(10), 10 * MINUTE);
        /// How long a request may take in all.
        timeout: Duration = Duration::from_secs(30)
            => time(Duration::from_millis(10), 10 * MINUTE);
        /// How many bytes wait on disk. Above that the oldest are deleted, errors last, and
        /// counted.
        max_bytes: u64 = 256 * MIB => bytes(64 * KIB, 64 * GIB);
        /// How long a record waits on disk. Older ones are deleted and counted.
        max_age: Duration = Duration::from_secs(3 * 24 * 3_600) => time(MINUTE, 9_000 * HOUR);
    }
}

section! {
    /// The broker between this program and the workers that deliver (`logwell-relay`).
    ///
    /// It needs the cargo feature `rabbitmq`. Messages go into the durable queues
    /// `{service.domain}_logbeacon` and `{service.domain}_tg`. While the broker is out of reach
    /// they are delivered directly, so that the destinations must be configured too.
    pub struct RabbitMqConfig {
        /// Whether messages go through the broker.
        enabled: bool = false => flag();
        /// Its host: a name or an address, not a URL. Reports show it.
        host: String = "127.0.0.1".to_owned() => text(253);
        /// Its port; with TLS usually 5671.
        port: u16 = 5_672 => count(1, 65_535);
        /// The user name.
        user: String = "guest".to_owned() => text(255);
        /// The password. Empty: `guest`, as in a new broker.
        password: Secret = Secret::default() => secret();
        /// The virtual host.
        vhost: String = "/".to_owned() => text(255);
        /// Whether the connection is encrypted.
        tls: bool = false => flag();
        /// A file of PEM certificates to trust in addition to the public ones. Empty: none.
        ca_file: String = String::new() => text(4096);
        /// The heartbeat interval, in whole seconds. `0s` turns heartbeats off.
        heartbeat: Duration = Duration::from_secs(600) => time(Duration::ZERO, 18 * HOUR);
        /// How long connecting, and each answer of the broker, may take.
        /// After that messages are delivered directly.
        timeout: Duration = Duration::from_secs(10)
            => time(Duration::from_millis(10), 10 * MINUTE);
    }
}

section! {
    /// Groups on Telegram: people who receive failures and news.
    ///
    /// The first failure of a kind is sent at once, its repetitions together, and when it has been
    /// quiet as long, a final message closes the incident. `forward.levels` says who receives what.
    pub struct TelegramConfig {
        /// Whether to send messages to Telegram.
        enabled: bool = false => flag();
        /// The URL of Telegram's Bot API, or of a compatible server. Reports show it.
        base_url: String = "https://api.telegram.org".to_owned() => text(1024);
        /// The developers' group.
        developer: TelegramGroup = TelegramGroup::default() => section();
        /// The customer's group.
        customer: TelegramGroup = TelegramGroup::default() => section();
        /// How many messages may be sent in any second, to both groups.
        /// Telegram's own limit is 30 for a bot.
        per_second: u32 = 30 => count(1, 1_000);
        /// How many messages may be sent to one group in any minute. Further ones share a message.
        /// Telegram's own limit is 20.
        per_chat_per_minute: u32 = 20 => count(1, 10_000);
        /// How long to collect repetitions of a failure before sending one digest.
        digest_every: Duration = 5 * MINUTE => time(Duration::from_secs(1), 24 * HOUR);
        /// Less important records are not sent, whatever `forward.levels` says.
        min_level: Level = Level::Trace => choice();
        /// Hours in which messages come without a sound, such as "22:00-07:00", in the zone of
        /// forward.zone. Nothing is held back, and CRITICAL always sounds.
        quiet_hours: Option<Hours> = None => hours();
        /// Whether messages to a broker contain the bot's token. Otherwise the worker behind the
        /// broker must
        /// have it, which is safer.
        token_in_messages: bool = false => flag();
        /// How long a connection may take.
        connect_timeout: Duration = Duration::from_secs(10)
            => time(Duration::from_millis(10), 10 * MINUTE);
        /// How long a request may take in all.
        timeout: Duration = Duration::from_secs(30)
            => time(Duration::from_millis(10), 10 * MINUTE);
        /// How many bytes wait on disk for each group. Above that the oldest are deleted, errors
        /// last, and
        /// counted.
        max_bytes: u64 = 64 * MIB => bytes(64 * KIB, 64 * GIB);
        /// How long a record waits on disk. Older ones are deleted and counted.
        max_age: Duration = Duration::from_secs(3 * 24 * 3_600) => time(MINUTE, 9_000 * HOUR);
    }
}

section! {
    /// A group on Telegram, and the bot that writes to it. Without a `chat_id` it receives nothing.
    pub struct TelegramGroup {
        /// The bot's token, as BotFather gives it: `123456:ABC-DEF…`.
        token: Secret = Secret::default() => secret();
        /// The group's id, such as "-1001234567890", or the `@name` of a public one.
        chat_id: String = String::new() => text(64);
    }
}

/// Whether it can be the token of a bot, such as `123456:ABC-DEF`: nothing that could change what a
/// URL means.
pub(crate) fn is_bot_token(token: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    !token.is_empty() && token.chars().all(fits)
}
