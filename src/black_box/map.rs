//! Map: a file in memory, as words that outlive the process, and that survive the file.
//!
//! What is stored in a word is the system's from that moment: it is in the file even if the process
//! is killed with the next instruction. When others cut the file, or its disk fails or is full, the
//! system answers an access with SIGBUS. The guard then puts memory in the place of the file, and
//! the access is repeated there: the words stay, and are this process's only. Knows no word's
//! meaning. The only file with `unsafe`.
#![expect(unsafe_code, reason = "mapped memory and signal handlers are beyond the compiler")]

#[cfg(not(unix))]
use no_guard as guard;

use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

pub(crate) use guard::keep_guard;

/// A whole file as words.
#[derive(Debug)]
pub(super) struct Map {
    raw: MmapRaw,
    words: usize,
    range: &'static guard::Range,
}

impl Map {
    /// Maps the first so many words of the file.
    ///
    /// # Errors
    ///
    /// The file is shorter, the system does not map it, or SIGBUS cannot be handled.
    pub(super) fn new(file: &File, words: usize) -> io::Result<Self> {
        let bytes = words.checked_mul(size_of::<u64>()).ok_or(io::ErrorKind::InvalidInput)?;
        if file.metadata()?.len() < bytes as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        keep_guard()?;
        let raw = MmapOptions::new().len(bytes).map_raw(file)?;
        let range = guard::Range::claim(raw.as_ptr().addr(), bytes)?;
        Ok(Self { raw, words, range })
    }

    #[inline]
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY:
        // - The mapping is `words * 8` bytes long, readable and writable, and begins at a page, so
        //   that it is aligned for words. It lives as long as `self.raw`, and the slice not longer.
        // - Any bytes are a valid `AtomicU64`, and no other references to them are ever made, so
        //   all access in this process is atomic. Other processes see the file through its lock
        //   only when this one is gone; what they would write is a value like any other.
        // - A mapping stays valid while the file is renamed or deleted. If somebody cuts the
        //   file, an access beyond its end is the signal SIGBUS, which is no undefined behaviour;
        //   the guard maps memory there. What is mapped in its place is as long, as readable and as
        //   writable.
        unsafe { std::slice::from_raw_parts(self.raw.as_mut_ptr().cast::<AtomicU64>(), self.words) }
    }

    /// Changes when words and file part, and when they come together. Never 0; odd while they are
    /// apart.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.range.epoch()
    }

    /// Whether what is stored in a word is in no file.
    #[inline]
    pub(super) fn is_apart(&self) -> bool {
        self.epoch() % 2 == 1
    }

    /// Puts memory, all zero, in the place of the file.
    pub(super) fn part(&self) {
        self.range.part();
    }

    /// Puts another file in the place of the memory. They count as apart until
    /// [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// The file is shorter, or the system does not map it.
    pub(super) fn replace(&self, file: &File) -> io::Result<()> {
        if file.metadata()?.len() < self.words as u64 * 8 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.range.replace(file)
    }

    /// Words and file are together again, if nothing has happened to either since that epoch.
    #[must_use]
    pub(super) fn join(&self, since: u64) -> bool {
        self.range.join(since)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // Before the addresses are somebody else's.
        self.range.release();
    }
}

