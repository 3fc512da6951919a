//! One connection of either engine, and the few ways a statement is run on it.
//!
//! Statements are written once in the common dialect (`$1` placeholders, `RETURNING`, `ON CONFLICT`); where the
//! engines differ, [`Sql`] carries both spellings.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{FromRow, Transaction};

use super::{Error, Value};

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

/// What a row of either engine turns into.
pub trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Record for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
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

/// Runs one sqlx call on whichever connection this is; the two spellings are type-checked apart.
macro_rules! on_engine {
    ($connection:expr, $sql:expr, $query:expr, $arguments:expr, $method:ident) => {{
        let sql: Sql = $sql.into();
        match &mut $connection.0 {
            Inner::SqliteRead(c) => {
                bind($query(sql.sqlite), $arguments)
                    .$method(&mut **c)
                    .await?
            }
            Inner::SqliteWrite(c) => {
                bind($query(sql.sqlite), $arguments)
                    .$method(&mut **c)
                    .await?
            }
            Inner::PostgresRead(c) => {
                bind($query(sql.postgres), $arguments)
                    .$method(&mut **c)
                    .await?
            }
            Inner::PostgresWrite(c) => {
                bind($query(sql.postgres), $arguments)
                    .$method(&mut **c)
                    .await?
            }
        }
    }};
}

impl Connection {
    /// Runs a statement; the number of rows it touched.
    pub async fn execute(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<u64, Error> {
        let sql = sql.into();
        Ok(match &mut self.0 {
            Inner::SqliteRead(c) => bind(sqlx::query(sql.sqlite), arguments)
                .execute(&mut **c)
                .await?
                .rows_affected(),
            Inner::SqliteWrite(c) => bind(sqlx::query(sql.sqlite), arguments)
                .execute(&mut **c)
                .await?
                .rows_affected(),
            Inner::PostgresRead(c) => bind(sqlx::query(sql.postgres), arguments)
                .execute(&mut **c)
                .await?
                .rows_affected(),
            Inner::PostgresWrite(c) => bind(sqlx::query(sql.postgres), arguments)
                .execute(&mut **c)
                .await?
                .rows_affected(),
        })
    }

    /// The only row of a statement that always gives one.
    pub async fn fetch_one<T: Record>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<T, Error> {
        Ok(on_engine!(self, sql, sqlx::query_as, arguments, fetch_one))
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Record>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<Option<T>, Error> {
        Ok(on_engine!(
            self,
            sql,
            sqlx::query_as,
            arguments,
            fetch_optional
        ))
    }

    /// All rows. The statement bounds how many.
    pub async fn fetch_all<T: Record>(
        &mut self,
        sql: impl Into<Sql>,
        arguments: &[Value<'_>],
    ) -> Result<Vec<T>, Error> {
        Ok(on_engine!(self, sql, sqlx::query_as, arguments, fetch_all))
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

/// The two sqlx types arguments are bound to, for each engine.
trait Bind<'q>: Sized {
    fn text(self, value: Option<&'q str>) -> Self;
    fn integer(self, value: Option<i64>) -> Self;
    fn bytes(self, value: Option<&'q [u8]>) -> Self;
}

fn bind<'q, Q: Bind<'q>>(query: Q, arguments: &'q [Value<'_>]) -> Q {
    arguments
        .iter()
        .fold(query, |query, argument| match argument {
            Value::Text(value) => query.text(value.as_deref()),
            Value::Integer(value) => query.integer(*value),
            Value::Bytes(value) => query.bytes(value.as_deref()),
        })
}

macro_rules! impl_bind {
    ($($query:ty, [$($generic:ident)?];)*) => {$(
        impl<'q, $($generic)?> Bind<'q> for $query {
            fn text(self, value: Option<&'q str>) -> Self {
                self.bind(value)
            }
            fn integer(self, value: Option<i64>) -> Self {
                self.bind(value)
            }
            fn bytes(self, value: Option<&'q [u8]>) -> Self {
                self.bind(value)
            }
        }
    )*};
}

impl_bind! {
    Query<'q, Sqlite, SqliteArguments>, [];
    Query<'q, Postgres, PgArguments>, [];
    QueryAs<'q, Sqlite, T, SqliteArguments>, [T];
    QueryAs<'q, Postgres, T, PgArguments>, [T];
}
