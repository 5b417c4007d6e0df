//! The grammar of statistics: functions, conditions, names and groups.

use super::filter::filter;
use super::scan::{Scan, Token};
use crate::error::{QueryError, nearest};
use crate::filter::Filter;
use crate::number::{Dimension, Number, Quantity};
use crate::query::{Aggregate, Bucket, Function, Group, Stats};
use crate::row::TIME;

const FUNCTIONS: [&str; 13] = [
    "count", "sum", "avg", "min", "max", "quantile", "median", "uniq", "p50", "p90", "p95", "p99",
    "p999",
];

/// `count(), p99(x) if (level:error) as slow by a, time:5m`
pub(super) fn stats(scan: &mut Scan<'_>) -> Result<Stats, QueryError> {
    let mut places = Vec::new();
    let aggregates = scan.list(|scan| {
        scan.skip_space();
        let start = scan.at();
        let aggregate = aggregate(scan)?;
        places.push((start..scan.at(), aggregate.name.clone()));
        Ok(aggregate)
    })?;
    for (at, (place, name)) in places.iter().enumerate() {
        if places.iter().take(at).any(|(_, other)| other == name) {
            let error = scan.error(place.clone(), format!("a second result named {name}"));
            return Err(error.suggest(format!("give it another name: … as {name}_2")));
        }
    }
    let by = match scan.eat_word("by") {
        true => scan.list(group)?,
        false => Vec::new(),
    };
    let clash = by.iter().find(|group| aggregates.iter().any(|one| one.name == group.field));
    match clash {
        None => Ok(Stats { aggregates, by }),
        Some(group) => {
            let what = format!("a result and a group are both named {}", group.field);
            let error = scan.error(scan.at()..scan.at(), what);
            Err(error.suggest("give the result another name: … as other"))
        }
    }
}

fn aggregate(scan: &mut Scan<'_>) -> Result<Aggregate, QueryError> {
    let name = scan.name("stats")?;
    let function = function_after(scan, &name)?;
    let only = match scan.eat_word("if") {
        true => {
            scan.expect('(', "if")?;
            let only = filter(scan)?;
            scan.expect(')', "if")?;
            only
        }
        false => Filter::All,
    };
    let name = match scan.eat_word("as") {
        true => scan.name("as")?.text,
        false => default_name(&function),
    };
    Ok(Aggregate { function, only, name })
}

/// Whether that is the name of a function.
pub(super) fn is_function(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FUNCTIONS.contains(&name.as_str()) || percentile(&name).is_some()
}

/// The function of that name, with what follows it in parentheses.
pub(super) fn function_after(scan: &mut Scan<'_>, name: &Token) -> Result<Function, QueryError> {
    let written = name.text.to_ascii_lowercase();
    if !is_function(&written) {
        let error = scan.error(name.place.clone(), format!("there is no function {:?}", name.text));
        return Err(match nearest(&written, FUNCTIONS) {
            Some(function) => error.suggest(format!("did you mean {function}()?")),
            None => error.suggest(format!("functions are {}", FUNCTIONS.join(", "))),
        });
    }
    scan.expect('(', &written)?;
    let share = match written.as_str() {
        "quantile" => {
            let share = share(scan)?;
            scan.expect(',', "quantile")?;
            Some(share)
        }
        "median" => Some(0.5),
        name => percentile(name),
    };
    scan.skip_space();
    let fields = match scan.peek() == Some(')') || written == "count" && scan.eat('*') {
        true => Vec::new(),
        false => scan.list(|scan| scan.name(&written))?,
    };
    scan.expect(')', &written)?;
    let fields: Vec<String> = fields.into_iter().map(|field| field.text).collect();
    built(&written, share, fields).ok_or_else(|| {
        let place = name.place.start..scan.at();
        scan.error(place, format!("{written} takes one field")).suggest(format!("{written}(field)"))
    })
}

fn built(name: &str, share: Option<f64>, mut fields: Vec<String>) -> Option<Function> {
    match name {
        "uniq" if !fields.is_empty() => return Some(Function::Uniq(fields)),
        "count" if fields.is_empty() => return Some(Function::Count),
        _ => {}
    }
    let field = fields.pop().filter(|_| fields.is_empty())?;
    match (name, share) {
        (_, Some(share)) => Some(Function::Quantile(share, field)),
        ("count", _) => Some(Function::CountOf(field)),
        ("sum", _) => Some(Function::Sum(field)),
        ("avg", _) => Some(Function::Avg(field)),
        ("min", _) => Some(Function::Min(field)),
        ("max", _) => Some(Function::Max(field)),
        _ => None,
    }
}

