//! Structured logging for Rust services: ordinary [`tracing`] macros in, lines of JSON in rotating
//! files out, and every record accounted for.
//!
//! This page is the manual. Read it from the top, or go to what you need:
//!
//! 1. [Quick start](#quick-start)
//! 2. [What a record looks like](#what-a-record-looks-like)
//! 3. [Levels and macros](#levels-and-macros)
//! 4. [Contexts and spans](#contexts-and-spans)
//! 5. [Files and rotation](#files-and-rotation)
//! 6. [The console](#the-console)
//! 7. [Configuration and what wins](#configuration-and-what-wins)
//! 8. [Filters](#filters)
//! 9. [The `log` crate](#the-log-crate)
//! 10. [Sinks and layers of your own](#sinks-and-layers-of-your-own)
//! 11. [Secrets](#secrets)
//! 12. [Testing](#testing)
//! 13. [Statistics, health and shutdown](#statistics-health-and-shutdown)
//! 14. [When things go wrong](#when-things-go-wrong)
//! 15. [What is guaranteed, and what is not](#what-is-guaranteed-and-what-is-not)
//! 16. [Where things are](#where-things-are)
//!
//! Coming from another logger? See [`_documentation::migration`].
//!
//! # Quick start
//!
//! One call at start-up, one at exit, `tracing` macros in between:
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     logwell::init_logging()?;
//!     tracing::info!(endpoint = "/api/ai/chat", latency_ms = 234, "API request handled");
//!     println!("{}", logwell::shutdown_logging());
//!     Ok(())
//! }
//! ```
//!
//! This writes `logs/app.log`, `logs/errors.log`, `logs/ai_responses.log` and the console.
//!
//! Between the macro and the file lies a queue of 10 000 records. The caller puts a record in and
//! goes on; the thread `logwell` takes it out, encodes it and writes it. A record is in its file
//! within a few milliseconds: the thread looks into the queue at least every 4 ms, or is woken by the
//! first record after a pause. An ERROR wakes it at once.
//!
//! # What a record looks like
//!
//! One JSON object a line, keys in this order:
//!
//! | key | value | when |
//! |---|---|---|
//! | `timestamp` | RFC 3339 in UTC, microseconds, `+00:00` | always |
//! | `level` | `TRACE` `DEBUG` `INFO` `WARN` `ERROR` `CRITICAL` | always |
//! | `logger` | the event's target | always |
//! | `message` | text, empty if the event has none | always |
//! | `module` | module path | when known |
//! | `function` | the field `function`, else the innermost span's name | when known |
//! | `file`, `line` | where in the source | when known; `file` is optional |
//! | `thread` | the thread's name, else its number | always |
//! | `process` | the process id | always |
//! | `seq` | counts the records the listener took, from 1 at each start | always |
//! | `trace_id`, `span_id` | 32 and 16 hexadecimal digits, or what you set | in a span or context |
//! | `spans` | the spans from root to leaf, each with `name` and its fields | in a span; optional |
//! | your fields | typed | as given |
//! | `recovered` | `true` | when it was on its way as an earlier process was killed |
//! | `truncated` | which values were cut, and how many bytes they had; `null` if their formatting was stopped | when cut |
//!
//! ```
//! let logs = logwell::testing::capture();
//! tracing::info!(user_id = 7, ratio = f64::NAN, level = "gold", "signed in");
//!
//! let record = &logs.json()[0];
//! assert_eq!(record["level"], "INFO");
//! assert_eq!(record["message"], "signed in");
//! assert_eq!(record["user_id"], 7); // numbers stay numbers
//! assert_eq!(record["ratio"], "NaN"); // JSON has no such number
//! assert_eq!(record["field.level"], "gold"); // a key of the record cannot be overwritten
//! ```
//!
//! The keys of the table are reserved in every encoder, wherever a field comes from (event, span, context,
//! `log` crate): a field of the application with such a name is written as `field.<name>`. So are `kind` and
//! `boot_id`, which mark [logwell's own records](#statistics-health-and-shutdown), `recovered`, and names that
//! begin with `logwell.`. In a span's object only `name` is reserved.
//!
//! An error is written with its sources if it is given as one:
//!
//! ```
//! use std::error::Error;
//! # #[derive(Debug)]
//! # struct SaveError(std::io::Error);
//! # impl std::fmt::Display for SaveError {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//! #         f.write_str("cannot save the order")
//! #     }
//! # }
//! # impl Error for SaveError {
//! #     fn source(&self) -> Option<&(dyn Error + 'static)> {
//! #         Some(&self.0)
//! #     }
//! # }
//!
//! let logs = logwell::testing::capture();
//! let error = SaveError(std::io::Error::other("disk full"));
//! tracing::error!(error = &error as &dyn Error, "order refused");
//!
//! assert_eq!(logs.json()[0]["error"], "cannot save the order");
//! assert_eq!(logs.json()[0]["error_chain"][0], "disk full");
//! ```
//!
//! A backtrace is logged where one was captured: give it as a field `backtrace`, for example
//! `backtrace = %std::backtrace::Backtrace::capture()`, or that of an `anyhow` error. Without
//! `RUST_BACKTRACE` there is none, and the field is left out.
//!
//! Integers of 128 bits that do not fit into 64 and the numbers that JSON lacks become strings.
//! Bytes become base64, under the key with `_b64` appended. Of two fields of
//! one name the last wins. Control characters, line separators and bidirectional controls are
//! escaped.
//!
//! For other readers there are presets of the record, in the files and in JSON on the console
//! (`record.schema`): [`ecs`](encode::schema::ecs::EcsEncoder) for Elasticsearch,
//! [`gcp`](encode::schema::gcp::GcpEncoder) for Google Cloud, and
//! [`otel`](encode::schema::otel::OtelEncoder) for OpenTelemetry. They hold to all of these rules
//! under other keys.
//!
//! # Levels and macros
//!
//! tracing has five levels. [`critical!`] adds a sixth, above ERROR:
//!
//! ```
//! let logs = logwell::testing::capture();
//! logwell::critical!(pool = "orders", "no database connection left");
//! assert_eq!(logs.json()[0]["level"], "CRITICAL");
//! ```
//!
//! [`ai_response!`] logs a call of an AI model: it goes to `ai_responses.log` too. So does each
//! event with the target `ai_responses`, or with a field whose name begins with `gen_ai.`.
//!
//! Ask before preparing something expensive. It takes what [`tracing::enabled!`] takes:
//!
//! ```
//! # let report = || "long";
//! if logwell::enabled!(tracing::Level::DEBUG) {
//!     tracing::debug!(report = report(), "state");
//! }
//! ```
//!
//! The values of a macro are only computed when the event is enabled, so most calls need no such
//! question. Level names in configurations may be of any case; `WARNING`, `ERR`, `CRIT` and `FATAL`
//! are understood.
//!
//! # Contexts and spans
//!
//! tracing's spans work as everywhere: `#[instrument]`, [`tracing::Span::record`], explicit
//! parents. The first span starts a trace with a random id; spans inside inherit it. A span's field
//! `trace_id` or `span_id` sets the id.
//!
//! The `trace_id` and the `span_id` of a record belong together. An event may set both as fields: a
//! text that is not empty is an id, any other value is a field like any other. If it
//! sets only `trace_id`, and it is not that of the span around, it has left that trace: the record has
//! no `span_id`. If it sets only `span_id` inside a trace, that is a field like any other,
//! `field.span_id`, and the ids are those around. `spans` always says where the event was logged. A
//! context that sets another trace id, and no span id, has a random one.
//!
//! A [`LoggingContext`] sets trace ids and key/value pairs without a span. Pairs may have names
//! that are only known at run time:
//!
//! ```
//! use logwell::LoggingContext;
//!
//! let logs = logwell::testing::capture();
//! let request = LoggingContext::new().trace_id("abc-123").with("tenant", "acme");
//! {
//!     let _guard = request.enter();
//!     tracing::info!("inside");
//!     LoggingContext::new().with("attempt", 2).in_scope(|| tracing::info!("deeper"));
//! }
//! tracing::info!("outside");
//!
//! let records = logs.json();
//! assert_eq!(records[0]["trace_id"], "abc-123");
//! assert_eq!(records[1]["trace_id"], "abc-123");
//! assert_eq!(records[1]["tenant"], "acme");
//! assert_eq!(records[1]["attempt"], 2);
//! assert!(records[2].get("trace_id").is_none());
//! ```
//!
//! For a request, [`LoggingContext::from_request`] takes its headers: `traceparent` and `tracestate`
//! (W3C Trace Context, level 2), else `X-Trace-ID`. To pass the trace on, ask the context in force
//! for its [`trace_context`](LoggingContext::trace_context) and send
//! [`child`](TraceContext::child): flags and `tracestate` go on as they came.
//!
//! In async code give the context to the future with [`LoggingContext::instrument`]. Do not hold
//! the guard over an await point. A task or thread that is spawned starts with no context; a span
//! takes its trace id and pairs along.
//!
//! # Files and rotation
//!
//! | file | what | rotated at | backups | mode |
//! |---|---|---|---|---|
//! | `app.log` | all records | 10 MiB | 7 | 0640 |
//! | `errors.log` | ERROR and CRITICAL | 10 MiB | 7 | 0640 |
//! | `ai_responses.log` | AI records | 100 MiB | 30 | 0600 |
//!
//! The current file has the plain name, `app.log.1` is the newest backup. Rotation happens before
//! the line that would not fit, so no line is split. Backups beyond the number are deleted; only
//! files whose name is exactly ours are. Directories are made with mode 0750.
//!
//! By `files.rotate` they also rotate with the hour or day. Backups can be limited by age and by size
//! in all, and compressed (`files.compress`; zstd needs the feature `zstd`): threads of their own do
//! what takes long, so that no record waits for it. `files.sync` says when records are made durable.
//! A second process with the same files gets names of its own, such as `app.4711.log`.
//!
//! Files are always continued, never truncated at start-up. A line that a crash has left without an
//! end is ended first. How [`rotate`] meets damage from outside is said there.
//!
//! # The console
//!
//! Text on a terminal, JSON elsewhere (`console.format`), on standard output (`console.stream`),
//! from INFO (`console.level`), with the time in the machine's zone (`console.time`). [`terminal`]
//! says when text is coloured. The framework's own records appear there from WARN on.
//!
//! A thread of its own writes it. Up to 10 000 lines or 16 MiB wait for a slow terminal; more are
//! lost for the console and counted, and the files are not held up. At the end they are waited for up to
//! nine tenths of `shutdown.timeout`.
//!
//! # Configuration and what wins
//!
//! | call | reads |
//! |---|---|
//! | [`init_logging`] | defaults, the file, the environment |
//! | [`init_logging_from_config`] | defaults, the file at that path, the environment |
//! | [`init_logging_with`] | what the program made, nothing else |
//!
//! What is read later wins. The file is the one that `LOG_CONFIG` names, else `config/logging.yaml`
//! if there is one. Each option has a key in the file, a variable in the environment and a field in
//! [`LoggingConfig`]; [`config::reference_yaml`] lists them all.
//!
//! A configuration from calls, with the environment over it:
//!
//! ```
//! use logwell::LoggingConfig;
//!
//! let config = LoggingConfig::builder().log_level("debug").queue_size(50_000).build()?;
//! let config = config.with_env([("LOG_LEVEL", "warn")])?; // or std::env::vars_os()
//! assert_eq!(config.level.to_string(), "warn");
//! assert_eq!(config.queue.size, 50_000);
//! # Ok::<(), logwell::Error>(())
//! ```
//!
//! The other way round, calls over file and environment:
//! [`LoggingConfigBuilder::from_env`](config::LoggingConfigBuilder::from_env).
//!
//! All mistakes are told at once, each with its place, and before anything is opened:
//!
//! ```
//! use logwell::LoggingConfig;
//!
//! let wrong = [("LOG_LEVEL", "inf0"), ("LOG_QUEUE_SIZE", "0")];
//! let error = LoggingConfig::default().with_env(wrong).unwrap_err();
//! assert_eq!(error.mistakes().len(), 2);
//! assert!(error.to_string().contains("did you mean `info`?"));
//! ```
//!
//! # Filters
//!
//! Three of them: `level` is asked on the caller's thread, first; `files.level` and `console.level`
//! can only narrow down what it lets pass. Each is a level, or [directives](config::Directives) in
//! the syntax of `RUST_LOG`, such as `info,my_crate=debug,hyper=off`. Only `level` may have
//! directives about spans: `[request{user=7}]=trace`.
//!
//! A directive applies to all targets that begin with its name; the longest match wins. Without a
//! part that is a bare level, targets that no part names are off. What `level` refuses costs next
//! to nothing: tracing asks once for each callsite.
//!
//! [`LoggingHandle::set_level`] replaces `level` while the program runs.
//!
//! # The `log` crate
//!
//! Its macros arrive in the same files: [`init_logging`] becomes the process's `log` logger, unless
//! `log_crate` is `false`. Target, module, file and line are those of the `log` record. Its key-values
//! (`kv`) are fields like any other, with their types; an error has its sources, and a text longer
//! than 64 KiB is cut even if `limits.field_bytes` is above that. `log::logger().flush()` waits until
//! everything before is handed on, for 5 s at most.
//!
//! ```no_run
//! # logwell::init_logging().unwrap();
//! log::info!(user_id = 7, tenant = "acme"; "signed in"); // "user_id":7,"tenant":"acme"
//! log::logger().flush();
//! ```
//!
//! A program that installs `tracing_log::LogTracer` itself gets the records, without key-values.
//!
//! [`Logger`] is for names that are only known at run time.
//!
//! # Sinks and layers of your own
//!
//! A [`Sink`](sink::Sink) takes records one by one, on the listener's thread. [`Builder::sink`]
//! adds it, with what it [`Accepts`](sink::Accepts). There can be 64 in all.
//! [`MemorySink`](sink::MemorySink) keeps records for tests, [`FileSink`](sink::FileSink) writes
//! another file.
//!
//! ```
//! use logwell::sink::{Accepts, MemorySink};
//! use logwell::{Level, LoggingConfig, QueueLayer};
//! use tracing_subscriber::prelude::*;
//!
//! # fn main() -> Result<(), logwell::Error> {
//! let errors = MemorySink::new();
//! let config = LoggingConfig::builder().files(false).console(false).build()?;
//! let (layer, handle) = QueueLayer::builder()
//!     .config(config)
//!     .sink("alarm", Accepts::all().from_level(Level::Error), errors.clone())
//!     .build()?;
//!
//! // A layer like any other: it composes.
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     tracing::info!("fine");
//!     tracing::error!("not fine");
//! });
//! handle.shutdown();
//! assert_eq!(errors.messages(), ["not fine"]);
//! # Ok(())
//! # }
//! ```
//!
//! [`Builder::init`] makes such a pipeline the process's logging. With [`Builder::build`] it is
//! yours: keep the [`LoggingHandle`] and end it with [`LoggingHandle::shutdown`].
//!
//! In a registry of your own the layer filters for itself alone, so that other layers see what they
//! want. [`Builder::filter_globally`] lets it decide for all, which is cheaper.
//!
//! # Secrets
//!
//! Secrets that your program logs are masked by the log call, before a queue, black box, file or server has
//! them: fields by their names, and in texts what a name before it or its shape gives away. See
//! [`config::RedactConfig`] for what is found, and for names of your own.
//!
//! ```
//! let logs = logwell::testing::capture();
//! tracing::info!(user = "bob", password = "hunter2", "GET /me?access_token=abc&page=2");
//! let line = &logs.json()[0];
//! assert_eq!((&line["user"], &line["password"]), (&"bob".into(), &"(secret)".into()));
//! assert_eq!(line["message"], "GET /me?access_token=(secret)&page=2");
//! ```
//!
//! # Testing
//!
//! [`testing::capture`] captures what the test's thread logs, at all levels, until it is dropped:
//!
//! ```
//! let logs = logwell::testing::capture();
//! tracing::warn!(order = 7, "payment refused");
//! assert_eq!(logs.messages(), ["payment refused"]);
//! ```
//!
//! A record that a `Debug` logs is missing there: under a subscriber for one thread, tracing itself
//! does not pass it on.
//!
//! There is no thread and no waiting in it: the pipeline is stepped when you look. For pauses and
//! time outs there is a [`ManualClock`](testing::ManualClock).
//!
//! # Statistics, health and shutdown
//!
//! [`LoggingHandle`] is what the running program asks; [`handle()`] finds it from anywhere:
//!
//! | call | what |
//! |---|---|
//! | [`stats`](LoggingHandle::stats) | all counters |
//! | [`health`](LoggingHandle::health) | what is wrong now: never empty while records are lost or limits are not kept |
//! | [`flush`](LoggingHandle::flush) | waits until all before is with the operating system |
//! | [`rotate_now`](LoggingHandle::rotate_now) | starts new files |
//! | [`reopen`](LoggingHandle::reopen) | opens the files anew, after others moved them |
//! | [`log_files`](LoggingHandle::log_files) | the files and their backups |
//! | [`level`](LoggingHandle::level) | the directives in force |
//! | [`set_level`](LoggingHandle::set_level) | replaces them |
//! | [`effective_config`](LoggingHandle::effective_config) | the configuration in force, as YAML |
//! | [`shutdown`](LoggingHandle::shutdown) | ends logging |
//!
//! The counters add up at every moment: `captured = received + in_queue + dropped`, and for each sink
//! `routed = written + dropped + in hand`.
//!
//! [`shutdown_logging`] takes no more records, writes those in the queue, syncs the files and
//! returns a [`ShutdownReport`]. It takes 5 s at most (`shutdown.timeout`). Calling it again gives
//! the same report.
//!
//! Who forgets it loses nothing. [`init_logging`] puts hooks in place ([`config::HooksConfig`]):
//!
//! | hook | when | does |
//! |---|---|---|
//! | `hooks.panic` | a thread panics, whether it unwinds or aborts | records it at CRITICAL (`logwell.panic`: place, message, trace, and a backtrace if `RUST_BACKTRACE` is set), waits until all is written, then runs the hook that was there before |
//! | `hooks.exit` | `main` returns, [`std::process::exit`], C's `exit` | shuts logging down |
//! | `hooks.signals` | SIGTERM, SIGINT; off by default | records it (`logwell.signal`), shuts logging down, ends the process by that signal |
//! | `hooks.reopen_on_hangup` | SIGHUP; off by default | opens the files anew |
//!
//! Each waits `shutdown.timeout` at most. A listener that is stuck holds up one panic and no other.
//! A panic inside a `Debug` that is formatted for a record is told by that record, and one in a sink
//! by the sink's counters: neither makes a record of its own. For a signal that the program handles
//! already when logging is set up (Linux), logwell only writes the record, and the program decides.
//! There is no hook for `abort()`, `_exit` and `kill -9`, and none is needed: the [black box](black_box) has
//! what was on its way, and the next start writes it (`black_box.enabled`, on by default). A program
//! without files has one for its console if `black_box.dir` names a place for it.
//!
//! A box is a mapped file, so logwell handles SIGBUS: whoever cuts the file does not end the process. Any
//! other SIGBUS goes to the handler that was there, or does what it does by default; so it is with a
//! handler that the program installs later. A thread that logs is made to take SIGBUS.
//! All threads of logwell block the signals of the application.
//!
//! logwell writes records of its own, with the logger `logwell` and a `kind`: `logwell.started`,
//! `logwell.panic`, `logwell.signal`, `logwell.dropped` (how many, by level and reason, at most once a
//! second), `logwell.filtered` (that `files.level` keeps records out of `app.log`, and how many; at most
//! once an hour), `logwell.black_box` (what was found in the box
//! of a process that was killed), `logwell.recovered` (a sink has worked again for a second: what was wrong, how long,
//! what it lost) and `logwell.stopped` (the receipt). They stand in `app.log` whatever `files.level`
//! says; with them the program `logwell verify` proves that no record is missing. logwell's own trouble
//! goes to standard error, or to [`set_self_log`]: each kind at
//! once, then at most once a minute.
//!
//! # When things go wrong
//!
//! | what | then |
//! |---|---|
//! | the queue is filling up | TRACE and DEBUG go from 50 %, INFO from 75 %, WARN from 90 % |
//! | the queue is full | ERROR and CRITICAL wait up to 100 ms; see `queue.when_full` |
//! | long values fill memory | beyond 64 MiB in the queue, records are dropped; errors wait |
//! | a write fails (full disk) | 16 MiB of lines a file are kept for later; more are `refused` |
//! | a file or directory is deleted | it is made anew before the next write |
//! | a file is moved | seen within a second; a new one is made |
//! | a sync fails | what is not known to be durable is written again, to a new file |
//! | backups cannot be shifted | the file grows beyond its limit; told by `health()`, tried again each second |
//! | a log file cannot be opened | all files get names of the user's own (`app.uid<number>.log`); told |
//! | the terminal is stuck | lines for it are lost and counted; files go on |
//! | a `Debug` panics or fails | caught; a placeholder is written; `unformatted_values` counts it |
//! | a `Debug` logs | that record is taken; one logged while formatting it is dropped |
//! | a sink panics | caught; it rests for 100 ms, then twice as long, up to 30 s |
//! | a value is a secret | `(secret)` is written in its place; `redacted_values` counts it |
//! | a value is too long | cut at 64 KiB, in AI records at 1 MiB; the record says so |
//! | a record comes after the shutdown | counted as `closed`; from ERROR on written to standard error |
//! | the process forks | the child's records are counted as `forked`; nothing hangs, the parent goes on |
//! | `init_logging` is called twice | an [`Error`] that names the first call; nothing changes |
//! | another subscriber is in place | an [`Error`]; nothing changes |
//!
//! # What is guaranteed, and what is not
//!
//! Guaranteed:
//!
//! - A log call does no I/O and no encoding, and takes no lock that is held during I/O. It waits
//!   only where the policy says so: `block`, and ERROR on a full queue.
//! - Queue, backlog and console buffer have bounds. Waits have deadlines, except `block` without
//!   `queue.block_timeout`.
//! - The lines of one file are in the order of the queue, and `seq` counts it.
//! - No key appears twice in a record, and a record is one line.
//! - What was logged before a panic, an exit or a signal that is asked for is written, if the sinks
//!   do their part within `shutdown.timeout`.
//! - After [`shutdown_logging`] with [`is_lossless`](ShutdownReport::is_lossless) each captured
//!   record was handed to each of its sinks.
//! - What logwell's listener thread logs is not captured: a sink cannot feed its own queue from
//!   there.
//!
//! Not guaranteed:
//!
//! - A record in the queue for which the black box had no room (it is counted) does not survive
//!   `SIGKILL`, `_exit` or `abort()`, nor a signal that is not asked for. Sinks of your own get no recovered
//!   records unless they say where they stand ([`Sink::mark`](sink::Sink::mark)), and neither does the console.
//! - What the operating system has accepted does not survive a power failure, unless `files.sync` says
//!   otherwise; by default only the shutdown syncs.
//! - With `panic = "abort"` a panicking `Debug` ends the program, as everywhere.
//! - A fork that does not `exec` cannot log; call [`init_logging`] after forking.
//! - Two processes with one directory may pass the size limit for a while.
//!
//! # Where things are
//!
//! | word | where |
//! |---|---|
//! | start and end | [`init_logging`], [`shutdown_logging`], [`LoggingHandle`] |
//! | options | [`config`] |
//! | trace ids, MDC, context variables | [`LoggingContext`], [`TraceContext`] |
//! | layer | [`QueueLayer`], [`Builder`] |
//! | appender, handler, writer | [`sink`] |
//! | formatter, layout, encoder | [`encode`] |
//! | ECS, Google Cloud, OpenTelemetry | [`encode::schema`] |
//! | rolling, rotation, backups | [`rotate`] |
//! | record, event, fields | [`record`] |
//! | metrics, dropped, lost | [`stats`] |
//! | colours | [`terminal`] |
//! | tests | [`testing`] |
//! | LogBeacon, Telegram, levels with codes | `docs/forwarding.md`, [`ForwardLevel`], [`log()`] |
//!
//! Three cargo features: `forward` brings delivery to LogBeacon and Telegram, with an HTTP client and TLS;
//! `rabbitmq` brings `forward` and the way through RabbitMQ; `zstd` compresses backups by zstd. Their options are always there; to switch
//! something on without its feature is an error.

