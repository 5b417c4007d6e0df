//! A second implementation of the language, as plain as can be: whole lists, no partial results, no
//! bounds. It shares the tree of the query with the first and nothing of how it is evaluated.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use logwell_query::*;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Record = Vec<(String, Value)>;

/// The answer to a query.
pub(crate) fn answer(query: &Query, records: &[Record]) -> Vec<Record> {
    let is_row_by_row = |pipe: &&Pipe| {
        matches!(pipe, Pipe::Where(_) | Pipe::Fields(_) | Pipe::Drop(_) | Pipe::Rename(_))
    };
    let head = query.pipes.iter().take_while(is_row_by_row).count();
    let (head, tail) = query.pipes.split_at(head);
    let mut rows: Vec<(Option<i64>, Record)> = Vec::new();
    for record in records.iter().filter(|record| matches(&query.filter, record)) {
        let row = head.iter().fold(vec![record.clone()], piped).pop();
        rows.extend(row.map(|row| (time_of(record), row)));
    }
    // Newest first; of equal times by what is left of the record.
    rows.sort_by(|(a_time, a), (b_time, b)| b_time.cmp(a_time).then_with(|| by_content(a, b)));
    tail.iter().fold(rows.into_iter().map(|(_, row)| row).collect(), piped)
}

fn time_of(record: &Record) -> Option<i64> {
    match value(record, "time") {
        Some(Value::Time(ns)) => Some(ns),
        _ => None,
    }
}

fn value(record: &Record, field: &str) -> Option<Value> {
    let found = record.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone());
    found.filter(|value| *value != Value::Null)
}

pub(crate) fn matches(filter: &Filter, record: &Record) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(parts) => !parts.iter().any(|part| !matches(part, record)),
        Filter::Or(parts) => parts.iter().any(|part| matches(part, record)),
        Filter::Not(part) => !matches(part, record),
        Filter::Text(test) => record.iter().any(|(name, value)| {
            name != "level"
                && matches!(value, Value::Text(_) | Value::Json(_))
                && passes(test, value)
        }),
        Filter::Field(Names::One(field), test) => {
            value(record, field).is_some_and(|value| passes(test, &value))
        }
        Filter::Field(Names::Prefix(prefix), test) => {
            record.iter().any(|(name, value)| name.starts_with(prefix) && passes(test, value))
        }
        Filter::Time(range) => {
            time_of(record).is_some_and(|ns| range.first_ns <= ns && ns <= range.last_ns)
        }
        Filter::Level(set) => value(record, "level")
            .and_then(|value| Level::parse(&value.to_string()))
            .is_some_and(|level| set.contains(level)),
    }
}

fn passes(test: &Test, value: &Value) -> bool {
    if *value == Value::Null {
        return false;
    }
    let text = value.to_string();
    match test {
        Test::Exists => true,
        Test::Phrase(phrase) => {
            let all: Vec<String> = words(&text).map(folded).collect();
            (0..all.len()).any(|start| {
                let row = all[start..].iter().take(phrase.words().len());
                let pairs: Vec<(&String, &String)> = row.zip(phrase.words()).collect();
                let last = phrase.words().len() - 1;
                pairs.len() == phrase.words().len()
                    && pairs.iter().enumerate().all(|(at, (found, wanted))| {
                        found == wanted
                            || at == last
                                && phrase.is_prefix()
                                && found.starts_with(wanted.as_str())
                    })
            })
        }
        Test::Contains(part) => folded(&text).contains(&folded(part.source())),
        Test::Matches(pattern) => regex::Regex::new(pattern.source()).unwrap().is_match(&text),
        Test::Equals(literal) => equals(literal, value),
        Test::In(literals) => literals.iter().any(|literal| equals(literal, value)),
        Test::Compare(Comparison::Less, literal) => compare(value, literal) == Some(Ordering::Less),
        Test::Compare(Comparison::Greater, literal) => {
            compare(value, literal) == Some(Ordering::Greater)
        }
        Test::Compare(Comparison::AtMost, literal) => {
            matches!(compare(value, literal), Some(Ordering::Less | Ordering::Equal))
        }
        Test::Compare(Comparison::AtLeast, literal) => {
            matches!(compare(value, literal), Some(Ordering::Greater | Ordering::Equal))
        }
        Test::Between(low, high) => {
            matches!(compare(value, low), Some(Ordering::Greater | Ordering::Equal))
                && matches!(compare(value, high), Some(Ordering::Less | Ordering::Equal))
        }
    }
}

