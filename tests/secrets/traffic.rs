//! Secrets that are in use, with servers that repeat them in every spelling, are found nowhere
//! else.

use crate::broker::Broker;
use crate::marker::{self, Planted};
use crate::program;
use crate::server::{Reply, Request, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;

/// How a server repeats what it was sent.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    AsItIs,
    /// As a text within JSON.
    Json,
    /// With `%2F` and base64 read.
    Decoded,
    /// With `%2F` and the like for all but letters and digits.
    Percent,
    Base64,
    /// After so much text that a reason is cut in the middle of it.
    Late(usize),
}

const SPELLINGS: [Spelling; 8] = [
    Spelling::AsItIs,
    Spelling::Json,
    Spelling::Decoded,
    Spelling::Percent,
    Spelling::Base64,
    Spelling::Late(120),
    Spelling::Late(150),
    Spelling::Late(175),
];

/// What is around a secret; each round has one. None may end a bot's token or a URL.
const AROUND: [(&str, &str); 8] = [
    ("", ""),
    ("sk-live-", ""),
    ("eyJhbGciOiJIUzI1NiJ9.", ".c2ln"),
    ("a\"b", "'"),
    ("\\", "\\n"),
    ("a/b+c", "=="),
    ("{", "}&x"),
    ("pass word ", ";"),
];

/// All words of a request that could be secret, as this server spells them.
fn repeated(request: &Request, spelling: Spelling) -> String {
    let path = request.line.split(' ').nth(1).unwrap_or_default();
    let mut words = vec![path.to_owned()];
    for name in ["authorization", "proxy-authorization", "cookie", "x-api-key"] {
        words.extend(request.headers.get(name).cloned());
    }
    let spelled = |word: &String| match spelling {
        Spelling::AsItIs | Spelling::Late(_) => word.clone(),
        Spelling::Json => serde_json::Value::from(word.as_str()).to_string(),
        Spelling::Decoded => decoded(word),
        Spelling::Percent => percent(word),
        Spelling::Base64 => STANDARD.encode(word) + " " + &STANDARD.encode(after_space(word)),
    };
    let words: Vec<_> = words.iter().map(spelled).collect();
    let before =
        if let Spelling::Late(length) = spelling { "x".repeat(length) } else { "no".into() };
    before + " " + &words.join(" ")
}

fn after_space(text: &str) -> &str {
    text.split_once(' ').map_or(text, |(_, rest)| rest)
}

fn percent(text: &str) -> String {
    let spell = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(spell).collect()
}

