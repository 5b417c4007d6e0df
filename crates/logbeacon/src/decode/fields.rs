//! Fields: names and values of one record, with bounds on their number and their names.
//!
//! Knows the limits. Does not know JSON or any protocol; `cut.rs` bounds the bytes.

use super::limits::Limits;
use logwell_query::Value;
use std::collections::HashSet;

/// The field for what is over the limit of [`Limits::fields`]: a JSON object.
pub const REST: &str = "_rest";

/// The prefix of fields that have the length of what was cut.
pub const TRUNCATED: &str = "truncated.";

/// The mark at the end of what was cut.
pub const CUT: char = '…';

/// The fields of one record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    list: Vec<(String, Value)>,
    rest: String,
}

impl Fields {
    /// Adds a field. One that is over the limit goes to [`REST`]; a name that is too long is cut.
    pub fn push(&mut self, name: &str, value: Value, limits: &Limits) {
        if self.list.len() >= limits.fields {
            return self.push_rest(name, &value);
        }
        match cut_at(name, limits.name_bytes) {
            None => self.list.push((name.to_owned(), value)),
            Some(kept) => {
                let short = format!("{kept}{CUT}");
                let length = Value::UInt(name.len() as u64);
                self.list.push((format!("{TRUNCATED}{short}"), length));
                self.list.push((short, value));
            }
        }
    }

    fn push_rest(&mut self, name: &str, value: &Value) {
        self.rest.push(if self.rest.is_empty() { '{' } else { ',' });
        push_json_text(name, &mut self.rest);
        self.rest.push(':');
        push_json(value, &mut self.rest);
    }

    /// Number of fields so far, without those in [`REST`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.rest.is_empty()
    }

    /// The fields in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &(String, Value)> {
        self.list.iter()
    }

    /// The value of the first field of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.list.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The fields, to change their values.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.list.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// Makes a field of what is over the limit.
    pub(super) fn close(&mut self) {
        if !self.rest.is_empty() {
            self.rest.push('}');
            let rest = std::mem::take(&mut self.rest);
            self.list.push((REST.to_owned(), Value::Json(rest)));
        }
    }

    /// Takes out the field at `index`, and puts the last one there.
    pub(super) fn swap_remove(&mut self, index: usize) -> Option<Value> {
        (index < self.list.len()).then(|| self.list.swap_remove(index).1)
    }

    /// Takes out the fields of a name; the value is that of the last.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let mut last = None;
        while let Some(index) = self.list.iter().position(|(other, _)| other == name) {
            last = Some(self.list.remove(index).1);
        }
        last
    }

    /// Adds a field whose name is ours: no limit applies.
    pub fn put(&mut self, name: &str, value: Value) {
        self.list.push((name.to_owned(), value));
    }

    /// Removes a prefix from names, where no other field has the name that results.
    pub(super) fn lift(&mut self, prefix: &str) {
        let taken: HashSet<String> = self.list.iter().map(|(name, _)| name.clone()).collect();
        for (name, _) in &mut self.list {
            match name.strip_prefix(prefix) {
                Some(short) if !short.is_empty() && !taken.contains(short) => {
                    *name = short.to_owned();
                }
                _ => {}
            }
        }
    }

    /// The fields sorted by name, each name once: the last one of a name wins.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<(String, Value)> {
        self.close();
        let mut list = self.list;
        list.sort_by(|a, b| a.0.cmp(&b.0));
        // `dedup_by` keeps the first of each run: the value of the last moves there.
        list.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            same
        });
        list
    }
}

/// The part of `text` that fits into `max_bytes`, if not all of it does; ends at a character.
pub(crate) fn cut_at(text: &str, max_bytes: usize) -> Option<&str> {
    let starts = (0..=max_bytes).rev();
    (text.len() > max_bytes)
        .then(|| starts.into_iter().find_map(|end| text.get(..end)).unwrap_or(""))
}

/// Appends a value as JSON.
pub fn push_json(value: &Value, out: &mut String) {
    crate::render::push_value(value.as_ref(), out);
}

/// Appends a text as a JSON string.
pub fn push_json_text(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => out.push_str("\"\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(names: &[&str], limits: &Limits) -> Vec<(String, Value)> {
        let mut fields = Fields::default();
        for (index, name) in names.iter().enumerate() {
            fields.push(name, Value::Int(index as i64), limits);
        }
        fields.into_sorted()
    }

    #[test]
    fn the_last_of_equal_names_wins() {
        let sorted = named(&["b", "a", "b", "b"], &Limits::default());
        assert_eq!(sorted, [("a".to_owned(), Value::Int(1)), ("b".to_owned(), Value::Int(3))]);
    }

    #[test]
    fn what_is_over_the_limit_becomes_one_json_field() {
        let limits = Limits { fields: 1, ..Limits::default() };
        let sorted = named(&["b", "a\"", "c"], &limits);
        assert_eq!(
            sorted,
            [
                (REST.to_owned(), Value::Json("{\"a\\\"\":1,\"c\":2}".to_owned())),
                ("b".to_owned(), Value::Int(0)),
            ]
        );
    }

    #[test]
    fn a_long_name_is_cut_and_its_length_is_noted() {
        let limits = Limits { name_bytes: 3, ..Limits::default() };
        let sorted = named(&["aéb"], &limits);
        assert_eq!(
            sorted,
            [("aé…".to_owned(), Value::Int(0)), ("truncated.aé…".to_owned(), Value::UInt(4)),]
        );
    }

    proptest! {
        #[test]
        fn names_are_sorted_and_unique(names in proptest::collection::vec("[a-c]{0,2}", 0..20)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let sorted = named(&names, &Limits::default());
            prop_assert!(sorted.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for (name, value) in &sorted {
                let last = names.iter().rposition(|other| other == name).unwrap();
                prop_assert_eq!(value, &Value::Int(last as i64));
            }
        }
    }
}
