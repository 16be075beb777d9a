#![no_main]

use fuzz_targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::ingest_event(data));
