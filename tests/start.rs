//! The start, with an error at each system call that it makes: logging starts, and says what it
//! lacks.
//!
//! The test runs this binary again under strace, once to see which calls a start makes and then
//! once for each of them and some errors; all six errors with `LOGWELL_TEST_ALL_ERRORS`. The list
//! in `docs/reliability.md` says what each call is for, and a call that it does not name fails the
//! test. Where strace is not installed or may not trace, the test is skipped with a loud line, or
//! fails if `CI` is set.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests; a skipped one must be seen"
)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[path = "support/strace.rs"]
mod strace;

#[cfg(target_os = "linux")]
mod linux {
    use super::strace::strace_works;
    use logwell::LoggingConfig;
    use logwell::config::{ConsoleFormat, SyncPolicy};
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    const DIRECTORY: &str = "LOGWELL_TEST_START";
    const SOON: Duration = Duration::from_secs(120);
    /// Looked for before and after the start, so that the trace shows where it begins and ends.
    const MARKS: [&str; 2] = ["/logwell-start-begins", "/logwell-start-ends"];
    const ERRORS: [&str; 6] = ["EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP", "EINVAL", "ENOSPC"];
    /// Of these so many are tried with each call, others with the next one.
    const ERRORS_AT_ONCE: usize = 2;
    /// Memory, and how threads wait: without these no program goes on. A `close` does not fail so,
    /// and the standard library panics if that of a directory does.
    const NOT_OURS: &str = "close brk munmap mprotect madvise mremap futex rt_sigprocmask sigaltstack \
                            sched_yield rseq set_robust_list";

    pub(super) fn main() -> ExitCode {
        if let Some(directory) = std::env::var_os(DIRECTORY) {
            the_program(Path::new(&directory));
            return ExitCode::SUCCESS;
        }
        if !strace_works() {
            return ExitCode::SUCCESS;
        }
        let tests: [(&str, fn()); 2] = [
            ("an_error_at_any_call_of_the_start_is_told_and_no_reason_not_to_log", any_call),
            ("the_list_of_calls_in_the_documents_is_complete", documented),
        ];
        for (sentence, test) in tests {
            test();
            println!("test {sentence} ... ok");
        }
        ExitCode::SUCCESS
    }

