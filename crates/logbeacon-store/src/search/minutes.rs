//! Minutes: filters that counts by minute, stream and level can answer.
//!
//! Knows: that a record of such a count is its stream and its level. Must not know: where counts
//! are. In: a filter and a count's key. Out: whether its records match, if that can be told.

use logwell_query::{Filter, LEVEL, Level, NO_TIME, Names, Row, ValueRef};

/// Whether a filter asks for streams and levels only.
pub(super) fn can_tell(filter: &Filter) -> bool {
    match filter {
        Filter::All | Filter::Level(_) => true,
        Filter::And(filters) | Filter::Or(filters) => filters.iter().all(can_tell),
        Filter::Not(filter) => can_tell(filter),
        Filter::Field(Names::One(name), _) => name == STREAM,
        Filter::Field(Names::Prefix(_), _) | Filter::Text(_) | Filter::Time(_) => false,
    }
}

/// All records of one count, as far as such a filter sees them.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    pub(super) stream: &'a str,
    pub(super) level: Level,
}

const STREAM: &str = "stream";

impl Row for Counted<'_> {
    fn time_ns(&self) -> i64 {
        NO_TIME
    }

    fn get(&self, field: &str) -> Option<ValueRef<'_>> {
        match field {
            LEVEL => Some(ValueRef::Text(self.level.name())),
            STREAM if !self.stream.is_empty() => Some(ValueRef::Text(self.stream)),
            _ => None,
        }
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, ValueRef<'_>)) {
        for field in [LEVEL, STREAM] {
            if let Some(value) = self.get(field) {
                visit(field, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logwell_query::Query;

    #[test]
    fn only_streams_and_levels_can_be_told() {
        let tells = |text| can_tell(&Query::parse(text).unwrap().filter);
        for text in
            ["*", "level>=warn", "-stream:=_audit level:error", "stream:in(a, b) or -(level:info)"]
        {
            assert!(tells(text), "{text}");
        }
        for text in ["word", "service:=a", "str*:a", "time:5m", "level:error or x:1"] {
            assert!(!tells(text), "{text}");
        }
    }
}
