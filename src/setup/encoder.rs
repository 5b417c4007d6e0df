//! Encoder: the encoder of JSON lines that a configuration asks for.

use crate::config::LoggingConfig;
use crate::encode::json::JsonOptions;
use crate::encode::schema::SchemaOptions;
use crate::encode::{Encode, encoder};

/// The encoder of JSON lines that the configuration asks for, with its schema and its limits; no
/// line is longer than `max_line_bytes`.
///
/// ```
/// use logwell::LoggingConfig;
/// use logwell::config::Schema;
/// use logwell::encode::encoder_for;
///
/// let config = LoggingConfig::builder().schema(Schema::Gcp).build()?;
/// let logs = logwell::testing::capture();
/// tracing::info!("hello");
///
/// let mut line = Vec::new();
/// encoder_for(&config, 16_000).encode(&logs.records()[0], &mut line);
/// assert!(line.starts_with(br#"{"time":"#));
/// # Ok::<(), logwell::Error>(())
/// ```
#[must_use]
pub fn encoder_for(config: &LoggingConfig, max_line_bytes: usize) -> Box<dyn Encode> {
    let json = JsonOptions {
        record: config.record.clone(),
        max_line_bytes,
        max_spans: config.limits.spans,
    };
    encoder(SchemaOptions { json, service: config.service.clone() })
}
