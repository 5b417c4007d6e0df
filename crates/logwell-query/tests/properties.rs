//! What must hold of any query and any records: it reads back as it is written, it answers what a
//! plain implementation answers, however the records are split, and no text makes it panic.
//! `PROPTEST_CASES=20000` tries more.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use logwell_query::*;
use proptest::prelude::*;
use support::{Record, answer};

const NOW: i64 = 1_796_000_400_000_000_000;

fn name() -> BoxedStrategy<String> {
    prop_oneof!["a|b|ms|message|a\\.b|level", Just("odd name".to_owned()), Just("not".to_owned())]
        .boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "(x|y|X|支|付|é| |-){1,4}",
        Just("7".to_owned()),
        Just("7.0".to_owned()),
        Just("-1.5".to_owned()),
        Just("2ms".to_owned()),
        Just("1KiB".to_owned()),
        Just("error".to_owned()),
        Just("Warning".to_owned()),
        Just("x \"y\" \\ \n`".to_owned()),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        3 => (-3..10_i64).prop_map(Value::Int),
        1 => (0..10_u64).prop_map(Value::UInt),
        2 => (-6..20_i64).prop_map(|n| Value::Float(n as f64 / 2.0)),
        4 => text().prop_map(Value::Text),
        1 => Just(Value::Json("[1,\"x\"]".to_owned())),
    ]
    .boxed()
}

fn record() -> BoxedStrategy<Record> {
    let fields = proptest::collection::btree_map(name(), value(), 0..6);
    (proptest::option::weighted(0.9, -3..3_i64), fields)
        .prop_map(|(time, fields)| {
            let time = time.map(|ns| ("time".to_owned(), Value::Time(NOW + ns)));
            time.into_iter().chain(fields).collect()
        })
        .boxed()
}

fn literal(field: String) -> BoxedStrategy<Literal> {
    prop_oneof![
        text().prop_map(|text| Literal::text(&text)),
        (-3..10_i64).prop_map({
            let field = field.clone();
            move |n| Literal::plain(&n.to_string(), &field)
        }),
        prop_oneof![Just("1.5"), Just("2ms"), Just("1KiB"), Just("-0.5")]
            .prop_map(move |text| Literal::plain(text, &field)),
    ]
    .boxed()
}

fn words_test() -> BoxedStrategy<Test> {
    let phrase = (text(), any::<bool>())
        .prop_filter_map("no word", |(text, prefix)| Phrase::new(&text, prefix).map(Test::Phrase));
    let part = text().prop_filter_map("empty", |text| Part::new(&text).map(Test::Contains));
    let pattern = prop_oneof![Just("^x"), Just("x.*y"), Just("(?i)X|支"), Just("\\d+\"?")]
        .prop_map(|source| Test::Matches(Pattern::new(source).unwrap()));
    prop_oneof![phrase, part, pattern].boxed()
}

