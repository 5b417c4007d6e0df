//! Check: sends one test message to each destination that is configured, and says what happened.
//!
//! Nothing is queued and nothing tried twice. No token and no URL is shown.

use logwell::config::TelegramGroup;

use logwell::forward::{Outcome, SecretUrl};
use serde_json::json;

use crate::broker;
use crate::destination::{Destination, dead_queue};
use crate::message::{self, Request};
use crate::options::Settings;
use crate::post::Post;

/// What happened, a line for each part; `Err` if one of them failed.
pub(crate) async fn run(settings: &Settings) -> Result<String, String> {
    let mut lines = vec![broker(settings).await];
    if !settings.logbeacon.url.is_empty() {
        let url = SecretUrl::from(&settings.logbeacon.url);
        let at = format!("LogBeacon at {url}");
        lines.push(post(settings, Destination::LogBeacon, test_record(settings), at).await);
    }
    for (kind, group) in
        [("developer", &settings.telegram.developer), ("customer", &settings.telegram.customer)]
    {
        if is_configured(group) {
            let body = test_text(settings, kind);
            let who = format!("Telegram, {kind} group {}", group.chat_id);
            lines.push(post(settings, Destination::Telegram, body, who).await);
        }
    }
    if lines.len() == 1 {
        lines.push(Err("no destination: set logbeacon.url, or a token of telegram".to_owned()));
    }
    let is_well = lines.iter().all(Result::is_ok);
    let text: String = lines
        .into_iter()
        .map(|line| match line {
            Ok(line) => format!("ok      {line}\n"),
            Err(line) => format!("FAILED  {line}\n"),
        })
        .collect();
    if is_well { Ok(text) } else { Err(text) }
}

async fn broker(settings: &Settings) -> Result<String, String> {
    let options = &settings.broker;
    let at = format!("RabbitMQ at {}:{}", options.host, options.port);
    let fail = |trouble: &dyn std::fmt::Display| format!("{at}: {trouble}");
    let broker =
        broker::connect(options, "logwell-relay check").await.map_err(|trouble| fail(&trouble))?;
    let mut line = at.clone();
    if settings.domain.is_empty() {
        line.push_str(", no queues without a domain");
    } else {
        for destination in Destination::ALL {
            let queue = destination.queue(&settings.domain);
            for queue in [dead_queue(&queue), queue].into_iter().rev() {
                let depth = broker.depth(&queue).await.map_err(|trouble| fail(&trouble))?;
                let waiting =
                    depth.map_or("not there yet".to_owned(), |d| format!("{} waiting", d.waiting));
                line.push_str(&format!(", {queue} {waiting}"));
            }
        }
    }
    broker.close().await;
    Ok(line)
}

async fn post(
    settings: &Settings,
    destination: Destination,
    body: String,
    what: String,
) -> Result<String, String> {
    let fail = |why: &str| format!("{what}: {why}");
    let request: Request = message::read(destination, body.into_bytes(), &settings.telegram)
        .map_err(|reason| fail(&reason))?;
    let post = Post::new(settings, destination).map_err(|reason| fail(&reason))?;
    let posted = tokio::task::spawn_blocking(move || post.try_once(&request)).await;
    match posted.unwrap_or_else(|_| Outcome::retry("the attempt panicked")) {
        Outcome::Delivered => Ok(what),
        Outcome::Retry { why, .. } | Outcome::Blocked { why, .. } => Err(fail(&why)),
        Outcome::Doubtful { why } | Outcome::Refused { why } => Err(fail(&why)),
    }
}

fn is_configured(group: &TelegramGroup) -> bool {
    !group.token.is_empty() || !group.chat_id.is_empty()
}

fn test_record(settings: &Settings) -> String {
    let now = jiff::Timestamp::now();
    json!({
        "domain": settings.domain,
        "program_name": "logwell-relay",
        "level": "Info",
        "def_name": "check",
        "message": "test message of logwell-relay check",
        "extra_info": {},
        "timestamp": now.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "hash": format!("logwell-relay-check-{}", now.as_nanosecond()),
    })
    .to_string()
}

fn test_text(settings: &Settings, kind: &str) -> String {
    let of =
        if settings.domain.is_empty() { String::new() } else { format!(" of {}", settings.domain) };
    json!({"type": kind, "notify_msg": format!("Test message of logwell-relay check{of}.")})
        .to_string()
}