fn equals(literal: &Literal, value: &Value) -> bool {
    value.to_string() == literal.as_str() || compare(value, literal) == Some(Ordering::Equal)
}

/// Numbers of tests are small, so that floats are exact.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(int) => Some(*int as f64),
        Value::UInt(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        Value::Text(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            text.parse().ok()
        }
        _ => None,
    }
}

fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    match literal.meaning() {
        Meaning::Text => match value {
            Value::Text(text) | Value::Json(text) => Some(text.as_str().cmp(literal.as_str())),
            Value::Time(ns) => parse_time(literal.as_str()).map(|at| ns.cmp(&at)),
            _ => None,
        },
        Meaning::Number(limit) => number(value)?.partial_cmp(&limit.to_f64()),
        Meaning::Quantity { quantity, in_field } => match number(value) {
            Some(number) => number.partial_cmp(&in_field.map(Number::to_f64)?),
            None => {
                let Value::Text(text) = value else { return None };
                let found = Quantity::parse(text)?;
                (found.dimension == quantity.dimension).then(|| found.amount.cmp(&quantity.amount))
            }
        },
    }
}

fn class(value: &Value) -> u8 {
    match (number(value), value) {
        (Some(_), _) => 0,
        (None, Value::Time(_)) => 1,
        _ => 2,
    }
}

/// Numbers, then moments, then the rest by text.
pub(crate) fn order(a: &Value, b: &Value) -> Ordering {
    class(a).cmp(&class(b)).then_with(|| match (number(a), number(b), a, b) {
        (Some(x), Some(y), ..) => {
            x.partial_cmp(&y).unwrap().then_with(|| a.to_string().cmp(&b.to_string()))
        }
        (_, _, Value::Time(x), Value::Time(y)) => x.cmp(y),
        _ => a.to_string().cmp(&b.to_string()),
    })
}

fn by_content(a: &Record, b: &Record) -> Ordering {
    let sorted = |record: &Record| {
        let mut record = record.clone();
        record.sort_by(|(a, _), (b, _)| a.cmp(b));
        record
    };
    let (a, b) = (sorted(a), sorted(b));
    for ((a_name, a_value), (b_name, b_value)) in a.iter().zip(&b) {
        let found = a_name.cmp(b_name).then_with(|| order(a_value, b_value));
        if found.is_ne() {
            return found;
        }
    }
    a.len().cmp(&b.len())
}

fn optional(a: Option<Value>, b: Option<Value>, descending: bool) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) if descending => order(&b, &a),
        (Some(a), Some(b)) => order(&a, &b),
    }
}

fn piped(mut rows: Vec<Record>, pipe: &Pipe) -> Vec<Record> {
    match pipe {
        Pipe::Where(filter) => rows.retain(|row| matches(filter, row)),
        Pipe::Fields(wanted) => {
            for row in &mut rows {
                let all = std::mem::take(row);
                for names in wanted {
                    for (name, value) in &all {
                        if names.contain(name) && !row.iter().any(|(other, _)| other == name) {
                            row.push((name.clone(), value.clone()));
                        }
                    }
                }
            }
        }
        Pipe::Drop(unwanted) => rows
            .iter_mut()
            .for_each(|row| row.retain(|(name, _)| !unwanted.iter().any(|one| one.contain(name)))),
        Pipe::Limit(count) => rows.truncate(*count as usize),
        Pipe::Offset(count) => rows = rows.into_iter().skip(*count as usize).collect(),
        Pipe::Sort(keys) => rows.sort_by(|a, b| {
            let by_keys = keys
                .iter()
                .map(|key| optional(value(a, &key.field), value(b, &key.field), key.descending));
            by_keys.fold(Ordering::Equal, Ordering::then)
        }),
        Pipe::Dedup(fields) => {
            let mut seen = BTreeSet::new();
            rows.retain(|row| {
                seen.insert(fields.iter().map(|field| text(row, field)).collect::<Vec<_>>())
            });
        }
        Pipe::Stats(stats) => return grouped(&rows, stats),
        Pipe::Top(top) => {
            let stats = Stats {
                aggregates: vec![Aggregate {
                    function: Function::Count,
                    only: Filter::All,
                    name: "count".into(),
                }],
                by: top.fields.iter().map(|field| plain(field)).collect(),
            };
            let mut keys = vec![SortKey { field: "count".into(), descending: true }];
            keys.extend(top.fields.iter().map(|f| SortKey { field: f.clone(), descending: false }));
            let rows = piped(grouped(&rows, &stats), &Pipe::Sort(keys));
            return piped(rows, &Pipe::Limit(top.count));
        }
        _ => panic!("the plain implementation has no {pipe}"),
    }
    rows
}

