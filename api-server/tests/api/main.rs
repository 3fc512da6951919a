//! The API suite on `SQLite`: requests through the whole router, a fresh database per test.

mod suite;

/// The engine every test of this binary runs on.
const ENGINE: suite::server::Engine = suite::server::Engine::Sqlite;
