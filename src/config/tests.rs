//! Tests of the configuration as a whole: files, variables, calls, limits and generated files.

use logwell_options::{read, write, yaml};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::draft::discover;
use super::*;
use crate::ConfigProblem;
use crate::Level;
use crate::Origin;
use logwell_options::env::Variables;
use logwell_options::raw_value::{Problem, RawValue};
use logwell_options::report::{Place, Report};
use logwell_options::section::{Entry, Section, each_option};
use logwell_options::value::{self, OptionValue};

/// What the text makes of the defaults, as the file `log.yaml`.
fn load(text: &str) -> Result<LoggingConfig, Error> {
    let mut draft = Draft::default();
    draft.yaml(Path::new("log.yaml"), text.to_owned());
    draft.finish()
}

fn good(text: &str) -> LoggingConfig {
    load(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Checks the mistakes of a text, each as it is printed.
fn check_mistakes(text: &str, expected: &[&str]) {
    let error = load(text).expect_err(text);
    let printed: Vec<_> = error.mistakes().iter().map(ConfigProblem::to_string).collect();
    assert_eq!(printed, expected, "{text}");
}

fn env(pairs: &[(&str, &str)]) -> Result<LoggingConfig, Error> {
    LoggingConfig::default().with_env(pairs.iter().copied())
}

fn project_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

mod paths {
    use super::*;

    #[test]
    fn what_a_file_of_variables_has_left_around_a_path_is_no_part_of_it() {
        for (given, meant) in [
            ("\"/var/log/x\"", "/var/log/x"),
            ("'/var/log/x'", "/var/log/x"),
            ("/var/log/x\r", "/var/log/x"),
            ("\"/var/log/x\"\r\n", "/var/log/x"),
            ("~/logs", "/home/me/logs"),
            ("\"~/logs\"", "/home/me/logs"),
            ("~", "/home/me/"),
            ("it's", "it's"),
            ("a b", "a b"),
        ] {
            let config = env(&[("LOG_DIR", given), ("HOME", "/home/me/")]).unwrap();
            assert_eq!(config.files.dir, Path::new(meant), "{given:?}");
        }
        let config = env(&[("LOG_BLACK_BOX_DIR", "'/dev/shm'")]).unwrap();
        assert_eq!(config.black_box.dir, Path::new("/dev/shm"));
    }

    #[test]
    fn what_nobody_can_mean_as_a_path_is_refused_with_what_to_write() {
        for (given, help) in [
            ("\"/var/log/x", "write \"/var/log/x\""),
            ("/var/log/x'", "write \"/var/log/x\""),
            ("\u{201c}/var/log/x\u{201d}", "write \"/var/log/x\""),
            ("\u{2018}/var/log/x\u{2019}", "write \"/var/log/x\""),
            ("\u{ab}/var/log/x\u{bb}", "write \"/var/log/x\""),
            (" /var/log/x", "write \"/var/log/x\""),
            ("/var/log/x\t", "write \"/var/log/x\""),
            ("\" /var/log/x\"", "write \"/var/log/x\""),
            ("file:///var/log/x", "write \"/var/log/x\""),
            ("tcp://10.0.0.5:5672", "write the path"),
            ("$HOME/logs", "write the whole path"),
            ("${HOME}/logs", "write the whole path"),
            ("/var/log/$USER", "write the whole path"),
        ] {
            let error = env(&[("LOG_DIR", given), ("HOME", "/home/me")]).expect_err(given);
            assert!(error.to_string().contains("LOG_DIR"), "{error}");
            assert!(error.to_string().contains(help), "{given:?}: {error}");
        }
        for good in ["a$", "$5", "a$b", "it's", "a b"] {
            assert_eq!(env(&[("LOG_DIR", good)]).unwrap().files.dir, Path::new(good));
        }
    }

    #[test]
    fn a_tilde_that_nobody_can_expand_is_refused_with_words() {
        for wrong in [env(&[("LOG_DIR", "~/logs")]), load("files: { dir: ~/logs }")] {
            assert!(wrong.unwrap_err().to_string().contains("write the whole path"));
        }
        assert!(env(&[("LOG_DIR", "~other/logs"), ("HOME", "/home/me")]).is_err());
        assert_eq!(good("files: { dir: ./~logs }").files.dir, Path::new("./~logs"));
    }
}

mod yaml_files {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default_configuration() {
        for text in ["", "\n", "# nothing\n", "---\n", "{}", "null", "queue:\nfiles:\n  app:\n"] {
            assert_eq!(good(text), LoggingConfig::default(), "{text:?}");
        }
    }

    #[test]
    fn every_type_of_value_is_read() {
        let config = good(
            "level: WARNING,my_crate=debug\nunified: false\n\
             queue: { size: 5, max_bytes: 1GB, when_full: BLOCK, block_timeout: 2m }\n\
             files:\n  dir: 'other dir'\n  app: { mode: 0600, max_bytes: 8192 }\n\
             console: {color: never}\nrecord: {warning_name: warning}\nshutdown: {timeout: 0s}\n",
        );
        assert_eq!(config.level.to_string(), "warn,my_crate=debug");
        assert!(!config.unified);
        assert_eq!(config.queue.size, 5);
        assert_eq!(config.queue.max_bytes, 1_000_000_000);
        assert_eq!(config.queue.when_full, WhenFull::Block);
        assert_eq!(config.queue.block_timeout, Some(Duration::from_secs(120)));
        assert_eq!(config.files.dir, Path::new("other dir"));
        assert_eq!(config.files.app.mode, 0o600);
        assert_eq!(config.files.app.max_bytes, 8_192);
        assert_eq!(config.console.color, Color::Never);
        assert_eq!(config.record.warning_name, WarnName::Warning);
        assert_eq!(config.shutdown_timeout, Duration::ZERO);
        assert_eq!(good("queue: {block_timeout: null}").queue.block_timeout, None);
    }

    #[test]
    fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
        check_mistakes(
            "levle: info\nqueue:\n  size: ten\n  max_bytes: 10 parsecs\nfiles:\n  app:\n    \
             max_byte: 5\n    mode: 640\nconsole:\n  format: jsn\n  enabled: yes\n",
            &[
                "log.yaml:1:1: levle: unknown key; did you mean `level`?",
                "log.yaml:3:9: queue.size: \"ten\" does not fit; \
                 expected a whole number: 1 to 1000000",
                "log.yaml:4:14: queue.max_bytes: \"10 parsecs\" does not fit; expected a size \
                 such as 10MiB, 64KiB, 1GB, or bytes as a number: 64KiB to 64GiB",
                "log.yaml:7:5: files.app.max_byte: unknown key; did you mean `max_bytes`?",
                "log.yaml:8:11: files.app.mode: 640 does not fit; \
                 expected an octal mode in quotes, such as \"0640\"",
                "log.yaml:10:11: console.format: \"jsn\" does not fit; \
                 did you mean json? It is one of auto, text, json",
                "log.yaml:11:12: console.enabled: \"yes\" does not fit; expected true or false",
            ],
        );
    }

    #[test]
    fn a_value_of_another_type_is_a_mistake() {
        for text in [
            "level: true",
            "level: 3",
            "level: [info]",
            "level: {a: info}",
            "level:",
            "unified: 1",
            "unified: 'true'",
            "queue: 5",
            "queue: [size]",
            "queue: {size: '5'}",
            "queue: {size: 5.5}",
            "queue: {size: -5}",
            "queue: {size: 99999999999999999999999999999999999999}",
            "queue: {max_bytes: true}",
            "queue: {max_wait: 5}",
            "queue: {when_full: 1}",
            "files: {dir: 5}",
            "files: {app: {name: 5}}",
            "shutdown: 5s",
            "info",
            "[level]",
            "5",
        ] {
            let error = load(text).expect_err(text);
            assert_eq!(error.mistakes().len(), 1, "{text}: {error}");
            assert!(!error.mistakes()[0].help.is_empty(), "{text}: {error}");
            let Origin::File { line: 1, column: 1.., .. } = error.mistakes()[0].origin else {
                panic!("{text}: {error}")
            };
        }
    }

    #[test]
    fn a_key_given_twice_is_a_mistake_everywhere() {
        check_mistakes(
            "level: info\nqueue: {size: 5}\nqueue: {size: 6}\nfiles:\n  app:\n  app:\nlevel: warn",
            &[
                "log.yaml:3:1: queue: is given twice; keep one of the two",
                "log.yaml:6:3: files.app: is given twice; keep one of the two",
                "log.yaml:7:1: level: is given twice; keep one of the two",
            ],
        );
    }

    #[test]
    fn keys_that_are_no_text_and_merge_keys_are_mistakes() {
        check_mistakes(
            "queue: &q {size: 5}\nfiles:\n  <<: *q\n  7: x\n  ? [a]\n  : b\n",
            &[
                "log.yaml:3:3: files.<<: merge keys are not supported; \
                 write the options out, or use an alias for a whole section",
                "log.yaml:4:3: files: 7 is not a key; \
                 known keys here are enabled, dir, level, rotate, rotate_zone, rotate_on_start, \
                 compress, sync, sync_interval, app, errors, ai",
                "log.yaml:5:5: files: a list is not a key; \
                 known keys here are enabled, dir, level, rotate, rotate_zone, rotate_on_start, \
                 compress, sync, sync_interval, app, errors, ai",
            ],
        );
    }

    #[test]
    fn an_alias_stands_for_a_section() {
        let config = good("files:\n  app: &small {backup_count: 2}\n  ai:\n    *small\n");
        assert_eq!((config.files.app.backup_count, config.files.ai.backup_count), (2, 2));
    }

    #[test]
    fn a_syntax_error_is_one_mistake_with_its_place() {
        for (text, line) in [("level: [", 2), ("a: b: c", 1), ("level: info\n\tx: 1", 2), ("@", 1)]
        {
            let error = load(text).expect_err(text);
            assert_eq!(error.mistakes().len(), 1, "{error}");
            let Origin::File { line: found, column, .. } = error.mistakes()[0].origin else {
                panic!("{error}")
            };
            assert_eq!((found, column > 0), (line, true), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_second_document_is_refused_where_it_begins() {
        let error = load("level: info\n---\nlevel: warn\n").expect_err("two documents");
        assert!(error.to_string().starts_with("logging configuration: log.yaml:3:1: has more"));
    }

    #[test]
    fn tags_are_refused() {
        for text in ["level: !secret info", "!config {level: info}", "queue: {size: !!int ten}"] {
            let error = load(text).expect_err(text).to_string();
            assert!(error.contains("tag"), "{error}");
            assert!(!error.contains("ten\""), "values are not repeated: {error}");
        }
    }

    #[test]
    fn at_most_fifty_mistakes_are_told() {
        let mut text = String::new();
        for number in 0..500 {
            let _ = writeln!(text, "unknown{number}: 1");
        }
        let error = load(&text).expect_err("unknown keys");
        assert_eq!(error.mistakes().len(), 51);
        assert!(error.to_string().ends_with("they are reported once these are fixed"));
    }
}

mod hostile_files {
    use super::*;

    #[test]
    fn of_a_very_long_file_only_a_few_mistakes_are_told() {
        let text: String = (0..60).map(|n| format!("x{n}: {}\n", "x".repeat(16_000))).collect();
        let error = load(&text).expect_err("unknown keys");
        assert_eq!(error.mistakes().len(), 5);
        assert_eq!(error.mistakes()[4].problem, "there are more mistakes");
    }

    #[test]
    fn billion_laughs_are_refused() {
        let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for level in 1..20 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{items}]");
        }
        assert!(load(&text).expect_err("a bomb").to_string().contains("too many values"));
    }

    #[test]
    fn a_long_text_repeated_by_aliases_is_refused() {
        let text = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), vec!["*a"; 1_000].join(","));
        assert!(load(&text).expect_err("a bomb").to_string().contains("aliases are expanded"));
    }

    #[test]
    fn an_alias_inside_itself_is_refused() {
        for text in ["a: &a [*a]", "&a {b: *a}", "a: *b"] {
            assert_eq!(load(text).expect_err(text).mistakes().len(), 1);
        }
    }

    #[test]
    fn deep_nesting_of_every_kind_is_refused() {
        for (deep, name) in [
            ("[".repeat(10_000), "brackets"),
            ("[".repeat(1_000_000), "many brackets"),
            ("{a: ".repeat(10_000), "braces"),
            ("- ".repeat(10_000), "dashes"),
            ("? ".repeat(10_000), "question marks"),
            (format!("{}{}", "[".repeat(40), "]".repeat(40)), "closed brackets"),
            ("%TAG !a! x\n".repeat(90_000), "directives"),
        ] {
            let error = load(&deep).expect_err(name);
            assert_eq!(error.mistakes().len(), 1, "{name}");
            assert!(error.to_string().len() < 500, "{name}: {error}");
        }
    }

    #[test]
    fn a_long_value_or_key_is_shown_short() {
        let long = "x".repeat(100_000);
        for text in
            [format!("level: '{long} y'"), format!("{long}: 1"), format!("queue: {{size: {long}}}")]
        {
            assert!(load(&text).expect_err("long").to_string().len() < 600);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = load(&text);
        }

        #[test]
        fn any_text_of_yaml_signs_is_read_or_refused(
            text in
                "([a-c]|level|queue|files|<<|[-:?,\\[\\]{}#&*!|>'\"%@` \n]|: |\n  |- |&a |\\*a){0,60}",
        ) {
            if let Err(error) = load(&text) {
                prop_assert!(!error.mistakes().is_empty());
            }
        }
    }
}