fn share(scan: &mut Scan<'_>) -> Result<f64, QueryError> {
    scan.skip_space();
    let token = scan
        .bare("|,()")
        .ok_or_else(|| scan.error_here("quantile needs a number from 0 to 1 here".to_owned()))?;
    match Number::parse(&token.text).map(Number::to_f64) {
        Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => {
            let error = scan.error(token.place, "a quantile is from 0 to 1".to_owned());
            Err(error.suggest("quantile(0.99, latency_ms)"))
        }
    }
}

/// `p5` is 0.05, `p99` is 0.99, `p999` is 0.999.
fn percentile(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p')?;
    let is_one = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    match (is_one, digits.len()) {
        (false, _) => None,
        (true, 1) => format!("0.0{digits}").parse().ok(),
        (true, _) => format!("0.{digits}").parse().ok(),
    }
}

/// The name of a result that is given none: `count`, `p99_latency_ms`, `uniq_user_host`.
pub(super) fn default_name(function: &Function) -> String {
    let (name, fields) = (function_name(function), function.fields());
    std::iter::once(name.as_str())
        .chain(fields.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("_")
}

fn function_name(function: &Function) -> String {
    match function {
        Function::Count | Function::CountOf(_) => "count".to_owned(),
        Function::Sum(_) => "sum".to_owned(),
        Function::Avg(_) => "avg".to_owned(),
        Function::Min(_) => "min".to_owned(),
        Function::Max(_) => "max".to_owned(),
        Function::Uniq(_) => "uniq".to_owned(),
        Function::Quantile(share, _) => {
            let share = share.to_string();
            let digits = share.strip_prefix("0.").unwrap_or(&share);
            match (digits.len(), digits) {
                // 0.5 is p50; 0 and 1 are the ends.
                (1, "0" | "1") => format!("quantile_{share}"),
                (1, digits) => format!("p{digits}0"),
                (2, digits) => format!("p{}", digits.trim_start_matches('0')),
                (_, digits) => format!("p{digits}"),
            }
        }
    }
}

/// `name`, `time:5m`, `latency_ms:100`
pub(super) fn group(scan: &mut Scan<'_>) -> Result<Group, QueryError> {
    let field = super::pipe::result_name(scan, "by")?.text;
    let bucket = match scan.eat(':') {
        true => Some(bucket(scan, &field)?),
        false => None,
    };
    Ok(Group { field, bucket })
}

fn bucket(scan: &mut Scan<'_>, field: &str) -> Result<Bucket, QueryError> {
    scan.skip_space();
    let token =
        scan.bare("|,()").ok_or_else(|| scan.error_here("a bucket is missing".to_owned()))?;
    if token.text.eq_ignore_ascii_case("series") && field != TIME {
        return Ok(Bucket::Series);
    }
    let quantity = Quantity::parse(&token.text);
    let found = match (field, quantity) {
        (TIME, Some(Quantity { dimension: Dimension::Time, amount })) if amount > 0 => {
            Some(Bucket::Time(amount))
        }
        (TIME, _) => None,
        (field, quantity) => {
            let width = match quantity {
                Some(quantity) => quantity.in_unit_of(field),
                None => Number::parse(&token.text),
            };
            width.map(Number::to_f64).filter(|width| *width > 0.0).map(Bucket::Width)
        }
    };
    found.ok_or_else(|| {
        let error = scan.error(token.place, format!("{:?} is no bucket of {field}", token.text));
        match field {
            TIME => error.suggest("buckets of time are 10s, 5m, 1h, 1d"),
            _ => error.suggest(format!("{field}:100, or {field}:series for 1, 2, 5, 10, …")),
        }
    })
}

/// A histogram of numbers has the series 1, 2, 5 if it says nothing else; one of times must say.
pub(super) fn with_bucket(scan: &Scan<'_>, group: Group) -> Result<Group, QueryError> {
    match (&group.bucket, group.field.as_str()) {
        (Some(_), _) => Ok(group),
        (None, TIME) => {
            let what = "a histogram of time needs the width of a bucket".to_owned();
            Err(scan.error(scan.at()..scan.at(), what).suggest("histogram time:5m"))
        }
        (None, _) => Ok(Group { bucket: Some(Bucket::Series), ..group }),
    }
}
