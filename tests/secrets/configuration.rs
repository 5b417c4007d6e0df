//! No way to give a secret, right or wrong, makes a text that shows it.

use crate::marker::Planted;
use crate::program;
use logwell::config::{load_config, reference_yaml};

/// What secrets look like, besides letters and digits.
const SHAPES: [(&str, &str); 20] = [
    ("bare", "M"),
    ("bot token", "123456:AAM"),
    ("api key", "sk-live-M"),
    ("json web token", "eyJhbGciOiJIUzI1NiJ9.M.M"),
    ("bearer", "Bearer M"),
    ("basic", "Basic dXNlcjpNTQM=="),
    ("cookie", "session=M; Path=/"),
    ("header", "authorization=Bearer%20M"),
    ("line of a request", "Authorization: Bearer M"),
    ("https with userinfo", "https://uM:pM@logs.example.com/in/M?key=M#M"),
    ("http to another machine", "http://uM:pM@logs.example.com/M"),
    ("amqp", "amqps://uM:pM@mq.example.com:5671/%2fM"),
    ("data base", "postgres://uM:pM@db/M"),
    ("private key", "-----BEGIN PRIVATE KEY----- M"),
    ("quotes", "a\"M'M`"),
    ("backslashes", "\\M\\n\\u0041"),
    ("percent", "100%M%zz"),
    ("not ascii", "Mü€M"),
    ("brackets", "{M}[M]<M>"),
    ("long", "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM"),
];

/// Ways to write a value in YAML: right, by mistake, and in the wrong place. `S` is a secret of any
/// shape as it is, `Q` in quotes; `M` a bare one.
const WAYS: [&str; 19] = [
    "Q",
    "S",
    "'S",
    "\"S",
    "{Q: Q}",
    "[Q, Q]",
    "*M",
    "&M",
    "&M M",
    "!M M",
    "!<M>",
    "%M",
    "@M",
    "|M",
    "\"M\\u0007\"",
    "\"M\\q\"",
    "\"M\"M",
    "M: M: M",
    "[M",
];

/// The keys of all secret options with their variables, as the reference tells them.
pub(crate) fn secrets() -> Vec<(String, String)> {
    let mut path: Vec<String> = Vec::new();
    let (mut is_secret, mut variable, mut found) = (false, None, Vec::new());
    for line in reference_yaml().lines() {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 2;
        is_secret |= text.starts_with("# Secret. ");
        if let Some((_, names)) = text.split_once("Environment: ").filter(|_| is_secret) {
            let name = names.split(' ').next().unwrap_or_default();
            variable = Some(name.trim_end_matches('.').to_owned());
            is_secret = false;
        } else if let Some((key, _)) = text.split_once(':').filter(|_| !text.starts_with('#')) {
            path.truncate(depth);
            path.push(key.to_owned());
            found.extend(variable.take().map(|name| (path.join("."), name)));
        }
    }
    found
}

/// A document in which that option, or a section above it, has that value.
fn document(key: &str, value: &str) -> String {
    let parts: Vec<_> = key.split('.').collect();
    let line = |(depth, part)| format!("{}{part}:", "  ".repeat(depth));
    let lines: Vec<_> = parts.iter().enumerate().map(line).collect();
    format!("{} {value}\n", lines.join("\n"))
}

#[test]
fn every_secret_of_the_configuration_is_known_here() {
    let keys: Vec<_> = secrets().into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [
            "forward.http.proxy",
            "forward.logbeacon.url",
            "forward.logbeacon.token",
            "forward.logbeacon.headers",
            "forward.telegram.developer.token",
            "forward.telegram.customer.token",
            "forward.rabbitmq.password",
            "forward.elasticsearch.url",
            "forward.elasticsearch.api_key",
            "forward.elasticsearch.password",
            "forward.loki.url",
            "forward.loki.token",
            "forward.loki.password",
            "forward.loki.headers",
            "forward.otlp.url",
            "forward.otlp.token",
            "forward.otlp.headers",
            "forward.sentry.dsn",
            "forward.webhook.url",
            "forward.webhook.secret",
            "forward.webhook.headers",
            "forward.slack.url",
            "forward.email.password",
        ],
        "plant it in tests/secrets/traffic.rs or tests/forwarding/ too"
    );
}

#[test]
fn a_file_with_secrets_given_in_any_way_shows_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("logging.yaml");
    let mut planted = Planted::default();
    for (key, _) in secrets() {
        let dots = key.match_indices('.').map(|(at, _)| &key[..at]);
        let places: Vec<&str> = dots.chain([key.as_str()]).collect();
        for (shape, secret) in SHAPES {
            for way in WAYS {
                for place in &places {
                    // A name that is no option is told: it is no value.
                    if way.starts_with("{Q") && *place != key {
                        continue;
                    }
                    let marker = planted.marker(format!("{shape}, written {way} at {place}"));
                    let secret = secret.replace('M', &marker);
                    let value = way.replace('S', &secret).replace('Q', &format!("{secret:?}"));
                    let text = document(place, &value.replace('M', &marker));
                    // A second mistake, and the option once more.
                    let text = text.clone() + "queue: {sizw: 1}\n" + &document("level", "info");
                    std::fs::write(&path, text).unwrap();
                    let told = program::text_of(&load_config(&path));
                    planted.assert_last_absent("what is told of a file", told.as_bytes());
                }
            }
        }
    }
    eprintln!("{} secrets in files, none is shown", planted.len());
}

#[test]
fn an_environment_with_secrets_shows_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut planted = Planted::default();
    for (shape, secret) in SHAPES {
        let mut variables = Vec::new();
        for (key, name) in secrets() {
            let marker = planted.marker(format!("{shape} in {name} for {key}"));
            variables.push((name, secret.replace('M', &marker)));
        }
        // Where a URL with a password is given by mistake.
        for name in ["MQ_HOST", "LOG_FORWARD_TELEGRAM_BASE_URL", "DEV_TG_CHATID"] {
            let marker = planted.marker(format!("{shape} in {name}"));
            variables.push((name.to_owned(), secret.replace('M', &marker)));
        }
        for name in ["USE_NEW_LOGSYS", "LOG_FORWARD_TELEGRAM_ENABLED"] {
            variables.push((name.to_owned(), "true".to_owned()));
        }
        let output = program::run("configure", directory.path(), &variables);
        let text = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&text);
        assert!(shown.contains("logging configuration") || shown.contains("level:"), "{shown}");
        planted.assert_absent("what is told of the environment", &text);
    }
    eprintln!("{} secrets in variables, none is shown", planted.len());
}
