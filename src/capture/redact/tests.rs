use super::*;
use crate::LoggingContext;
use crate::capture::options::RedactConfig;
use crate::config::LoggingConfig;
use crate::testing::{CapturedLogs, capture, capture_with};
use proptest::prelude::*;
use serde_json::json;

fn masked_text(text: &str) -> String {
    Redaction::usual().text(text.as_bytes(), false).unwrap_or_else(|| text.to_owned())
}

/// Each text, with the secret between `«` and `»`.
fn assert_masked(marked: &[&str]) {
    for marked in marked {
        let text = marked.replace(['«', '»'], "");
        let mut expected = String::new();
        for part in marked.split('«') {
            match part.split_once('»') {
                Some((_, rest)) => expected.extend([MASK, rest]),
                None => expected.push_str(part),
            }
        }
        assert_eq!(masked_text(&text), expected, "{text}");
    }
}

const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";

/// The lines of a file of cases, with the signs in it that stand for ends of lines and tabs as what
/// they stand for.
fn cases(file: &str) -> Vec<String> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.map(|line| line.replace('⏎', "\n").replace('␍', "\r").replace('⇥', "\t")).collect()
}

#[test]
fn each_secret_of_the_corpus_is_masked_and_nothing_else() {
    let cases = cases(include_str!("../../../tests/secrets/masked.txt"));
    let masked = cases.iter().filter(|case| case.contains('«')).count();
    assert!(masked >= 300, "{masked}");
    assert_masked(&cases.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn each_text_of_the_corpus_without_a_secret_stays_as_it_is() {
    let cases = cases(include_str!("../../../tests/secrets/plain.txt"));
    assert!(cases.len() >= 150, "{}", cases.len());
    let changed = cases.iter().filter(|text| masked_text(text) != **text).collect::<Vec<_>>();
    assert_eq!(changed, Vec::<&String>::new());
}

#[test]
fn a_secret_is_masked_in_a_text_within_a_text_too() {
    assert_masked(&[
        r#""A=1\npassword=«abc»\nB=2""#,
        r#""A: 1\r\npassword: «swordfish»""#,
        r#"{"env":"A=1\ntoken='«a b»'\n"}"#,
        r#"{\"token\":\"«ab\\\"cd»\",\"n\":1}"#,
        r#"{\\\"token\\\":\\\"«abc»\\\",\\\"n\\\":1}"#,
        r#"{"token":"«a\\»","n":1}"#,
        r#""the token=«abc»""#,
        r#"\"the token=«abc»\""#,
        r#""key:\n«AKIAIOSFODNN7EXAMPLE»\n""#,
    ]);
    // All of them once more, as `Debug` shows them.
    for _ in 0..3 {
        let mut text = String::from(r#"{"password":"hun\"ter2 hunter2","user":"bob"}"#);
        for levels in 0..4 {
            let masked = masked_text(&text);
            assert!(!masked.contains("ter2") && masked.contains("bob"), "{levels}: {masked}");
            text = format!("{text:?}");
        }
    }
}

#[test]
fn the_whole_of_a_structure_is_masked_however_it_is_printed() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "for Debug")]
    struct Login {
        password: Option<Password>,
        cookies: Vec<&'static str>,
        credentials: Option<Credentials>,
        user: &'static str,
    }
    #[derive(Debug)]
    #[expect(dead_code, reason = "for Debug")]
    struct Password(&'static str);
    #[derive(Debug)]
    #[expect(dead_code, reason = "for Debug")]
    struct Credentials {
        name: &'static str,
        pass: &'static str,
    }
    let login = Login {
        password: Some(Password("hunter2")),
        cookies: vec!["a=hunter2", "b=hunter2"],
        credentials: Some(Credentials { name: "hunter2", pass: "hunter2" }),
        user: "bob",
    };
    let shown =
        [format!("{login:?}"), format!("{login:#?}"), format!("{:?}", format!("{login:#?}"))];
    for text in shown {
        let masked = masked_text(&text);
        assert!(!masked.contains("hunter2") && masked.contains("bob"), "{masked}");
    }
    assert_masked(&[
        "Login { password: «Password { inner: \"a\", n: [1] }», n: 1 }",
        "Login { password: Some(\n        \"«a b»\",\n    ), n: 1 }",
        "token: Basic(\"«a»\")",
        "credentials: «Basic(\"a\", \"b\")», n: 1",
    ]);
}

#[test]
fn headers_with_several_parts_are_masked_to_the_end_of_their_line() {
    assert_masked(&[
        "Authorization: «Splunk B5A79AAD-D822»\nHost: x",
        "Authorization: «Digest username=\"bob\", response=\"6629fa\"»\r\nHost: x",
        "Authorization: «AWS4-HMAC-SHA256 Credential=a/b, Signature=c»\nHost: x",
        "-H 'Authorization: «Digest username=\"bob\"»' -v",
        r#""Authorization: «Digest username=\"bob\", n=\"c\"»\r\nHost: x" y"#,
        r#""Cookie: «a=b; c=d»\r\nHost: x" y"#,
        r#"["Cookie: «a=b; c=\"d\"»", "Host: x"]"#,
        "curl -b 'cookie: «a=b»' -v",
        "* [HTTP/2] [1] [authorization: Bearer «abc»]",
        "Proxy-Authorization:\tBasic «dXNlcjpwYXNz»\r\n",
    ]);
}

#[test]
fn passwords_in_urls_and_tokens_of_known_shapes_are_masked_wherever_they_stand() {
    assert_masked(&[
        "cannot reach postgres://app:«s3cr:et@»@db.internal:5432/x?y=1",
        "amqp://guest:«guest»@localhost and redis://:«pw»@r:6379",
        "https://«ghx01234567890abcdef»@github.com/a/b.git",
        "postgres://app:«p/w#x?»@db:5432/x and amqp://a:«b/c»@h",
        "sent Bearer «ya29.a0AfH6SMBx1234567890123», again",
        "got Basic «YWxh/ZGRpbjpvcGVuc2VzYW1lMTIz»",
        "«glrt-0123456789abcdefghij» «sk_test_0123456789abcdef» «xapp-1-A0123456789-012345»",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----«\n\nlQOYBF1abcdefghijklmnop/x\n=abcd\n»-----END PGP PRIVATE KEY BLOCK-----",
        &format!("got «{JWT}»."),
        "sent Bearer «abc123def456ghi789», again",
        "bearer «abcdefghijklmnopqrstuvwxyz»",
        "key «AKIAIOSFODNN7EXAMPLE» is gone",
        "key-«AKIAIOSFODNN7EXAMPLE», and a-«ghp_0123456789abcdefghijABCDEFGHIJ012345»",
        "«ghp_0123456789abcdefghijABCDEFGHIJ012345»",
        "pushed with «glpat-0123456789abcdefghij»",
        "«xoxb-123456789012-abcdef»: not in channel",
        "charge by «sk_live_0123456789abcdef»",
        "«sk-proj-0123456789abcdefghij_x-y» is over its quota",
        "«AIzaSyA0123456789abcdefghijklmnopqrstuv»",
        "POST https://api.telegram.org/bot123456789:«AAF0123456789abcdefghijklmnopqrstuv»/sendMessage",
        "-----BEGIN RSA PRIVATE KEY-----«\nMIIEpAIBAAKCAQEA0123/abc\n+x==\n»-----END RSA PRIVATE KEY-----\nx",
        "-----BEGIN EC PRIVATE KEY-----«\nMHcCAQEEI/0+/\nabcdefghijklmnop/x\n»-----END EC PRIVATE KEY-----",
        "a -----BEGIN PRIVATE KEY-----«\\nMIIEvQIBADANBgkqhkiG9w0BAQEF and no end»",
    ]);
}

#[test]
fn ordinary_texts_stay_as_they_are() {
    let texts = [
        "",
        ":",
        "=",
        "a:b",
        "order=7",
        "order placed",
        "user: bob",
        "GET /index.html 200 in 5ms",
        "unexpected token: `<` at line 5",
        "unexpected token: foo",
        "expected token: \"if\"",
        "invalid token: unexpected end of input",
        "password: too short",
        "token: expected ident",
        "token == other",
        "token != x1y2z3a4",
        "secret::Key",
        "Token::Ident(\"foo\")",
        "password=",
        "password=\"\"",
        "password: None",
        "token=null",
        "api_key: undefined",
        "password=(secret)",
        "token: \"(secret)\"",
        "Bearer authentication failed",
        "Basic support",
        "basic usage: run it",
        "https://example.com:8080/a?b=c@d",
        "http://user@host/",
        "10.0.0.1:80",
        "git@github.com:a/b.git",
        "mailto:a@b.c",
        "12:30:05.123456789",
        "a::b::c",
        "eyJ",
        "monkey_AKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLEX",
        "task-1234567890abcdefghijkl",
        "primary_key=5",
        "tokens=512",
        "input_tokens: 17",
        "max_tokens=4096",
        "cookie jar is full",
        "version: 1.2.3",
        "connection=keep-alive",
        "location: /a/b",
        "sha256:0123456789abcdef",
        "risk-based-assessment-of-the-thing",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END",
        "the password is wrong",
        "PASSWORD",
        "password",
        "time=2026-01-02T03:04:05Z level=info",
        "C:\\Users\\bob",
        "x:y=z:w",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "550e8400-e29b-41d4-a716-446655440000",
        "ключ: значение",
        "install python3-jwt:all 2.6.0-1",
        "registering with poller: token=Token(1), interests=READABLE",
        "Poll { token: Token(0), semi_token: Semi }",
        "let token = next();",
        "pub log_token: u32,",
        "Position::BeforePassword => {",
        "[token]: expected a number",
        "no event for stream/token: com.apple.xpc.a1/4505",
        "'node_modules/cookie': 'node_modules/.cookie-Dh8Db3gk'",
        "Component SCSI-WWID:01000010:6005-08b4-0001-00c6-0006-3000-003d-0000",
        "akka.tcp://sparkExecutorActorSystem@mesos-slave-07:55904",
        "https://13957525385%40example.com@p28-contacts.example.com/",
        "host key algorithms sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "npm_package_devDependencies_eslint_plugin_import_more",
        "http://localhost:8080/a@b and http://[::1]:80/a@b",
        "password: required",
        "using password: YES",
        "authorization: denied for bob",
        "address: here, process: 7, NOPASSWD: ALL",
    ];
    let changed = texts.iter().filter(|text| masked_text(text) != **text).collect::<Vec<_>>();
    assert_eq!(changed, Vec::<&&str>::new());
}

#[test]
fn a_secret_that_the_limit_has_cut_is_masked_too() {
    let cut = |text: &str| Redaction::usual().text(text.as_bytes(), true);
    assert_eq!(cut("postgres://app:hunt").as_deref(), Some("postgres://app:(secret)"));
    assert_eq!(cut("see ghp_0123456789ab").as_deref(), Some("see (secret)"));
    assert_eq!(cut("password=hun").as_deref(), Some("password=(secret)"));
    assert_eq!(cut("{\"password\":\"hun").as_deref(), Some("{\"password\":\"(secret)"));
    assert_eq!(cut("http://localhost:80"), None);
    assert_eq!(cut("see http://local"), None);
}

#[test]
fn json_stays_json_and_names_count_at_any_depth() {
    let json = |text: &str| Redaction::usual().json(text.as_bytes(), false);
    let text = r#"{"a":[{"token":"t","max_token":17,"ok":true}],"password":{"x":[1]},"url":"amqp://a:b@c","n":1.5}"#;
    let masked = json(text).unwrap();
    let expected = r#"{"a":[{"token":"(secret)","max_token":17,"ok":true}],"password":"(secret)","url":"amqp://a:(secret)@c","n":1.5}"#;
    assert_eq!(masked, expected);
    assert_eq!(json(r#"{"token":null,"password":true,"cookie":7,"x":":="}"#), None);
    assert_eq!(json(r#"{"token": "a"#).as_deref(), Some(r#"{"token": "(secret)"#));
    let text = r#"[{"name":"DB_PASSWORD","value":"a"},{"name":"token","value":5}]"#;
    let expected = r#"[{"name":"DB_PASSWORD","value":"(secret)"},{"name":"token","value":5}]"#;
    assert_eq!(json(text).as_deref(), Some(expected));
    let text = json!({ "env": "A=1\npassword=hunter2" }).to_string();
    assert_eq!(json(&text).as_deref(), Some(r#"{"env":"A=1\npassword=(secret)"}"#));
    // If texts are not looked through, its names count all the same: where it is cut too.
    let names = Redaction::made(&RedactConfig { texts: false, ..RedactConfig::default() });
    let cut = names.json(br#"{"token": "a"#, true);
    assert_eq!(cut.as_deref(), Some(r#"{"token": "(secret)"#));
}

#[test]
fn a_context_shows_its_secrets_to_nobody() {
    let context = LoggingContext::new().with("token", "hunter2").with("user", "bob");
    let shown = format!("{context:?}");
    assert!(!shown.contains("hunter2") && shown.contains("bob"), "{shown}");
}

fn quiet(redact: RedactConfig) -> CapturedLogs {
    let mut config = LoggingConfig { redact, ..LoggingConfig::default() };
    (config.files.enabled, config.console.enabled) = (false, false);
    capture_with(config)
}

#[test]
fn values_of_secret_names_are_masked_in_events_spans_and_later_records_whatever_their_type() {
    let logs = capture();
    let span = tracing::info_span!("s", api_key = "abc", user = 7, secret = tracing::field::Empty);
    let _in = span.enter();
    span.record("secret", "s");
    let error = std::io::Error::other("no");
    let error: &(dyn std::error::Error + 'static) = &error;
    tracing::info!(
        password = 4711, token = "t", access_token = ?Some("t"), authorization = %"Bearer x",
        cookie = error, cvv = 1.5, private_key = &b"abc"[..], card_number = 5_u128,
        client_secret = true, tokens = 9, max_token = 5, time_to_first_token = 0.5, "signed in"
    );
    let line = &logs.json()[0];
    for name in [
        "password",
        "token",
        "access_token",
        "authorization",
        "cookie",
        "cvv",
        "private_key",
        "card_number",
    ] {
        assert_eq!(line[name], MASK, "{name}");
    }
    assert_eq!((&line["client_secret"], &line["tokens"]), (&json!(true), &json!(9)));
    assert_eq!((&line["max_token"], &line["time_to_first_token"]), (&json!(5), &json!(0.5)));
    assert_eq!(line.get("cookie_chain"), None);
    let span = &line["spans"][0];
    assert_eq!((&span["api_key"], &span["secret"]), (&json!(MASK), &json!(MASK)));
    assert_eq!(span["user"], 7);
    assert_eq!(logs.handle().stats().redacted_values, 10);
}

#[test]
fn secrets_in_messages_texts_errors_contexts_and_extra_information_are_masked() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot log in with password=hunter2")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    let logs = capture();
    let error = Outer(std::io::Error::other("amqp://u:hunter2@h refused"));
    let error: &(dyn std::error::Error + 'static) = &error;
    let context = LoggingContext::new()
        .with("token", "t")
        .with("cookie", 5)
        .with("url", "redis://:hunter2@r")
        .enter();
    tracing::error!(error, url = "https://u:hunter2@h/", "login with password={}", "hunter2");
    log::warn!("the header was Authorization: Bearer {}", "hunter2");
    drop(context);
    #[cfg(feature = "forward")]
    crate::log(9, "f", "token=hunter2", json!({"deep": [{"password": "hunter2"}]})).unwrap();

    let lines = logs.json();
    let text = serde_json::to_string(&lines).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(lines[0]["message"], "login with password=(secret)");
    assert_eq!(lines[0]["error"], "cannot log in with password=(secret)");
    assert_eq!(lines[0]["error_chain"][0], "amqp://u:(secret)@h refused");
    assert_eq!(lines[0]["url"], "https://u:(secret)@h/");
    assert_eq!((&lines[0]["token"], &lines[0]["cookie"]), (&json!(MASK), &json!(5)));
    #[cfg(feature = "forward")]
    assert_eq!(lines.last().unwrap()["extra_info"], json!({"deep": [{"password": MASK}]}));
    assert!(LoggingContext::current().is_none());
}

#[test]
fn it_can_be_turned_off_narrowed_and_widened() {
    let log = || {
        tracing::info!(password = "a", page_token = "b", iban = "c", "token={}", "d");
    };
    let seen = |redact: RedactConfig| {
        let logs = quiet(redact);
        log();
        let line = logs.json().remove(0);
        ["password", "page_token", "iban", "message"]
            .map(|key| line[key].as_str().unwrap().to_owned())
    };
    assert_eq!(seen(RedactConfig::default()), [MASK, MASK, "c", "token=(secret)"]);
    let off = RedactConfig { enabled: false, ..RedactConfig::default() };
    assert_eq!(seen(off), ["a", "b", "c", "token=d"]);
    let names_only = RedactConfig { texts: false, ..RedactConfig::default() };
    assert_eq!(seen(names_only), [MASK, MASK, "c", "token=d"]);
    let own = RedactConfig {
        fields: "iban".into(),
        keep: "page-token, password".into(),
        ..RedactConfig::default()
    };
    assert_eq!(seen(own), ["a", "b", MASK, "token=(secret)"]);
}

#[test]
fn a_mask_that_is_longer_than_the_room_is_cut_and_the_record_says_so() {
    let mut config = LoggingConfig::default();
    (config.files.enabled, config.console.enabled) = (false, false);
    config.limits.field_bytes = 64;
    let logs = capture_with(config);
    let text = format!("{} token=a", "x".repeat(55));
    tracing::info!(shown = text.as_str(), formatted = %text, long = %text.repeat(2), "m");
    let line = &logs.json()[0];
    for name in ["shown", "formatted"] {
        assert!(line[name].as_str().unwrap().ends_with("x token=(s…"), "{line}");
        assert_eq!(line["truncated"][name], 70, "{line}");
    }
    assert_eq!(line["truncated"]["long"], 126);
}

#[test]
fn the_fields_beyond_those_that_are_remembered_are_masked_too() {
    let names: Vec<&'static str> = (0..100)
        .map(|n| {
            &*Box::leak(format!("f{n}_{}", if n % 2 == 0 { "token" } else { "x" }).into_boxed_str())
        })
        .collect();
    let callsite = Callsite::leak(crate::record::callsite::Place {
        level: crate::Level::Info,
        target: "t",
        name: "n",
        module: None,
        file: None,
        line: None,
        fields: names.clone().into_boxed_slice(),
        kind: crate::record::callsite::Kind::Plain,
    });
    let redaction = Redaction::usual();
    for _ in 0..2 {
        let secret = redaction.fields_of(callsite);
        for (index, name) in names.iter().enumerate() {
            let is_secret = secret.contain(index) && redaction.is_secret(name);
            assert_eq!(is_secret, index % 2 == 0, "{name}");
        }
    }
}

#[test]
fn texts_that_are_made_to_be_slow_are_looked_through_once() {
    // What looks again from each place to the end would take hours.
    const BYTES: usize = 128 << 10;
    let parts = [
        "x",
        "-",
        "eyJ",
        "a-eyJ-",
        "://",
        "a://b:c",
        "password=[",
        "password={\"",
        "token: \"a ",
        "password=x",
        "'password='\\",
        "Bearer ",
        "eyJaaaaaaaaaaaaaaaaaa.",
        "1:",
        "123456789:",
        "-----BEGIN PRIVATE KEY-----",
        "PRIVATE KEY-----",
        "PRIVATE KEY",
        "a://b:c/",
        "token=T(",
        "authorization: a ",
        "Authorization: Digest a=\"",
        "Bearer a.",
        "token: Some(\\n",
        "\"",
        "\\\"",
        "Some(",
        "password=Some(",
        "abcdefghijklmnopqrstuvwxyz ",
        "ghp_",
        "sk-",
        " token: a b",
        "cookie=",
        "=",
        "é",
        "é:",
        "cookie: SameSite=a ",
        "\"--token\",“-",
        "password=“${",
        "password=%q(${",
        "name: token\nvalue: ",
        "<key>token</key><string>",
        "&quot;token&quot;:&quot;",
        "db:1;password=@",
        "a://db:1;password=a@",
    ];
    for part in parts {
        let text = part.repeat(BYTES / part.len());
        for is_cut in [false, true] {
            let _ = Redaction::usual().text(text.as_bytes(), is_cut);
        }
        let json = format!("[{:?}]", text);
        let _ = Redaction::usual().json(json.as_bytes(), false);
    }
}

proptest! {
    #[test]
    fn whatever_is_around_it_a_planted_secret_is_not_left(
        before in "[ -~äß\n]{0,40}",
        after in "[ -~äß\n]{0,40}",
        which in 0_usize..8,
    ) {
        let (shape, secret) = [
            ("password=hunter2x9", "hunter2x9"),
            ("\"token\":\"hunter2x9\"", "hunter2x9"),
            ("token: Some(\"hunter2x9\")", "hunter2x9"),
            ("amqp://u:hunter2x9@h", "hunter2x9"),
            ("Bearer hunter2x9hunter2x9", "hunter2x9"),
            (JWT, "XgL0n3I9P"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "cdefghijABCDEFGHIJ0123"),
            ("123456789:AAF0123456789abcdefghijklmnopqrstuv", "0123456789abcdefghijklmn"),
        ][which];
        // A letter just before makes another word of it.
        let text = format!("{before}, {shape} {after}");
        let masked = masked_text(&text);
        prop_assert!(!masked.contains(secret), "{} -> {}", text, masked);
    }

    #[test]
    fn any_text_can_be_looked_through_and_what_is_masked_stays_so(text in ".{0,200}", cut in any::<bool>()) {
        let redaction = Redaction::usual();
        if let Some(masked) = redaction.text(text.as_bytes(), cut) {
            let again = redaction.text(masked.as_bytes(), false);
            prop_assert_eq!(again.as_ref().unwrap_or(&masked), &masked);
        }
    }

    #[test]
    fn texts_of_the_signs_that_matter_do_not_panic(text in "[:=@/\"'\\\\\\[\\](){}<>&;, \nab1é]{0,60}(password|token|Bearer|://|eyJ)[:=@/\"'\\\\\\[\\](){}<>&;, \nab1é]{0,60}") {
        let redaction = Redaction::usual();
        let masked = redaction.text(text.as_bytes(), false).unwrap_or_else(|| text.clone());
        let again = redaction.text(masked.as_bytes(), false).unwrap_or_else(|| masked.clone());
        prop_assert!(again.matches(MASK).count() >= masked.matches(MASK).count());
        let _ = redaction.text(text.as_bytes(), true);
        let _ = redaction.json(text.as_bytes(), false);
    }
}

/// Ways to give a value between two signs that end it, whatever is in it.
const ENCLOSED: [(&str, &str); 20] = [
    ("password='", "'"),
    ("password = \"", "\""),
    ("password=`", "`"),
    ("'password': b'", "'"),
    ("'password': rb'", "'"),
    ("\"password\": u\"", "\""),
    ("password = \"\"\"", "\"\"\""),
    ("password = '''", "'''"),
    ("PASSWORD=$'", "'"),
    ("password = N'", "'"),
    ("password: E'", "'"),
    ("let password = r#\"", "\"#;"),
    ("{\"token\":\"", "\"}"),
    ("{\\\"token\\\":\\\"", "\\\"}"),
    ("Login { password: Some(\"", "\") }"),
    ("[(\"password\", \"", "\")]"),
    ("<password>", "</password>"),
    ("--password '", "'"),
    ("Server=db;Password={", "};Encrypt=yes"),
    ("password: ‘", "’"),
];

/// Ways in which a blank, or the sign at their end, ends the value.
const OPEN: [(&str, &str); 9] = [
    ("password=", ""),
    ("PGPASSWORD=", ""),
    ("--password=", ""),
    ("--password ", ""),
    ("X-Api-Key: ", ""),
    ("/v1?access_token=", "&page=2"),
    ("Server=db;Pwd=", ";Encrypt=yes"),
    ("redirect=%2F%3Ftoken%3D", "%26page%3D2"),
    ("postgres://app:", "@db.example.com:5432/shop"),
];

fn assert_only_the_value_is_masked(before: &str, form: (&str, &str), value: &str, after: &str) {
    let (open, close) = form;
    let text = format!("{before} {open}{value}{close}{after}");
    // Of braces the value is a part.
    let expected = match open.strip_suffix('{') {
        Some(open) => format!("{before} {open}{MASK}{}{after}", close.trim_start_matches('}')),
        None => format!("{before} {open}{MASK}{close}{after}"),
    };
    let masked = masked_text(&text);
    assert_eq!(masked, expected, "{text}");
    assert_eq!(masked_text(&masked), masked, "a second time");
}

proptest! {
    #[test]
    fn a_value_between_quotes_is_masked_to_its_end_and_nothing_else_is(
        before in "[a-z]{1,8}( [a-z]{1,8}){0,3}",
        value in "[A-Z][a-z]{2}[0-9][ !#$%&*+,./:;=?@A-Za-z0-9^_|~-]{0,20}[0-9][a-z]",
        after in "|, user='bob'|\\nnext line| and more",
        form in prop::sample::select(&ENCLOSED[..]),
    ) {
        assert_only_the_value_is_masked(&before, form, &value, &after);
    }

    #[test]
    fn a_value_without_quotes_is_masked_to_its_end_and_nothing_else_is(
        before in "[a-z]{1,8}( [a-z]{1,8}){0,3}",
        value in "[A-Z][a-z]{2}[0-9][!*+.A-Za-z0-9^_~-]{0,20}[0-9][a-z]",
        after in "| user=bob|\\nnext line| and more",
        form in prop::sample::select(&OPEN[..]),
    ) {
        assert_only_the_value_is_masked(&before, form, &value, &after);
    }

    #[test]
    fn a_text_grows_by_no_more_than_its_masks_however_often_it_is_looked_at(
        text in "([:=@/\"'\\\\\\[\\](){}<>&;,%| \nab1é-]{0,6}(password|token|Bearer |://|sig|pwd|Cookie|%3D|--secret |hunter2|b'|<token>)){1,6}[:=@/\"'\\\\\\[\\](){}<>&;, \nab1é]{0,6}",
        is_cut in any::<bool>(),
    ) {
        if let Some(masked) = Redaction::usual().text(text.as_bytes(), is_cut) {
            let most = |text: &str, masked: &str| {
                text.len() + masked.matches(MASK).count() * MASK.len()
            };
            prop_assert!(masked.len() <= most(&text, &masked), "{text}");
            let again = masked_text(&masked);
            prop_assert!(again.len() <= most(&masked, &again), "{text}");
        }
    }
}
