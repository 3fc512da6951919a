//! The database: `SQLite` embedded, or `PostgreSQL` when there is more than one machine; one setting chooses.
//!
//! Stores write their statements once against [`Connection`]. Reads take a connection of a pool, short ones of
//! `SQLite` one of `in_place`; writes run in a task of their own, of `SQLite` on the thread of `writer`, so that a
//! client that goes away can't leave one half done.

mod connection;
mod error;
mod in_place;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod value;
mod writer;

use std::future::Future;
use std::pin::Pin;

pub use connection::{Connection, Sql};
pub use error::Error;
pub use row::{Column, FromRow, Row};
pub use value::Value;

use connection::Inner;

/// What a write gives back before its transaction ends.
pub type Written<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// Handle to the database; clones share its pools.
#[derive(Clone, Debug)]
pub struct Database(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(sqlite::Pools),
    Postgres(sqlx::PgPool),
}

impl Database {
    /// Connects and brings the schema up to date, under a lock: replicas may start at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where nothing answers, [`Error::Migration`] where the schema is from elsewhere.
    pub async fn open(url: &Url, max_connections: u32) -> Result<Self, Error> {
        Ok(Self(match url {
            Url::Sqlite(options) => {
                Engine::Sqlite(sqlite::open(options.as_ref().clone(), max_connections).await?)
            }
            Url::Postgres(options) => {
                Engine::Postgres(postgres::open(options.as_ref().clone(), max_connections).await?)
            }
        }))
    }

    /// A connection to read from; each statement sees what was committed before it.
    pub async fn read(&self) -> Result<Connection, Error> {
        Ok(Connection(match &self.0 {
            Engine::Sqlite(pools) => Inner::SqliteRead(pools.readers.acquire().await?),
            Engine::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
        }))
    }

    /// All rows of one statement that reads little: an index finds them, and a limit bounds them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read_few<T: FromRow>(
        &self,
        sql: &'static str,
        arguments: &[Value<'_>],
    ) -> Result<Vec<T>, Error> {
        if let Engine::Sqlite(pools) = &self.0
            && let Some(rows) = pools.in_place.read(sql, arguments)?
        {
            return Ok(rows);
        }
        self.read().await?.fetch_all(sql, arguments).await
    }

    /// Runs `work` in a transaction, and to its end whatever becomes of whoever asked: durable, if it gives `Ok`, undone
    /// otherwise.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> Written<'c, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.0 {
            Engine::Sqlite(pools) => pools.writer.write(work).await,
            Engine::Postgres(pool) => postgres::write(pool.clone(), work).await,
        }
    }

    /// Whether the database answers, and whoever writes to it lives.
    pub async fn ping(&self) -> Result<(), Error> {
        if let Engine::Sqlite(pools) = &self.0 {
            pools.writer.ping()?;
        }
        self.read().await?.execute("SELECT 1", &[]).await?;
        Ok(())
    }

    /// Waits for connections in use, then closes them all.
    pub async fn close(&self) {
        match &self.0 {
            Engine::Sqlite(pools) => pools.close().await,
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// Where the database is. Its `Debug` form shows no password.
#[derive(Clone)]
pub enum Url {
    /// `sqlite:PATH` or `sqlite://PATH`.
    Sqlite(Box<sqlx::sqlite::SqliteConnectOptions>),
    /// `postgres://USER:PASSWORD@HOST/NAME`.
    Postgres(Box<sqlx::postgres::PgConnectOptions>),
}

impl Url {
    /// Which engine this is, for people.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.engine())
    }
}

impl std::str::FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The parsers' own messages may quote the URL, which may hold a password: they are dropped.
        if text.starts_with("sqlite:") {
            if text.contains(":memory:") || text.contains("mode=memory") {
                return Err("is in memory; documents need a file".to_owned());
            }
            text.parse()
                .map(|options| Self::Sqlite(Box::new(options)))
                .map_err(|_| "is not a readable sqlite: URL".to_owned())
        } else if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            text.parse()
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_| "is not a readable postgres: URL".to_owned())
        } else {
            Err("starts with neither sqlite: nor postgres:".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Short reads would look for a file of that name.
    #[test]
    fn a_database_in_memory_is_refused() {
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:api.db?mode=memory",
        ] {
            assert_eq!(
                url.parse::<Url>().unwrap_err(),
                "is in memory; documents need a file"
            );
        }
        assert!("sqlite:api.db?mode=rwc".parse::<Url>().is_ok());
    }
}