mod limits {
    use super::*;

    #[test]
    fn each_number_has_its_limits() {
        for (text, problem) in [
            ("queue: {size: 0}", "queue.size: 0 is too small; use 1 to 1000000"),
            ("queue: {size: 10000001}", "queue.size: 10000001 is too large"),
            ("files: {app: {max_bytes: 4095}}", "4095 is too small; use 4KiB to 1TiB"),
            ("files: {ai: {backup_count: 1001}}", "1001 is too large; use 0 to 1000"),
            ("queue: {shed_warn_percent: 300}", "300 is too large; use 1 to 100"),
            ("queue: {max_wait: 2m}", "2m is too large; use 0s to 1m"),
            ("queue: {block_timeout: 0s}", "0s is too small; use 1ms to 1h"),
            ("console: {max_line_bytes: 1000}", "1000 is too small; use 1KiB to 1MiB"),
            ("limits: {field_bytes: 63}", "63 is too small"),
            ("limits: {fields: 251}", "251 is too large; use 1 to 250"),
            ("files: {app: {mode: '0240'}}", "0240 does not let the owner read and write"),
            ("files: {app: {mode: '1777'}}", "1777 does not let"),
            ("files: {dir: ''}", "is empty"),
            ("files: {dir: \"a\\0b\"}", "NUL"),
            ("files: {level: 'info,[span]=debug'}", "only `level` may have"),
            ("console: {level: 'inf0'}", "did you mean `info`?"),
        ] {
            let error = load(text).expect_err(text).to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
        assert!(good("level: 'info,[span]=debug'").level.span_directives().is_some());
    }

    #[test]
    fn a_text_is_one_line_of_bounded_length_and_may_be_empty() {
        let with_name = |name: &str| load(&format!("service:\n  name: {name}\n"));
        for good in ["shop", "''", "'Shop API 2'", "größe"] {
            assert!(with_name(good).is_ok(), "{good}");
        }
        let long = "x".repeat(257);
        for wrong in ["\"a\\nb\"", &long, "7", "[a]"] {
            assert_eq!(with_name(wrong).expect_err(wrong).mistakes()[0].key, "service.name");
        }
        let pairs = [("LOG_SERVICE_NAME", "shop"), ("LOG_RECORD_SCHEMA", "ECS")];
        let config = LoggingConfig::default().with_env(pairs).expect("good");
        assert_eq!((config.service.name.as_str(), config.record.schema), ("shop", Schema::Ecs));
        let wrong = [("LOG_RECORD_SCHEMA", "otlp")];
        let error = LoggingConfig::default().with_env(wrong).expect_err("unknown");
        assert!(error.to_string().contains("native, ecs, gcp, otel"), "{error}");
    }

    #[test]
    fn only_plain_file_names_are_taken() {
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "a..b", "C:x", "a\0", " a", "a\n"] {
            let mut config = LoggingConfig::default();
            config.files.app.name = name.to_owned();
            let error = config.check().expect_err(name);
            assert_eq!(error.mistakes().len(), 1, "{error}");
            assert_eq!(error.mistakes()[0].key, "files.app.name");
        }
        assert_eq!(good("files: {app: {name: мой журнал.log}}").files.app.name, "мой журнал.log");
    }