/// What is between a mapped file that was cut and the end of the process.
#[cfg(unix)]
mod guard {
    use libc::{c_int, c_void, siginfo_t};
    use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous};
    use std::fs::File;
    use std::io;
    use std::ptr;
    use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
    use std::sync::{Mutex, PoisonError};

    /// So many boxes a process can have at a time.
    const MAX_RANGES: usize = 1_024;
    /// So often others can install a handler of SIGBUS over ours.
    const MAX_HANDLERS: usize = 8;
    /// The address of a range that is being made.
    const CLAIMED: usize = usize::MAX;
    /// How a range begins: together with its file.
    const FIRST_EPOCH: u64 = 2;

    static RANGES: [Range; MAX_RANGES] = [const { Range::free() }; MAX_RANGES];

    /// The addresses of a mapped file. Read in the signal handler, so that all of it is atomic.
    #[derive(Debug)]
    pub(in super::super) struct Range {
        /// 0 if it is free.
        start: AtomicUsize,
        bytes: AtomicUsize,
        epoch: AtomicU64,
    }

    impl Range {
        const fn free() -> Self {
            let (start, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Self { start, bytes, epoch: AtomicU64::new(FIRST_EPOCH) }
        }

        pub(super) fn claim(start: usize, bytes: usize) -> io::Result<&'static Self> {
            let claim = |range: &&Self| {
                range
                    .start
                    .compare_exchange(0, CLAIMED, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            };
            let text = || format!("there are {MAX_RANGES} in this process already");
            let range = RANGES.iter().find(claim).ok_or_else(|| io::Error::other(text()))?;
            range.bytes.store(bytes, Ordering::Relaxed);
            range.epoch.store(FIRST_EPOCH, Ordering::Relaxed);
            range.start.store(start, Ordering::Release);
            Ok(range)
        }

        pub(super) fn release(&self) {
            self.start.store(0, Ordering::Release);
        }

        #[inline]
        pub(super) fn epoch(&self) -> u64 {
            self.epoch.load(Ordering::Relaxed)
        }

        fn has(&self, address: usize) -> bool {
            let start = self.start.load(Ordering::Acquire);
            start != 0
                && start != CLAIMED
                && address.wrapping_sub(start) < self.bytes.load(Ordering::Relaxed)
        }

        /// Puts memory in the place of the file; says whether there was some. Async-signal-safe.
        pub(super) fn part(&self) -> bool {
            let (flags, start) = (MapFlags::PRIVATE | MapFlags::FIXED, self.start());
            self.count_as_apart();
            // SAFETY: the range is that of a mapping that we own, and all access to it is atomic;
            // what was there may be gone by the contract of `Map`.
            let mapped = unsafe {
                mmap_anonymous(start, self.bytes(), ProtFlags::READ | ProtFlags::WRITE, flags)
            };
            // Once more: a `join` in between has not seen that the file is gone.
            self.count_as_apart();
            mapped.is_ok()
        }

        fn count_as_apart(&self) {
            let next = |epoch: u64| Some(epoch + 1 + epoch % 2);
            let _is_always_some =
                self.epoch.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next);
        }

        pub(super) fn replace(&self, file: &File) -> io::Result<()> {
            let (prot, flags) =
                (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::FIXED);
            // SAFETY: as in `part`; the file is long enough, or will be cut, which is SIGBUS again.
            unsafe { mmap(self.start(), self.bytes(), prot, flags, file, 0) }?;
            Ok(())
        }

        pub(super) fn join(&self, since: u64) -> bool {
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            self.epoch.compare_exchange(since, since + 1, success, failure).is_ok()
        }

        fn start(&self) -> *mut c_void {
            ptr::with_exposed_provenance_mut(self.start.load(Ordering::Acquire))
        }

        fn bytes(&self) -> usize {
            self.bytes.load(Ordering::Relaxed)
        }
    }

    type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

    /// One for each time that somebody has installed another over ours: each knows what was there
    /// before it. So whoever passes a signal on to the handler before his own, ours or not, finds
    /// the end.
    static HANDLERS: [Handler; MAX_HANDLERS] = [
        on_bus_error::<0>,
        on_bus_error::<1>,
        on_bus_error::<2>,
        on_bus_error::<3>,
        on_bus_error::<4>,
        on_bus_error::<5>,
        on_bus_error::<6>,
        on_bus_error::<7>,
    ];
    static FORMERS: [Former; MAX_HANDLERS] = [const { Former::default() }; MAX_HANDLERS];
    /// How many of the handlers are in use.
    static USED: Mutex<usize> = Mutex::new(0);

    /// Sees to it that SIGBUS comes to us first. Costs one system call if it does.
    ///
    /// # Errors
    ///
    /// The system does not allow it, or others have installed theirs over ours too often.
    pub(crate) fn keep_guard() -> io::Result<()> {
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        let current = action(None)?;
        if HANDLERS.iter().any(|&handler| handler as usize == current.sa_sigaction) {
            if current.sa_flags & libc::SA_SIGINFO == 0 {
                // Somebody has put it back by C's `signal`, which loses the flags.
                let flags = current.sa_flags | libc::SA_SIGINFO | libc::SA_ONSTACK;
                action(Some(&libc::sigaction { sa_flags: flags, ..current }))?;
            }
            return Ok(());
        }
        let (Some(&handler), Some(former)) = (HANDLERS.get(*used), FORMERS.get(*used)) else {
            let text = format!("others have installed a handler of SIGBUS {MAX_HANDLERS} times");
            return Err(io::Error::other(text));
        };
        former.set(&current);
        let mut ours = current;
        if matches!(current.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            ours.sa_flags = libc::SA_ONSTACK;
        }
        ours.sa_sigaction = handler as usize;
        ours.sa_flags = ours.sa_flags & !libc::SA_RESETHAND | libc::SA_SIGINFO;
        // Between the two calls somebody may have changed it.
        former.set(&action(Some(&ours))?);
        *used += 1;
        Ok(())
    }

    /// What is done at SIGBUS, and from now on, if that is to be changed.
    fn action(new: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
        let mut old = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: both pointers are valid or null; a handler of ours is async-signal-safe.
        let done = unsafe {
            libc::sigaction(libc::SIGBUS, new.map_or(ptr::null(), ptr::from_ref), old.as_mut_ptr())
        };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call went well, and has filled it.
        Ok(unsafe { old.assume_init() })
    }

    /// Async-signal-safe: atomics, and system calls that touch nothing else.
    extern "C" fn on_bus_error<const N: usize>(
        signal: c_int,
        info: *mut siginfo_t,
        context: *mut c_void,
    ) {
        // SAFETY: with SA_SIGINFO the system passes what has happened, and so does who passes it
        // on.
        let (code, address) = match unsafe { info.as_ref() } {
            // SAFETY: SIGBUS has an address; where it has none, the code is not positive.
            Some(info) => (info.si_code, unsafe { info.si_addr() }.addr()),
            None => (0, 0),
        };
        let is_ours = |range: &&Range| code > 0 && range.has(address);
        if !RANGES.iter().find(is_ours).is_some_and(Range::part)
            && let Some(former) = FORMERS.get(N)
        {
            former.take(signal, code, (info, context));
        }
    }

    /// What was done at SIGBUS before.
    struct Former {
        handler: AtomicUsize,
        flags: AtomicI32,
    }

    impl Former {
        const fn default() -> Self {
            Self { handler: AtomicUsize::new(libc::SIG_DFL), flags: AtomicI32::new(0) }
        }

        fn set(&self, action: &libc::sigaction) {
            self.flags.store(action.sa_flags, Ordering::Relaxed);
            self.handler.store(action.sa_sigaction, Ordering::Release);
        }

        /// Does with a signal that is not ours what was done with it before.
        fn take(&self, signal: c_int, code: c_int, what: (*mut siginfo_t, *mut c_void)) {
            let handler = self.handler.load(Ordering::Acquire);
            let flags = self.flags.load(Ordering::Relaxed);
            let was_sent = code <= 0;
            if handler == libc::SIG_DFL || handler == libc::SIG_IGN && !was_sent {
                return end(signal, was_sent);
            }
            if handler == libc::SIG_IGN {
                return;
            }
            if flags & libc::SA_RESETHAND != 0 {
                self.handler.store(libc::SIG_DFL, Ordering::Release);
            }
            let handler = ptr::with_exposed_provenance::<()>(handler);
            // SAFETY: somebody has installed it as a handler with these flags.
            unsafe {
                if flags & libc::SA_SIGINFO != 0 {
                    std::mem::transmute::<*const (), Handler>(handler)(signal, what.0, what.1);
                } else {
                    std::mem::transmute::<*const (), extern "C" fn(c_int)>(handler)(signal);
                }
            }
        }
    }

    /// Lets the system end the process, as it does by default: the access is repeated, or what was
    /// sent is sent again.
    fn end(signal: c_int, was_sent: bool) {
        // SAFETY: both calls are async-signal-safe; all zero is the default action.
        unsafe {
            let default = std::mem::zeroed::<libc::sigaction>();
            libc::sigaction(signal, &raw const default, ptr::null_mut());
            if was_sent {
                libc::raise(signal);
            }
        }
    }
}

