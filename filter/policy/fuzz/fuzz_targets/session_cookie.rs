//! The sealed session cookie; what must hold stands with the parser.
#![no_main]

use edge_auth_policy_fuzz::parsers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parsers::session_cookie(input));
