//! Groups: from a tuple of values to the number of its group.
//!
//! Two values are in one group if their texts are equal, whatever their types: the status 500 of
//! one program and "500" of another. Does not know what is counted of a group.

use crate::value::{Value, ValueRef};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The groups of one grouping, numbered from 0 on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    numbers: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    keys: Vec<Vec<Value>>,
    buffer: Vec<u8>,
    memory_bytes: usize,
}

impl Groups {
    /// The number of the group; nothing if it is new and there are `limit` groups.
    pub(crate) fn find(&mut self, key: &[ValueRef<'_>], limit: usize) -> Option<usize> {
        self.buffer.clear();
        key.iter().for_each(|value| encode(*value, &mut self.buffer));
        if let Some(number) = self.numbers.get(self.buffer.as_slice()) {
            if let Some(kept) = self.keys.get_mut(*number) {
                kept.iter_mut().zip(key).for_each(|(kept, value)| simplest(kept, *value));
            }
            return Some(*number);
        }
        let number = self.keys.len();
        if number >= limit {
            return None;
        }
        // Both copies of the key, and what a map and a list need beside them.
        self.memory_bytes += 2 * self.buffer.len() + size_of_val(key) + 64;
        self.numbers.insert(self.buffer.as_slice().into(), number);
        self.keys.push(key.iter().map(|value| value.to_value().normal()).collect());
        Some(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    pub(crate) fn into_keys(self) -> Vec<Vec<Value>> {
        self.keys
    }
}

/// Appends the value so that different tuples have different bytes.
pub(crate) fn encode(value: ValueRef<'_>, bytes: &mut Vec<u8>) {
    match value {
        ValueRef::Null => bytes.push(0),
        ValueRef::Time(ns) => {
            bytes.push(2);
            bytes.extend_from_slice(&ns.to_le_bytes());
        }
        value => {
            bytes.push(1);
            let start = bytes.len();
            bytes.extend_from_slice(&[0; size_of::<u64>()]);
            value.push_text(bytes);
            let length = (bytes.len() - start - size_of::<u64>()) as u64;
            if let Some(place) = bytes.get_mut(start..start + size_of::<u64>()) {
                place.copy_from_slice(&length.to_le_bytes());
            }
        }
    }
}

/// Of values with one text the one that is shown is a number rather than a text, so that it does
/// not depend on which came first.
fn simplest(kept: &mut Value, value: ValueRef<'_>) {
    if matches!(kept, Value::Text(_)) && !matches!(value, ValueRef::Text(_)) {
        *kept = value.to_value().normal();
    }
}

/// The order of tuples; a missing value comes last.
pub(crate) fn order(a: &[Value], b: &[Value]) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| missing_last(a.as_ref(), b.as_ref()))
        .find(|found| found.is_ne())
        .unwrap_or(Ordering::Equal)
}

pub(crate) fn missing_last(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    match (a.present(), b.present()) {
        (Some(a), Some(b)) => a.order(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
