//! Signals are the application's: none of our threads takes one.

use crate::support::{SOON, quiet, wait_until};
use crate::{Scenario, ended_well};
use logwell::record::Record;
use logwell::sink::{Accepts, FlushError, Sink};
use logwell::{LoggingConfig, QueueLayer};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, exit};
use std::time::Instant;
use tracing::{error, info};

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        ("a_signal_that_the_application_blocks_and_waits_for_is_its_own", waited_for as fn(&Path)),
        ("signals_that_cannot_be_handled_are_told_by_health", not_handled),
        ("each_thread_of_ours_blocks_every_signal_but_its_own_faults", all_blocked),
    ]
    .into_iter()
    .map(|(sentence, run)| Scenario { sentence, run, check: ended_well })
    .chain([Scenario {
        sentence: "an_abort_on_a_thread_of_ours_ends_the_process_by_its_signal",
        run: aborts,
        check: |output, _| {
            assert_eq!(output.status.signal(), Some(Signal::SIGABRT as i32), "{}", output.status);
        },
    }])
    .collect()
}

/// Everything that has a thread; the servers take connections and say nothing.
fn everything(dir: &Path) -> LoggingConfig {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    std::mem::forget(silent);
    let dir = serde_json::to_string(dir).unwrap();
    let mut yaml = format!(
        "level: trace\nfiles: {{dir: {dir}, compress: gzip, sync: error}}\n\
         console: {{stream: stderr}}\nshutdown: {{timeout: 1s}}\n\
         hooks: {{signals: term_and_int, reopen_on_hangup: true}}\n"
    );
    if cfg!(feature = "rabbitmq") {
        yaml += &format!(
            "service: {{domain: shop.example}}\nforward:\n  http: {{allow_plain: true}}\n  \
               logbeacon: {{enabled: true, url: 'http://127.0.0.1:{port}/', token: x}}\n  \
               telegram: {{enabled: true, base_url: 'http://127.0.0.1:{port}', \
                 developer: {{token: '1:x', chat_id: '1'}}, customer: {{token: '2:x', chat_id: '2'}}}}\n  \
               rabbitmq: {{enabled: true, port: {port}}}\n"
        );
    }
    LoggingConfig::from_yaml(&yaml).unwrap()
}

/// Starts all threads that there can be.
fn start_everything(dir: &Path) {
    let handle = logwell::init_logging_with(everything(dir)).unwrap();
    info!("to be delivered");
    error!("to be made durable at once");
    wait_until(|| handle.rotate_now().is_ok());
    wait_for(|threads| threads.keys().any(|(_, name)| name == "logwell-janitor"));
    // The thread for standard error starts with the first trouble: a box is deleted.
    for path in logwell::black_box::list(dir).unwrap() {
        std::fs::remove_file(path).unwrap();
    }
    wait_for(|threads| threads.keys().any(|(_, name)| name == "logwell-stderr"));
}

/// Number and name of each thread, and what it blocks.
fn threads() -> BTreeMap<(u32, String), u64> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let thread = |task: std::io::Result<std::fs::DirEntry>| {
        let task = task.ok()?;
        let number = task.file_name().to_str()?.parse().ok()?;
        // A thread may have ended meanwhile.
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        let line = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
        let blocked = u64::from_str_radix(line("SigBlk:")?.trim(), 16).ok()?;
        Some(((number, line("Name:")?.trim().to_owned()), blocked))
    };
    tasks.filter_map(thread).collect()
}

fn wait_for(is_so: impl Fn(&BTreeMap<(u32, String), u64>) -> bool) {
    let until = Instant::now() + SOON;
    while !is_so(&threads()) {
        assert!(Instant::now() < until, "{:?}", threads());
        std::thread::yield_now();
    }
}