fn field_test(field: String) -> BoxedStrategy<Test> {
    let comparison = prop_oneof![
        Just(Comparison::Less),
        Just(Comparison::AtMost),
        Just(Comparison::Greater),
        Just(Comparison::AtLeast)
    ];
    prop_oneof![
        words_test(),
        Just(Test::Exists),
        literal(field.clone()).prop_map(Test::Equals),
        proptest::collection::vec(literal(field.clone()), 2..4).prop_map(Test::In),
        (comparison, literal(field.clone())).prop_map(|(how, literal)| Test::Compare(how, literal)),
        (literal(field.clone()), literal(field)).prop_filter_map("no range", |(a, b)| {
            match a.compare(&b)? {
                std::cmp::Ordering::Greater => None,
                _ => Some(Test::Between(a, b)),
            }
        }),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<Filter> {
    let range = (-3..3_i64, 0..3_i64).prop_map(|(first, length)| TimeRange {
        first_ns: NOW + first,
        last_ns: NOW + first + length,
    });
    let half = (-3..3_i64).prop_map(|ns| TimeRange { first_ns: NOW + ns, ..TimeRange::ALL });
    // `level` and `time` have tests of their own.
    let plain_name = name().prop_filter("special", |name| name != "level");
    prop_oneof![
        1 => Just(Filter::All),
        3 => words_test().prop_map(Filter::Text),
        6 => plain_name.prop_flat_map(|name| {
            field_test(name.clone()).prop_map(move |test| Filter::Field(Names::One(name.clone()), test))
        }),
        1 => field_test(String::new()).prop_map(|test| Filter::Field(Names::Prefix("a".into()), test)),
        1 => prop_oneof![range, half].prop_map(Filter::Time),
        1 => any::<u8>().prop_map(|bits| {
            Filter::Level(LevelSet::of(|level| bits & 1 << level.rank() != 0))
        }),
    ].boxed()
}

fn filter() -> BoxedStrategy<Filter> {
    leaf()
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
        .boxed()
}

fn names() -> BoxedStrategy<Vec<Names>> {
    let one = prop_oneof![
        4 => name().prop_map(Names::One),
        1 => Just(Names::One("time".into())),
        1 => Just(Names::Prefix("a".into())),
    ];
    proptest::collection::vec(one, 1..4).boxed()
}

fn function() -> BoxedStrategy<Function> {
    prop_oneof![
        Just(Function::Count),
        name().prop_map(Function::CountOf),
        name().prop_map(Function::Sum),
        name().prop_map(Function::Avg),
        name().prop_map(Function::Min),
        name().prop_map(Function::Max),
        Just(Function::Max("time".into())),
        (0..=4_u8, name()).prop_map(|(n, name)| Function::Quantile(f64::from(n) / 4.0, name)),
        proptest::collection::vec(name(), 1..3).prop_map(Function::Uniq),
    ]
    .boxed()
}

fn stats() -> BoxedStrategy<Pipe> {
    let only = prop_oneof![Just(Filter::All), leaf()];
    let aggregates = proptest::collection::vec((function(), only), 1..4);
    let bucket = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Bucket::Width(2.0))),
        1 => Just(Some(Bucket::Series)),
    ];
    let group = (name(), bucket).prop_map(|(field, bucket)| Group { field, bucket });
    let time = Group { field: "time".into(), bucket: Some(Bucket::Time(2)) };
    let group = prop_oneof![4 => group, 1 => Just(time)];
    (aggregates, proptest::collection::vec(group, 0..3))
        .prop_map(|(aggregates, mut by)| {
            by.dedup_by(|a, b| a.field == b.field);
            let aggregates = aggregates
                .into_iter()
                .enumerate()
                .map(|(at, (function, only))| Aggregate { function, only, name: format!("r{at}") });
            Pipe::Stats(Stats { aggregates: aggregates.collect(), by })
        })
        .boxed()
}

fn sort() -> BoxedStrategy<Pipe> {
    let field = prop_oneof![4 => name(), 1 => Just("time".to_owned()), 2 => Just("r0".to_owned())];
    let key = (field, any::<bool>()).prop_map(|(field, descending)| SortKey { field, descending });
    proptest::collection::vec(key, 1..3).prop_map(Pipe::Sort).boxed()
}

fn pipe() -> BoxedStrategy<Pipe> {
    prop_oneof![
        leaf().prop_map(Pipe::Where),
        names().prop_map(Pipe::Fields),
        names().prop_map(Pipe::Drop),
        stats(),
        sort(),
        sort(),
        (0..6_u64).prop_map(Pipe::Limit),
        (0..3_u64).prop_map(Pipe::Offset),
        proptest::collection::vec(name(), 1..3).prop_map(Pipe::Dedup),
        (0..4_u64, name()).prop_map(|(count, name)| Pipe::Top(Top { count, fields: vec![name] })),
    ]
    .boxed()
}

fn query() -> BoxedStrategy<Query> {
    (filter(), proptest::collection::vec(pipe(), 0..4))
        .prop_map(|(filter, pipes)| Query { filter, pipes })
        .boxed()
}

fn run(query: &Query, parts: &[Vec<Record>], limits: Limits) -> Output {
    let mut whole: Option<Pipeline> = None;
    for part in parts {
        let mut pipeline = Pipeline::new(&query.pipes, limits);
        for record in part {
            let row = Fields::new(record.clone());
            if query.filter.matches(&row) && pipeline.push(&row).is_break() {
                break;
            }
        }
        match &mut whole {
            Some(whole) => whole.merge(pipeline),
            None => whole = Some(pipeline),
        }
    }
    whole.unwrap().finish()
}

fn rows(output: Output) -> Vec<Record> {
    output.rows.into_iter().map(Fields::into_vec).collect()
}

/// Rows as text, with floats rounded: sums depend on the order by a little.
fn shown(rows: &[Record]) -> Vec<String> {
    let one = |(name, value): &(String, Value)| match value {
        Value::Float(float) => format!("{name}={float:.9}"),
        value => format!("{name}={value:?}"),
    };
    rows.iter().map(|row| row.iter().map(one).collect::<Vec<_>>().join(" ")).collect()
}

