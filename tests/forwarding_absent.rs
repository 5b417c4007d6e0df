//! What a build without the feature `forward` says to who asks for it.

#![cfg(not(feature = "forward"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use logwell::{LoggingConfig, QueueLayer};

#[test]
fn a_destination_that_is_enabled_without_the_feature_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = LoggingConfig::builder().log_dir(dir.path()).console(false).build().unwrap();
    let yaml = "forward: {logbeacon: {enabled: true, url: 'https://logs.example.com'}}";
    let wanted = LoggingConfig::from_yaml(yaml).unwrap();
    let mut config = config;
    config.forward = wanted.forward;
    let error = QueueLayer::builder().config(config).build().unwrap_err();
    assert!(error.is_config());
    let text = error.to_string();
    assert!(text.contains("forward.logbeacon.enabled: this program was built without"), "{text}");
    assert!(text.contains("features = [\"forward\"]"), "{text}");
}
