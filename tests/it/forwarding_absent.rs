//! What a build without the feature `forward` says to a configuration that asks for it.

#![cfg(not(feature = "forward"))]
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