    #[test]
    fn values_that_do_not_go_together_are_told_where_they_were_given() {
        check_mistakes(
            "queue: {shed_info_percent: 40}\nlimits:\n  field_bytes: 1MiB\n  \
             ai_record_bytes: 64MiB\nfiles:\n  errors: {name: APP.log}\n  ai: {name: app.log.1}\n",
            &[
                "log.yaml:1:28: queue.shed_info_percent: 40 is below queue.shed_debug_percent, \
                 which is 50; the less important must go first",
                "log.yaml:3:16: limits.record_bytes: 256KiB has no room for limits.field_bytes, \
                 which is 1MiB; use at least 1MiB",
                "log.yaml:6:18: files.errors.name: \"APP.log\" is the name of files.app.name too; \
                 give each file its own name",
                "log.yaml:7:14: files.ai.name: \"app.log.1\" and \"app.log\" could be backups of \
                 one another; give each file its own name",
            ],
        );
        let error = load("queue: {max_bytes: 1MiB}").expect_err("no room");
        assert!(error.to_string().contains("no room for limits.ai_record_bytes"));
    }

    #[test]
    fn a_wrong_value_is_not_blamed_for_what_its_default_would_do() {
        let error = load("limits: {field_bytes: 1MiB, record_bytes: lots}").expect_err("lots");
        assert_eq!(error.mistakes().len(), 1);
    }