/// Where nobody can cut a mapped file.
#[cfg(not(unix))]
mod no_guard {
    use std::fs::File;
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug)]
    pub(in super::super) struct Range(AtomicU64);

    impl Range {
        pub(super) fn claim(_: usize, _: usize) -> io::Result<&'static Self> {
            Ok(Box::leak(Box::new(Self(AtomicU64::new(2)))))
        }

        pub(super) fn release(&self) {}

        pub(super) fn epoch(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        pub(super) fn part(&self) -> bool {
            self.0.fetch_or(1, Ordering::AcqRel);
            true
        }

        pub(super) fn replace(&self, _: &File) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn join(&self, _: u64) -> bool {
            false
        }
    }

    pub(crate) fn keep_guard() -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn what_is_stored_is_in_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4_096).unwrap();
        let map = Map::new(file.as_file(), 512).unwrap();
        map.words()[511].store(0x0102_0304_0506_0708, Ordering::Relaxed);
        let bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(bytes[511 * 8..], 0x0102_0304_0506_0708_u64.to_ne_bytes());
        assert_eq!(map.words().len(), 512);
    }

    #[test]
    fn a_file_that_is_too_short_is_not_mapped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4_095).unwrap();
        assert!(Map::new(file.as_file(), 512).is_err());
        assert!(Map::new(file.as_file(), usize::MAX).is_err());
    }
}

