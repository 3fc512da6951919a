//! The same suite on `PostgreSQL`: a real server, started by the first test that needs it, a database per test.

mod suite;

/// Which engine every test of this binary runs on.
const ON_POSTGRES: bool = true;