    /// Starts, logs, ends, and writes down how that went.
    fn the_program(directory: &Path) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        logwell::set_self_log(move |line| {
            tell.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        });
        let logs = directory.join("logs");
        let config = LoggingConfig::builder().log_dir(&logs).console_format(ConsoleFormat::Json);
        let mut config = config.shutdown_timeout(SOON).build().unwrap();
        config.files.sync = SyncPolicy::Error;
        let _mark = fs::metadata(MARKS[0]);
        let started = logwell::init_logging_with(config);
        let _mark = fs::metadata(MARKS[1]);
        let mut outcome = Vec::new();
        match started {
            Err(error) => outcome.push(format!("refused {error}")),
            Ok(handle) => {
                tracing::info!("after the start");
                handle.flush(SOON).unwrap();
                outcome.extend(handle.health().problems.iter().map(|it| format!("told {it}")));
                outcome.extend(listing(&logs).iter().map(|it| format!("there {it}")));
                let report = logwell::shutdown_logging();
                outcome.push(format!("written {}", report.written("app")));
            }
        }
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outcome.extend(told.iter().map(|line| format!("told {line}")));
        fs::write(directory.join("outcome"), outcome.join("\n")).unwrap();
    }

    /// Names and modes of what is in a directory; what changes from start to start is left out.
    fn listing(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut all: Vec<String> = entries
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let name = if name.ends_with(".box") { "box".to_owned() } else { name };
                let mode = entry.metadata().map_or(0, |found| found.permissions().mode());
                format!("{name} {mode:o}")
            })
            .collect();
        all.sort();
        all
    }

    struct Run {
        trace: String,
        outcome: String,
        output: String,
        _directory: tempfile::TempDir,
    }

    impl Run {
        /// What is in the outcome with that word before it.
        fn lines<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
            self.outcome.lines().filter_map(move |line| line.strip_prefix(word))
        }

        fn is_logged(&self) -> bool {
            let is_it = |text: &str| text.contains("after the start");
            let logs = fs::read_dir(self._directory.path().join("logs"));
            let mut files = logs.into_iter().flatten().flatten();
            is_it(&self.output)
                || files.any(|file| is_it(&fs::read_to_string(file.path()).unwrap_or_default()))
        }
    }

    fn run(inject: Option<&str>) -> Run {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let trace: PathBuf = directory.path().join("trace");
        // So that the modes of files have to be set.
        let mut strace = Command::new("sh");
        strace.args(["-c", "umask 077; exec strace \"$@\"", "sh", "-qq", "-o"]).arg(&trace);
        if let Some(inject) = inject {
            let (call, _) = inject.split_once(':').unwrap();
            strace.arg("-e").arg(format!("trace={call},statx")).arg("-e");
            strace.arg(format!("inject={inject}"));
        }
        strace.arg(std::env::current_exe().unwrap()).env(DIRECTORY, directory.path());
        let output = strace.env_remove("LOG_LEVEL").output().unwrap();
        Run {
            trace: fs::read_to_string(&trace).unwrap_or_default(),
            outcome: fs::read_to_string(directory.path().join("outcome")).unwrap_or_default(),
            output: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
            _directory: directory,
        }
    }

    /// A call of the start: its name, and how many of that name come before it.
    type Call = (String, usize);

    /// The calls between the marks that are logwell's.
    fn calls(trace: &str) -> Vec<Call> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut calls = Vec::new();
        let mut is_within = false;
        for line in trace.lines() {
            let Some((name, rest)) = line.split_once('(') else { continue };
            let count = counts.entry(name).or_default();
            *count += 1;
            if MARKS.iter().any(|mark| rest.contains(mark)) {
                is_within = rest.contains(MARKS[0]);
            } else if is_within && is_ours(name, rest) {
                calls.push((name.to_owned(), *count));
            }
        }
        assert!(!calls.is_empty(), "{trace}");
        calls
    }

    fn is_ours(name: &str, arguments: &str) -> bool {
        let is_memory = name == "mmap" && arguments.contains("MAP_ANONYMOUS");
        !is_memory && !NOT_OURS.split_whitespace().any(|known| known == name)
    }

    fn any_call() {
        let undisturbed = run(None);
        assert!(undisturbed.is_logged(), "{}{}", undisturbed.outcome, undisturbed.output);
        assert_eq!(undisturbed.lines("told ").collect::<Vec<_>>(), [""; 0]);
        let usual: Vec<_> = undisturbed.lines("there ").map(str::to_owned).collect();
        let calls = calls(&undisturbed.trace);
        let at_once = match std::env::var_os("LOGWELL_TEST_ALL_ERRORS") {
            Some(_) => ERRORS.len(),
            None => ERRORS_AT_ONCE,
        };
        let cases: Vec<_> = calls
            .iter()
            .enumerate()
            .flat_map(|(at, call)| {
                let errors = ERRORS.iter().cycle().skip(at * at_once).take(at_once);
                errors.map(move |error| (call, *error))
            })
            .collect();
        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(((name, number), error)) =
                cases.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let inject = format!("{name}:error={error}:when={number}");
                if let Err(why) = check(&run(Some(&inject)), name, &usual) {
                    wrong.lock().unwrap().push(format!("{inject}: {why}"));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let wrong = wrong.into_inner().unwrap();
        println!("{} calls, {} runs", calls.len(), cases.len());
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// What a start with an error must be like.
    fn check(run: &Run, name: &str, usual: &[String]) -> Result<(), String> {
        let told: Vec<_> = run.lines("told ").collect();
        if !run.trace.contains("INJECTED") {
            return Err(format!("it was not made again: {}", run.trace));
        }
        if let Some(refused) = run.lines("refused ").next() {
            // Without its thread nothing could be written.
            let has_no_thread = refused.contains("cannot start the thread logwell:");
            return match name.starts_with("clone") && has_no_thread {
                true => Ok(()),
                false => Err(format!("refused: {refused}")),
            };
        }
        if !run.is_logged() {
            return Err(format!("nothing was logged: {}{}", run.outcome, run.output));
        }
        let there: Vec<_> = run.lines("there ").collect();
        if there != usual && told.is_empty() {
            return Err(format!("nobody says why there is {there:?}"));
        }
        Ok(())
    }

    fn documented() {
        let made: BTreeSet<String> =
            calls(&run(None).trace).into_iter().map(|(name, _)| name).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md");
        let text = fs::read_to_string(path).unwrap();
        let (_, section) = text.split_once("## What a start needs of the system").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let unknown: Vec<_> =
            made.iter().filter(|name| !section.contains(&format!("`{name}`"))).collect();
        assert!(unknown.is_empty(), "the list does not have {unknown:?}");
    }
}
