//! One connection of either engine, and the few ways a statement is run on it.
//!
//! Statements are written once in the common dialect (`$1` placeholders, `RETURNING`, `ON CONFLICT`); where the
//! engines differ, [`Sql`] carries both spellings.

use sqlx::pool::PoolConnection;
use sqlx::postgres::Postgres;
use sqlx::query::Query;
use sqlx::sqlite::Sqlite;
use sqlx::{Database, Encode, Transaction, Type};

use super::{Error, FromRow, Row, Value};

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
    SqliteWrite(Transaction<'static, Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// Evaluates `$run` with `$c` and `$sql` being the connection and its spelling; the engines are type-checked apart.
macro_rules! on_engine {
    ($connection:expr, |$c:ident, $sql:ident| $run:expr) => {
        match &mut $connection.0 {
            Inner::SqliteRead($c) => {
                let $sql = $sql.sqlite;
                $run
            }
            Inner::SqliteWrite($c) => {
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
    /// Runs a statement; the number of rows it touched.
    pub async fn execute(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<u64, Error> {
        let sql = sql.into();
        Ok(on_engine!(self, |c, sql| query(sql, arguments)
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
        on_engine!(self, |c, sql| {
            let rows = query(sql, arguments).fetch_all(&mut **c).await?;
            rows.iter()
                .map(|row| T::from_row(&mut Row::from(row)))
                .collect()
        })
    }
}

impl Connection {
    /// Ends a transaction: durable now. A connection to read from has nothing to end.
    pub(super) async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Inner::SqliteWrite(transaction) => transaction.commit().await?,
            Inner::PostgresWrite(transaction) => transaction.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// Ends a transaction: nothing of it was.
    pub(super) async fn roll_back(self) -> Result<(), Error> {
        match self.0 {
            Inner::SqliteWrite(transaction) => transaction.rollback().await?,
            Inner::PostgresWrite(transaction) => transaction.rollback().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
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
