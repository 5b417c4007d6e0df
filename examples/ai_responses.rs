//! How do I log calls of AI models? `ai_response!` writes to `ai_responses.log`, with the field
//! names of OpenTelemetry's conventions (`gen_ai.*`), long texts and all.
//!
//! ```sh
//! cargo run --example ai_responses
//! jq '."gen_ai.usage.output_tokens"' target/ai_responses-logs/ai_responses.log
//! ```
//!
//! The file is readable by its owner only, since prompts may be private. Logs go to
//! `target/ai_responses-logs`, or where `LOG_DIR` says.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::LoggingConfig;
use serde_json::Value;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let config = LoggingConfig::builder()
        .log_dir("target/ai_responses-logs")
        .console(false)
        .ai_max_bytes(100 * 1024 * 1024)
        .ai_backup_count(30)
        .build()?
        .with_env(std::env::vars_os())?;
    let ai_log = config.files.dir.join("ai_responses.log");
    logwell::init_logging_with(config)?;

    let request = tracing::info_span!("chat", user_id = "user_001");
    request.in_scope(|| chat("Tell me a story about a whale."));

    // A field that begins with `gen_ai.` is enough, at any level.
    tracing::warn!(gen_ai.request.model = "gpt-4o", retry_after_s = 20, "model is overloaded");
    tracing::info!("an ordinary record stays out of ai_responses.log");

    println!("{}", logwell::shutdown_logging());
    println!("\n{}, newest first:", ai_log.display());
    for line in std::fs::read_to_string(ai_log)?.lines().rev().take(2) {
        show(&serde_json::from_str(line)?);
    }
    Ok(())
}

fn chat(prompt: &str) {
    let start = Instant::now();
    let answer = "Once upon a time there was a whale. ".repeat(300); // Here a model would answer.
    logwell::ai_response!(
        gen_ai.operation.name = "chat",
        gen_ai.request.model = "gpt-4o",
        gen_ai.usage.input_tokens = 8,
        gen_ai.usage.output_tokens = 2_700,
        prompt,
        answer,
        latency_ms = start.elapsed().as_millis(),
        "chat completed"
    );
}

fn show(record: &Value) {
    let answer = record["answer"].as_str().map_or(0, str::len);
    println!(
        "  {} {} {}: {} tokens, answer of {answer} bytes, trace {}",
        record["level"],
        record["message"],
        record["gen_ai.request.model"],
        record["gen_ai.usage.output_tokens"],
        record["trace_id"],
    );
}
