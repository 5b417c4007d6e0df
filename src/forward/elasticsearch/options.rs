//! Options: the section `forward.elasticsearch`.

use crate::forward::delivery::destination_section;
use crate::record::level::Level;
use logwell_options::secret::Secret;
use logwell_options::units::{GIB, HOUR, KIB, MIB, MINUTE};
use logwell_options::value::{bytes, choice, count, flag, secret, secret_url, text, time};
use std::time::Duration;

destination_section! {
    /// Elasticsearch, OpenSearch, or a server that takes their `_bulk`.
    ///
    /// Each record is a document in Elastic Common Schema. Its id is the record's hash, so that a
    /// second delivery changes nothing.
    pub struct ElasticsearchConfig from Info {
        /// The URL of the cluster, such as `https://es.example.com:9200`.
        url: Secret = Secret::default() => secret_url();
        /// The data stream, or the index, that documents are created in.
        data_stream: String = "logs-logwell-default".to_owned() => text(255);
        /// The key of `Authorization: ApiKey`, as the server gives it out. Empty: none is sent.
        api_key: Secret = Secret::default() => secret();
        /// The user of `Authorization: Basic`. Empty: none is sent.
        user: String = String::new() => text(255);
        /// The user's password.
        password: Secret = Secret::default() => secret();
        /// How many records are posted at once.
        batch_records: usize = 100 => count(1, 10_000);
        /// How many bytes of records are posted at once. The server's own limit is 100 MiB, that of
        /// proxies is often less.
        batch_bytes: usize = 5_242_880 => bytes(4 * KIB, 100 * MIB);
        /// How long a record waits for others to fill the batch.
        batch_wait: Duration = Duration::from_secs(5) => time(Duration::ZERO, MINUTE);
        /// Whether bodies of 1 KiB and more are compressed.
        gzip: bool = true => flag();
    }
}
