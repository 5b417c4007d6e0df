//! Programs that others have written, sending to the server.
//!
//! A missing program is reported loudly; if the variable `CI` is set, its test fails. Python's
//! packages are looked for in the interpreter that `LOGBEACON_TEST_PYTHON` names, else in
//! `python3`.

use super::support::{Beacon, TOKEN, has, missing};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const RSYSLOGD: &str = "/usr/sbin/rsyslogd";
const LOGGER: &str = "/usr/bin/logger";
pub(crate) const CURL: &str = "/usr/bin/curl";

/// A syslog daemon of the test's own.
struct Rsyslog {
    child: Child,
    dir: tempfile::TempDir,
}

impl Rsyslog {
    /// With a socket for `logger`, and an action that sends on.
    fn start(action: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let config = format!(
            "global(workDirectory=\"{path}\")\n\
             module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{path}/socket\")\n{action}\n"
        );
        let file = dir.path().join("rsyslog.conf");
        std::fs::write(&file, config).unwrap();
        let child = Command::new(RSYSLOGD)
            .args(["-n", "-i", &format!("{path}/pid"), "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let socket = dir.path().join("socket");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !socket.exists() {
            assert!(std::time::Instant::now() < deadline, "rsyslogd has no socket");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self { child, dir }
    }

    fn log(&self, text: &str) {
        let socket = self.dir.path().join("socket");
        run(Command::new(LOGGER)
            .arg("-u")
            .arg(socket)
            .args(["-t", "shop", "-p", "user.warning"])
            .arg(text));
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // The test has ended.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn logger_sends_over_tcp_and_udp() {
    if !has(Path::new(LOGGER), "Debian: bsdutils") {
        return;
    }
    let (tcp, udp) = (free_port(), free_port());
    let beacon = Beacon::start_with(&[
        "--syslog-tcp",
        &format!("127.0.0.1:{tcp}"),
        "--syslog-udp",
        &format!("127.0.0.1:{udp}"),
    ]);
    for (how, port) in [("--tcp", tcp), ("--udp", udp)] {
        let port = port.to_string();
        for format in [&["--rfc5424", "--octet-count"][..], &["--rfc3164"]] {
            if how == "--udp" && format.len() == 2 {
                continue;
            }
            let text = format!("from logger {}", format[0]);
            run(Command::new(LOGGER)
                .args([how, "-n", "127.0.0.1", "-P", &port, "-t", "shop", "-p", "local0.err"])
                .args(format)
                .arg(text));
        }
    }
    let found = beacon.wait_for("stream:=syslog \"from logger\"", 3);
    assert_eq!(found.len(), 3);
    for record in &found {
        assert_eq!((&record["level"], &record["service"]), (&"ERROR".into(), &"shop".into()));
        assert_eq!(record["facility"], "local0");
    }
}

#[test]
fn rsyslog_sends_by_its_forwarding_action() {
    if !has(Path::new(RSYSLOGD), "Debian: rsyslog") {
        return;
    }
    let tcp = free_port();
    let beacon = Beacon::start_with(&["--syslog-tcp", &format!("127.0.0.1:{tcp}")]);
    for (framing, template) in [
        ("traditional", "RSYSLOG_ForwardFormat"),
        ("octet-counted", "RSYSLOG_SyslogProtocol23Format"),
    ] {
        let rsyslog = Rsyslog::start(&format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" \
             TCP_Framing=\"{framing}\" template=\"{template}\")"
        ));
        rsyslog.log(&format!("forwarded as {framing}"));
        let found = beacon.wait_for(&format!("\"forwarded as {framing}\""), 1);
        assert_eq!((&found[0]["level"], &found[0]["service"]), (&"WARN".into(), &"shop".into()));
    }
}

#[test]
fn rsyslog_sends_as_to_elasticsearch() {
    let modules = ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog"];
    let has_module = modules.iter().any(|dir| Path::new(dir).join("omelasticsearch.so").exists());
    if !has_module {
        return missing("omelasticsearch (Debian: rsyslog-elasticsearch)");
    }
    let beacon = Beacon::start();
    let (host, port) = beacon.address().split_once(':').unwrap();
    let rsyslog = Rsyslog::start(&format!(
        "module(load=\"omelasticsearch\")\n\
         template(name=\"record\" type=\"list\" option.jsonf=\"on\") {{\n\
         property(outname=\"@timestamp\" name=\"timereported\" dateFormat=\"rfc3339\" \
         format=\"jsonf\")\n\
         property(outname=\"host\" name=\"hostname\" format=\"jsonf\")\n\
         property(outname=\"severity\" name=\"syslogseverity-text\" format=\"jsonf\")\n\
         property(outname=\"message\" name=\"msg\" format=\"jsonf\") }}\n\
         action(type=\"omelasticsearch\" server=\"{host}\" serverport=\"{port}\" \
         template=\"record\" \
         searchIndex=\"system\" searchType=\"\" bulkmode=\"on\" uid=\"any\" pwd=\"{TOKEN}\" \
         errorFile=\"/dev/null\")"
    ));
    rsyslog.log("as to elasticsearch");
    let found = beacon.wait_for("\"as to elasticsearch\"", 1);
    assert_eq!((&found[0]["stream"], &found[0]["level"]), (&"system".into(), &"WARN".into()));
}

#[test]
fn curl_sends_a_record_and_finds_it() {
    if !has(Path::new(CURL), "Debian: curl") {
        return;
    }
    let beacon = Beacon::start();
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let logs = format!("{}/api/logs", beacon.url);
    let receipt = run(Command::new(CURL).args([
        "-sS",
        "-H",
        &bearer,
        "-d",
        r#"{"message":"by curl"}"#,
        &logs,
    ]));
    assert!(receipt.starts_with(r#"{"accepted":1,"#), "{receipt}");
    let search = format!("{}/api/v1/search", beacon.url);
    let found = run(Command::new(CURL).args([
        "-sS",
        "-H",
        &bearer,
        "--data-urlencode",
        "query=\"by curl\"",
        &search,
    ]));
    assert!(found.contains("by curl") && found.contains("\"complete\":true"), "{found}");
}

/// Runs a Python program that needs a package.
fn python(package: &str, program: &str, arguments: &[&str]) -> bool {
    let python = std::env::var("LOGBEACON_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = format!("import {package}");
    let has_package = Command::new(&python)
        .args(["-c", &import])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_package {
        missing(&format!("Python's package {package}"));
        return false;
    }
    run(Command::new(&python).args(["-c", program]).args(arguments));
    true
}

#[test]
fn the_sdk_of_opentelemetry_sends() {
    let beacon = Beacon::start();
    let program = "
import logging, sys
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http import Compression
provider = LoggerProvider(resource=Resource.create({'service.name': 'shop'}))
exporter = OTLPLogExporter(endpoint=sys.argv[1] + '/v1/logs', compression=Compression.Gzip,
                           headers={'authorization': 'Bearer ' + sys.argv[2]})
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
logger = logging.getLogger('orders')
logger.addHandler(LoggingHandler(logger_provider=provider))
for number in range(100):
    logger.warning('from the sdk', extra={'number': number})
provider.shutdown()
";
    if python("opentelemetry.exporter.otlp.proto.http", program, &[&beacon.url, TOKEN]) {
        let found = beacon.wait_for("\"from the sdk\"", 100);
        assert_eq!(found.len(), 100);
        assert_eq!((&found[0]["service"], &found[0]["level"]), (&"shop".into(), &"WARN".into()));
        assert_eq!(found[0]["logger"], "orders");
    }
}

#[test]
fn the_bulk_helper_of_elasticsearchs_client_sends_and_learns_of_duplicates() {
    let beacon = Beacon::start();
    let program = "
import sys
from elasticsearch import Elasticsearch, helpers
client = Elasticsearch(sys.argv[1], basic_auth=('any', sys.argv[2]))
assert client.info()['version']['number'] == '8.15.0'
def actions():
    for number in range(1000):
        yield {'_op_type': 'create', '_index': 'web', '_id': str(number),
               'message': 'by the bulk helper', 'number': number}
created, errors = helpers.bulk(client, actions())
assert (created, errors) == (1000, []), (created, errors)
created, errors = helpers.bulk(client, actions(), raise_on_error=False)
assert created == 0 and len(errors) == 1000
assert errors[0]['create']['status'] == 409, errors[0]
";
    if python("elasticsearch", program, &[&beacon.url, TOKEN]) {
        assert_eq!(beacon.search("stream:=web \"bulk helper\"").len(), 1000);
    }
}

#[test]
fn a_handler_for_loki_sends() {
    let beacon = Beacon::start();
    let program = "
import logging, logging_loki, sys
handler = logging_loki.LokiHandler(url=sys.argv[1] + '/loki/api/v1/push', version='1',
                                   tags={'service': 'shop'}, auth=('any', sys.argv[2]))
logger = logging.getLogger('orders')
logger.addHandler(handler)
for number in range(20):
    logger.error('by the loki handler %d', number)
";
    if python("logging_loki", program, &[&beacon.url, TOKEN]) {
        let found = beacon.wait_for("\"loki handler\"", 20);
        assert_eq!(found.len(), 20);
        let (service, level) = (&found[0]["service"], &found[0]["level"]);
        assert_eq!((service, level), (&"shop".into(), &"ERROR".into()));
    }
}
