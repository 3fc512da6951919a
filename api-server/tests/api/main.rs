//! The API suite on `SQLite`: requests through the whole router, a fresh database per test.

mod suite;

/// Which engine every test of this binary runs on.
const ON_POSTGRES: bool = false;