    #[test]
    fn a_structure_changed_by_hand_is_checked() {
        let mut config = LoggingConfig::default();
        assert!(config.check().is_ok());
        config.queue.size = 0;
        config.console.level = "[span]=info".parse().expect("directives");
        let error = config.check().expect_err("wrong");
        assert_eq!(error.mistakes().len(), 2);
        assert!(error.mistakes().iter().all(|mistake| mistake.origin == Origin::Code));
    }
}

mod environment {
    use super::*;

    #[test]
    fn the_named_variables_are_read() {
        let config = env(&[
            ("LOG_LEVEL", "WARNING"),
            ("LOG_DIR", "/x"),
            ("LOG_CONSOLE_LEVEL", "off"),
            ("LOG_FILE_LEVEL", "4"),
            ("LOG_QUEUE_SIZE", " 500 "),
            ("USE_UNIFIED_LOGGING", "No"),
            ("LOG_ENABLE_AI_HANDLER", "0"),
            ("RUST_LOG", "trace"),
        ])
        .expect("good");
        assert_eq!(config.level, Level::Warn.into());
        assert_eq!(config.files.dir, Path::new("/x"));
        assert_eq!(config.console.level.max_level(), None);
        assert_eq!(config.files.level, Level::Debug.into());
        assert_eq!(config.queue.size, 500);
        assert!(!config.unified && !config.files.ai.enabled);
    }

    #[test]
    fn rust_log_stands_in_for_log_level() {
        let level = |pairs: &[_]| env(pairs).expect("good").level.to_string();
        assert_eq!(level(&[("RUST_LOG", "warn,a=debug")]), "warn,a=debug");
        assert_eq!(level(&[("RUST_LOG", "warn"), ("LOG_LEVEL", "")]), "warn");
        assert_eq!(level(&[("RUST_LOG", ""), ("LOG_LEVEL", "")]), "info");
        let error = env(&[("RUST_LOG", "inf0")]).expect_err("a slip");
        assert_eq!(
            error.to_string(),
            "logging configuration: environment variable RUST_LOG: level: `inf0` is not a level; \
             did you mean `info`? For a target of that name write `inf0=trace`"
        );
    }

    #[test]
    fn variables_of_others_are_not_ours() {
        let others = [("LOG_ROTATION", "x"), ("LOG_QUEUE", "x"), ("LOGLEVEL", "x"), ("LOG_", "")];
        assert_eq!(env(&others).expect("good"), LoggingConfig::default());
    }

    #[test]
    fn every_option_has_a_variable_of_its_own() {
        let mut names = Vec::new();
        each_option(LoggingConfig::default().entries(), "", &mut |key, _| {
            names.push(NAMES.name(key));
            names.extend(NAMES.others_of(key).map(|other| other.variable.to_owned()));
        });
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(!names.contains(&"LOG_CONFIG".to_owned()));
    }

