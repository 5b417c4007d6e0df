//! Choices: when a file rotates, how backups are compressed, when bytes become durable.

use logwell_options::choices;

choices! {
    /// When a new file is started, besides at its greatest size.
    pub enum Rotate: Size {
        /// only at `max_bytes`
        Size = "size",
        /// with each hour
        Hourly = "hourly",
        /// at midnight
        Daily = "daily",
    }
}

choices! {
    /// How backups are compressed.
    pub enum Compress: None {
        /// not at all
        None = "none",
        /// to `app.log.1.gz`, by gzip
        Gzip = "gzip",
        /// to `app.log.1.zst`, by zstd: smaller and faster, needs the feature `zstd`
        Zstd = "zstd",
    }
}

choices! {
    /// When written records are made durable.
    pub enum SyncPolicy: Never {
        /// when the system likes: a power cut may cost half a minute, a crash nothing
        Never = "never",
        /// every `sync_interval`
        Interval = "interval",
        /// at once after an ERROR or CRITICAL, the rest every `sync_interval`
        Error = "error",
    }
}
