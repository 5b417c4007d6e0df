//! Number: integers and floats compared exactly, and quantities with a unit.
//!
//! Knows what a number looks like as text, and the units of time and size. Does not know values
//! or fields.

use std::cmp::Ordering;
use std::fmt;

/// A number. Integers and floats compare by value, without rounding.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// Any integer of 64 bits, signed or not, and sums of these.
    Int(i128),
    /// Everything else. NaN is equal to itself and greater than every other number.
    Float(f64),
}

impl Number {
    /// Reads a decimal number: digits, at most one sign, point and exponent, nothing around them.
    ///
    /// ```
    /// use logwell_query::Number;
    ///
    /// assert_eq!(Number::parse("-12"), Some(Number::Int(-12)));
    /// assert_eq!(Number::parse("1.5e3"), Some(Number::Float(1500.0)));
    /// assert_eq!(Number::parse("10.0.0.1"), None);
    /// assert_eq!(Number::parse("inf"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let first = bytes.strip_prefix(b"-").unwrap_or(bytes).first()?;
        let is_one = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
        if !first.is_ascii_digit() || bytes.len() > MAX_DIGITS || !bytes.iter().all(is_one) {
            return None;
        }
        match text.parse::<i128>() {
            Ok(int) => Some(Self::Int(int)),
            Err(_) => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float),
        }
    }

    /// The nearest float.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

/// Longer texts are no numbers: so much holds every float written without an exponent.
const MAX_DIGITS: usize = 400;

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => floats(a, b),
            (Self::Int(a), Self::Float(b)) => int_and_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_and_float(b, a).reverse(),
        }
    }
}

/// NaN is greater than all others, and zero has no sign.
fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[expect(clippy::cast_possible_truncation, reason = "the float is within the integers' range")]
fn int_and_float(int: i128, float: f64) -> Ordering {
    const END: f64 = 1.701_411_834_604_692_3e38; // 2^127
    if float.is_nan() || float >= END {
        return Ordering::Less;
    }
    if float < -END {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    int.cmp(&(whole as i128)).then_with(|| floats(whole, float))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => int.fmt(f),
            Self::Float(float) => (float + 0.0).fmt(f),
        }
    }
}

/// What a quantity measures. Quantities of different dimensions never compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// A duration, counted in nanoseconds.
    Time,
    /// A size, counted in bytes.
    Bytes,
}

/// A number with a unit: `1.5s`, `10MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub struct Quantity {
    /// What it measures.
    pub dimension: Dimension,
    /// In nanoseconds or bytes, rounded to a whole one.
    pub amount: i64,
}

impl PartialOrd for Dimension {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Quantity {
    /// Reads numbers with units, as `1.5s`, `1h30m` or `10MiB`.
    ///
    /// Units of time: `ns`, `us` or `µs`, `ms`, `s`, `m`, `h`, `d` (24 hours), `w`. Units of size:
    /// `B`, `kB` `MB` `GB` `TB` (powers of 1000), `KiB` `MiB` `GiB` `TiB` (powers of 1024);
    /// capitals do not matter there. Nothing if the amount does not fit 63 bits.
    ///
    /// ```
    /// use logwell_query::Quantity;
    ///
    /// assert_eq!(Quantity::parse("1h30m").map(|q| q.amount), Some(5_400_000_000_000));
    /// assert_eq!(Quantity::parse("10KiB").map(|q| q.amount), Some(10_240));
    /// assert_eq!(Quantity::parse("10"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut total: Option<Self> = None;
        while !rest.is_empty() {
            let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, after) = rest.split_at_checked(number_end)?;
            let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at_checked(unit_end)?;
            let (dimension, unit_amount) = unit_of(unit)?;
            let part = scaled(Number::parse(number)?, unit_amount)?;
            total = match total {
                None => Some(Self { dimension, amount: part }),
                // Only times are written in several parts.
                Some(sum) if sum.dimension == Dimension::Time && dimension == Dimension::Time => {
                    Some(Self { dimension, amount: sum.amount.checked_add(part)? })
                }
                Some(_) => return None,
            };
            rest = after;
        }
        total.map(|sum| Self { amount: if negative { -sum.amount } else { sum.amount }, ..sum })
    }

    /// The amount in the unit that a field's name ends in (`latency_ms`, `body_bytes`); nothing if
    /// the name has no unit, or one of the other dimension.
    ///
    /// ```
    /// use logwell_query::{Number, Quantity};
    ///
    /// let limit = Quantity::parse("1.5s").unwrap();
    /// assert_eq!(limit.in_unit_of("latency_ms"), Some(Number::Int(1500)));
    /// assert_eq!(limit.in_unit_of("latency"), None);
    /// ```
    #[must_use]
    pub fn in_unit_of(self, field: &str) -> Option<Number> {
        let (_, suffix) = field.rsplit_once(['_', '.'])?;
        let (_, dimension, unit_amount) =
            SUFFIXES.iter().find(|(name, ..)| *name == suffix).copied()?;
        if dimension != self.dimension {
            return None;
        }
        Some(match self.amount % unit_amount {
            0 => Number::Int((self.amount / unit_amount).into()),
            #[expect(clippy::cast_precision_loss, reason = "a fraction is a float anyway")]
            _ => Number::Float(self.amount as f64 / unit_amount as f64),
        })
    }
}

