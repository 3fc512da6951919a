//! Key sets; what must hold stands with the parser.
#![no_main]

#[path = "../../tests/fuzz/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parsers::jwk_set(input));