#[cfg(unix)]
#[cfg(test)]
mod cut {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, ExitStatus};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Barrier};

    const WORDS: usize = 64 << 10;
    const CHILD: &str = "LOGWELL_TEST_MAP";

    fn a_file() -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(WORDS as u64 * 8).unwrap();
        file
    }

    fn store_and_load(map: &Map) {
        // The first time finds out that the file was cut.
        for _ in 0..2 {
            map.words().iter().zip(1..).for_each(|(word, n)| word.store(n, Ordering::Relaxed));
        }
        assert!(map.words().iter().zip(1..).all(|(word, n)| word.load(Ordering::Relaxed) == n));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_leaves_its_words() {
        for bytes in [0, 1, 4_096, WORDS as u64 * 4, WORDS as u64 * 8 - 4_096] {
            let file = a_file();
            let map = Map::new(&file, WORDS).unwrap();
            assert!(!map.is_apart());
            file.set_len(bytes).unwrap();
            store_and_load(&map);
            assert!(map.is_apart(), "{bytes}");
        }
    }

    #[test]
    fn a_file_that_is_cut_while_threads_write_leaves_them_their_words() {
        for _ in 0..20 {
            let file = a_file();
            let map = Map::new(&file, WORDS).unwrap();
            let barrier = Barrier::new(5);
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let (map, barrier) = (&map, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        while !map.is_apart() {
                            map.words().iter().for_each(|it| it.store(thread, Ordering::Relaxed));
                        }
                    });
                }
                barrier.wait();
                file.set_len(0).unwrap();
            });
            store_and_load(&map);
        }
    }

    #[test]
    fn words_get_another_file_unless_that_is_cut_meanwhile() {
        let (first, second) = (a_file(), a_file());
        let map = Map::new(&first, WORDS).unwrap();
        map.part();
        let since = map.epoch();
        map.replace(&second).unwrap();
        map.words()[9].store(7, Ordering::Relaxed);
        assert!(map.is_apart() && map.join(since) && !map.is_apart());
        let mut bytes = [0; 8];
        std::os::unix::fs::FileExt::read_exact_at(&second, &mut bytes, 72).unwrap();
        assert_eq!(u64::from_ne_bytes(bytes), 7);
        map.part();
        let since = map.epoch();
        map.replace(&first).unwrap();
        first.set_len(0).unwrap();
        store_and_load(&map);
        assert!(!map.join(since) && map.is_apart());
        assert!(map.replace(&first).is_err(), "it is too short now");
    }

    #[test]
    fn who_holds_no_map_any_more_leaves_its_place_to_others() {
        (0..3_000).for_each(|_| drop(Map::new(&a_file(), 512).unwrap()));
    }

    /// Runs that test in its own process, for a handler is the whole process's; in that process,
    /// runs the case and ends.
    fn alone(test: &str, case: impl FnOnce()) -> ExitStatus {
        if std::env::var_os(CHILD).is_some_and(|child| *child == *test) {
            // Its end by a signal is no news.
            rustix::process::setrlimit(
                rustix::process::Resource::Core,
                rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
            )
            .unwrap();
            case();
            std::process::exit(0);
        }
        let test_path = format!("black_box::map::cut::{}", test.split(' ').next().unwrap());
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &test_path, "--test-threads=1"]).env(CHILD, test);
        child.output().unwrap().status
    }

    /// Whether this is the process of another case of the same test.
    fn is_forked(test: &str) -> bool {
        std::env::var_os(CHILD).is_some_and(|child| *child != *test)
    }

    /// A fault of the application's: nobody maps anything in the place of this file.
    fn foreign_fault() {
        let file = a_file();
        let map = MmapOptions::new().len(4_096).map_raw(&file).unwrap();
        file.set_len(0).unwrap();
        // SAFETY: it is mapped; that it cannot be read is what is tested.
        let _ = unsafe { map.as_ptr().read_volatile() };
    }

    extern "C" fn exit_with_7(_: libc::c_int) {
        // SAFETY: it is async-signal-safe.
        unsafe { libc::_exit(7) }
    }

    /// Installs a handler, or what stands for one; gives what was there.
    fn install(handler: libc::sighandler_t) -> libc::sigaction {
        // SAFETY: all zero is an action.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler;
        put_back(&action)
    }

    fn put_back(action: &libc::sigaction) -> libc::sigaction {
        // SAFETY: the handler is async-signal-safe.
        unsafe {
            let mut old = std::mem::zeroed();
            assert_eq!(libc::sigaction(libc::SIGBUS, action, &raw mut old), 0);
            old
        }
    }

    fn cut_one() {
        let file = a_file();
        let map = Map::new(&file, WORDS).unwrap();
        file.set_len(0).unwrap();
        store_and_load(&map);
    }

    fn foreign_fault_after(handler: libc::sighandler_t) {
        install(handler);
        cut_one();
        foreign_fault();
    }

    fn handler_of_the_application() -> libc::sighandler_t {
        exit_with_7 as extern "C" fn(libc::c_int) as libc::sighandler_t
    }

    #[test]
    fn a_fault_of_the_application_does_what_it_would_without_us() {
        type Case = (&'static str, fn(), fn(&ExitStatus) -> bool);
        let cases: [Case; 7] = [
            (
                "std's handler",
                || {
                    cut_one();
                    foreign_fault();
                },
                |end| end.signal() == Some(libc::SIGBUS),
            ),
            (
                "the default",
                || foreign_fault_after(libc::SIG_DFL),
                |end| end.signal() == Some(libc::SIGBUS),
            ),
            (
                "ignored",
                || foreign_fault_after(libc::SIG_IGN),
                |end| end.signal() == Some(libc::SIGBUS),
            ),
            (
                "sent, the default",
                || {
                    install(libc::SIG_DFL);
                    cut_one();
                    signal_hook::low_level::raise(libc::SIGBUS).unwrap();
                },
                |end| end.signal() == Some(libc::SIGBUS),
            ),
            (
                "sent, ignored",
                || {
                    install(libc::SIG_IGN);
                    cut_one();
                    signal_hook::low_level::raise(libc::SIGBUS).unwrap();
                    cut_one();
                },
                ExitStatus::success,
            ),
            (
                "handled before",
                || foreign_fault_after(handler_of_the_application()),
                |end| end.code() == Some(7),
            ),
            (
                "sent, handled after",
                || {
                    cut_one();
                    install(handler_of_the_application());
                    signal_hook::low_level::raise(libc::SIGBUS).unwrap();
                },
                |end| end.code() == Some(7),
            ),
        ];
        for (name, case, is_right) in cases {
            let test = format!("a_fault_of_the_application_does_what_it_would_without_us {name}");
            if is_forked(&test) {
                continue;
            }
            let end = alone(&test, case);
            assert!(is_right(&end), "{name}: {end}");
        }
    }

    #[test]
    fn a_handler_that_is_installed_after_ours_is_asked_after_it() {
        let test = "a_handler_that_is_installed_after_ours_is_asked_after_it";
        let end = alone(test, || {
            let file = a_file();
            let map = Map::new(&file, WORDS).unwrap();
            let ours = install(handler_of_the_application());
            keep_guard().unwrap();
            file.set_len(0).unwrap();
            store_and_load(&map);
            // It is taken away again, as a library does that is done: ours is the one it found.
            let second = put_back(&ours);
            assert_ne!(ours.sa_sigaction, second.sa_sigaction);
            install(ours.sa_sigaction); // without its flags
            keep_guard().unwrap();
            cut_one();
            put_back(&second);
            foreign_fault();
        });
        assert_eq!(end.code(), Some(7), "{end}");
    }

    #[test]
    fn a_handler_that_passes_on_what_it_does_not_know_may_come_at_any_time() {
        let test = "a_handler_that_passes_on_what_it_does_not_know_may_come_at_any_time";
        let end = alone(test, || {
            let seen = Arc::new(AtomicBool::new(false));
            let file = a_file();
            let map = Map::new(&file, WORDS).unwrap();
            signal_hook::flag::register(libc::SIGBUS, Arc::clone(&seen)).unwrap();
            file.set_len(0).unwrap();
            store_and_load(&map);
            assert!(seen.swap(false, Ordering::Relaxed), "theirs was asked, and then ours");
            cut_one();
            assert!(!seen.load(Ordering::Relaxed), "now ours is the first");
            foreign_fault();
        });
        assert_eq!(end.signal(), Some(libc::SIGBUS), "{end}");
    }

    #[test]
    fn others_that_install_theirs_again_and_again_are_told_apart_from_us_until_there_are_too_many()
    {
        let test = "others_that_install_theirs_again_and_again_are_told_apart_from_us_until_there_are_too_many";
        let end = alone(test, || {
            let mut installed = 0;
            while keep_guard().is_ok() {
                keep_guard().unwrap();
                installed += 1;
                install(handler_of_the_application());
            }
            assert_eq!(installed, 8);
            assert!(Map::new(&a_file(), WORDS).is_err(), "a map without a guard would be a danger");
        });
        assert!(end.success(), "{end}");
    }
}
