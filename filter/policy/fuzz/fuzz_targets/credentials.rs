//! Where tokens stand: header, query, cookie, WebSocket protocol; what must hold stands with the parser.
#![no_main]

use edge_auth_policy_fuzz::parsers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parsers::credentials(input));
