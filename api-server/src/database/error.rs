//! What can go wrong between us and a database, sorted by who can do something about it.

use std::sync::Arc;

use rusqlite::ErrorCode;

/// What the engine's client library said.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed statement, connection or migration. Never carries an argument's value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine can't be reached or is overloaded; trying again later may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] Source),
    /// Two transactions waited for each other, or one waited too long for a lock; trying again helps.
    #[error("the database asks to try again: {0}")]
    Contended(#[source] Source),
    /// The statement, the schema or the stored data is not what this program expects.
    #[error("a database statement failed: {0}")]
    Statement(#[source] Source),
    /// The schema could not be brought to what this program expects.
    #[error("a database migration failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The file next to an `SQLite` database that keeps two starting servers apart can't be locked.
    #[error("the migration lock {path} can't be taken: {source}")]
    Lock {
        /// The lock file.
        path: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The transaction that a write shared could not be ended: nothing of it is there.
    #[error("nothing was written: {0}")]
    NotCommitted(Arc<Self>),
    /// A write panicked; its transaction was rolled back.
    #[error("a database write ended in a panic")]
    Panicked,
}

impl Error {
    /// Whether trying again later may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Contended(_) => true,
            Self::NotCommitted(error) => error.may_pass(),
            Self::Statement(_) | Self::Migration(_) | Self::Lock { .. } | Self::Panicked => false,
        }
    }

    /// A column holds what no value of its type is stored as.
    pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Statement(error.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let sort = match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable,
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // PostgreSQL: serialization failure, deadlock, lock timeout; SQLite: busy, locked and kin.
                Some("40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517") => Self::Contended,
                // SQLite's full disk; PostgreSQL's classes 08 (connection), 53 (resources), 57P (shutdown).
                Some("13") => Self::Unavailable,
                Some(code)
                    if code.len() == 5
                        && (code.starts_with("08")
                            || code.starts_with("53")
                            || code.starts_with("57P")) =>
                {
                    Self::Unavailable
                }
                _ => Self::Statement,
            },
            _ => Self::Statement,
        };
        sort(error.into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let sort = match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Contended,
            Some(ErrorCode::DiskFull) => Self::Unavailable,
            _ => Self::Statement,
        };
        sort(error.into())
    }
}
