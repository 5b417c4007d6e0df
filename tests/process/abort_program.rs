//! A program that is built with `panic=abort`: logs a burst and panics. See `hooks.rs`.

use logwell::{Logger, LoggingConfig, LoggingContext};
use std::time::Duration;

struct Logs;

impl Drop for Logs {
    fn drop(&mut self) {
        Logger::new("abort").info("this is never reached: nothing unwinds");
    }
}

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    // An earlier hook that logs, after which the process is gone.
    std::panic::set_hook(Box::new(|_| Logger::new("hook").info("and dropped nowhere")));
    let config = LoggingConfig::builder().console(false).log_dir(dir);
    if std::env::args().nth(2).is_some() {
        // There is no room for a thread, neither the console's nor the listener's.
        let config = config.console(true).build().unwrap();
        let error = logwell::init_logging_with(config).unwrap_err();
        assert!(error.to_string().contains("thread"), "{error}");
        return;
    }
    let mut config = config.shutdown_timeout(Duration::from_secs(120)).build().unwrap();
    config.queue.shed_info_percent = 100;
    config.queue.shed_warn_percent = 100;
    logwell::init_logging_with(config).unwrap();
    let logger = Logger::new("abort");
    (0..5_000).for_each(|_| logger.info("burst"));
    let _logs = Logs;
    LoggingContext::new().trace_id("the-end").in_scope(|| panic!("on purpose"));
}
