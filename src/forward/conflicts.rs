//! Conflicts: options of forwarding that do not go together. Pure.

use crate::encode::options::ServiceConfig;
use crate::forward::email::options::EmailEncryption;
use crate::forward::options::{ForwardConfig, TelegramGroup, is_bot_token};
use crate::forward::{email, sentry, webhook};
use logwell_options::report::Conflict;
use logwell_options::secret::{Secret, SecretUrl};

/// A URL that must be there if its destination is enabled.
struct NeededUrl<'a> {
    key: &'static str,
    switch: &'static str,
    is_enabled: bool,
    url: &'a Secret,
}

macro_rules! needed_urls {
    ($forward:ident: $($section:ident),+) => {
        [$(NeededUrl {
            key: concat!("forward.", stringify!($section), ".url"),
            switch: concat!("forward.", stringify!($section), ".enabled"),
            is_enabled: $forward.$section.enabled,
            url: &$forward.$section.url,
        }),+]
    };
}

/// Notes what does not go together.
pub(crate) fn find(
    forward: &ForwardConfig,
    service: &ServiceConfig,
    conflicts: &mut Vec<Conflict>,
) {
    let urls = needed_urls!(forward: logbeacon, elasticsearch, loki, otlp, webhook, slack);
    for needed in urls.into_iter().filter(|needed| needed.is_enabled) {
        needed_url((needed.key, needed.switch), needed.url, forward, conflicts);
    }
    if forward.rabbitmq.enabled {
        queues(service, conflicts);
        broker(forward, conflicts);
    }
    if forward.telegram.enabled {
        telegram(forward, conflicts);
    }
    if forward.sentry.enabled {
        sentry(forward, conflicts);
    }
    if forward.email.enabled {
        mail(forward, conflicts);
    }
    if forward.webhook.enabled
        && let Some(fault) = webhook::fault(&forward.webhook.body)
    {
        conflicts.push(Conflict {
            keys: vec!["forward.webhook.body"],
            problem: fault,
            help: "write JSON with placeholders such as {{ json message }}".to_owned(),
        });
    }
}

/// The names of the queues are made of the domain; AMQP has them in 255 bytes.
fn queues(service: &ServiceConfig, conflicts: &mut Vec<Conflict>) {
    let domain = &service.domain;
    let problem = if domain.is_empty() {
        "is missing, and forward.rabbitmq.enabled is true"
    } else if domain.len() > 200 || domain.contains(char::is_control) {
        "cannot be part of a queue's name"
    } else {
        return;
    };
    conflicts.push(Conflict {
        keys: vec!["service.domain", "forward.rabbitmq.enabled"],
        problem: problem.to_owned(),
        help: "set it to a short name such as shop.example; the workers must have the same"
            .to_owned(),
    });
}

/// The host is shown in reports: a URL with a password does not belong there.
fn broker(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    let is_odd = |c: char| c.is_whitespace() || "/@?#,;".contains(c);
    if forward.rabbitmq.host.is_empty() || forward.rabbitmq.host.contains(is_odd) {
        conflicts.push(Conflict {
            keys: vec!["forward.rabbitmq.host"],
            problem: "is not a host name".to_owned(),
            help: "write the host alone, such as mq.example.com; port, user, password and vhost \
                   have options of their own"
                .to_owned(),
        });
    }
}

fn telegram(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    const SWITCH: &str = "forward.telegram.enabled";
    let telegram = &forward.telegram;
    let url = Secret::new(telegram.base_url.as_str());
    // It is shown in reports.
    let open = url.reveal().contains(['@', '?', '#']).then_some("has a part that may be secret");
    match SecretUrl::from(&url).fault().or(open).filter(|_| !url.is_empty()) {
        Some(problem) => conflicts.push(Conflict {
            keys: vec!["forward.telegram.base_url"],
            problem: problem.to_owned(),
            help: "write it as https://host or https://host/path, or leave it out".to_owned(),
        }),
        None => needed_url(("forward.telegram.base_url", SWITCH), &url, forward, conflicts),
    }
    let (developer, customer) = (&telegram.developer, &telegram.customer);
    if developer.chat_id.is_empty() && customer.chat_id.is_empty() {
        conflicts.push(Conflict {
            keys: vec!["forward.telegram.developer.chat_id", SWITCH],
            problem: format!("is missing, and so is that of the customer, but {SWITCH} is true"),
            help: "write the id of a group, such as \"-1001234567890\"".to_owned(),
        });
    }
    group(
        ["forward.telegram.developer.token", "forward.telegram.developer.chat_id"],
        developer,
        conflicts,
    );
    group(
        ["forward.telegram.customer.token", "forward.telegram.customer.chat_id"],
        customer,
        conflicts,
    );
}

