//! Whatever lies in its directory, a spool opens, comes to an end, and lets a new entry through.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| logwell::__private::fuzz_spool(script));
