//! How do I test what my code logs? `logwell::testing::capture()` gives a test the records of its
//! own thread; nothing is global, so tests run side by side.
//!
//! ```sh
//! cargo test --example testing
//! ```
//!
//! `cargo run --example testing` shows what a captured record looks like.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::num::ParseIntError;

/// The code under test.
fn place_order(amount: &str) -> Result<u32, ParseIntError> {
    let order = tracing::info_span!("order", amount);
    let _inside = order.enter();
    match amount.parse() {
        Ok(amount) => {
            tracing::info!(amount, "order placed");
            Ok(amount)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn Error, "order refused");
            Err(error)
        }
    }
}

fn main() {
    let logs = logwell::testing::capture();
    let outcome = place_order("12x");
    println!("{outcome:?}");
    for record in logs.json() {
        println!("{record:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::place_order;
    use logwell::{Level, LoggingConfig, LoggingContext, testing};

    #[test]
    fn a_good_order_is_logged_with_its_amount() {
        let logs = testing::capture();
        place_order("12").unwrap();
        assert_eq!(logs.messages(), ["order placed"]);
        assert_eq!(logs.json()[0]["amount"], 12);
    }

    #[test]
    fn a_bad_order_is_an_error_with_its_cause_and_span() {
        let logs = testing::capture();
        place_order("12x").unwrap_err();
        assert_eq!(logs.records()[0].level(), Level::Error);
        let record = &logs.json()[0];
        assert_eq!(record["error"], "invalid digit found in string");
        assert_eq!(record["spans"][0]["name"], "order");
        assert_eq!(record["spans"][0]["amount"], "12x");
    }

    #[test]
    fn an_order_belongs_to_the_trace_of_its_request() {
        let logs = testing::capture();
        LoggingContext::new().trace_id("abc-123").in_scope(|| place_order("12")).unwrap();
        assert_eq!(logs.json()[0]["trace_id"], "abc-123");
    }

    #[test]
    fn nothing_below_warn_is_logged_in_production() {
        let config = LoggingConfig::builder().log_level("warn").files(false).console(false);
        let logs = testing::capture_with(config.build().unwrap());
        place_order("12").unwrap();
        assert!(logs.messages().is_empty());
    }
}