impl fmt::Display for Quantity {
    /// In the largest unit of which it is a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = UNITS.iter().filter(|(_, dimension, _)| *dimension == self.dimension);
        let whole =
            units.rev().find(|(_, _, amount)| self.amount % amount == 0 && self.amount != 0);
        match (whole, self.dimension) {
            (Some((name, _, amount)), _) => write!(f, "{}{name}", self.amount / amount),
            (None, Dimension::Time) => write!(f, "{}ns", self.amount),
            (None, Dimension::Bytes) => write!(f, "{}B", self.amount),
        }
    }
}

/// The number times the unit, rounded.
fn scaled(number: Number, unit: i64) -> Option<i64> {
    match number {
        Number::Int(int) => i64::try_from(int.checked_mul(unit.into())?).ok(),
        Number::Float(float) => {
            #[expect(clippy::cast_precision_loss, reason = "units are exact as floats")]
            let product = (float * unit as f64).round();
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (product.abs() < 9.2e18).then_some(product as i64)
        }
    }
}

fn unit_of(name: &str) -> Option<(Dimension, i64)> {
    let name = if name == "µs" || name == "μs" { "us" } else { name };
    let is_it = |(unit, dimension, _): &&(&str, Dimension, i64)| match dimension {
        Dimension::Time => *unit == name,
        Dimension::Bytes => unit.eq_ignore_ascii_case(name),
    };
    UNITS.iter().find(is_it).map(|(_, dimension, amount)| (*dimension, *amount))
}

/// Ascending within each dimension.
const UNITS: [(&str, Dimension, i64); 17] = [
    ("ns", Dimension::Time, 1),
    ("us", Dimension::Time, 1_000),
    ("ms", Dimension::Time, 1_000_000),
    ("s", Dimension::Time, 1_000_000_000),
    ("m", Dimension::Time, 60_000_000_000),
    ("h", Dimension::Time, 3_600_000_000_000),
    ("d", Dimension::Time, 86_400_000_000_000),
    ("w", Dimension::Time, 604_800_000_000_000),
    ("B", Dimension::Bytes, 1),
    ("kB", Dimension::Bytes, 1_000),
    ("KiB", Dimension::Bytes, 1 << 10),
    ("MB", Dimension::Bytes, 1_000_000),
    ("MiB", Dimension::Bytes, 1 << 20),
    ("GB", Dimension::Bytes, 1_000_000_000),
    ("GiB", Dimension::Bytes, 1 << 30),
    ("TB", Dimension::Bytes, 1_000_000_000_000),
    ("TiB", Dimension::Bytes, 1 << 40),
];

/// The last part of a field's name → its unit.
const SUFFIXES: [(&str, Dimension, i64); 14] = [
    ("ns", Dimension::Time, 1),
    ("nanos", Dimension::Time, 1),
    ("us", Dimension::Time, 1_000),
    ("micros", Dimension::Time, 1_000),
    ("ms", Dimension::Time, 1_000_000),
    ("millis", Dimension::Time, 1_000_000),
    ("s", Dimension::Time, 1_000_000_000),
    ("secs", Dimension::Time, 1_000_000_000),
    ("seconds", Dimension::Time, 1_000_000_000),
    ("minutes", Dimension::Time, 60_000_000_000),
    ("hours", Dimension::Time, 3_600_000_000_000),
    ("bytes", Dimension::Bytes, 1),
    ("kib", Dimension::Bytes, 1 << 10),
    ("mib", Dimension::Bytes, 1 << 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_compare_without_rounding() {
        let big = i128::from(u64::MAX);
        assert!(Number::Int(big) < Number::Float(18_446_744_073_709_551_616.0));
        assert!(Number::Int(9_007_199_254_740_993) > Number::Float(9_007_199_254_740_992.0));
        assert_eq!(Number::Int(7), Number::Float(7.0));
        assert!(Number::Int(-7) > Number::Float(-7.5));
        assert!(Number::Int(i128::MAX) < Number::Float(f64::NAN));
        assert!(Number::Float(-1e300) < Number::Int(i128::MIN));
    }

    #[test]
    fn what_is_no_number_from_end_to_end_is_none() {
        for text in ["", "-", "1 ", " 1", "0x10", "1_000", "NaN", "infinity", "1e999", "--1", ".5"]
        {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_quantity_is_written_so_that_it_reads_back() {
        for text in ["1ns", "250ms", "90m", "1d", "2w", "10KiB", "1500B", "3GB", "0ns", "-5m"] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(Quantity::parse(&quantity.to_string()), Some(quantity), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in ["", "5", "ms", "5 ms", "5x", "1KiB5s", "1m2KiB", "99999999999w", "1..5s"] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }
}
