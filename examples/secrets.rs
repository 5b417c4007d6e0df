//! Logs secrets, as programs do by mistake, and shows that the log has none of them.
//!
//! ```sh
//! cargo run --example secrets
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::{LoggingConfig, init_logging_with, shutdown_logging};
use std::error::Error;
use std::fs;

/// What must not be in the file.
const SECRET: &str = "hunter2-x9K4";

#[derive(Debug)]
#[expect(dead_code, reason = "it is only formatted")]
struct Login {
    user: &'static str,
    password: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("logwell-secrets-{}", std::process::id()));
    let config = LoggingConfig::builder().log_dir(&directory).console(false);
    let mut config = config.build()?;
    // Our own name, besides those that are known.
    config.redact.fields = "pin".to_owned();
    init_logging_with(config)?;

    // By the name of a field, whatever its type.
    tracing::info!(user = "bob", db.password = SECRET, pin = 4711, "signing in");
    // In a text: a query, a header, a URL, what Debug prints.
    tracing::info!("GET /me?access_token={SECRET}&page=2");
    tracing::info!(header = format!("Authorization: Bearer {SECRET}"), "asked");
    let login = Login { user: "bob", password: Some(SECRET.to_owned()) };
    tracing::info!(?login, "refused");
    let failure = format!("cannot reach postgres://app:{SECRET}@db.internal/shop");
    let failure = std::io::Error::other(failure);
    tracing::error!(error = &failure as &dyn Error, "no database");
    // And what only looks like one.
    tracing::warn!(input_tokens = 512, "unexpected token: foo");

    let report = shutdown_logging();
    let log = fs::read_to_string(directory.join("app.log"))?;
    fs::remove_dir_all(&directory)?;
    for line in log.lines().filter(|line| !line.contains("\"kind\":\"logwell.")) {
        println!("{line}");
    }
    println!("{} values had a secret in them", report.stats.redacted_values);
    match log.contains(SECRET) {
        true => Err("a secret is in the log".into()),
        false => Ok(()),
    }
}
