//! C++ spdlog, through `spdlog.cpp`: the same loops and the same clock time it as all others.

use super::{Outcome, Subject};
use logwell_benches::Order;
use std::ffi::{CStr, CString, c_char};
use std::path::Path;

unsafe extern "C" {
    unsafe fn spdlog_start(path: *const c_char);
    safe fn spdlog_five_fields(number: u64);
    safe fn spdlog_with_context(number: u64);
    safe fn spdlog_debug_value();
    safe fn spdlog_disabled(number: u64);
    unsafe fn spdlog_text(text: *const c_char);
    safe fn spdlog_finish();
    safe fn spdlog_version() -> *const c_char;
}

pub struct Spdlog;

/// The version of the headers that it was compiled with.
pub fn version() -> String {
    // SAFETY: it is the text of a static string, which ends in 0.
    unsafe { CStr::from_ptr(spdlog_version()) }.to_string_lossy().into_owned()
}

impl Subject for Spdlog {
    fn start(dir: &Path) -> Outcome<Self> {
        let path = CString::new(dir.join("app.log").to_string_lossy().as_bytes())?;
        // SAFETY: the text ends in 0 and outlives the call, which copies it.
        unsafe { spdlog_start(path.as_ptr()) };
        Ok(Self)
    }

    fn five_fields(&self, number: u64) {
        spdlog_five_fields(number);
    }

    fn five_fields_in_spans(&self, number: u64) {
        spdlog_with_context(number);
    }

    fn debug_value(&self, _same_value_in_cpp: &Order) {
        spdlog_debug_value();
    }

    fn disabled(&self, number: u64) {
        spdlog_disabled(number);
    }

    fn text(&self, text: &str) {
        if let Ok(text) = CString::new(text) {
            // SAFETY: the text ends in 0 and outlives the call, which copies it.
            unsafe { spdlog_text(text.as_ptr()) };
        }
    }

    fn finish(self) {
        spdlog_finish();
    }
}
