//! Partial: what is known so far of one number of one group; it takes values and merges.
//!
//! Knows values. Does not know rows, fields or groups.

use super::distinct::Distinct;
use super::quantile::{Quantiles, RELATIVE_ERROR};
use crate::number::Number;
use crate::query::Function;
use crate::value::{Value, ValueRef};
use std::cmp::Ordering;

/// One number of one group, so far.
#[derive(Debug, Clone)]
pub(super) enum Partial {
    Count(u64),
    Sum(Sum),
    Avg(Sum),
    Min(Option<Value>),
    Max(Option<Value>),
    Quantile(f64, Quantiles),
    Uniq(Distinct),
}

/// A sum that is exact as long as all are integers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    ints: i128,
    floats: f64,
    /// What the sum of floats has lost by rounding (Neumaier).
    lost: f64,
    float_count: u64,
    count: u64,
}

impl Partial {
    pub(super) fn new(function: &Function) -> Self {
        match function {
            Function::Count | Function::CountOf(_) => Self::Count(0),
            Function::Sum(_) => Self::Sum(Sum::default()),
            Function::Avg(_) => Self::Avg(Sum::default()),
            Function::Min(_) => Self::Min(None),
            Function::Max(_) => Self::Max(None),
            Function::Quantile(share, _) => Self::Quantile(*share, Quantiles::default()),
            Function::Uniq(_) => Self::Uniq(Distinct::default()),
        }
    }

    /// Adds a value that occurs `times` times. Where numbers are wanted, others are passed over.
    /// What is counted by its bytes is added by [`add_bytes`](Self::add_bytes).
    pub(super) fn add(&mut self, value: ValueRef<'_>, times: u64, exact: usize) {
        match self {
            Self::Count(count) => *count += times,
            Self::Sum(sum) | Self::Avg(sum) => {
                if let Some(number) = value.number() {
                    sum.add(number, times);
                }
            }
            Self::Min(least) => replace(least, value, Ordering::Less),
            Self::Max(greatest) => replace(greatest, value, Ordering::Greater),
            Self::Quantile(_, quantiles) => {
                if let Some(number) = value.number() {
                    quantiles.add(number.to_f64(), times, exact);
                }
            }
            Self::Uniq(_) => {}
        }
    }

    /// Adds a value or tuple by its bytes, where different ones are counted.
    pub(super) fn add_bytes(&mut self, bytes: &[u8], exact: usize) {
        if let Self::Uniq(distinct) = self {
            distinct.add(bytes, exact);
        }
    }

    pub(super) fn merge(&mut self, other: Self, exact: usize) {
        match (self, other) {
            (Self::Count(count), Self::Count(other)) => *count += other,
            (Self::Sum(sum), Self::Sum(other)) | (Self::Avg(sum), Self::Avg(other)) => {
                sum.merge(other);
            }
            (Self::Min(least), Self::Min(Some(other))) => {
                replace(least, other.as_ref(), Ordering::Less);
            }
            (Self::Max(greatest), Self::Max(Some(other))) => {
                replace(greatest, other.as_ref(), Ordering::Greater);
            }
            (Self::Quantile(_, quantiles), Self::Quantile(_, other)) => {
                quantiles.merge(other, exact);
            }
            (Self::Uniq(distinct), Self::Uniq(other)) => distinct.merge(other, exact),
            // Both are of one query, so they are of one kind.
            _ => {}
        }
    }

    /// How the number is estimated, if it is.
    pub(super) fn estimate(&self) -> Option<&'static str> {
        match self {
            Self::Quantile(_, quantiles) if !quantiles.is_exact() => Some(QUANTILE_ERROR),
            Self::Uniq(distinct) if !distinct.is_exact() => Some(DISTINCT_ERROR),
            _ => None,
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Quantile(_, quantiles) => quantiles.memory_bytes(),
            Self::Uniq(distinct) => distinct.memory_bytes(),
            Self::Min(Some(Value::Text(text))) | Self::Max(Some(Value::Text(text))) => text.len(),
            _ => 0,
        }
    }

    /// The number; null if no value was one.
    pub(super) fn finish(self) -> Value {
        match self {
            Self::Count(count) => Value::from(count),
            Self::Uniq(distinct) => Value::from(distinct.count()),
            Self::Sum(sum) => sum.total().map_or(Value::Null, of_number),
            Self::Avg(sum) => sum.mean().map_or(Value::Null, of_float),
            Self::Min(found) | Self::Max(found) => found.unwrap_or_default().normal(),
            Self::Quantile(share, mut quantiles) => {
                quantiles.at(share).map_or(Value::Null, of_float)
            }
        }
    }
}

const _: () = assert!(RELATIVE_ERROR == 0.005, "the sentence says so");
const QUANTILE_ERROR: &str = "a sketch, within 0.5 % of the value";
const DISTINCT_ERROR: &str = "HyperLogLog, standard error 0.81 %";

/// A number replaces a text, so that a stray text does not hide the greatest number.
fn replace(kept: &mut Option<Value>, value: ValueRef<'_>, wanted: Ordering) {
    let is_better = |kept: ValueRef<'_>| match value.class().cmp(&kept.class()) {
        Ordering::Equal => value.order(kept) == wanted,
        other => other == Ordering::Less,
    };
    if kept.as_ref().is_none_or(|kept| is_better(kept.as_ref())) {
        *kept = Some(value.to_value());
    }
}

pub(super) fn of_number(number: Number) -> Value {
    match number {
        Number::Int(int) => match (i64::try_from(int), u64::try_from(int)) {
            (Ok(int), _) => Value::Int(int),
            (_, Ok(int)) => Value::UInt(int),
            _ => Value::Float(number.to_f64()),
        },
        Number::Float(float) => of_float(float),
    }
}

pub(super) fn of_float(float: f64) -> Value {
    Value::Float(float).normal()
}

impl Sum {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn add(&mut self, number: Number, times: u64) {
        self.count += times;
        match number {
            Number::Int(int) => {
                self.ints = self.ints.saturating_add(int.saturating_mul(times.into()));
            }
            Number::Float(float) => {
                self.float_count += times;
                self.add_float(float * times as f64);
            }
        }
    }

    fn add_float(&mut self, float: f64) {
        let sum = self.floats + float;
        self.lost += match self.floats.abs() >= float.abs() {
            true => (self.floats - sum) + float,
            false => (float - sum) + self.floats,
        };
        self.floats = sum;
    }

    fn merge(&mut self, other: Self) {
        self.ints = self.ints.saturating_add(other.ints);
        self.add_float(other.floats);
        self.lost += other.lost;
        self.count += other.count;
        self.float_count += other.float_count;
    }

    fn total(self) -> Option<Number> {
        (self.count > 0).then(|| match self.float_count {
            0 => Number::Int(self.ints),
            _ => Number::Float(self.floats + self.lost + Number::Int(self.ints).to_f64()),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn mean(self) -> Option<f64> {
        Some(self.total()?.to_f64() / self.count as f64)
    }
}
