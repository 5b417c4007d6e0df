//! Other tools read the parts, by the examples of the documentation.
//!
//! Needs Python 3 with `duckdb`, `pandas` and `pyarrow`; `LOGBEACON_TEST_PYTHON` names the
//! interpreter.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use logbeacon_store::{Embedded, Options, Record, Store};
use logwell_query::{Level, Value};
use std::path::Path;
use std::process::Command;

const DOCUMENT: &str = include_str!("../../../docs/store-format.md");

/// A store of two days, with fields of more than one type and of few records.
fn fill(dir: &Path) {
    let options = Options {
        group_rows: 64,
        columns_max: 3,
        background: false,
        free_bytes_min: 0,
        ..Options::default()
    };
    let (store, _) = Embedded::open(dir, options).unwrap();
    let record = |id: i64| Record {
        time_ns: 1_795_996_800_000_000_000 + id * 600_000_000_000,
        hash: id as u128,
        level: if id % 10 == 0 { Level::Error } else { Level::Info },
        service: "checkout".to_owned(),
        message: format!("payment {id} took {} ms", id * 3),
        trace_id: Some(format!("{id:032x}")),
        fields: vec![
            (
                "status".to_owned(),
                if id % 3 == 0 { Value::Text("odd".to_owned()) } else { Value::Int(id) },
            ),
            (format!("rare{}", id % 7), Value::Bool(true)),
            ("took_ms".to_owned(), Value::Float(id as f64 * 3.0)),
        ],
        ..Record::default()
    };
    store.append((0..200).map(record).collect()).unwrap();
    store.maintain(true).unwrap();
}

/// Runs Python with the directory of the parts in `parts`. `None` if it lacks a module.
fn python(dir: &Path, script: &str) -> Option<String> {
    let python = std::env::var("LOGBEACON_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import duckdb, pandas, pyarrow"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("NOT TESTED: {python} has no duckdb, pandas and pyarrow; pip installs them");
        assert!(std::env::var_os("CI").is_none(), "on CI the examples must run");
        return None;
    }
    let script = format!("parts = {:?}\n{script}", dir.join("parts").to_str().unwrap());
    let output = Command::new(&python).args(["-c", &script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}\n{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The example below a heading of the document.
fn example(heading: &str) -> &'static str {
    let (_, behind) = DOCUMENT.split_once(heading).unwrap();
    let (_, code) = behind.split_once("```python\n").unwrap();
    code.split_once("```").unwrap().0
}

#[test]
fn duckdb_and_pandas_read_the_parts_as_the_document_says() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let Some(table) = python(dir.path(), example("### With DuckDB")) else { return };
    assert!(table.contains("ERROR") && table.contains("20") && table.contains("180"), "{table}");
    let frame = python(dir.path(), example("### With pandas and pyarrow")).unwrap();
    assert!(frame.contains("payment 190 took 570 ms") && !frame.contains("INFO"), "{frame}");
}

#[test]
fn duckdb_finds_every_value_where_the_document_says_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let script = r#"
import duckdb
table = f"read_parquet('{parts}/*.parquet', union_by_name = true)"
row = duckdb.sql(f"""
    SELECT count(*), count(status), count("status.text"), sum(took_ms),
           count(*) FILTER (rest LIKE '%rare%'), count(DISTINCT trace_id),
           count(*) FILTER (message_template = 'payment 0 took 0 ms')
    FROM {table}
""").fetchall()[0]
print(row)
"#;
    let Some(counts) = python(dir.path(), script) else { return };
    assert_eq!(counts.trim(), "(200, 133, 67, 59700.0, 200, 200, 200)");
}
