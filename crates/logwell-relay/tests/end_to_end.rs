//! The whole way: a service that logs, its spool, the broker, the workers, the destinations.

mod support;

use logwell::{LoggingConfig, QueueLayer};
use support::stub::Stub;
use support::{Queues, Running};
use tracing_subscriber::layer::SubscriberExt as _;

#[test]
fn what_a_service_logs_goes_through_the_broker_and_arrives_as_it_would_directly() {
    let Some(queues) = Queues::new() else { return };
    let (direct, behind_broker, telegram) = (Stub::willing(), Stub::willing(), Stub::willing());
    let dir = tempfile::tempdir().unwrap();
    let yaml = format!(
        "
service: {{ domain: {domain}, name: shop }}
files: {{ dir: {dir} }}
console: {{ enabled: false }}
forward:
  logbeacon: {{ enabled: true, url: {direct}/in }}
  telegram:
    enabled: true
    base_url: {direct}
    developer: {{ token: '1:producer', chat_id: '-100' }}
  rabbitmq: {{ enabled: true, port: {port}, timeout: 120s }}
shutdown: {{ timeout: 120s }}
",
        domain = queues.domain,
        dir = dir.path().display(),
        direct = direct.url,
        port = queues.port,
    );
    let config = LoggingConfig::from_yaml(&yaml).unwrap();
    let (layer, handle) = QueueLayer::builder().config(config).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::error!(order_id = 123, function = "process_order", "order failed");
        tracing::info!("all is well");
    });

    let mut beacon = queues.program(&["logbeacon"]);
    beacon.env("LOGBEACON_URL", format!("{}/in", behind_broker.url));
    let mut people = queues.program(&["telegram"]);
    people.env("LOGWELL_RELAY_TELEGRAM_BASE_URL", &telegram.url).env("DEV_TG_TOKEN", "2:worker");
    let workers = [Running::start(beacon), Running::start(people)];

    let records = behind_broker.wait_for(2);
    let record: serde_json::Value = serde_json::from_str(&records[0].body).unwrap();
    assert_eq!(record["message"], "order failed");
    assert_eq!((&record["level"], &record["program_name"]), (&"Error".into(), &"shop".into()));
    assert_eq!(record["domain"], queues.domain.as_str());
    assert_eq!(record["def_name"], "process_order");
    assert_eq!(record["extra_info"]["order_id"], 123);
    let told = telegram.wait_for(1);
    assert_eq!(told[0].path, "/bot2:worker/sendMessage", "the token is the worker's");
    assert!(told[0].body.contains("order failed") && told[0].body.contains("-100"));
    assert!(direct.received().is_empty(), "nothing went past the broker");
    let report = handle.shutdown();
    assert!(report.is_lossless(), "{report}");
    for worker in workers {
        worker.signal("TERM");
        assert!(worker.end().0.success());
    }
}
