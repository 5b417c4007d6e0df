//! ConsoleSink: lines for a terminal, written by a separate thread so that a stuck terminal
//! holds up nothing else.
//!
//! Knows lines and a writer, which tracing-appender's non-blocking writer joins. Does not know what
//! a line looks like nor which stream the writer is.
//!
//! tracing-appender's thread forgets I/O errors and dies of a panic, and its guard prints to stdout
//! when it cannot stop the thread. None of that happens here: the thread is given a `Carrier`,
//! which never fails nor panics and counts what became of each line, and the guard is only dropped
//! when there is nothing left to write.

use crate::base::threads;
use crate::encode::Encode;
use crate::record::Record;
use crate::sink::{FlushError, Mark, Sink};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, mem, thread};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Writes records to a terminal, or to whatever stdout is.
///
/// Between the listener and the thread that writes lies a queue of lines. When the terminal is so
/// slow that it is full, or that 16 MiB wait, further lines are lost for the terminal: the log
/// files matter more.
///
/// | call | means |
/// |---|---|
/// | [`write`](Sink::write) | the line is in the queue, or lost; returns at once |
/// | [`flush`](Sink::flush) | reports what was lost since the last report, and what waits as `kept`; returns at once |
/// | [`sync`](Sink::sync) | waits for all lines as long as each 200 ms bring some, 3 s in all |
/// | [`finish`](Sink::finish) | waits for all lines until the time it is given |
/// | drop | waits up to a second for the rest; what is then left may still be written or not |
///
/// ```
/// use logwell::encode::text::{TextEncoder, TextOptions};
/// use logwell::sink::console::ConsoleSink;
///
/// let encoder = Box::new(TextEncoder::new(TextOptions::default()));
/// let sink = ConsoleSink::new(std::io::stdout(), encoder, 10_000)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ConsoleSink {
    encoder: Box<dyn Encode>,
    line: Vec<u8>,
    queue: NonBlocking,
    overflow: ErrorCounter,
    guard: Option<WorkerGuard>,
    progress: Arc<Progress>,
    /// Lines that came.
    offered: u64,
    /// Lines that were not offered to the queue, since those before are too long.
    too_long: u64,
    /// Lost lines that a flush has reported.
    reported: u64,
    /// Whether the black box keeps records until they are written here.
    is_recoverable: bool,
    sync_wait: Duration,
    sync_limit: Duration,
    close_wait: Duration,
}

const THREAD: &str = "logwell-console";
/// More room than this is given back after an unusually long line.
const LINE_BYTES: usize = 64 * 1024;
/// The queue's room is allocated at once: a larger number of lines is taken for this one.
const MAX_BUFFER_LINES: usize = 1 << 20;
/// Nor do lines wait beyond so many bytes: a thousand long ones would fill the memory.
const MAX_BUFFER_BYTES: usize = 16 << 20;
/// A terminal that takes no line for so long is taken for stuck.
const SYNC_WAIT: Duration = Duration::from_millis(200);
/// How long all syncs together wait for one that is only slow.
const SYNC_LIMIT: Duration = Duration::from_secs(3);
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How long a line waits for a writer that says `WouldBlock`.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