    #[cfg(feature = "forward")]
    #[test]
    fn each_option_is_read_by_the_name_that_is_made_of_its_key() {
        let config = env(&[
            ("LOG_SERVICE_DOMAIN", "shop.example"),
            ("LOG_FILES_DIR", "/y"),
            ("LOG_UNIFIED", "false"),
            ("LOG_FORWARD_RABBITMQ_ENABLED", "true"),
            ("LOG_FORWARD_RABBITMQ_PORT", "1"),
            ("LOG_FORWARD_TELEGRAM_DEVELOPER_CHAT_ID", "-7"),
            ("LOG_FORWARD_TELEGRAM_DEVELOPER_TOKEN", "1:a"),
            // The shorter names of the same options: the others win.
            ("LOG_DOMAIN", "other.example"),
            ("LOG_DIR", "/x"),
            ("USE_UNIFIED_LOGGING", "true"),
            ("USE_NEW_LOGSYS", "false"),
            ("MQ_PORT", "2"),
            ("MQ_HOST", "mq.example"),
        ])
        .expect("good");
        assert_eq!(config.service.domain, "shop.example");
        assert_eq!(config.files.dir, Path::new("/y"));
        assert!(!config.unified && config.forward.rabbitmq.enabled);
        assert_eq!(config.forward.rabbitmq.port, 1);
        assert_eq!(config.forward.rabbitmq.host, "mq.example");
        assert_eq!(config.forward.telegram.developer.chat_id, "-7");
    }

    #[test]
    fn names_that_others_use_are_not_read_while_their_section_is_off() {
        let others = [
            ("MQ_PORT", "tcp://10.0.0.5:5672"),
            ("MQ_HOST", "amqp://guest@10.0.0.5"),
            ("MQ_USER", "\u{7}"),
            ("DEV_TG_CHATID", "not an id"),
            ("CUSTOMER_TG_TOKEN", "not a token"),
        ];
        assert_eq!(env(&others).expect("good"), LoggingConfig::default());
    }

    #[cfg(feature = "forward")]
    #[test]
    fn a_value_that_is_plainly_of_another_program_is_passed_over_though_the_section_is_on() {
        let on = [("USE_NEW_LOGSYS", "true"), ("LOG_DOMAIN", "shop.example")];
        let with = |name, value| env(&[on[0], on[1], (name, value)]);
        let url = "tcp://10.0.0.5:5672";
        assert_eq!(with("MQ_PORT", url).expect("passed over").forward.rabbitmq.port, 5_672);
        assert!(with("USE_UNIFIED_LOGGING", url).is_ok());
        assert!(with("MQ_PORT", "many").is_err(), "a mistake is none of another program");
        let config = env(&[
            on[0],
            on[1],
            ("LOG_FORWARD_RABBITMQ_PORT", url),
            ("LOG_FORWARD_RABBITMQ_SERVICE_HOST", "10.0.0.5"),
            ("MQ_PORT", "7"),
        ]);
        assert_eq!(config.expect("good").forward.rabbitmq.port, 7);
    }

    #[test]
    fn a_url_in_a_variable_of_our_own_is_a_mistake_of_that_name() {
        for name in [
            "LOG_DIR",
            "LOG_QUEUE_SIZE",
            "LOG_SHUTDOWN_TIMEOUT",
            "LOG_CONSOLE_FORMAT",
            "LOG_CONSOLE_ENABLED",
            "LOG_FILES_APP_MAX_BYTES",
            #[cfg(feature = "rabbitmq")]
            "LOG_FORWARD_RABBITMQ_PORT",
        ] {
            let error = env(&[(name, "tcp://10.0.0.5:5672")]).expect_err(name);
            assert_eq!(error.mistakes().len(), 1, "{error}");
            assert!(error.to_string().contains(name), "{error}");
            assert!(!error.to_string().contains("passed over"), "{error}");
        }
    }

    #[test]
    fn mistakes_name_the_variable() {
        let error = env(&[("LOG_QUEUE_SIZE", "many"), ("USE_UNIFIED_LOGGING", "maybe")])
            .expect_err("wrong");
        let names: Vec<_> = error
            .mistakes()
            .iter()
            .map(|mistake| match &mistake.origin {
                Origin::Env { name } => name.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["LOG_QUEUE_SIZE", "USE_UNIFIED_LOGGING"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_a_mistake() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let pairs = [
            (OsStr::new("LOG_DIR"), OsStr::from_bytes(b"a\xff")),
            (OsStr::from_bytes(b"\xff"), OsStr::from_bytes(b"\xff")),
        ];
        let error = LoggingConfig::default().with_env(pairs).expect_err("not UTF-8");
        assert_eq!(error.mistakes().len(), 1);
        assert!(error.to_string().contains("LOG_DIR"));
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_refused(value in "\\PC{0,30}", at in 0_usize..1_000) {
            let mut names = Vec::new();
            each_option(LoggingConfig::default().entries(), "", &mut |key, _| {
                names.push(NAMES.name(key));
            });
            let name = names[at % names.len()].clone();
            let _ = LoggingConfig::default().with_env([(name, value)]);
        }
    }
}

mod layers {
    use super::*;

    fn found(pairs: &[(&str, &str)], default_file: &Path) -> Result<LoggingConfig, Error> {
        discover(&Variables::new(pairs.iter().copied()), default_file).finish()
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("logging.yaml");
        std::fs::write(&file, "level: warn\nqueue: {size: 7}\n").expect("written");
        let config = found(&[("LOG_LEVEL", "error")], &file).expect("good");
        assert_eq!(config.level, Level::Error.into());
        assert_eq!(config.queue.size, 7);
        assert_eq!(config.files, FilesConfig::default());
        assert_eq!(load_config(&file).expect("good").level, Level::Warn.into());
    }

    #[test]
    fn without_the_default_file_there_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(found(&[], &dir.path().join("x/y")).expect("good"), LoggingConfig::default());
    }

    #[test]
    fn log_config_names_another_file_which_must_be_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let (default, named) = (dir.path().join("default"), dir.path().join("named"));
        std::fs::write(&default, "level: warn").expect("written");
        let variable = [("LOG_CONFIG", named.to_str().expect("UTF-8"))];
        let error = found(&variable, &default).expect_err("missing");
        assert!(error.is_path());
        assert!(error.to_string().contains("named"), "{error}");
        std::fs::write(&named, "level: error").expect("written");
        assert_eq!(found(&variable, &default).expect("good").level, Level::Error.into());
    }

    #[test]
    fn mistakes_of_file_and_environment_are_told_together() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("logging.yaml");
        std::fs::write(&file, "levle: warn\nqueue: {size: 0}\n").expect("written");
        let error = found(&[("LOG_DIR", "a"), ("LOG_CONSOLE_FORMAT", "xml")], &file);
        assert_eq!(error.expect_err("wrong").mistakes().len(), 3);
    }