mod base;
pub mod black_box;
mod capture;
pub mod config;
pub mod dead_letters;
pub mod encode;
#[cfg(feature = "forward")]
pub mod forward;
#[cfg(not(feature = "forward"))]
#[path = "forward/disabled.rs"]
mod forward;
mod pipeline;
pub mod record;
pub mod rotate;
mod setup;
pub mod sink;
#[cfg(feature = "forward")]
mod spool;

pub mod _documentation;
pub mod testing;

pub use base::clock::Clock;
pub use base::error::Error;
pub use base::selflog::set_self_log;
pub use capture::context::{ContextGuard, ContextValue, InContext, LoggingContext};
pub use capture::layer::QueueLayer;
#[cfg(feature = "forward")]
pub use capture::log_code::log;
pub use config::{LoggingConfig, LoggingConfigBuilder, load_config};
#[cfg(feature = "forward")]
pub use forward::level::{ForwardLevel, UnknownLevel};
pub use logwell_options::problem::{ConfigProblem, Origin};
pub use record::level::Level;
pub use record::stats;
pub use record::trace_context::{self, TraceContext};
pub use record::trace_state::TraceState;
pub use setup::builder::Builder;
pub use setup::handle::{Health, LoggingHandle, NoAnswer};
pub use setup::logger::{Logger, LoggerFactory};
pub use setup::report::ShutdownReport;
pub use setup::{
    handle, init_logging, init_logging_from_config, init_logging_with, shutdown_logging,
};
pub use sink::terminal;
/// Whether an event of that level and target would be captured: ask before preparing expensive
/// arguments. Takes what [`tracing::enabled!`] takes.
///
/// Speaks for the whole subscriber: in a registry of your own, where the layer lets others see what
/// it does not take itself, it can be true for what only they take.
pub use tracing::enabled;

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    /// See `fuzz/`.
    #[cfg(all(fuzzing, feature = "forward"))]
    pub use crate::spool::fuzz as fuzz_spool;
    pub use tracing;
}

#[cfg(test)]
mod simulation;
