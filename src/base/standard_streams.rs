//! Standard streams: descriptors 0 to 2 are never files of ours.
//!
//! A daemon closes them, and the system gives the lowest free number to the next file that is
//! opened. If that were a log file, or a connection, it would get what anything in the program
//! prints. Knows no file of ours.
//!
//! What is written to one by way of this file fails where the stream is closed, or open for reading
//! alone. The standard library says in both cases that it was written.

use std::io::Write;

/// Standard output, without the standard library's buffer and lock.
pub(crate) fn stdout() -> impl Write + Send + 'static {
    #[cfg(unix)]
    return unix::Unbuffered(std::io::stdout());
    #[cfg(not(unix))]
    return std::io::stdout();
}

/// Standard error, without the standard library's lock.
pub(crate) fn stderr() -> impl Write + Send + 'static {
    #[cfg(unix)]
    return unix::Unbuffered(std::io::stderr());
    #[cfg(not(unix))]
    return std::io::stderr();
}

/// Opens nothing in the place of each standard stream that is closed.
pub(crate) fn occupy() {
    #[cfg(unix)]
    unix::occupy();
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::{AsFd, AsRawFd as _, IntoRawFd as _};

    /// A stream by its number, whatever is open there at the moment.
    pub(super) struct Unbuffered<S>(pub(super) S);

    impl<S: AsFd> Write for Unbuffered<S> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(rustix::io::write(&self.0, bytes)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LAST: i32 = 2;

    pub(super) fn occupy() {
        while let Some(nothing) = nothing().filter(|file| file.as_raw_fd() <= LAST) {
            // Never closed: as a standard stream is.
            let _ = nothing.into_raw_fd();
        }
    }

    /// What gives nothing and, as a closed stream, refuses what is written: who writes is to know.
    fn nothing() -> Option<File> {
        File::open("/dev/null").or_else(|_| File::open("/")).ok()
    }
}
