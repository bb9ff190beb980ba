//! Fuzzes `go_test` of the library.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pony_formats_fuzz::go_test(input));
