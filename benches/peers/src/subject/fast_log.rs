//! fast_log: text is made on the caller, one thread joins lines, another writes them. A queue of
//! 10 000 records that blocks when it is full. It knows no fields: the message is the rest of the
//! JSON object, as one would write it by hand, and nothing is escaped.

use super::{Outcome, Subject};
use fast_log::appender::{Command, FastLogRecord, RecordFormat};
use logwell_benches::Order;
use std::path::Path;

pub struct FastLog;

struct JsonLine;

impl RecordFormat for JsonLine {
    fn do_format(&self, record: &mut FastLogRecord) {
        if record.command == Command::CommandRecord {
            record.formated = format!(
                "{{\"timestamp\":\"{}\",\"level\":\"{}\",\"logger\":\"{}\",\"file\":\"{}\",\
                 \"line\":{},{}}}\n",
                fastdate::DateTime::from(record.now).display_stand(),
                record.level,
                record.target,
                record.file,
                record.line.unwrap_or_default(),
                record.args,
            );
        }
    }
}

impl Subject for FastLog {
    fn start(dir: &Path) -> Outcome<Self> {
        let path = dir.join("app.log");
        let config = fast_log::Config::new()
            .level(log::LevelFilter::Info)
            .chan_len(Some(10_000))
            .format(JsonLine)
            .file(&path.to_string_lossy());
        fast_log::init(config)?;
        Ok(Self)
    }

    fn five_fields(&self, number: u64) {
        log::info!(
            "\"message\":\"API request handled\",\"user_id\":{number},\"endpoint\":\"{}\",\
             \"latency_ms\":{},\"status\":{},\"cached\":{}",
            "/api/ai/chat",
            12.5,
            200_u64,
            true
        );
    }

    fn five_fields_in_spans(&self, number: u64) {
        log::info!(
            "\"message\":\"API request handled\",\"method\":\"{}\",\"path\":\"{}\",\
             \"request_id\":{},\"table\":\"{}\",\"rows\":{},\"cold\":{},\"user_id\":{number},\
             \"endpoint\":\"{}\",\"latency_ms\":{},\"status\":{},\"cached\":{}",
            "GET",
            "/chat",
            77,
            "orders",
            5,
            false,
            "/api/ai/chat",
            12.5,
            200_u64,
            true
        );
    }

    fn debug_value(&self, order: &Order) {
        let order = format!("{order:?}").replace('"', "\\\"");
        log::info!("\"message\":\"API request handled\",\"order\":\"{order}\"");
    }

    fn disabled(&self, number: u64) {
        log::debug!("{number} off");
    }

    fn text(&self, text: &str) {
        log::info!("\"message\":\"API request handled\",\"text\":\"{text}\"");
    }

    fn finish(self) {
        if let Ok(written) = fast_log::flush() {
            written.wait();
        }
    }
}