    #[test]
    fn what_is_no_readable_text_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        assert!(load_config(dir.path()).expect_err("a directory").is_path());
        assert!(load_config(path("missing")).expect_err("missing").is_path());
        std::fs::write(path("long"), vec![b'#'; 10 << 20]).expect("written");
        let long = load_config(path("long")).expect_err("long");
        assert!(long.to_string().contains("is longer than 1 MiB"), "{long}");
        std::fs::write(path("latin"), b"level: info\n# caf\xe9\n").expect("written");
        let latin = load_config(path("latin")).expect_err("not UTF-8").to_string();
        assert!(latin.contains("latin:2:6: is not valid UTF-8"), "{latin}");
        std::fs::write(path("binary"), [0_u8; 100]).expect("written");
        assert!(load_config(path("binary")).expect_err("binary").is_config());
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        assert!(load_config(&pipe).expect_err("a pipe").to_string().contains("not a regular file"));
    }

    #[test]
    fn a_file_with_a_byte_order_mark_is_read() {
        assert_eq!(good("\u{feff}level: warn\r\nqueue:\r\n  size: 5\r\n").queue.size, 5);
    }
}

mod calls {
    use super::*;

    #[test]
    fn every_parameter_has_a_method() {
        let config = LoggingConfig::builder()
            .log_level("WARNING")
            .log_dir("x")
            .queue_size(1)
            .max_bytes(5_000)
            .backup_count(1)
            .console_level(Level::Critical)
            .file_level("info,a=off".to_owned())
            .enable_ai_handler(false)
            .ai_max_bytes(6_000)
            .ai_backup_count(2)
            .files(false)
            .console(false)
            .when_full(WhenFull::Drop)
            .console_format(ConsoleFormat::Json)
            .stream(Stream::Stderr)
            .color(Color::Always)
            .record(RecordConfig { file: false, ..RecordConfig::default() })
            .schema(Schema::Gcp)
            .service(ServiceConfig { name: "shop".to_owned(), ..ServiceConfig::default() })
            .limits(Limits { fields: 7, ..Limits::default() })
            .shutdown_timeout(Duration::from_secs(1))
            .unified(false)
            .log_crate(false)
            .build()
            .expect("good");
        assert_eq!(config.level, Level::Warn.into());
        assert_eq!((config.record.schema, config.record.file), (Schema::Gcp, false));
        assert_eq!(config.service.name, "shop");
        assert_eq!(config.files.dir, Path::new("x"));
        assert_eq!(config.files.app.max_bytes, 5_000);
        assert_eq!(config.files.errors.max_bytes, 5_000);
        assert_eq!(config.files.errors.backup_count, 1);
        assert_eq!(config.files.ai.max_bytes, 6_000);
        assert_eq!((config.files.ai.backup_count, config.files.ai.enabled), (2, false));
        assert_eq!(config.console.level, Level::Critical.into());
        assert!(!config.files.enabled && !config.console.enabled && !config.log_crate);
        assert_eq!(
            LoggingConfigBuilder::from_config(config.clone()).build().expect("good"),
            config
        );
    }

    #[test]
    fn wrong_values_are_told_by_build() {
        let error = LoggingConfig::builder()
            .log_level("loud=very")
            .console_level("[span]=info")
            .queue_size(0)
            .max_bytes(1)
            .build()
            .expect_err("wrong");
        let keys: Vec<_> = error.mistakes().iter().map(|mistake| mistake.key.as_str()).collect();
        let expected = [
            "level",
            "queue.size",
            "files.app.max_bytes",
            "files.errors.max_bytes",
            "console.level",
        ];
        assert_eq!(keys, expected);
        assert!(error.mistakes().iter().all(|mistake| mistake.origin == Origin::Code));
    }
}

mod secrets {
    use super::*;

    #[test]
    fn a_secret_is_in_no_mistake_and_in_no_text() {
        for text in
            ["token: hunter2", "token: {hunter2: hunter2}", "token: [hunter2]", "token: 7062"]
        {
            let mut token = Secret::default();
            let mut entries =
                vec![Entry { name: "token", docs: &[], slot: value::secret(&mut token) }];
            let mut report = Report::default();
            let tree = yaml::parse(text).expect("YAML");
            read::read(&mut entries, &tree, &mut report);
            let written = write::values(entries);
            assert!(!written.contains("hunter2"), "{written}");
            assert_eq!(written.contains("(secret)"), !token.is_empty(), "{written}");
            let told =
                report.finish().map_or_else(|problems| format!("{problems:?}"), |()| String::new());
            assert!(!told.contains("hunter2") && !told.contains("7062"), "{told}");
        }
    }

