//! One connection of either engine, and the few ways a statement is run on it.
//!
//! Statements are written once in the common dialect (`$1` placeholders, `RETURNING`, `ON CONFLICT`); where the
//! engines differ, [`Sql`] carries both spellings.

use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;
use sqlx::query::Query;
use sqlx::sqlite::Sqlite;
use sqlx::{Database, Encode, Transaction, Type};

use super::{Error, FromRow, Row, Value, statement};

/// A statement's text for each engine.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// What `SQLite` runs.
    pub sqlite: &'static str,
    /// What `PostgreSQL` runs.
    pub postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self {
            sqlite: both,
            postgres: both,
        }
    }
}

/// A connection to read from, or a transaction to write in.
#[derive(Debug)]
pub struct Connection(pub(super) Inner);

#[derive(Debug)]
pub(super) enum Inner {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(rusqlite::Connection),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// Evaluates `$run` with `$c` and `$sql` being one of sqlx's connections and its spelling; they are type-checked apart.
/// What is rusqlite's runs at once.
macro_rules! on_engine {
    ($connection:expr, $arguments:expr, $now:path, |$c:ident, $sql:ident| $run:expr) => {
        match &mut $connection.0 {
            Inner::SqliteWrite(c) => $now(c, $sql.sqlite, $arguments),
            Inner::SqliteRead($c) => {
                let $sql = $sql.sqlite;
                $run
            }
            Inner::PostgresRead($c) => {
                let $sql = $sql.postgres;
                $run
            }
            Inner::PostgresWrite($c) => {
                let $sql = $sql.postgres;
                $run
            }
        }
    };
}

impl Connection {
    /// Runs a statement, and in `SQLite` several separated by `;`; the number of rows the last one touched.
    pub async fn execute(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<u64, Error> {
        let sql = sql.into();
        on_engine!(self, arguments, statement::execute, |c, sql| Ok(query(
            sql, arguments
        )
        .execute(&mut **c)
        .await?
        .rows_affected()))
    }

    /// The only row of a statement that always gives one.
    pub async fn fetch_one<T: FromRow>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<T, Error> {
        let row = self.fetch_optional(sql, arguments).await?;
        row.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// The row of a statement that gives one at most.
    pub async fn fetch_optional<T: FromRow>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<Option<T>, Error> {
        let rows = self.fetch_all(sql, arguments).await?;
        Ok(rows.into_iter().next())
    }

    /// All rows. The statement bounds how many.
    pub async fn fetch_all<T: FromRow>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<Vec<T>, Error> {
        let sql = sql.into();
        on_engine!(self, arguments, statement::fetch_all, |c, sql| {
            let rows = query(sql, arguments).fetch_all(&mut **c).await?;
            rows.iter()
                .map(|row| T::from_row(&mut Row::from(row)))
                .collect()
        })
    }
}

/// The statement `sql` with its arguments bound.
fn query<'q, D>(sql: &'static str, arguments: &[Value<'q>]) -> Query<'q, D, D::Arguments>
where
    D: Database,
    for<'v> Option<&'v str>: Encode<'v, D> + Type<D>,
    for<'v> Option<i64>: Encode<'v, D> + Type<D>,
    for<'v> Option<&'v [u8]>: Encode<'v, D> + Type<D>,
{
    arguments
        .iter()
        .fold(sqlx::query(sql), |query, argument| match argument {
            Value::Text(value) => query.bind(value.as_deref()),
            Value::Integer(value) => query.bind(*value),
            Value::Bytes(value) => query.bind(value.as_deref()),
        })
}