impl ConsoleSink {
    /// Starts the thread `logwell-console`, which writes to `writer`.
    ///
    /// `buffer_lines` is how many lines may wait for a slow terminal, at least 1 and at most
    /// 1 048 576. Each takes the memory of its text, 16 MiB in all.
    ///
    /// # Errors
    ///
    /// The thread could not be started.
    pub fn new(
        writer: impl Write + Send + 'static,
        encoder: Box<dyn Encode>,
        buffer_lines: usize,
    ) -> io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let carrier =
            Carrier { writer, mid_line: false, patience: PATIENCE, progress: progress.clone() };
        let builder = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(buffer_lines.clamp(1, MAX_BUFFER_LINES))
            .thread_name(THREAD);
        // tracing-appender panics where there is room for no thread, which ends a program that is
        // built with `panic=abort`.
        let _room = threads::spawn(THREAD, || ())?.join();
        let (queue, guard) =
            threads::deafly(|| catch_unwind(AssertUnwindSafe(|| builder.finish(carrier))))
                .map_err(|_| io::Error::other(format!("cannot start the thread {THREAD}")))?;
        Ok(Self {
            encoder,
            line: Vec::new(),
            overflow: queue.error_counter(),
            queue,
            guard: Some(guard),
            progress,
            offered: 0,
            too_long: 0,
            reported: 0,
            is_recoverable: false,
            sync_wait: SYNC_WAIT,
            sync_limit: SYNC_LIMIT,
            close_wait: CLOSE_WAIT,
        })
    }

    /// Has the black box keep records until they are written here. After a kill, lines that were
    /// written in its last moment are written again: a terminal does not say what it has.
    pub(crate) fn take_part(mut self, is_recoverable: bool) -> Self {
        self.is_recoverable = is_recoverable;
        self
    }

    /// Lines the full queue did not take.
    fn refused(&self) -> u64 {
        self.too_long.saturating_add(self.overflow.dropped_lines() as u64)
    }

    /// Offers the line to the queue, if there is room for its bytes.
    fn offer(&mut self) -> io::Result<()> {
        let (len, waiting) = (self.line.len(), &self.progress.waiting_bytes);
        let before = waiting.fetch_add(len, Ordering::Relaxed);
        let refused_before = self.overflow.dropped_lines();
        if before > 0 && before + len > MAX_BUFFER_BYTES {
            self.too_long = self.too_long.saturating_add(1);
        } else {
            self.queue.write_all(&self.line)?;
            if self.overflow.dropped_lines() == refused_before {
                return Ok(());
            }
        }
        waiting.fetch_sub(len, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until all lines are written or lost; returns how many are not after `limit`.
    fn wait(&self, limit: Duration) -> u64 {
        let taken = self.offered.saturating_sub(self.refused());
        taken.saturating_sub(self.progress.wait(taken, limit))
    }

    /// Waits as long as the terminal takes lines, and there is time left.
    fn wait_while_it_moves(&mut self) {
        let mut left = u64::MAX;
        loop {
            let (start, time) = (Instant::now(), self.sync_limit.min(self.sync_wait));
            let before = mem::replace(&mut left, self.wait(time));
            self.sync_limit = self.sync_limit.saturating_sub(start.elapsed());
            if left == 0 || left == before || time < self.sync_wait {
                return;
            }
        }
    }

    /// Tells what was lost since the last report, and what waits; `waiting` is why it may.
    fn report(&mut self, waiting: io::ErrorKind) -> Result<(), FlushError> {
        let taken = self.offered.saturating_sub(self.refused());
        let Counts { done, failed, error, .. } = self.progress.outcome();
        let kept = taken.saturating_sub(done);
        let all = self.refused().saturating_add(failed);
        let lost = all.saturating_sub(mem::replace(&mut self.reported, all));
        if lost == 0 && kept == 0 {
            return Ok(());
        }
        let kind = if lost > 0 { io::ErrorKind::TimedOut } else { waiting };
        let slow = || match kind {
            io::ErrorKind::WouldBlock => kind.into(),
            kind => io::Error::new(kind, "the terminal is slower than the log"),
        };
        Err(FlushError { error: error.unwrap_or_else(slow), kept, lost })
    }
}

impl Sink for ConsoleSink {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.line.shrink_to(LINE_BYTES);
        self.encoder.encode(record, &mut self.line);
        self.offered = self.offered.saturating_add(1);
        self.offer()
    }

    fn flush(&mut self) -> Result<(), FlushError> {
        self.report(io::ErrorKind::WouldBlock)
    }

    fn sync(&mut self) -> Result<(), FlushError> {
        self.wait_while_it_moves();
        self.report(io::ErrorKind::TimedOut)
    }

    fn mark(&self) -> Option<Mark> {
        self.is_recoverable.then(Mark::default)
    }

    fn finish(&mut self, until: Instant) -> Result<(), FlushError> {
        self.progress.be_patient(until);
        self.wait(until.saturating_duration_since(Instant::now()));
        self.report(io::ErrorKind::TimedOut)
    }
}

