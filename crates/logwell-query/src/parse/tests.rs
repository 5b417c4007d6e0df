//! What is understood, what is refused and how, and that a written query reads back.

use super::*;
use crate::level::{Level, LevelSet};
use crate::moment::TimeRange;
use crate::row::Fields;

const NOW: i64 = 1_796_000_400_000_000_000; // 2026-11-30T01:00:00Z

fn read(text: &str) -> Query {
    query(text, NOW).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What `text` is, written in full; which reads back as the same.
#[track_caller]
fn check(text: &str, written: &str) {
    let query = read(text);
    assert_eq!(query.to_string(), written, "{text}");
    assert_eq!(read(written), query, "{text}");
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = query(text, NOW).unwrap_err();
    assert_eq!(error.to_string(), expected.trim_matches('\n'), "{text}");
}

#[test]
fn words_phrases_and_parts_are_told_apart() {
    check("", "*");
    check("*", "*");
    check("payment", "payment");
    check("don't panic!", "\"don't\" \"panic!\"");
    check("\"payment failed\"", "\"payment failed\"");
    check("'payment failed'", "\"payment failed\"");
    check("pay*", "pay*");
    check("\"pay fa\"*", "\"pay fa\"*");
    check("*edi*", "*\"edi\"*");
    check("*\"a b\"*", "*\"a b\"*");
    check("contains(\"a b\")", "*\"a b\"*");
    check("contains(path, /api)", "path:*\"/api\"*");
    check("~`^a\\d+`", "~\"^a\\\\d+\"");
    check("/health", "\"/health\"");
}

#[test]
fn fields_are_tested_in_every_way() {
    check("user:ann", "user:ann");
    check("user:\"Ann Lee\"", "user:\"Ann Lee\"");
    check("path:-/health", "path:\"-/health\"");
    check("user:an*", "user:an*");
    check("path:*api*", "path:*\"api\"*");
    check("user:*", "user:*");
    check("user:=ann", "user:=\"ann\"");
    check("status:=500", "status:=500");
    check("user:=\"\"", "user:=\"\"");
    check("user~\"^a.*\"", "user~\"^a.*\"");
    check("user:~^a", "user~\"^a\"");
    check("latency_ms>1000", "latency_ms>1000");
    check("latency_ms >= 1.5s", "latency_ms>=1.5s");
    check("size:<10MiB", "size<10MiB");
    check("version>\"1.2\"", "version>\"1.2\"");
    check("status:500..599", "status:500..599");
    check("name:\"a\"..\"b\"", "name:\"a\"..\"b\"");
    check("user:in(ann, \"b c\", 7)", "user:in(\"ann\", \"b c\", 7)");
    check("http.status:500", "http.status:\"500\"");
    check("http.*:x", "http.*:x");
    check("\"odd name\":x", "\"odd name\":x");
    check("url:http://x:80/?a=b", "url:\"http://x:80/?a=b\"");
}

#[test]
fn filters_are_joined_as_in_a_sentence() {
    check("a b", "a b");
    check("a and b or c", "a b or c");
    check("a and (b or c)", "a (b or c)");
    check("(a or b) or (c d)", "(a or b) or c d");
    check("a (b or c)", "a (b or c)");
    check("not a", "-a");
    check("-a -(b c) !d", "-a -(b c) -d");
    check("a OR NOT b", "a or -b");
    check("\"or\" \"and\"", "\"or\" \"and\"");
    check("orange android notes", "orange android notes");
}

#[test]
fn levels_are_compared_by_rank_and_in_any_spelling() {
    check("level:error", "level:error");
    check("level>=WARNING", "level>=warn");
    check("level>warn", "level>=error");
    check("level<warn", "level:in(trace, debug, info)");
    check("level:in(err, fatal)", "level>=error");
    check("level:info..error", "level:in(info, warn, error)");
    check("level:*", "level:*");
    let wanted = LevelSet::of(|level| level >= Level::Warn);
    assert_eq!(read("level>=warn").filter, Filter::Level(wanted));
}

#[test]
fn times_are_absolute_or_counted_back_from_now() {
    let hour = 3_600_000_000_000;
    let since = |first_ns| Filter::Time(TimeRange { first_ns, last_ns: i64::MAX });
    assert_eq!(read("time:1h").filter, since(NOW - hour));
    assert_eq!(read("_time>now-1h").filter, since(NOW - hour + 1));
    assert_eq!(read("timestamp>=2026-11-30").filter, since(NOW - hour));
    let day = TimeRange { first_ns: NOW - hour, last_ns: NOW + 23 * hour - 1 };
    assert_eq!(read("time:2026-11-30").filter, Filter::Time(day));
    assert_eq!(read("time:today").filter, Filter::Time(day));
    let range = TimeRange { first_ns: NOW - 2 * hour, last_ns: NOW - hour };
    assert_eq!(read("time:2h..1h").filter, Filter::Time(range));
    check(
        "time:2026-11-30T01:00:00Z..2026-11-30T09:00:00+08:00",
        "time:2026-11-30T01:00:00.000000000Z..2026-11-30T01:00:00.999999999Z",
    );
    check("time<2026-11-30", "time<=2026-11-29T23:59:59.999999999Z");
}

#[test]
fn pipes_are_read_with_their_defaults() {
    check("| limit 5", "* | limit 5");
    check(
        "a | where b:x | fields a, h.* | drop \"c d\" | rename a as b, \"by\" as c",
        "a | where b:x | fields a, h.* | drop \"c d\" | rename a as b, \"by\" as c",
    );
    check("a | head 3 | skip 2", "a | limit 3 | offset 2");
    check("a | sort x desc, y asc", "a | sort by x desc, y");
    check("a | dedup by x, y", "a | dedup by x, y");
    check("a | top endpoint", "a | top 10 by endpoint");
    check("a | top 3 by a, b", "a | top 3 by a, b");
    check("a | histogram time:5m by level", "a | histogram time:300000000000ns by level");
    check("a | histogram ms", "a | histogram ms:series");
    check("a | facets", "a | facets 10");
    check("a | facets 5 by x, h.*", "a | facets 5 by x, h.*");
    check("a | context 3", "a | context before 3 after 3");
    check("a | context after 2 by host", "a | context before 0 after 2 by host");
    check("a | patterns", "a | patterns 20");
    check("a | extract \"user <user> from\" from msg", "a | extract \"user <user> from\" from msg");
}

#[test]
fn statistics_have_names_conditions_and_groups() {
    check(
        "a | stats count(), p99(ms) by endpoint, time:5m",
        "a | stats count() as count, quantile(0.99, ms) as p99_ms by endpoint, time:300000000000ns",
    );
    check(
        "a | stats count() if (level:error or x>1) as errors, uniq(user, host)",
        "a | stats count() if (level:error or x>1) as errors, uniq(user, host) as uniq_user_host",
    );
    check(
        "a | stats median(x), p5(x), p999(x), quantile(1, x), count(x)",
        "a | stats quantile(0.5, x) as p50_x, quantile(0.05, x) as p5_x, \
         quantile(0.999, x) as p999_x, quantile(1, x) as quantile_1_x, count(x) as count_x",
    );
    check(
        "a | stats count() by x | where count()>5 | sort p99(ms) desc",
        "a | stats count() as count by x | where count>5 | sort by p99_ms desc",
    );
}

#[test]
fn errors_point_at_the_place_and_suggest() {
    refused(
        "user=ann",
        "
this is no comparison
  user=ann
      ^
  did you mean user:=ann (exactly) or user:ann (the word)?",
    );
    refused(
        "user!=ann x",
        "
this is no comparison
  user!=ann x
      ^^
  did you mean -user:=ann (exactly) or -user:ann (the word)?",
    );
    refused(
        "a \"b c",
        "
this quote is not closed
  a \"b c
    ^
  add a \" where the text ends, or write \\\"",
    );
    refused(
        "a | stast count()",
        "
there is no pipe \"stast\"
  a | stast count()
      ^^^^^
  did you mean stats?",
    );
    refused(
        "a | stats cont() by b",
        "
there is no function \"cont\"
  a | stats cont() by b
            ^^^^
  did you mean count()?",
    );
    refused(
        "(a or b",
        "
this ( is not closed
  (a or b
  ^",
    );
    refused(
        "a)",
        "
a ) without a (
  a)
   ^",
    );
    refused(
        "level:eror",
        "
\"eror\" is no level
  level:eror
        ^^^^
  did you mean error?",
    );
    refused(
        "ms:10..",
        "
a range has two ends
  ms:10..
     ^^^^
  did you mean ms>=10?",
    );
    refused(
        "user~\"(\"",
        "
no regular expression: unclosed group
  user~\"(\"
       ^^^",
    );
    refused(
        "a |",
        "
a pipe is missing, and the query ends
  a |
     ^",
    );
    refused(
        "10:30",
        "
10 is no field
  10:30
  ^^
  a text with a : goes in quotes",
    );
}

#[test]
fn everything_that_is_refused_says_where() {
    for text in [
        "or a",
        "a or",
        "a and",
        "not",
        "(",
        "()",
        "x:",
        "x>",
        "x>>1",
        "x:=",
        "a*b",
        "*a",
        "**",
        "x:in()",
        "x:in(a",
        "x:in(a,)",
        "x:(a)",
        "x:\"\"",
        "x:20..10",
        "x:1..b",
        "time:soon",
        "time:2h..3h",
        "level:a*",
        "cantains(x)",
        "contains()",
        "contains(a,b,c)",
        "a | a",
        "a | limit",
        "a | limit x",
        "a | limit -1",
        "a | stats",
        "a | stats count",
        "a | stats p99()",
        "a | stats sum(a, b)",
        "a | stats count() as x, count() as x",
        "a | stats count() by count",
        "a | stats quantile(2, x)",
        "a | stats count() by time:0s",
        "a | histogram time",
        "a | histogram x:0",
        "a | sort",
        "a | top",
        "a | fields",
        "a | rename a b",
        "a | context",
        "a | limit 1 | context 1",
        "a | extract x",
        "a | extract \"x\"",
        "a b | c | d",
        "a | stats count() if level:error",
    ] {
        let error = query(text, NOW).expect_err(text);
        assert!(error.offset <= text.len(), "{text}: {error:?}");
    }
}

#[test]
fn size_and_depth_have_bounds() {
    let refused = |text: &str, what: &str| {
        let error = query(text, NOW).unwrap_err();
        assert!(error.what.contains(what), "{error}");
    };
    refused(&"a ".repeat(MAX_QUERY_BYTES), "are allowed");
    refused(&"(".repeat(MAX_DEPTH + 1), "inside one another");
    refused(&"-".repeat(MAX_DEPTH + 2), "inside one another");
    refused(&"x".repeat(MAX_PHRASE_BYTES + 1), "are allowed");
    read(&format!("{}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH)));
}

#[test]
fn a_lone_star_is_every_record() {
    assert!(read("*").filter.matches(&Fields::default()));
}
