//! Statements of `SQLite` run on the thread that asks, as rusqlite does.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::{Error, FromRow, Row, Value};

/// Runs statements separated by `;`, which all have the same arguments; the number of rows the last one touched.
///
/// # Errors
/// One fails. Those before it are done.
pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    arguments: &[Value<'_>],
) -> Result<u64, Error> {
    let mut touched = 0;
    for one in sql.split(';') {
        touched = prepare(connection, one, arguments)?.raw_execute()?;
    }
    Ok(touched as u64)
}

/// All rows of one statement, which is run to its end.
///
/// # Errors
/// It fails, or a row can't be read.
pub(super) fn fetch_all<T: FromRow>(
    connection: &Connection,
    sql: &str,
    arguments: &[Value<'_>],
) -> Result<Vec<T>, Error> {
    let mut statement = prepare(connection, sql, arguments)?;
    let mut rows = statement.raw_query();
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(T::from_row(&mut Row::from(row))?);
    }
    Ok(records)
}

/// Binds `$n` to the argument of that number, as sqlx does. To `SQLite` `$n` is a name, numbered by where it first
/// appears.
fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    arguments: &[Value<'_>],
) -> Result<CachedStatement<'c>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let number = name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok());
        let argument = number.and_then(|number| arguments.get(number.checked_sub(1)?));
        let argument =
            argument.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
        statement.raw_bind_parameter(index, argument)?;
    }
    Ok(statement)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Text(text) => text.as_deref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Integer(integer) => integer.map(ValueRef::Integer),
            Self::Bytes(bytes) => bytes.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}
