//! Short reads of `SQLite`, made on the thread that asks.
//!
//! sqlx runs every `SQLite` connection on a thread of its own. That costs two switches of threads a statement and a copy
//! of every value: several times what reading a row by its key takes. So what an index and a limit bound is read here,
//! and all else, full-text search first of all, by sqlx; writes are `writer`'s.
//!
//! The file is mapped: a page that isn't in memory is a page fault of this thread, and a disk that can't read it, or
//! somebody who cuts the file short, ends the process, which loses nothing that was acknowledged.
//!
//! No read here waits for a lock of the database: where another process has one, sqlx waits on its own thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Error, FromRow, Value, statement};

/// Memory for pages of each connection, at most. A write elsewhere empties it.
const CACHE_KIBIBYTES: i64 = 16 << 10;

/// How much of the file all connections see through the kernel's memory, instead of a copy of each page in their own.
const MAPPED_BYTES: i64 = 1 << 30;

/// Connections that only read. There are never more than threads that read at the same time.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<Path>,
    /// `None` once it is closed.
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    /// Readers of the database at `path`, which exists and is in WAL mode.
    ///
    /// # Errors
    /// It can't be opened.
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let first = connect(&path)?;
        Ok(Self {
            path: path.into(),
            idle: Arc::new(Mutex::new(Some(vec![first]))),
        })
    }

    /// All rows of a statement that an index and a limit bound; `None` where somebody else has to read them: a lock
    /// would have to be waited for, no further connection can be opened, or this is closed.
    ///
    /// # Errors
    /// The statement fails.
    pub(super) fn read<T: FromRow>(
        &self,
        sql: &str,
        arguments: &[Value<'_>],
    ) -> Result<Option<Vec<T>>, Error> {
        // Taken in a statement of its own: nobody waits while a connection is opened.
        let idle = self.idle().as_mut().map(Vec::pop);
        let connection = match idle {
            None => return Ok(None),
            Some(Some(idle)) => idle,
            // Short of files or of a lock: sqlx's connections are open already.
            Some(None) => match connect(&self.path) {
                Ok(connection) => connection,
                Err(_) => return Ok(None),
            },
        };
        let rows = statement::fetch_all(&connection, sql, arguments);
        if let Some(idle) = self.idle().as_mut() {
            idle.push(connection);
        }
        match rows {
            Ok(rows) => Ok(Some(rows)),
            Err(Error::Contended(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// From now on, all is read by somebody else.
    pub(super) fn close(&self) {
        self.idle().take();
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    // One thread at a time has a connection, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIBIBYTES)?;
    connection.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
    // Without it SQLite plans a statement anew each time its arguments change, in case their values matter to the
    // plan. Ours have one good plan each; see `plans` in the tests.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Row;

    impl FromRow for i64 {
        fn from_row(row: &mut Row<'_>) -> Result<Self, Error> {
            row.column()
        }
    }

    /// Three numbers in a table, and whoever may write them.
    fn numbers(folder: &Path) -> (Connection, Readers) {
        let path = folder.join("numbers.db");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch(
                "CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1), (2), (3)",
            )
            .unwrap();
        (writer, Readers::open(path).unwrap())
    }

    fn above(readers: &Readers, least: i64) -> Result<Option<Vec<i64>>, Error> {
        readers.read(
            "SELECT n FROM numbers WHERE n > $1 ORDER BY n",
            &[least.into()],
        )
    }

    fn idle(readers: &Readers) -> Option<usize> {
        readers.idle().as_ref().map(Vec::len)
    }

    #[test]
    fn each_read_sees_what_was_committed_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = numbers(folder.path());
        assert_eq!(above(&readers, 1).unwrap(), Some(vec![2, 3]));
        writer
            .execute("DELETE FROM numbers WHERE n = 2", [])
            .unwrap();
        assert_eq!(above(&readers, 1).unwrap(), Some(vec![3]));
        assert_eq!(above(&readers, 3).unwrap(), Some(vec![]));
        // One thread asked.
        assert_eq!(idle(&readers), Some(1));
    }

    /// As sqlx binds them: otherwise the owner and the id of a document could change places.
    #[test]
    fn arguments_are_bound_by_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = numbers(folder.path());
        let read = |sql| readers.read::<i64>(sql, &[1.into(), 3.into()]).unwrap();
        let between = "SELECT n FROM numbers WHERE n < $2 AND n > $1";
        assert_eq!(read(between), Some(vec![2]));
        assert_eq!(read("SELECT n FROM numbers WHERE n = $2"), Some(vec![3]));
        // Otherwise it would be null, and the statement about something else.
        for nobodys in ["$3", "$0", "?", "$id"] {
            let sql = format!("SELECT n FROM numbers WHERE n = {nobodys}");
            let error = readers.read::<i64>(&sql, &[1.into(), 3.into()]);
            let said = error.unwrap_err().to_string();
            assert!(said.contains("parameter name"), "{nobodys}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_opened_is_left_to_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = numbers(folder.path());
        let held = readers.idle().take();
        readers.idle().replace(Vec::new());
        std::fs::rename(
            folder.path().join("numbers.db"),
            folder.path().join("elsewhere.db"),
        )
        .unwrap();
        assert_eq!(above(&readers, 1).unwrap(), None);
        drop(held);
    }

    /// Waiting here would hold up every request of this thread.
    #[test]
    fn what_is_locked_is_left_to_somebody_else_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, readers) = numbers(folder.path());
        writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_eq!(above(&readers, 1).unwrap(), None);
        writer.execute_batch("COMMIT").unwrap();
        assert_eq!(above(&readers, 1).unwrap(), Some(vec![2, 3]));
        let milliseconds = readers.read::<i64>("SELECT timeout FROM pragma_busy_timeout", &[]);
        assert_eq!(milliseconds.unwrap(), Some(vec![0]));
    }

    #[test]
    fn nothing_is_read_after_the_end_and_nothing_held_open() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = numbers(folder.path());
        readers.close();
        assert_eq!(above(&readers, 1).unwrap(), None);
        assert_eq!(idle(&readers), None);
    }

    /// With the first, a connection that reads much takes the other connections' pages for good; the second counts
    /// each allocation under a lock.
    #[test]
    fn sqlite_is_compiled_as_cargos_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, _readers) = numbers(folder.path());
        let options: Vec<String> = connection
            .prepare("PRAGMA compile_options")
            .and_then(|mut options| options.query_map([], |row| row.get(0))?.collect())
            .unwrap();
        assert!(!options.contains(&"ENABLE_MEMORY_MANAGEMENT".to_owned()));
        assert!(options.contains(&"DEFAULT_MEMSTATUS=0".to_owned()));
    }

    #[test]
    fn nothing_can_be_written_here() {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, readers) = numbers(folder.path());
        let written = readers.read::<i64>("INSERT INTO numbers VALUES (4) RETURNING n", &[]);
        let error = written.unwrap_err();
        assert!(error.to_string().contains("readonly database"), "{error}");
        assert!(!error.may_pass());
    }
}
