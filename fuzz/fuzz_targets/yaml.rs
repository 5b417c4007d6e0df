//! Any text is a configuration or has mistakes; neither panics nor takes long.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logwell::LoggingConfig;

fuzz_target!(|text: &str| {
    if let Ok(config) = LoggingConfig::from_yaml(text) {
        let again = LoggingConfig::from_yaml(&config.to_yaml()).expect("what is written can be read");
        assert_eq!(again, config);
    }
});