    #[test]
    fn a_report_shows_what_it_is_told_and_no_more() {
        let mut report = Report::default();
        let mut secret = Secret::new("hunter2");
        let wrong: Problem =
            value::secret(&mut secret).set(RawValue::Whole(7_062)).expect_err("not a text");
        report.fault(Place::Code, "token", wrong);
        let told = format!("{:?}", report.finish().expect_err("a fault"));
        assert!(told.contains("a number (not shown)"), "{told}");
    }
}

mod generated_files {
    use super::*;

    /// Compares with the file in `config/`, or writes it if `UPDATE_GOLDEN` is set.
    #[cfg(feature = "forward")]
    fn compare(name: &str, expected: &str) {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(project_file(name), expected).expect("config/ can be written");
        }
        let text = std::fs::read_to_string(project_file(name)).unwrap_or_default();
        assert!(text == expected, "config/{name} is out of date: run `cargo x reference`");
    }

    #[cfg(feature = "forward")]
    #[test]
    fn the_reference_is_up_to_date_and_gives_the_defaults() {
        compare("logging.yaml", &reference_yaml());
        assert_eq!(good(&reference_yaml()), LoggingConfig::default());
        let longest = reference_yaml().lines().map(str::len).max();
        assert!(longest <= Some(100), "{longest:?}");
    }

    #[cfg(feature = "forward")]
    #[test]
    fn the_schema_is_up_to_date_and_knows_every_option() {
        compare("logging.schema.json", &json_schema());
        let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("JSON");
        each_option(LoggingConfig::default().entries(), "", &mut |key, slot| {
            let pointer: String =
                key.split('.').map(|part| format!("/properties/{part}")).collect();
            let option = schema.pointer(&pointer).unwrap_or_else(|| panic!("{key} is missing"));
            let default = &option["default"];
            let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            assert_eq!(shown, slot.text(), "{key}");
            assert!(option["description"].as_str().is_some_and(|text| text.len() > 20), "{key}");
        });
    }

    #[test]
    fn every_example_loads() {
        for name in ["minimal", "development", "production", "container", "logging"] {
            let path = project_file(&format!("{name}.yaml"));
            let config = load_config(&path).unwrap_or_else(|error| panic!("{error}"));
            let text = std::fs::read_to_string(&path).expect("readable");
            assert!(text.starts_with("# yaml-language-server: $schema=logging.schema.json\n"));
            assert_eq!(config == LoggingConfig::default(), ["minimal", "logging"].contains(&name));
        }
    }
}

/// Configurations with every option drawn from within its limits.
fn any_config() -> impl Strategy<Value = LoggingConfig> {
    (any::<u64>(), "[^\\x00]{1,12}", "[a-z \u{e9}\u{85}\u{2028}]{0,6}").prop_map(
        |(seed, dir, name)| {
            let mut random = seed;
            let mut next = move |from: u64, to: u64| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let span = to.saturating_sub(from).saturating_add(1);
                from + (random >> 16) % span
            };
            let mut config = LoggingConfig::default();
            each_option(config.entries(), "", &mut |key, slot| match slot {
                OptionValue::Custom(value) => {
                    let texts = ["off", "critical", "info,a=debug,b::c=off", "my-crate", "warn"];
                    let hours = format!("{:02}:00-{:02}:30", next(0, 23), next(0, 23));
                    let given = match key.ends_with("level") {
                        true => texts[next(0, 4) as usize],
                        false => &hours,
                    };
                    assert!(value.read(RawValue::Text(given)).is_ok(), "{key}");
                }
                // What is enabled needs secrets, and those are in no YAML.
                OptionValue::Flag(value)
                    if key.starts_with("forward.") && key.ends_with(".enabled") =>
                {
                    **value = false;
                }
                OptionValue::Flag(value) => **value = next(0, 1) == 1,
                OptionValue::Count { value, .. } if key.ends_with("percent") => {
                    value.put(next(60, 60))
                }
                OptionValue::Count { value, limits } => {
                    value.put(next(*limits.start(), *limits.end()))
                }
                OptionValue::Bytes { value, limits } => {
                    let fits = match key.rsplit('.').next() {
                        Some("field_bytes" | "ai_field_bytes") => next(64, 70_000),
                        Some("record_bytes" | "ai_record_bytes") => next(70_000, 1 << 26),
                        _ => next((*limits.start()).max(1 << 20), *limits.end()),
                    };
                    let fits = if key == "queue.max_bytes" { fits.max(1 << 26) } else { fits };
                    value.put(fits);
                }
                OptionValue::Time { value, limits } => {
                    let [least, most] = [limits.start(), limits.end()].map(|t| t.as_nanos() as u64);
                    **value = Duration::from_nanos(next(least, most));
                }
                OptionValue::OptionalBytes { value, limits } => {
                    **value = (next(0, 1) == 1).then_some(*limits.end());
                }
                OptionValue::OptionalTime { value, limits } => {
                    let least = limits.start().as_millis() as u64;
                    let some = Duration::from_millis(next(least, least + 10_000));
                    **value = (next(0, 1) == 1).then_some(some);
                }
                OptionValue::Mode(value) => **value = 0o600 | next(0, 0o177) as u32,
                OptionValue::Choice(value) => {
                    let has = |word: &str| word != "zstd" || cfg!(feature = "zstd");
                    let words: Vec<_> =
                        value.words().iter().filter(|(word, _)| has(word)).collect();
                    value.choose(words[next(0, words.len() as u64 - 1) as usize].0);
                }
                // A ~ at the beginning is refused.
                OptionValue::Path(value) => **value = PathBuf::from(dir.replace('~', "-")),
                OptionValue::FileName(value) => **value = format!("{key}{name}x"),
                OptionValue::Text { value, .. } if key == "metrics.listen" => {
                    **value = "127.0.0.1:9464".to_owned();
                }
                OptionValue::Text { value, .. } if key == "forward.webhook.body" => {
                    **value = "{\"text\": {{ json message }}}".to_owned();
                }
                OptionValue::Text { value, max_bytes } => {
                    **value = name.chars().filter(|c| !c.is_control()).collect();
                    let end = crate::record::bytes::floor_char_boundary(value, *max_bytes);
                    value.truncate(end);
                }
                OptionValue::Section(_) | OptionValue::Secret { .. } => {}
            });
            // The control character is not for a file's name.
            for file in [&mut config.files.app, &mut config.files.errors, &mut config.files.ai] {
                file.name.retain(|c| !c.is_control());
            }
            config
        },
    )
}

