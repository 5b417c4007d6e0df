//! Whatever bytes the files of a store have behind their checksums, reading them comes to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| logbeacon_store::__private::fuzz(bytes));