impl Drop for ConsoleSink {
    fn drop(&mut self) {
        let left = self.wait(self.close_wait);
        let Some(guard) = self.guard.take() else { return };
        if left == 0 {
            // The thread is idle and stops at once.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(guard)));
        } else {
            // The guard would wait for a stuck terminal, then print to it. The thread is left alone
            // instead: it ends with the process.
            mem::forget(guard);
        }
    }
}

impl fmt::Debug for ConsoleSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleSink")
            .field("offered", &self.offered)
            .field("refused", &self.refused())
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// What became of the lines the thread took. The thread adds, the sink reads and waits; the lock is
/// not held while anything is written.
#[derive(Debug, Default)]
struct Progress {
    counts: Mutex<Counts>,
    changed: Condvar,
    /// The bytes of the lines that are not done.
    waiting_bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Counts {
    /// Lines written or failed.
    done: u64,
    failed: u64,
    /// Why the last one failed, until it was reported.
    error: Option<io::Error>,
    /// Until then a line is not given up though the writer takes nothing.
    patient_until: Option<Instant>,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: io::Result<()>) {
        let mut counts = self.lock();
        counts.done = counts.done.saturating_add(1);
        if let Err(error) = line {
            counts.failed = counts.failed.saturating_add(1);
            counts.error = Some(error);
        }
        drop(counts);
        self.changed.notify_all();
    }

    /// Has no line given up before that time.
    fn be_patient(&self, until: Instant) {
        self.lock().patient_until = Some(until);
    }

    fn is_patient(&self) -> bool {
        self.lock().patient_until.is_some_and(|until| Instant::now() < until)
    }

    /// What became of the lines so far; the error is reported once.
    fn outcome(&self) -> Counts {
        let mut counts = self.lock();
        Counts {
            done: counts.done,
            failed: counts.failed,
            error: counts.error.take(),
            patient_until: counts.patient_until,
        }
    }

    /// Waits until `lines` are done, or until `limit` has passed; returns how many are.
    fn wait(&self, lines: u64, limit: Duration) -> u64 {
        let waited = self.changed.wait_timeout_while(self.lock(), limit, |now| now.done < lines);
        waited.unwrap_or_else(PoisonError::into_inner).0.done
    }
}

/// The writer as the thread sees it: takes each line whole and never fails.
struct Carrier<W> {
    writer: W,
    /// The last line was only begun.
    mid_line: bool,
    patience: Duration,
    progress: Arc<Progress>,
}