proptest! {
    #[test]
    fn every_configuration_survives_its_yaml(config in any_config()) {
        prop_assert!(config.check().is_ok(), "{:?}", config.check());
        let text = config.to_yaml();
        match load(&text) {
            Ok(read) => prop_assert_eq!(read, config),
            Err(error) => prop_assert!(false, "{}\n{}", error, text),
        }
    }
}

#[cfg(feature = "forward")]
mod telegram {
    use super::*;

    const ON: &str = "forward:\n  telegram:\n    enabled: true\n";
    const GROUP: &str = "    developer: {token: \"12:ab\", chat_id: \"-1001\"}\n";

    #[test]
    fn a_group_with_a_bot_is_enough_and_the_older_names_of_variables_are_read() {
        let telegram =
            good(&format!("{ON}{GROUP}    min_level: Error\n    quiet_hours: \"22:00-07:00\"\n"));
        let telegram = telegram.forward.telegram;
        assert_eq!(telegram.min_level, Level::Error);
        assert_eq!(telegram.quiet_hours, Hours::parse("22:00-07:00"));
        let config = env(&[
            ("LOG_FORWARD_TELEGRAM_ENABLED", "true"),
            ("DEV_TG_TOKEN", "12:ab"),
            ("DEV_TG_CHATID", "-1001"),
            ("CUSTOMER_TG_TOKEN", "34:cd"),
            ("CUSTOMER_TG_CHATID", "@shop"),
            ("LOG_FORWARD_TELEGRAM_QUIET_HOURS", "none"),
        ])
        .expect("good");
        let TelegramConfig { developer, customer, .. } = config.forward.telegram;
        assert_eq!((developer.token.reveal(), developer.chat_id.as_str()), ("12:ab", "-1001"));
        assert_eq!((customer.token.reveal(), customer.chat_id.as_str()), ("34:cd", "@shop"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_without_the_token() {
        let cases = [
            ("", "developer.chat_id: is missing, and so is that of the customer"),
            (
                "    developer: {token: \"12:ab\"}\n    customer: {chat_id: \"-1\", token: \"1:a\"}\n",
                "developer.chat_id: is missing, but there is a token",
            ),
            (
                "    customer: {chat_id: \"-1\"}\n",
                "customer.token: is missing, but there is a chat_id",
            ),
            (
                "    customer: {chat_id: \"-1\", token: \"12/ab\"}\n",
                "customer.token: has a character",
            ),
            (
                "    developer: {chat_id: \"Ops\", token: \"12:ab\"}\n",
                "developer.chat_id: is not a group id",
            ),
            (&format!("{GROUP}    base_url: \"http://t.example\"\n"), "base_url: is not https"),
            (
                &format!("{GROUP}    base_url: \"t.example\"\n"),
                "base_url: does not begin with https://",
            ),
            (&format!("{GROUP}    base_url: \"\"\n"), "base_url: is missing"),
            (&format!("{GROUP}    quiet_hours: 22-7\n"), "quiet_hours: \"22-7\" does not fit"),
        ];
        for (more, expected) in cases {
            let error = load(&format!("{ON}{more}")).expect_err(more).to_string();
            assert!(error.contains(&format!("forward.telegram.{expected}")), "{error}");
            assert!(!error.contains("12:ab") && !error.contains("12/ab"), "{error}");
        }
        good("forward: {telegram: {developer: {chat_id: Ops}}}");
    }

    #[test]
    fn a_password_is_refused_where_it_would_be_shown_and_not_told() {
        for url in ["https://user:hunter2@t.example", "https://t.example/?key=hunter2"] {
            let text = format!("{ON}{GROUP}    base_url: \"{url}\"\n");
            let error = load(&text).expect_err(url).to_string();
            assert!(error.contains("base_url: has a part that may be secret"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let broker = |host: &str| {
            let mut config = LoggingConfig::default();
            config.service.domain = "shop.example".to_owned();
            config.forward.rabbitmq.enabled = true;
            config.forward.rabbitmq.host = host.to_owned();
            config.check().map_err(|error| error.to_string())
        };
        for host in ["", "amqp://user:hunter2@mq.example", "user:hunter2@mq.example", "mq/vhost"] {
            let error = broker(host).expect_err(host);
            assert!(error.contains("rabbitmq.host: is not a host name"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for host in ["mq.example", "10.0.0.5", "::1", "[::1]", "MQ_1"] {
            assert_eq!(broker(host), Ok(()), "{host}");
        }
    }
}
