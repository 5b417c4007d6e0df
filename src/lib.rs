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
//! 10. [Custom sinks and layers](#custom-sinks-and-layers)
//! 11. [Secrets](#secrets)
//! 12. [Testing](#testing)
//! 13. [Statistics, health and shutdown](#statistics-health-and-shutdown)
//! 14. [When things go wrong](#when-things-go-wrong)
//! 15. [What is guaranteed, and what is not](#what-is-guaranteed-and-what-is-not)
//! 16. [Where things are](#where-things-are)
//!
//! Separate pages: [options and variables](_documentation::configuration),
//! [what happens when](_documentation::failures), [secrets](_documentation::secrets),
//! [deployment](_documentation::deployment) and [migration](_documentation::migration) from another
//! logger.
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
//! A queue of 10 000 records connects the macro and the file. The caller puts a record in and
//! continues; the thread `logwell` takes it out, encodes it and writes it. A record is in its file
//! within a few milliseconds: the thread polls the queue at least every 4 ms, and the first record
//! after a pause wakes it. An ERROR wakes it at once.
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
//! | `recovered` | `true` | when the process that logged it was killed before writing it |
//! | `truncated` | the values that were cut, with their lengths in bytes; `null` if logwell stopped the formatting | when cut |
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
//! The keys of the table are reserved in every encoder, wherever a field comes from (event, span,
//! context, `log` crate): a field of the application with such a name is written as `field.<name>`.
//! So are `kind` and `boot_id`, which mark [logwell's own
//! records](#statistics-health-and-shutdown), `recovered`, and names that begin with `logwell.`. In
//! a span's object only `name` is reserved.
//!
//! An error logged as `&dyn Error` is written with its sources:
//!
//! ```
//! use std::error::Error;
//! # #[derive(Debug)]
//! # struct SaveError(std::io::Error);
//! # use std::fmt;
//! # impl fmt::Display for SaveError {
//! #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("cannot save") }
//! # }
//! # impl Error for SaveError {
//! #     fn source(&self) -> Option<&(dyn Error + 'static)> { Some(&self.0) }
//! # }
//!
//! let logs = logwell::testing::capture();
//! let error = SaveError(std::io::Error::other("disk full"));
//! tracing::error!(error = &error as &dyn Error, "order refused");
//!
//! assert_eq!(logs.json()[0]["error"], "cannot save");
//! assert_eq!(logs.json()[0]["error_chain"][0], "disk full");
//! ```
//!
//! A backtrace is logged where one was captured: give it as a field `backtrace`, for example
//! `backtrace = %std::backtrace::Backtrace::capture()`, or that of an `anyhow` error. Without
//! `RUST_BACKTRACE` the field is omitted.
//!
//! Integers of 128 bits that do not fit into 64 and the numbers that JSON lacks become strings.
//! Bytes become base64, under the key with `_b64` appended. Of two fields of
//! one name the last wins. Control characters, line separators and bidirectional controls are
//! escaped.
//!
//! `record.schema` chooses other keys for other readers, in the files and in JSON on the console:
//!
//! | schema | for | your fields are |
//! |---|---|---|
//! | `native` | people, `jq`, `lnav`, pandas | keys of the record, typed |
//! | [`ecs`](encode::schema::ecs::EcsEncoder) | Elasticsearch and its shippers | text in `labels`; typed at the top if ECS has a field of that name and type, such as `http.request.method` |
//! | [`gcp`](encode::schema::gcp::GcpEncoder) | Cloud Run, GKE, Ops Agent | keys of the record, typed |
//! | [`otel`](encode::schema::otel::OtelEncoder) | the collector's `otlpjsonfile` receiver: one `resourceLogs` a line | attributes, typed |
//!
//! All schemas keep the rules above: one line, no key twice, no longer than the limit. They write
//! the section `service` (`name`, `version`, `environment`) where their readers look for it. `gcp`
//! and `otel` write ids that W3C Trace Context does not allow under `trace_id` and `span_id`.
//! `record.gcp_project` makes `projects/my-project/traces/…` of a trace id.
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
//! Check before you prepare something expensive. [`enabled!`] takes what [`tracing::enabled!`]
//! takes:
//!
//! ```
//! # let report = || "long";
//! if logwell::enabled!(tracing::Level::DEBUG) {
//!     tracing::debug!(report = report(), "state");
//! }
//! ```
//!
//! The values of a macro are only computed when the event is enabled, so most calls need no such
//! check. Level names in configurations may have any case; `WARNING`, `ERR`, `CRIT` and `FATAL`
//! are understood.
//!
//! # Contexts and spans
//!
//! tracing's spans work as everywhere: `#[instrument]`, [`tracing::Span::record`], explicit
//! parents. The first span starts a trace with a random id; spans inside inherit it. A span's field
//! `trace_id` or `span_id` sets the id.
//!
//! The `trace_id` and the `span_id` of a record belong together. An event may set both as fields: a
//! text that is not empty is an id, any other value is an ordinary field. If it sets only a
//! `trace_id` that differs from the enclosing span's, it has left that trace, and the record has no
//! `span_id`. If it sets only `span_id` inside a trace, that is an ordinary field, `field.span_id`,
//! and the record keeps the enclosing ids. `spans` always says where the event was logged. A
//! context that sets another trace id, and no span id, gets a random span id.
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
//! For a request, [`LoggingContext::from_request`] takes its headers: `traceparent` and
//! `tracestate` (W3C Trace Context, level 2), else `X-Trace-ID`. It ignores `traceparent` if there
//! are two.
//!
//! ```
//! use logwell::LoggingContext;
//!
//! let logs = logwell::testing::capture();
//! let context = LoggingContext::from_headers(None, Some("abc-123")).with("user_id", 7);
//! context.in_scope(|| tracing::info!("request handled"));
//! assert_eq!(logs.json()[0]["trace_id"], "abc-123");
//! ```
//!
//! To pass the trace to another service, send a [`child`](TraceContext::child) of the current
//! [`trace_context`](LoggingContext::trace_context). Flags and `tracestate` are passed on
//! unchanged:
//!
//! ```
//! # use logwell::LoggingContext;
//! # let _guard = LoggingContext::new().trace_id("4bf92f3577b34da6a3ce929d0e0e4736").enter();
//! if let Some(trace) = LoggingContext::current().and_then(|context| context.trace_context()) {
//!     let trace = trace.child();
//!     let traceparent = trace.to_traceparent(); // the flags that came; 03 if the trace begins here
//!     let tracestate = trace.to_tracestate(); // `None` if there is nothing to pass on
//!     # assert!(traceparent.ends_with("-00") && tracestate.is_none());
//! }
//! ```
//!
//! In async code, attach the context to the future with [`LoggingContext::instrument`]. Do not hold
//! the guard across an await point. A spawned task or thread starts without a context; [`Context`]
//! carries it, with the span.
//!
//! # Files and rotation
//!
//! | file | what | rotated at | backups | mode |
//! |---|---|---|---|---|
//! | `app.log` | all records | 10 MiB | 7 | 0640 |
//! | `errors.log` | ERROR and CRITICAL | 10 MiB | 7 | 0640 |
//! | `ai_responses.log` | AI records | 100 MiB | 30 | 0600 |
//!
//! The current file always has the plain name; `app.log.1` is the newest backup. Rotation happens
//! before the line that would not fit, so no line is split. Read the backups from the highest
//! number to 1, then the current file: `seq` counts up, from 1 at each start of the process. A gap
//! is a record that `files.level` excluded or that the file lost; `logwell verify` tells which.
//! logwell deletes only files named exactly `app.log.<number>`, with `.gz` or `.zst` if they are
//! compressed. It creates directories with mode 0750. With the defaults the three files and their
//! backups take at most 3 260 MiB.
//!
//! `files.rotate` also rotates by the hour or day, `files.rotate_on_start` at each start. Backups
//! are deleted when they are too many, too old or too large in total, whichever comes first. If the
//! clock jumps forward, logwell starts at most one new file and deletes nothing until the new time
//! has held for a day.
//!
//! `files.compress` compresses backups one at a time on a low-duty thread; no record waits for it.
//! A crash in the middle is repaired at the next start. (zstd needs the feature `zstd`.)
//!
//! `files.sync` makes records durable on another thread: every `files.sync_interval`, and with
//! `error` also at once after an ERROR. If a sync fails, logwell writes the lines it covered again,
//! to a new file; those lines may be there twice, with one `seq`.
//!
//! A record is an AI record if its target is `ai_responses`, if the name of a field begins with
//! `gen_ai.`, or if [`ai_response!`] made it. It is in `app.log` too.
//!
//! A second process with the same files writes to files with its process id, such as
//! `app.4711.log`. Files are always appended to, never truncated at start-up. If a crash left a
//! line without an end, logwell ends it first. [`rotate`] describes how files recover from outside
//! damage.
//!
//! # The console
//!
//! Text on a terminal, JSON elsewhere (`console.format`), on standard output (`console.stream`),
//! from INFO (`console.level`), with the time in the machine's zone (`console.time`). [`terminal`]
//! says when text is coloured. logwell's own records appear there from WARN on.
//!
//! A separate thread writes it. Up to 10 000 lines or 16 MiB wait for a slow terminal; more are
//! lost for the console and counted, and the files continue. At the end logwell waits for them up
//! to nine tenths of `shutdown.timeout`.
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
//! logwell reports all problems at once, each with its place, before it opens anything:
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
//! There are three. `level` is checked first, on the caller's thread; `files.level` and
//! `console.level` can only narrow down what it passes. Each is a level, or
//! [directives](config::Directives) in the syntax of `RUST_LOG`, such as
//! `info,my_crate=debug,hyper=off`. Only `level` may have directives about spans:
//! `[request{user=7}]=trace`.
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
//! `log_crate` is `false`. Target, module, file and line are those of the `log` record. Its
//! key-values (`kv`) are fields like any other, with their types; an error has its sources, and a
//! text longer than 64 KiB is cut even if `limits.field_bytes` is above that.
//! `log::logger().flush()` waits until the operating system has everything logged before, for 5 s
//! at most. It does not wait for the console, whose thread may still be writing.
//!
//! ```no_run
//! # logwell::init_logging().unwrap();
//! log::info!(user_id = 7, tenant = "acme"; "signed in"); // "user_id":7,"tenant":"acme"
//! log::logger().flush();
//! ```
//!
//! A program that installs `tracing_log::LogTracer` itself gets the records, without key-values.
//! [`Logger`] is for names that are only known at run time.
//!
//! # Custom sinks and layers
//!
//! A [`Sink`](sink::Sink) takes records one by one, on the listener's thread, so it needs no locks.
//! It must not block: it would delay the other sinks. [`Builder::sink`] adds it, with what it
//! [`Accepts`](sink::Accepts). There can be 64 in all. `examples/custom_sink.rs` implements two.
//! [`MemorySink`](sink::MemorySink) keeps records for tests, [`FileSink`](sink::FileSink) writes
//! another file.
//!
//! ```
//! use logwell::sink::{Accepts, MemorySink};
//! use logwell::{Level, LoggingConfig, QueueLayer};
//! use tracing_subscriber::prelude::*;
//!
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
//! # Ok::<(), logwell::Error>(())
//! ```
//!
//! [`Builder::init`] makes such a pipeline the process's logging. With [`Builder::build`] it is
//! yours: keep the [`LoggingHandle`] and end it with [`LoggingHandle::shutdown`].
//!
//! In your own registry the layer filters for itself alone, so that other layers see what they
//! want. [`Builder::filter_globally`] lets it decide for all, which is cheaper.
//!
//! # Secrets
//!
//! The log call masks secrets before a queue, black box, file or server receives them: fields by
//! name, and in text the values that a name or a known format identifies.
//! [`_documentation::secrets`] lists what it finds and what it cannot; [`config::RedactConfig`]
//! adds your own names.
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
//! Records that a `Debug` implementation logs are missing there: under a subscriber for one thread,
//! tracing itself does not pass them on.
//!
//! It uses no thread and never waits: looking at the records steps the pipeline. Use a
//! [`ManualClock`](testing::ManualClock) for pauses and timeouts.
//!
//! # Statistics, health and shutdown
//!
//! A running program uses a [`LoggingHandle`]; [`handle()`] returns it anywhere:
//!
//! | call | what |
//! |---|---|
//! | [`stats`](LoggingHandle::stats) | all counters |
//! | [`health`](LoggingHandle::health) | current problems: never empty while records are lost or limits are not kept |
//! | [`flush`](LoggingHandle::flush) | waits until the operating system has everything logged before, but for the console |
//! | [`rotate_now`](LoggingHandle::rotate_now) | starts new files |
//! | [`reopen`](LoggingHandle::reopen) | reopens the files, after another program moved them |
//! | [`log_files`](LoggingHandle::log_files) | the files and their backups |
//! | [`level`](LoggingHandle::level) | the current directives |
//! | [`set_level`](LoggingHandle::set_level) | replaces them |
//! | [`effective_config`](LoggingHandle::effective_config) | the current configuration, as YAML |
//! | [`shutdown`](LoggingHandle::shutdown) | ends logging |
//!
//! The counters add up at every moment: `captured = received + in_queue + dropped`, and for each
//! sink `routed = written + dropped + in hand`.
//!
//! ```
//! # let logs = logwell::testing::capture();
//! # let handle = logs.handle();
//! // let handle = logwell::handle().unwrap();
//! let stats = handle.stats();
//! assert_eq!(stats.captured(), stats.received + stats.in_queue + stats.dropped.total());
//! for sink in &stats.sinks {
//!     println!("{}: {} written, {} dropped", sink.name, sink.written, sink.dropped());
//! }
//! if !handle.health().is_healthy() {
//!     println!("{}", handle.health()); // such as: sink app is failing: could not write: …
//! }
//! ```
//!
//! [`shutdown_logging`] takes no more records, writes those in the queue, syncs the files and
//! returns a [`ShutdownReport`]. It takes 5 s at most (`shutdown.timeout`). Calling it again gives
//! the same report.
//!
//! If you forget to call it, nothing is lost: [`init_logging`] installs hooks
//! ([`config::HooksConfig`]):
//!
//! | hook | when | does |
//! |---|---|---|
//! | `hooks.panic` | a thread panics, whether it unwinds or aborts | records it at CRITICAL (`logwell.panic`: place, message, trace, and a backtrace if `RUST_BACKTRACE` is set), waits until all is written, then runs the hook that was there before |
//! | `hooks.exit` | `main` returns, [`std::process::exit`], C's `exit` | shuts logging down |
//! | `hooks.signals` | SIGTERM, SIGINT; off by default | records it (`logwell.signal`), shuts logging down, ends the process by that signal |
//! | `hooks.reopen_on_hangup` | SIGHUP; off by default | reopens the files |
//!
//! Each waits at most `shutdown.timeout`. A stuck listener delays one panic and no other. Panics in
//! a `Debug` implementation are noted in the record being formatted, panics in a sink in its
//! counters. Neither produces a separate record. If the program already handles a signal when
//! logging is set up (Linux), logwell only writes the record, and the program decides.
//!
//! `abort()`, `_exit` and `kill -9` need no hook: the [black box](black_box) has the records that
//! were not written yet, and the next start writes them (`black_box.enabled`, on by default). A
//! program without files has a black box for its console if `black_box.dir` names a directory.
//!
//! A box is a mapped file, so logwell handles SIGBUS: a program that cuts the file does not end
//! this process. Any other SIGBUS goes to the previous handler, or has its default effect; a
//! handler that the program installs later works as usual. logwell unblocks SIGBUS on threads that
//! log. All threads of logwell block the application's signals.
//!
//! logwell also writes records itself, with the logger `logwell` and a `kind`: `logwell.started`,
//! `logwell.panic`, `logwell.signal`, `logwell.dropped` (how many, by level and reason, at most
//! once a second), `logwell.filtered` (that `files.level` keeps records out of `app.log`, and how
//! many; at most once an hour), `logwell.black_box` (what the box of a killed process held),
//! `logwell.recovered` (a sink has worked again for a second: the problem, its duration, the loss)
//! and `logwell.stopped` (the receipt). They are in `app.log` whatever `files.level` is; with them
//! the program `logwell verify` proves that no record is missing. The self-log reports logwell's
//! own problems on standard error, or to [`set_self_log`]: each kind at once, then at most once a
//! minute. It never goes through the queue.
//!
//! # When things go wrong
//!
//! A full queue sheds the less important records first; a full disk, a stuck terminal, a panicking
//! `Debug` or sink, a fork, a kill and a wrong configuration each have one documented outcome. The
//! table [what happens when](_documentation::failures) has them all.
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
//! - Everything logged before a panic, an exit or a signal in `hooks.signals` is written, if the
//!   sinks finish within `shutdown.timeout`.
//! - After [`shutdown_logging`] with [`is_lossless`](ShutdownReport::is_lossless) each captured
//!   record was handed to each of its sinks.
//! - What logwell's listener thread logs is not captured: a sink cannot feed its own queue from
//!   there.
//!
//! Not guaranteed:
//!
//! - A record in the queue for which the black box had no room (it is counted) does not survive
//!   `SIGKILL`, `_exit` or `abort()`, nor a signal outside `hooks.signals`. A custom sink receives
//!   recovered records only if it implements [`Sink::mark`](sink::Sink::mark); the console receives them
//!   only without files.
//! - What the operating system has accepted does not survive a power failure, unless `files.sync`
//!   says otherwise; without it, only the shutdown syncs.
//! - With `panic = "abort"` a panicking `Debug` ends the program, as anywhere.
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
//! | counters, dropped, lost | [`stats`] |
//! | Prometheus, histograms, span durations | `docs/metrics.md`, `metrics::Registry` (feature `metrics`) |
//! | colours | [`terminal`] |
//! | tests | [`testing`] |
//! | log servers, chats, mail, levels with codes | `docs/forwarding.md`, `ForwardLevel`, `log()` (feature `forward`) |
//!
//! Four cargo features: `forward` adds delivery to log servers and people, with an HTTP client and
//! TLS; `rabbitmq` adds `forward` and delivery through RabbitMQ; `metrics` adds metrics for
//! Prometheus, and no further crate; `zstd` compresses backups with zstd. Enabling an option
//! without its feature is an error.