impl<W: Write> Write for Carrier<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let put = catch_unwind(AssertUnwindSafe(|| self.put_line(line)));
        let panicked = |_| Err(io::Error::other("the writer of the console panicked"));
        self.progress.waiting_bytes.fetch_sub(line.len(), Ordering::Relaxed);
        self.progress.add(put.unwrap_or_else(panicked));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Carrier<W> {
    fn put_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.mid_line {
            self.put(b"\n")?;
        }
        self.put(line)?;
        let mut waited = Duration::ZERO;
        while let Err(error) = self.writer.flush() {
            self.pause(error, &mut waited)?;
        }
        Ok(())
    }

    fn put(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let mut waited = Duration::ZERO;
        while !rest.is_empty() {
            match self.writer.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => {
                    rest = rest.get(len..).unwrap_or_default();
                    self.mid_line = !rest.is_empty();
                    waited = Duration::ZERO;
                }
                Err(error) => self.pause(error, &mut waited)?,
            }
        }
        Ok(())
    }

    /// Lets a moment pass if trying again may help, as with a stdout somebody made non-blocking.
    fn pause(&self, error: io::Error, waited: &mut Duration) -> io::Result<()> {
        use io::ErrorKind::{Interrupted, WouldBlock};
        let passing = matches!(error.kind(), Interrupted | WouldBlock);
        if !passing || (*waited >= self.patience && !self.progress.is_patient()) {
            return Err(error);
        }
        thread::sleep(PAUSE);
        *waited += PAUSE;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::callsite::{Callsite, Kind, Place};
    use crate::record::fields::Fields;
    use crate::record::level::Level;
    use std::sync::mpsc;
    use std::time::SystemTime;

    /// Writes the record's sequence number.
    struct SeqEncoder;

    impl Encode for SeqEncoder {
        fn encode(&mut self, record: &Record, out: &mut Vec<u8>) {
            out.extend_from_slice(format!("{}\n", record.seq()).as_bytes());
        }
    }

    /// A writer that asks a function; what it returned `Ok` for was written.
    struct Asking<F> {
        written: Arc<Mutex<Vec<u8>>>,
        answer: F,
    }

    impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Asking<F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let len = (self.answer)(bytes)?;
            self.written.lock().unwrap().extend_from_slice(&bytes[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Fixture {
        sink: ConsoleSink,
        callsite: &'static Callsite,
        written: Arc<Mutex<Vec<u8>>>,
        seq: u64,
    }

    impl Fixture {
        fn new(
            buffer_lines: usize,
            answer: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static,
        ) -> Self {
            let callsite = Callsite::leak(Place {
                level: Level::Info,
                target: "t",
                name: "event",
                module: None,
                file: None,
                line: None,
                fields: Box::default(),
                kind: Kind::Plain,
            });
            let written = Arc::new(Mutex::new(Vec::new()));
            let writer = Asking { written: written.clone(), answer };
            let sink = ConsoleSink::new(writer, Box::new(SeqEncoder), buffer_lines).unwrap();
            Self { sink, callsite, written, seq: 0 }
        }

        /// Writes the next `count` records.
        fn write(&mut self, count: u64) {
            for _ in 0..count {
                let record = Record::new(self.callsite, SystemTime::UNIX_EPOCH, Fields::new());
                self.sink.write(&record.with_seq(self.seq)).unwrap();
                self.seq += 1;
            }
        }

        /// Waits until no line is on its way; returns how many were lost and the last reason.
        fn settle(&mut self) -> (u64, Option<io::Error>) {
            let (mut all, mut last) = (0, None);
            while let Err(FlushError { error, kept, lost }) = self.sink.sync() {
                all += lost;
                if lost > 0 {
                    last = Some(error);
                }
                if kept == 0 {
                    break;
                }
            }
            (all, last)
        }

        fn written(&self) -> String {
            String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
        }
    }

    fn lines(seqs: impl IntoIterator<Item = u64>) -> String {
        seqs.into_iter().map(|seq| format!("{seq}\n")).collect()
    }

    #[test]
    fn lines_arrive_in_order() {
        let mut console = Fixture::new(1000, |bytes| Ok(bytes.len()));
        console.write(1000);
        assert_eq!(console.settle().0, 0);
        assert_eq!(console.written(), lines(0..1000));
        assert!(console.sink.sync().is_ok());
        assert!(console.sink.flush().is_ok());
    }

    /// A writer that tells when it was called and returns when it is let.
    fn stuck(buffer_lines: usize) -> (Fixture, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (entered, on_entry) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let console = Fixture::new(buffer_lines, move |bytes| {
            let _ = entered.send(());
            let _ = gate.recv();
            Ok(bytes.len())
        });
        (console, on_entry, open)
    }

    #[test]
    fn a_stuck_terminal_loses_only_what_exceeds_the_buffer_and_says_so_once() {
        let (mut console, on_entry, open) = stuck(4);
        console.sink.sync_wait = Duration::ZERO;
        console.write(1);
        on_entry.recv().unwrap(); // The thread holds line 0, the queue is empty.
        console.write(4);
        let waits = console.sink.flush().unwrap_err();
        assert!(waits.is_only_waiting());
        assert_eq!((waits.kept, waits.lost), (5, 0));
        console.write(3);
        let lost = console.sink.flush().unwrap_err();
        assert_eq!((lost.kept, lost.lost), (5, 3));
        assert_eq!(lost.error.to_string(), "the terminal is slower than the log");
        assert!(console.sink.flush().unwrap_err().is_only_waiting());
        let kept = console.sink.sync().unwrap_err();
        assert_eq!((kept.kept, kept.lost), (5, 0));

        drop(open);
        assert_eq!(console.settle().0, 0);
        console.write(1);
        assert_eq!(console.settle().0, 0);
        assert_eq!(console.written(), lines([0, 1, 2, 3, 4, 8]));
    }

    #[test]
    fn a_terminal_that_never_comes_back_does_not_hold_up_the_end() {
        let (mut console, on_entry, _open) = stuck(1);
        console.write(1);
        on_entry.recv().unwrap();
        console.write(5);
        let start = Instant::now();
        drop(console.sink);
        assert!(start.elapsed() >= CLOSE_WAIT);
        assert!(start.elapsed() < CLOSE_WAIT * 100, "took {:?}", start.elapsed());
    }

    #[test]
    fn long_lines_for_a_stuck_terminal_take_no_more_memory_than_the_limit() {
        struct Long;
        impl Encode for Long {
            fn encode(&mut self, _: &Record, out: &mut Vec<u8>) {
                out.resize(out.len() + MAX_BUFFER_BYTES / 4, b'x');
                out.push(b'\n');
            }
        }
        let (mut console, on_entry, open) = stuck(1000);
        console.sink.encoder = Box::new(Long);
        console.sink.sync_wait = Duration::ZERO;
        console.write(1);
        on_entry.recv().unwrap();
        console.write(9);
        let lost = console.sink.flush().unwrap_err();
        assert_eq!((lost.kept, lost.lost), (3, 7), "the line that is being written counts too");

        drop(open);
        assert_eq!(console.settle().0, 0);
        console.write(3);
        assert_eq!(console.settle().0, 0, "there is room again");
    }

    #[test]
    fn a_slow_terminal_is_waited_for_as_long_as_it_takes_lines() {
        // Where the machine is too busy to take a line in time, all has more time.
        let waits = [500, 4_000, 30_000].map(Duration::from_millis);
        assert!(waits.into_iter().any(waits_for_a_slow_terminal));
    }

    /// Whether the end waits for ten lines, each of which takes a fifth of that time.
    fn waits_for_a_slow_terminal(wait: Duration) -> bool {
        let (mut console, on_entry, open) = stuck(100);
        console.sink.sync_limit = wait * 100;
        console.sink.sync_wait = wait;
        console.write(10);
        let reader = thread::spawn(move || {
            for _ in 0..10 {
                on_entry.recv().unwrap();
                assert!(on_entry.recv_timeout(wait / 5).is_err());
                open.send(()).unwrap();
            }
        });
        let is_written = console.sink.sync().is_ok();
        reader.join().unwrap();
        console.settle();
        assert_eq!(console.written(), lines(0..10));
        is_written
    }

    #[test]
    fn the_end_waits_for_a_terminal_that_takes_nothing_for_a_while() {
        let (mut console, on_entry, open) = stuck(100);
        console.sink.sync_wait = Duration::ZERO;
        console.write(10);
        on_entry.recv().unwrap();
        assert_eq!(console.sink.sync().unwrap_err().kept, 10, "no more than a moment");
        let (finishing, begun) = mpsc::channel();
        let reader = thread::spawn(move || {
            begun.recv().unwrap();
            // Longer than what is taken for stuck otherwise.
            assert!(begun.recv_timeout(SYNC_WAIT * 2).is_err());
            drop(open);
            on_entry.into_iter().for_each(drop);
        });
        finishing.send(()).unwrap();
        assert!(console.sink.finish(Instant::now() + LONG).is_ok());
        assert_eq!(console.written(), lines(0..10));
        drop((console, finishing));
        reader.join().unwrap_or_else(drop);
    }

    #[test]
    fn the_end_waits_no_longer_than_it_may_and_says_what_is_missing() {
        let (mut console, on_entry, _open) = stuck(100);
        console.write(10);
        on_entry.recv().unwrap();
        let left = console.sink.finish(Instant::now() + SYNC_WAIT).unwrap_err();
        assert_eq!((left.kept, left.lost, left.error.kind()), (10, 0, io::ErrorKind::TimedOut));
    }

    #[test]
    fn at_the_end_a_line_is_not_given_up_while_there_is_time() {
        let progress = Arc::new(Progress::default());
        progress.be_patient(Instant::now() + LONG);
        let mut refusals = 5;
        let answer = move |bytes: &[u8]| match refusals {
            0 => Ok(bytes.len()),
            _ => {
                refusals -= 1;
                Err(io::ErrorKind::WouldBlock.into())
            }
        };
        let writer = Asking { written: Arc::default(), answer };
        let patience = Duration::ZERO;
        let mut carrier =
            Carrier { writer, mid_line: false, patience, progress: Arc::clone(&progress) };
        assert_eq!(carrier.write(b"late\n").unwrap(), 5);
        assert_eq!(progress.outcome().failed, 0);
    }

    #[test]
    fn the_end_waits_for_the_lines_and_stops_the_thread() {
        let (alive, gone) = mpsc::channel::<()>();
        let mut console = Fixture::new(100, move |bytes| {
            let _alive = &alive;
            thread::yield_now();
            Ok(bytes.len())
        });
        console.sink.close_wait = Duration::from_secs(60);
        console.write(100);
        drop(console.sink);
        assert!(gone.recv().is_err(), "the thread has dropped the writer");
        assert_eq!(*console.written.lock().unwrap(), lines(0..100).into_bytes());
    }

    #[test]
    fn what_a_closed_terminal_refuses_is_counted_and_harms_nothing() {
        let mut console = Fixture::new(10, |_| Err(io::ErrorKind::BrokenPipe.into()));
        console.write(7);
        let (lost, error) = console.settle();
        assert_eq!((lost, error.unwrap().kind()), (7, io::ErrorKind::BrokenPipe));
    }

    #[test]
    fn a_panic_of_the_writer_loses_one_line() {
        let mut first = true;
        let mut console = Fixture::new(10, move |bytes| {
            assert!(!mem::take(&mut first), "a panic on purpose");
            Ok(bytes.len())
        });
        console.write(3);
        let (lost, error) = console.settle();
        assert_eq!(lost, 1);
        assert_eq!(error.unwrap().to_string(), "the writer of the console panicked");
        assert_eq!(console.written(), lines([1, 2]));
    }

    /// Writes `lines` through a carrier to a writer that answers with `answers`, then takes all.
    /// Returns what was written, and how many lines failed.
    fn carry(patience: Duration, answers: Vec<io::Result<usize>>, lines: &[&str]) -> (String, u64) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut answers = answers.into_iter();
        let answer = move |bytes: &[u8]| answers.next().unwrap_or(Ok(bytes.len()));
        let progress = Arc::new(Progress::default());
        let mut carrier = Carrier {
            writer: Asking { written: written.clone(), answer },
            mid_line: false,
            patience,
            progress: progress.clone(),
        };
        for line in lines {
            assert_eq!(carrier.write(line.as_bytes()).unwrap(), line.len());
        }
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        (text, progress.outcome().failed)
    }

    /// Longer than anything takes that does not hang.
    const LONG: Duration = Duration::from_secs(120);

    #[test]
    fn short_and_interrupted_writes_are_continued() {
        let again = || Err(io::ErrorKind::WouldBlock.into());
        let answers = vec![Ok(1), again(), Err(io::ErrorKind::Interrupted.into()), Ok(2), again()];
        let carried = carry(LONG, answers, &["abcdef\n", "g\n"]);
        assert_eq!(carried, ("abcdef\ng\n".to_owned(), 0));
    }

    #[test]
    fn patience_ends_and_the_next_line_begins_on_a_line_of_its_own() {
        let answers = vec![Ok(3), Err(io::ErrorKind::WouldBlock.into())];
        let carried = carry(Duration::ZERO, answers, &["abcdef\n", "g\n", "h\n"]);
        assert_eq!(carried, ("abc\ng\nh\n".to_owned(), 1));
    }

    #[test]
    fn a_writer_that_takes_nothing_fails_the_line() {
        let carried = carry(PATIENCE, vec![Ok(0)], &["a\n", "b\n"]);
        assert_eq!(carried, ("b\n".to_owned(), 1));
    }
}
