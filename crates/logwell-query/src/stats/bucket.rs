//! Bucket: which values of a group are put together, and by which value they are named.

use super::partial::{of_float, of_number};
use crate::number::Number;
use crate::query::Bucket;
use crate::value::{Value, ValueRef};

impl Bucket {
    /// The lower end of the bucket that the value is in; nothing if it is in none: a text in a
    /// bucket of numbers.
    ///
    /// ```
    /// use logwell_query::{Bucket, Value, ValueRef};
    ///
    /// assert_eq!(Bucket::Width(100.0).of(ValueRef::Int(250)), Some(Value::Int(200)));
    /// assert_eq!(Bucket::Series.of(ValueRef::Int(250)), Some(Value::Int(200)));
    /// assert_eq!(Bucket::Time(60).of(ValueRef::Time(-1)), Some(Value::Time(-60)));
    /// ```
    #[must_use]
    pub fn of(self, value: ValueRef<'_>) -> Option<Value> {
        match (self, value) {
            (Self::Time(width), ValueRef::Time(ns)) => {
                Some(Value::Time(ns.saturating_sub(ns.rem_euclid(width.max(1)))))
            }
            (Self::Time(_), _) => None,
            (Self::Width(width), value) => Some(of_width(value.number()?, width)),
            (Self::Series, value) => Some(of_float(of_series(value.number()?.to_f64()))),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the width is a whole number below 2^53")]
fn of_width(number: Number, width: f64) -> Value {
    if let Number::Int(int) = number
        && width.fract() == 0.0
        && width < 9e15
    {
        let width = (width as i128).max(1);
        return of_number(Number::Int(int.div_euclid(width).saturating_mul(width)));
    }
    let at = (number.to_f64() / width).floor();
    // 3 × 0.1 is not 0.3 in floats, but 3 / 10 is.
    let parts = (1.0 / width).round();
    let is_part = width < 1.0 && (parts * width - 1.0).abs() < 1e-12;
    of_float(if is_part { at / parts } else { at * width })
}

/// The greatest of …, 1, 2, 5, 10, … and 0 and their negatives that is not above the number.
fn of_series(number: f64) -> f64 {
    let amount = number.abs();
    if amount == 0.0 || !amount.is_finite() {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within ±400")]
    let exponent = amount.log10().floor() as i32;
    // One more on either side: the logarithm is rounded.
    let steps = (exponent - 1..=exponent + 1)
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| scaled(digit, exponent)));
    match number > 0.0 {
        true => steps.filter(|step| *step <= amount).fold(0.0, f64::max),
        false => -steps.filter(|step| *step >= amount).fold(f64::INFINITY, f64::min),
    }
}

/// Exact for the powers of ten that floats have.
fn scaled(digit: f64, exponent: i32) -> f64 {
    match exponent >= 0 {
        true => digit * 10_f64.powi(exponent),
        false => digit / 10_f64.powi(-exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_its_lower_end() {
        let width = |width, number| Bucket::Width(width).of(ValueRef::Float(number)).unwrap();
        assert_eq!(width(100.0, 99.9), Value::Int(0));
        assert_eq!(width(100.0, -0.1), Value::Int(-100));
        assert_eq!(width(0.1, 0.35), Value::Float(0.3));
        assert_eq!(Bucket::Width(10.0).of(ValueRef::Text("42")), Some(Value::Int(40)));
        assert_eq!(Bucket::Width(10.0).of(ValueRef::Text("many")), None);
    }

    #[test]
    fn the_series_is_one_two_five_in_every_decade() {
        let series = |number| Bucket::Series.of(ValueRef::Float(number)).unwrap();
        let expected = [(0.0, 0.0), (1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (4.9, 2.0), (5.0, 5.0)];
        for (number, bucket) in expected {
            assert_eq!(series(number), of_float(bucket));
            assert_eq!(series(number * 1000.0), of_float(bucket * 1000.0));
        }
        assert_eq!(series(0.03), Value::Float(0.02));
        assert_eq!(series(-3.0), Value::Int(-5));
    }
}
