//! Where tokens stand: header, query, cookie, WebSocket protocol; what must hold stands with the parser.
#![no_main]

#[path = "../../tests/fuzz/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parsers::credentials(input));