// In reading order: from where logging begins down to what the machine provides.
mod setup;
pub mod config;
mod capture;
mod pipeline;
#[cfg(feature = "forward")]
pub mod forward;
#[cfg(not(feature = "forward"))]
#[path = "forward/disabled.rs"]
mod forward;
pub mod dead_letters;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/disabled.rs"]
mod metrics;
pub mod sink;
pub mod black_box;
#[cfg(feature = "forward")]
mod spool;
pub mod encode;
pub mod rotate;
pub mod record;
mod base;
pub mod _documentation;
pub mod testing;

pub use base::{clock::Clock, error::Error, selflog::set_self_log};
pub use capture::carrier::Context;
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
pub use record::trace_context::{self, TraceContext, TraceState};
pub use setup::builder::Builder;
pub use setup::handle::{Health, LoggingHandle};
pub use setup::logger::{Logger, LoggerFactory};
pub use setup::no_answer::NoAnswer;
pub use setup::report::ShutdownReport;
pub use setup::{
    handle, init_logging, init_logging_from_config, init_logging_with, shutdown_logging,
};
pub use sink::terminal;
/// Whether an event of that level and target would be captured: ask before preparing expensive
/// arguments. Takes what [`tracing::enabled!`] takes.
///
/// Speaks for the whole subscriber: in your own registry, where the layer lets others see what
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
