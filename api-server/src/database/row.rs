//! Rows of either engine, read column by column into what they stand for.
//!
//! What a record's columns are is said once, with [`record!`](crate::record), in the order its statements name them.

use rusqlite::types::FromSql;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row as _, Type};

use super::Error;

/// A row whose columns are read one after the other.
#[derive(Debug)]
pub struct Row<'r> {
    columns: Columns<'r>,
    next: usize,
}

/// By whom it was read.
#[derive(Debug)]
enum Columns<'r> {
    Rusqlite(&'r rusqlite::Row<'r>),
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl Row<'_> {
    /// The next column.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    pub fn column<T: Column>(&mut self) -> Result<T, Error> {
        T::read(self)
    }

    /// The next column, where it is only looked at.
    ///
    /// # Errors
    /// There is none, or it holds no text.
    pub fn text(&mut self) -> Result<&str, Error> {
        let index = self.step();
        Ok(match self.columns {
            Columns::Rusqlite(row) => row.get_ref(index)?.as_str().map_err(Error::unreadable)?,
            Columns::Sqlite(row) => row.try_get(index)?,
            Columns::Postgres(row) => row.try_get(index)?,
        })
    }

    fn value<T>(&mut self) -> Result<T, Error>
    where
        T: FromSql
            + for<'v> Decode<'v, Sqlite>
            + Type<Sqlite>
            + for<'v> Decode<'v, Postgres>
            + Type<Postgres>,
    {
        let index = self.step();
        Ok(match self.columns {
            Columns::Rusqlite(row) => row.get(index)?,
            Columns::Sqlite(row) => row.try_get(index)?,
            Columns::Postgres(row) => row.try_get(index)?,
        })
    }

    fn step(&mut self) -> usize {
        let index = self.next;
        self.next += 1;
        index
    }
}

macro_rules! rows {
    ($($from:ty, $columns:ident;)*) => {$(
        impl<'r> From<&'r $from> for Row<'r> {
            fn from(row: &'r $from) -> Self {
                Self { columns: Columns::$columns(row), next: 0 }
            }
        }
    )*};
}

rows! {
    rusqlite::Row<'r>, Rusqlite;
    SqliteRow, Sqlite;
    PgRow, Postgres;
}

/// What a column is turned into.
pub trait Column: Sized {
    /// Reads the next column of `row`.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    fn read(row: &mut Row<'_>) -> Result<Self, Error>;
}

macro_rules! columns {
    ($($value:ty),*) => {$(
        impl Column for $value {
            fn read(row: &mut Row<'_>) -> Result<Self, Error> {
                row.value()
            }
        }
    )*};
}

columns!(i64, Option<i64>, String, Option<String>, Vec<u8>);

/// What a row is turned into.
pub trait FromRow: Sized {
    /// Reads the columns in the order the statement names them.
    ///
    /// # Errors
    /// One is missing or holds something else.
    fn from_row(row: &mut Row<'_>) -> Result<Self, Error>;
}

/// Says which columns a record is read from: all of its fields, in the order its statements name them.
#[macro_export]
macro_rules! record {
    ($record:ident: $($field:ident),+ $(,)?) => {
        impl $crate::database::FromRow for $record {
            fn from_row(
                row: &mut $crate::database::Row<'_>,
            ) -> Result<Self, $crate::database::Error> {
                Ok(Self { $($field: row.column()?),+ })
            }
        }
    };
}

macro_rules! tuples {
    ($($($column:ident)+;)*) => {$(
        impl<$($column: Column),+> FromRow for ($($column,)+) {
            fn from_row(row: &mut Row<'_>) -> Result<Self, Error> {
                Ok(($(row.column::<$column>()?,)+))
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
}
