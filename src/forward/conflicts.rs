//! Conflicts: options of forwarding that do not go together. Pure.

use crate::encode::options::ServiceConfig;
use crate::forward::options::{ForwardConfig, TelegramGroup, is_bot_token};
use logwell_options::report::Conflict;
use logwell_options::secret::{Secret, SecretUrl};

/// Notes what does not go together.
pub(crate) fn find(
    forward: &ForwardConfig,
    service: &ServiceConfig,
    conflicts: &mut Vec<Conflict>,
) {
    if forward.logbeacon.enabled {
        let (key, switch) = ("forward.logbeacon.url", "forward.logbeacon.enabled");
        needed_url((key, switch), &forward.logbeacon.url, forward, conflicts);
    }
    if forward.rabbitmq.enabled {
        queues(service, conflicts);
        broker(forward, conflicts);
    }
    if forward.telegram.enabled {
        telegram(forward, conflicts);
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
        conflicts.push(Conflict {
            keys: vec![key, "forward.http.allow_plain"],
            problem: "is not https: everybody on the way could read records and tokens".to_owned(),
            help: "write https://, or set forward.http.allow_plain: true".to_owned(),
        });
    }
}