proptest! {
    #[test]
    fn a_query_reads_back_as_it_was_written(query in query()) {
        let text = query.to_string();
        let read = Query::parse_at(&text, NOW);
        prop_assert_eq!(read.as_ref(), Ok(&query), "{}", text);
    }

    #[test]
    fn a_filter_matches_what_the_plain_one_matches(
        filter in filter(), records in proptest::collection::vec(record(), 1..12),
    ) {
        for record in &records {
            let row = Fields::new(record.clone());
            prop_assert_eq!(
                filter.matches(&row), support::matches(&filter, record), "{} {:?}", filter, record);
        }
    }

    #[test]
    fn what_a_filter_needs_is_in_all_that_it_matches(
        filter in filter(), records in proptest::collection::vec(record(), 1..12),
    ) {
        let (needs, range, levels) = (filter.needs(), filter.time_range(), filter.levels());
        for record in records.iter().filter(|record| support::matches(&filter, record)) {
            prop_assert!(has(&needs, record), "{} {:?} {:?}", filter, needs, record);
            let row = Fields::new(record.clone());
            if range != TimeRange::ALL {
                prop_assert!(range.contains(row.time_ns()), "{} {:?}", filter, record);
            }
            if let Some(levels) = levels {
                let level = row.get("level").and_then(|level| Level::parse(&level.text()));
                prop_assert!(level.is_some_and(|level| levels.contains(level)), "{}", filter);
            }
        }
    }

    #[test]
    fn a_query_answers_what_the_plain_one_answers_however_records_are_split(
        query in query(),
        records in proptest::collection::vec(record(), 0..20),
        cuts in (0..20_usize, 0..20_usize),
    ) {
        let (a, b) = (cuts.0.min(records.len()), cuts.1.min(records.len()));
        let (low, high) = (a.min(b), a.max(b));
        let parts = [records[..low].to_vec(), records[low..high].to_vec(), records[high..].to_vec()];
        let output = run(&query, &parts, Limits::default());
        prop_assert_eq!(&output.notes, &[]);
        prop_assert_eq!(shown(&rows(output)), shown(&answer(&query, &records)), "{}", query);
    }

    #[test]
    fn small_limits_are_kept_and_said(
        query in query(), records in proptest::collection::vec(record(), 0..40),
    ) {
        let limits = Limits { rows: 3, groups: 2, facet_values: 2, memory_bytes: 4 << 10 };
        let expected = answer(&query, &records);
        let output = run(&query, &[records], limits);
        if output.is_complete() {
            prop_assert_eq!(shown(&rows(output)), shown(&expected), "{}", query);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Query::parse_at(&text, NOW);
    }

    #[test]
    fn pieces_of_syntax_in_any_order_are_read_or_refused_in_place(
        pieces in proptest::collection::vec(prop_oneof![
            Just("a"), Just(":"), Just("="), Just("\""), Just("("), Just(")"), Just("|"), Just("*"),
            Just("~"), Just(">"), Just(".."), Just(","), Just(" "), Just("-"), Just("not "),
            Just(" or "), Just("in("), Just("time"), Just("level"), Just("| stats "), Just("count("),
            Just(" by "), Just(" as "), Just(" if ("), Just("| limit 1"), Just("支"), Just("\\"),
            Just("7"), Just("| top "), Just("| extract \"<x>\""), Just("'"), Just("`"), Just("5m"),
        ], 0..14),
    ) {
        let text = pieces.concat();
        match Query::parse_at(&text, NOW) {
            Ok(query) => {
                let written = query.to_string();
                prop_assert_eq!(Query::parse_at(&written, NOW), Ok(query), "{} {}", text, written);
            }
            Err(error) => {
                prop_assert!(error.offset + error.length <= text.len(), "{text:?} {error:?}");
                prop_assert!(text.is_char_boundary(error.offset), "{text:?} {error:?}");
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// Whether the record has what is needed.
fn has(need: &Need, record: &Record) -> bool {
    let (names, clue) = match need {
        Need::All(needs) => return needs.iter().all(|need| has(need, record)),
        Need::Any(needs) => return needs.iter().any(|need| has(need, record)),
        Need::Text(names, clue) => (names, clue),
    };
    record.iter().any(|(name, value)| {
        let text = value.to_string();
        let words: Vec<String> = words(&text).map(folded).collect();
        names.as_ref().is_none_or(|names| names.contain(name))
            && match clue {
                Clue::Word(word) => words.contains(word),
                Clue::Prefix(start) => words.iter().any(|word| word.starts_with(start.as_str())),
                Clue::Ideographs(run) => run.chars().all(|c| words.contains(&c.to_string())),
                Clue::Part(part) => folded(&text).contains(part.as_str()),
                Clue::Whole(whole) => text == *whole,
            }
    })
}
