//! What a build without `forward` or `metrics` says to a configuration that asks for them.

#![cfg(not(any(feature = "forward", feature = "metrics")))]
#![allow(clippy::unwrap_used, reason = "tests")]

use logwell::LoggingConfig;

#[test]
fn a_destination_that_is_enabled_without_the_feature_is_an_error_that_names_it() {
    let yaml = "forward: {logbeacon: {enabled: true, url: 'https://logs.example.com'}}";
    let error = LoggingConfig::from_yaml(yaml).unwrap_err();
    assert!(error.is_config());
    let text = error.to_string();
    assert!(text.contains("forward.logbeacon.enabled: this program was built without"), "{text}");
    assert!(text.contains("features = [\"forward\"]"), "{text}");
}

#[test]
fn a_section_that_switches_nothing_on_is_ignored_without_the_feature() {
    let yaml = "forward: {logbeacon: {enabled: false, url: 'https://logs.example.com'}}";
    assert_eq!(LoggingConfig::from_yaml(yaml).unwrap(), LoggingConfig::default());
}

#[test]
fn a_page_of_metrics_without_the_feature_is_an_error_and_the_default_is_none() {
    let error = LoggingConfig::from_yaml("metrics: {listen: '127.0.0.1:9464'}").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("metrics.listen: this program was built without"), "{text}");
    assert!(text.contains("features = [\"metrics\"]"), "{text}");
    let config = LoggingConfig::from_yaml("metrics: {enabled: true, listen: ''}").unwrap();
    assert_eq!(config, LoggingConfig::default());
}
