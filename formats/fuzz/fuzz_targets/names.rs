//! Fuzzes `names_as_paths` of the library.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pony_formats_fuzz::names_as_paths(input));
