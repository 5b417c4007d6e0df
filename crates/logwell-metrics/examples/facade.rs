//! A library that uses the façade `metrics`, and a program that shows its numbers beside logwell's.
//!
//! ```sh
//! cargo run --package logwell-metrics --example facade
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use logwell::metrics::{self as page, Format};
use logwell_metrics::Recorder;
use std::error::Error;

/// What a library does, which knows nothing of logwell.
fn query(table: &'static str) {
    metrics::counter!("db.queries", "table" => table).increment(1);
    metrics::histogram!("db.query.seconds").record(0.003);
}

fn main() -> Result<(), Box<dyn Error>> {
    Recorder::new(page::global()).buckets("db.query", &[0.001, 0.01, 0.1]).install()?;
    metrics::describe_counter!("db.queries", "Queries sent, by table.");
    for table in ["orders", "users", "orders"] {
        query(table);
    }
    print!("{}", page::global().render(Format::Text));
    Ok(())
}
