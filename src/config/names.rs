//! Names: how the environment variables of logwell are called.

use logwell_options::env::{Names, OtherName};

/// The variable that names the configuration file.
pub(super) const CONFIG: &str = "LOG_CONFIG";

/// `LOG_` and the key in capitals, and names that are shorter or older.
pub(super) const NAMES: Names = Names { prefix: "LOG_", others: OTHERS };

const OTHERS: &[OtherName] = &[
    OtherName { is_shown: false, ..always("level", "RUST_LOG") },
    always("unified", "USE_UNIFIED_LOGGING"),
    always("files.dir", "LOG_DIR"),
    always("files.level", "LOG_FILE_LEVEL"),
    always("files.ai.enabled", "LOG_ENABLE_AI_HANDLER"),
    always("service.domain", "LOG_DOMAIN"),
    always("forward.rabbitmq.enabled", "USE_NEW_LOGSYS"),
    with_broker("forward.rabbitmq.host", "MQ_HOST"),
    with_broker("forward.rabbitmq.port", "MQ_PORT"),
    with_broker("forward.rabbitmq.user", "MQ_USER"),
    with_broker("forward.rabbitmq.password", "MQ_PASSWORD"),
    with_telegram("forward.telegram.developer.token", "DEV_TG_TOKEN"),
    with_telegram("forward.telegram.developer.chat_id", "DEV_TG_CHATID"),
    with_telegram("forward.telegram.customer.token", "CUSTOMER_TG_TOKEN"),
    with_telegram("forward.telegram.customer.chat_id", "CUSTOMER_TG_CHATID"),
];

const fn always(key: &'static str, variable: &'static str) -> OtherName {
    OtherName { key, variable, switch: None, is_shown: true }
}

const fn with_broker(key: &'static str, variable: &'static str) -> OtherName {
    OtherName { switch: Some("forward.rabbitmq.enabled"), ..always(key, variable) }
}

const fn with_telegram(key: &'static str, variable: &'static str) -> OtherName {
    OtherName { switch: Some("forward.telegram.enabled"), ..always(key, variable) }
}
