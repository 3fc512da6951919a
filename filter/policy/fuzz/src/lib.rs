//! The parsers' promises, as the tests of the policy state them.

#[path = "../../tests/fuzz/parsers.rs"]
pub mod parsers;
