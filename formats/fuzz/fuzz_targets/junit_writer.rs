//! Fuzzes `junit_writer` of the library.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pony_formats_fuzz::junit_writer(input));
