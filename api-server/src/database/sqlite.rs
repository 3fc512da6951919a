//! `SQLite`: one writer, several readers, every commit on disk before it is acknowledged.
//!
//! WAL lets readers go on while the one writer writes.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::Error;
use super::in_place::Readers;
use super::writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process's lock on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) readers: SqlitePool,
    pub(super) in_place: Readers,
    pub(super) writer: Writer,
}

impl Pools {
    pub(super) async fn close(&self) {
        self.in_place.close();
        self.readers.close().await;
        self.writer.close().await;
    }
}

pub(super) async fn open(
    options: SqliteConnectOptions,
    max_connections: u32,
) -> Result<Pools, Error> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("temp_store", "memory");
    let lock = lock(&options).await?;
    let one = SqlitePoolOptions::new().max_connections(1);
    let migrating = one.connect_with(options.clone()).await?;
    MIGRATIONS.run(&migrating).await?;
    migrating.close().await;
    let path = options.get_filename().to_path_buf();
    let writer = Writer::open(&path, BUSY_TIMEOUT)?;
    let in_place = Readers::open(path)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "on"))
        .await?;
    drop(lock);
    Ok(Pools {
        readers,
        in_place,
        writer,
    })
}

/// Keeps two servers that start at once apart: sqlx locks nothing for `SQLite`, and while one makes the file a WAL
/// database, another can't even open it. Locked until it is dropped.
async fn lock(options: &SqliteConnectOptions) -> Result<std::fs::File, Error> {
    let mut path = PathBuf::from(options.get_filename()).into_os_string();
    path.push(".migrate-lock");
    let path = PathBuf::from(path);
    tokio::task::spawn_blocking(move || {
        let locked = std::fs::File::create(&path).and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| Error::Lock {
            path: path.display().to_string(),
            source,
        })
    })
    .await
    .map_err(|_| Error::Panicked)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_waits_for_one_that_migrates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.db");
        let lock = std::fs::File::create(folder.path().join("api.db.migrate-lock")).unwrap();
        lock.lock().unwrap();
        let opening = tokio::spawn(open(SqliteConnectOptions::new().filename(&path), 1));
        // Far longer than opening takes. It can't end before the lock does, however slow the machine is.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!opening.is_finished());
        lock.unlock().unwrap();
        opening.await.unwrap().unwrap().close().await;
    }
}