fn decoded(text: &str) -> String {
    if let Some(Ok(bytes)) = text.strip_prefix("Basic ").map(|word| STANDARD.decode(word)) {
        return String::from_utf8_lossy(&bytes).replace(':', " has not the password ");
    }
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server that says no in turn in each way it can.
fn refusing(spelling: Spelling, is_telegram: bool) -> Server {
    let mut counts: HashMap<String, u32> = HashMap::new();
    Server::start(move |request| {
        let count = counts.entry(request.line.clone()).or_default();
        *count += 1;
        let said = repeated(request, spelling);
        if request.line.starts_with("CONNECT") {
            return if *count < 3 { Reply::With(407, "X: y", said) } else { Reply::Status(200) };
        }
        match *count % 4 {
            1 => Reply::With(503, "Retry-After: 0", said),
            2 if is_telegram => {
                // A fault of the text: what else Telegram refuses would wait.
                let said = format!("message text is wrong: {said}");
                let answer = serde_json::json!({ "ok": false, "description": said });
                Reply::With(400, "X: y", answer.to_string())
            }
            2 => Reply::With(413, "X: y", said),
            3 => Reply::With(302, "Location: http://127.0.0.1:1/", said),
            _ => Reply::ResetInHead,
        }
    })
}

struct Round {
    beacon: Server,
    telegram: Server,
    broker: Broker,
    variables: Vec<(String, String)>,
    /// What each of them must have been sent, or nothing was tested.
    in_use: Vec<(&'static str, String)>,
}

/// Servers, and a configuration with secrets of its own.
fn round(n: usize, planted: &mut Planted) -> Round {
    let spelling = SPELLINGS[n % SPELLINGS.len()];
    let (before, after) = AROUND[n / SPELLINGS.len() % AROUND.len()];
    let mut secret = |place: &str| {
        let marker = planted.marker(format!("{place}, {spelling:?}, around it {before} {after}"));
        (format!("{before}{marker}{after}"), marker)
    };
    let beacon = refusing(spelling, false);
    let telegram = refusing(spelling, true);
    let broker = Broker::start(match n % 2 {
        0 => |login| login.replace('\0', " "),
        _ => |login| STANDARD.encode(login.rsplit('\0').next().unwrap_or_default()),
    });
    let [(user, _), (password, _), (path, path_marker), (key, key_marker)] =
        ["user in a URL", "password in a URL", "path", "query"].map(&mut secret);
    let [(proxy_user, _), (proxy_password, proxy_marker)] =
        ["proxy's user", "proxy's password"].map(&mut secret);
    let [user, password, path, key, proxy_user, proxy_password] =
        [user, password, path, key, proxy_user, proxy_password].map(|text| percent(&text));
    let [(token, _), (cookie, cookie_marker), (api_key, api_marker), (mq, mq_marker)] =
        ["bearer", "cookie", "api key", "broker's password"].map(&mut secret);
    let [(_, developer), (_, customer)] = ["developers' bot", "customer's bot"].map(&mut secret);
    let at = beacon.address;
    let has_token = (n / 2).is_multiple_of(2);
    let mut headers =
        format!("cookie=session%3D{},x-api-key={}", percent(&cookie), percent(&api_key));
    if !has_token {
        headers +=
            &format!(",authorization=Basic%20{}", percent(&STANDARD.encode(format!("u:{token}"))));
    }
    let mut variables = vec![
        ("LOG_LEVEL".to_owned(), "trace".to_owned()),
        ("LOG_CONSOLE_LEVEL".to_owned(), "trace".to_owned()),
        ("LOG_DOMAIN".to_owned(), "shop.example".to_owned()),
        ("LOG_FORWARD_LOGBEACON_ENABLED".to_owned(), "true".to_owned()),
        ("LOG_FORWARD_TELEGRAM_ENABLED".to_owned(), "true".to_owned()),
        ("LOG_FORWARD_TELEGRAM_PER_CHAT_PER_MINUTE".to_owned(), "1000".to_owned()),
        ("LOG_FORWARD_TELEGRAM_DIGEST_EVERY".to_owned(), "1s".to_owned()),
        ("LOG_SHUTDOWN_TIMEOUT".to_owned(), "1s".to_owned()),
        ("USE_NEW_LOGSYS".to_owned(), "true".to_owned()),
        ("DEV_TG_CHATID".to_owned(), "-1001".to_owned()),
        ("CUSTOMER_TG_CHATID".to_owned(), "-1002".to_owned()),
    ];
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    set("LOG_FORWARD_TELEGRAM_TOKEN_IN_MESSAGES", n.is_multiple_of(2).to_string());
    set("LOG_FORWARD_TELEGRAM_BASE_URL", format!("http://{}", telegram.address));
    set("MQ_PORT", broker.address.port().to_string());
    set("MQ_PASSWORD", mq);
    set("DEV_TG_TOKEN", format!("123456:AA{developer}"));
    set("CUSTOMER_TG_TOKEN", format!("654321:BB_{customer}"));
    set(
        "LOG_FORWARD_LOGBEACON_URL",
        format!("http://{user}:{password}@{at}/in/{path}?key={key}&v=1"),
    );
    set("LOG_FORWARD_LOGBEACON_HEADERS", headers);
    if has_token {
        set("LOG_FORWARD_LOGBEACON_TOKEN", token);
    }
    let mut in_use = [cookie_marker, api_marker, path_marker, key_marker]
        .map(|marker| ("beacon", marker))
        .to_vec();
    in_use.push(("broker", mq_marker));
    if n % 4 == 3 {
        // The log server's stub is the proxy of all, and answers in Telegram's place.
        set("LOG_FORWARD_HTTP_PROXY", format!("http://{proxy_user}:{proxy_password}@{at}"));
        in_use.extend([developer, customer, proxy_marker].map(|marker| ("beacon", marker)));
    } else {
        in_use.extend([developer, customer].map(|marker| ("telegram", marker)));
    }
    Round { beacon, telegram, broker, variables, in_use }
}

#[track_caller]
fn run_round(n: usize, planted: &mut Planted) {
    let round = round(n, planted);
    let directory = tempfile::tempdir().unwrap();
    let output = program::run("log", directory.path(), &round.variables);
    let (stdout, stderr) = (output.stdout, output.stderr);
    planted.assert_absent("standard error", &stderr);
    planted.assert_absent("standard output", &stdout);
    let shown = String::from_utf8_lossy(&stdout);
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(shown.contains("the program is done"), "{stderr}");

    planted.assert_absent_in_files(directory.path());
    let names: Vec<_> = marker::files(directory.path());
    for name in ["black-box", "app.log", "errors.log", "logbeacon.dead", "telegram_developer.dead"]
    {
        assert!(names.iter().any(|path| path.ends_with(name)), "{name}: {names:?}");
    }
    let mut sent = vec![("broker", round.broker.logins().join(" "))];
    for (name, server) in [("beacon", &round.beacon), ("telegram", &round.telegram)] {
        for request in server.requests() {
            planted.assert_absent("a body", &request.body);
            sent.push((name, format!("{} {:?}", request.line, request.headers)));
        }
    }
    for (name, marker) in &round.in_use {
        let is_sent = |(to, text): &(_, String)| to == name && marker::is_in(marker, text);
        assert!(sent.iter().any(is_sent), "{marker} was never sent to the {name}: {sent:?}");
    }
}

#[test]
fn secrets_in_use_are_nowhere_but_where_they_belong() {
    let mut planted = Planted::default();
    let rounds = SPELLINGS.len() * AROUND.len();
    for n in 0..rounds {
        // Eight of them show each spelling and each text around once.
        if std::env::var_os("LOGWELL_TEST_ALL_SECRETS").is_some() || n.is_multiple_of(9) {
            run_round(n, &mut planted);
        }
    }
    eprintln!("{} secrets in use, none is anywhere else", planted.len());
}