fn group(
    [token, chat_id]: [&'static str; 2],
    group: &TelegramGroup,
    conflicts: &mut Vec<Conflict>,
) {
    let is_name = group.chat_id.strip_prefix('@').is_some_and(|name| !name.is_empty());
    let mut conflict = |keys: Vec<&'static str>, problem: &str, help: &str| {
        conflicts.push(Conflict { keys, problem: problem.to_owned(), help: help.to_owned() });
    };
    if group.chat_id.is_empty() {
        if !group.token.is_empty() {
            conflict(
                vec![chat_id, token],
                "is missing, but there is a token",
                "write the id of the group",
            );
        }
        return;
    }
    if !is_name && group.chat_id.parse::<i64>().is_err() {
        conflict(
            vec![chat_id],
            "is not a group id",
            "write a number in quotes such as \"-1001234567890\", or @name",
        );
    }
    if group.token.is_empty() {
        conflict(
            vec![token, chat_id],
            "is missing, but there is a chat_id",
            "write the token of the bot",
        );
    } else if !is_bot_token(group.token.reveal()) {
        conflict(
            vec![token],
            "has a character that no token of a bot has",
            "copy it again from BotFather: 123456:ABC-DEF",
        );
    }
}

fn sentry(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    let (dsn, switch) = ("forward.sentry.dsn", "forward.sentry.enabled");
    if forward.sentry.dsn.is_empty() {
        conflicts.push(Conflict {
            keys: vec![dsn, switch],
            problem: format!("is missing, and {switch} is true"),
            help: "copy it from the project's settings: https://key@host/7".to_owned(),
        });
    } else if !sentry::is_private(&forward.sentry.dsn) && !forward.http.allow_plain {
        conflicts.push(not_private(dsn));
    }
}

fn mail(forward: &ForwardConfig, conflicts: &mut Vec<Conflict>) {
    let config = &forward.email;
    let mut conflict = |keys: Vec<&'static str>, problem: &str, help: &str| {
        conflicts.push(Conflict { keys, problem: problem.to_owned(), help: help.to_owned() });
    };
    let is_odd = |c: char| c.is_whitespace() || "/@?#,;:".contains(c);
    if config.host.is_empty() || config.host.contains(is_odd) {
        let help = "write the host alone, such as mail.example.com; the port has its own option";
        conflict(vec!["forward.email.host"], "is not a host name", help);
    }
    if !email::is_address(&config.from) {
        let help = "write it as shop@example.com";
        conflict(vec!["forward.email.from"], "is not an address", help);
    }
    let mut receivers = email::receivers(config).peekable();
    if receivers.peek().is_none() || !receivers.all(email::is_address) {
        let help = "write it as a@example.com,b@example.com";
        conflict(vec!["forward.email.to"], "is not a list of addresses", help);
    }
    let is_open = config.encryption == EmailEncryption::None;
    let is_here = SecretUrl::new(format!("http://{}", config.host)).is_private();
    if is_open && !is_here && !forward.http.allow_plain {
        let keys = vec!["forward.email.encryption", "forward.http.allow_plain"];
        let problem = "is none: everybody on the way could read records and the password";
        conflict(keys, problem, "write starttls or tls, or set forward.http.allow_plain: true");
    }
}

/// A URL that must be there, and must not tell everybody what goes there.
fn needed_url(
    (key, switch): (&'static str, &'static str),
    url: &Secret,
    forward: &ForwardConfig,
    conflicts: &mut Vec<Conflict>,
) {
    if url.is_empty() {
        conflicts.push(Conflict {
            keys: vec![key, switch],
            problem: format!("is missing, and {switch} is true"),
            help: "write it as https://host/path".to_owned(),
        });
    } else if !SecretUrl::from(url).is_private() && !forward.http.allow_plain {
        conflicts.push(not_private(key));
    }
}

fn not_private(key: &'static str) -> Conflict {
    Conflict {
        keys: vec![key, "forward.http.allow_plain"],
        problem: "is not https: everybody on the way could read records and tokens".to_owned(),
        help: "write https://, or set forward.http.allow_plain: true".to_owned(),
    }
}
