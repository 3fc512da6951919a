//! What can go wrong between us and a database, sorted by who can do something about it.

use std::sync::Arc;

/// A failed statement, connection or migration. Never carries an argument's value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine can't be reached or is overloaded; trying again later may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Two transactions waited for each other, or one waited too long for a lock; trying again helps.
    #[error("the database asks to try again: {0}")]
    Contended(#[source] sqlx::Error),
    /// The statement, the schema or the stored data is not what this program expects.
    #[error("a database statement failed: {0}")]
    Statement(#[source] sqlx::Error),
    /// The same of a statement that was read in place.
    #[error("a database statement failed: {0}")]
    InPlace(#[from] rusqlite::Error),
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
            Self::Statement(_)
            | Self::InPlace(_)
            | Self::Migration(_)
            | Self::Lock { .. }
            | Self::Panicked => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // PostgreSQL: serialization failure, deadlock, lock timeout; SQLite: busy, locked and kin.
                Some("40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517") => {
                    Self::Contended(error)
                }
                // PostgreSQL classes 08 (connection), 53 (resources), 57P (shutdown).
                Some(code)
                    if code.len() == 5
                        && (code.starts_with("08")
                            || code.starts_with("53")
                            || code.starts_with("57P")) =>
                {
                    Self::Unavailable(error)
                }
                _ => Self::Statement(error),
            },
            _ => Self::Statement(error),
        }
    }
}
