//! logwell-query: the query language for log records.