fn all_blocked(dir: &Path) {
    let before: Vec<_> = threads().into_keys().map(|(number, _)| number).collect();
    start_everything(dir);
    let mut ours = threads();
    ours.retain(|(number, _), _| !before.contains(number));
    let names: Vec<_> = ours.keys().map(|(_, name)| name.as_str()).collect();
    let mut wanted = vec!["logwell", "logwell-console", "logwell-signals", "logwell-sync"];
    if cfg!(feature = "rabbitmq") {
        // The system keeps fifteen letters of a name.
        wanted.extend(["logwell-logbeac", "logwell-rabbitm", "lapin-io-loop"]);
    }
    for wanted in wanted {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    let bit = |signal: Signal| 1_u64 << (signal as i32 - 1);
    let bits = |signals: &[Signal]| signals.iter().map(|&it| bit(it)).sum::<u64>();
    let faults = [
        Signal::SIGSEGV,
        Signal::SIGBUS,
        Signal::SIGSYS,
        // Nobody can block these.
        Signal::SIGKILL,
        Signal::SIGSTOP,
    ];
    let asked_for = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
    // C keeps two of the real-time signals to itself.
    let all = !(bits(&faults) | 3 << 31);
    for ((_, name), blocked) in ours {
        let wanted = all & !if name == "logwell-signals" { bits(&asked_for) } else { 0 };
        assert_eq!(blocked & !(3 << 31), wanted, "{name}: {blocked:#x}, not {wanted:#x}");
    }
}

/// The listener's thread blocks SIGABRT, which `abort()` unblocks.
fn aborts(_: &Path) {
    struct Aborts;
    impl Sink for Aborts {
        fn write(&mut self, _: &Record) -> std::io::Result<()> {
            std::process::abort()
        }

        fn flush(&mut self) -> Result<(), FlushError> {
            Ok(())
        }
    }
    let builder = QueueLayer::builder().config(quiet("info"));
    let handle = builder.sink("aborts", Accepts::all(), Aborts).init().unwrap();
    info!("the last one");
    let _ = handle.flush(SOON);
    exit(0);
}

/// How many files the process may open.
const FILES: &str = "LOGWELL_FILES";
const IS_TOLD: i32 = 3;

/// Starts itself with room for so few files that logging has no pipe for its signals.
fn not_handled(_: &Path) {
    if std::env::var_os(FILES).is_some() {
        let mut config = LoggingConfig::builder().files(false).build().unwrap();
        config.hooks.signals = logwell::config::Signals::Term;
        let health = logwell::init_logging_with(config).unwrap().health().to_string();
        exit(if health.contains("signals are not handled") { IS_TOLD } else { 0 });
    }
    let code = |files: u32| {
        let mut inner = Command::new("sh");
        inner.args(["-c", "ulimit -n $LOGWELL_FILES && exec \"$0\""]);
        let me = std::env::current_exe().unwrap();
        inner.arg(me).env(FILES, files.to_string()).output().unwrap().status.code()
    };
    // With too few the start fails; with enough nothing does.
    let told = (4..32).map(code).find(|code| matches!(code, Some(0 | IS_TOLD)));
    assert_eq!(told, Some(Some(IS_TOLD)));
}

fn waited_for(dir: &Path) {
    let mut config = everything(dir);
    config.hooks.signals = logwell::config::Signals::None;
    config.hooks.reopen_on_hangup = false;
    let handle = logwell::init_logging_with(config).unwrap();
    // The one thread of this process that is neither ours nor blocks it itself would take it.
    let mut signals = SigSet::empty();
    // The last is what systemd sends to a service whose watchdog has expired.
    let waited_for = [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGALRM, Signal::SIGABRT];
    waited_for.into_iter().for_each(|it| signals.add(it));
    signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap();
    wait_until(|| handle.rotate_now().is_ok());
    for signal in waited_for {
        for _ in 0..20 {
            error!("while this is written");
            // To the process, not to this thread.
            nix::sys::signal::kill(nix::unistd::Pid::this(), signal).unwrap();
            assert_eq!(signals.wait().unwrap(), signal);
        }
    }
    raise(Signal::SIGTERM).unwrap();
    assert_eq!(signals.wait().unwrap(), Signal::SIGTERM);
}