fn plain(field: &str) -> Group {
    Group { field: field.to_owned(), bucket: None }
}

fn text(row: &Record, field: &str) -> Option<String> {
    value(row, field).map(|value| value.to_string())
}

/// The values that a group is shown with, and its rows.
type Members = (Vec<Option<Value>>, Vec<Record>);

fn grouped(rows: &[Record], stats: &Stats) -> Vec<Record> {
    let mut groups: BTreeMap<Vec<Option<String>>, Members> = BTreeMap::new();
    if stats.by.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), Vec::new()));
    }
    for row in rows {
        let key: Vec<Option<Value>> = stats
            .by
            .iter()
            .map(|group| {
                let found = normal(value(row, &group.field)?);
                match group.bucket {
                    Some(bucket) => bucket.of(found.as_ref()),
                    None => Some(found),
                }
            })
            .collect();
        let texts = key.iter().map(|v| v.as_ref().map(ToString::to_string)).collect();
        let (shown, of_group) = groups.entry(texts).or_insert_with(|| (key.clone(), Vec::new()));
        for (shown, value) in shown.iter_mut().zip(key) {
            if matches!(shown, Some(Value::Text(_))) && !matches!(value, Some(Value::Text(_))) {
                *shown = value;
            }
        }
        of_group.push(row.clone());
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b).map(|(a, b)| optional(a.clone(), b.clone(), false));
        pairs.fold(Ordering::Equal, Ordering::then)
    });
    let row = |(key, rows): (Vec<Option<Value>>, Vec<Record>)| {
        let by = stats.by.iter().zip(key).map(|(g, v)| (g.field.clone(), v.unwrap_or_default()));
        let results = stats.aggregates.iter().map(|one| {
            let rows: Vec<&Record> = rows.iter().filter(|row| matches(&one.only, row)).collect();
            (one.name.clone(), computed(&one.function, &rows))
        });
        by.chain(results).collect()
    };
    groups.into_iter().map(row).collect()
}

fn computed(function: &Function, rows: &[&Record]) -> Value {
    let values = |field: &str| rows.iter().filter_map(|row| value(row, field)).collect::<Vec<_>>();
    let numbers = |field: &str| values(field).iter().filter_map(number).collect::<Vec<f64>>();
    match function {
        Function::Count => Value::Int(rows.len() as i64),
        Function::CountOf(field) => Value::Int(values(field).len() as i64),
        Function::Sum(field) => match numbers(field) {
            numbers if numbers.is_empty() => Value::Null,
            numbers => float(numbers.iter().sum()),
        },
        Function::Avg(field) => match numbers(field) {
            numbers if numbers.is_empty() => Value::Null,
            numbers => float(numbers.iter().sum::<f64>() / numbers.len() as f64),
        },
        Function::Min(field) => {
            of_first_class(values(field)).first().cloned().map(normal).unwrap_or_default()
        }
        Function::Max(field) => {
            of_first_class(values(field)).last().cloned().map(normal).unwrap_or_default()
        }
        Function::Quantile(share, field) => {
            let mut numbers = numbers(field);
            numbers.sort_by(f64::total_cmp);
            let enough = numbers
                .iter()
                .enumerate()
                .find(|(at, _)| (at + 1) as f64 >= share * numbers.len() as f64 - 1e-9);
            enough.map_or(Value::Null, |(_, number)| float(*number))
        }
        Function::Uniq(fields) => {
            let tuples = rows.iter().map(|row| fields.iter().map(|f| text(row, f)).collect());
            let tuples: BTreeSet<Vec<Option<String>>> = tuples.collect();
            Value::Int(
                tuples.iter().filter(|tuple| tuple.iter().any(Option::is_some)).count() as i64
            )
        }
    }
}

/// The numbers in order; if there are none the moments, and then the rest.
fn of_first_class(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by(order);
    let first = values.iter().map(class).min();
    values.retain(|value| Some(class(value)) == first);
    values
}

/// 3.0 and 3 are one value, so they are shown alike.
fn normal(value: Value) -> Value {
    match value {
        Value::UInt(int) if int < 1 << 60 => Value::Int(int as i64),
        Value::Float(number) => float(number),
        value => value,
    }
}

fn float(float: f64) -> Value {
    if float.fract() == 0.0 && float.abs() < 9e15 {
        Value::Int(float as i64)
    } else {
        Value::Float(float)
    }
}
