//! Options: how a record is written, and what it says of the service.

use logwell_options::choices;
use logwell_options::section;
use logwell_options::value::{choice, flag, text};

section! {
    /// How a record is written.
    pub struct RecordConfig {
        /// Which keys a record has, in the files and in JSON on the console.
        schema: Schema = Schema::Native => choice();
        /// How the spans around a record are written.
        spans: Spans = Spans::Nested => choice();
        /// Whether the key `file` (the source file) is written.
        file: bool = true => flag();
        /// The name of the level WARN.
        warning_name: WarnName = WarnName::Warn => choice();
        /// With `gcp`: the id of the project, which makes a trace id the name of a trace. If it is
        /// empty, the id is written alone.
        gcp_project: String = String::new() => text(64);
    }
}

choices! {
    /// Which keys a record has.
    pub enum Schema: Native {
        /// the keys of logwell
        Native = "native",
        /// Elastic Common Schema, as ECS loggers write it
        Ecs = "ecs",
        /// structured logging of Google Cloud
        Gcp = "gcp",
        /// OpenTelemetry: OTLP/JSON, one `resourceLogs` a line
        Otel = "otel",
    }
}

choices! {
    /// How the spans around a record are written.
    pub enum Spans: Nested {
        /// `spans`: an array from root to leaf, each with its name and fields
        Nested = "nested",
        /// the fields of all spans at top level; a leaf's field hides its root's
        Flat = "flat",
        /// not at all
        Off = "off",
    }
}

choices! {
    /// The name of the level WARN in records.
    pub enum WarnName: Warn {
        /// as tracing calls it
        Warn = "WARN",
        /// as Python and syslog call it
        Warning = "WARNING",
    }
}

section! {
    /// What this program is, for readers that ask.
    pub struct ServiceConfig {
        /// The name of the service.
        name: String = String::new() => text(256);
        /// Its version.
        version: String = String::new() => text(256);
        /// Where it runs, such as `production`.
        environment: String = String::new() => text(256);
        /// Whose it is, such as `example.com`: written by `forward` and nowhere else.
        domain: String = String::new() => text(256);
    }
}
