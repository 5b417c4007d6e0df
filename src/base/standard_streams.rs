//! Standard streams: descriptors 0 to 2 are never files of ours.
//!
//! A daemon closes them, and the system gives the lowest free number to the next file that is
//! opened. If that were a log file, or a connection, it would get what anything in the program
//! prints. Knows no file of ours.

/// Opens nothing in the place of each standard stream that is closed.
pub(crate) fn occupy() {
    #[cfg(unix)]
    unix::occupy();
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};

    const LAST: i32 = 2;

    pub(super) fn occupy() {
        while let Some(nothing) = nothing().filter(|file| file.as_raw_fd() <= LAST) {
            // Never closed: as a standard stream is.
            let _ = nothing.into_raw_fd();
        }
    }

    /// What takes everything and gives nothing; where there is none, what cannot be written to.
    fn nothing() -> Option<File> {
        let null = OpenOptions::new().read(true).write(true).open("/dev/null");
        null.or_else(|_| File::open("/")).ok()
    }
}
