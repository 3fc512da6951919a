//! `SQLite`'s one writer: a thread with a connection of its own. Writes that come while another is being made durable
//! are made durable together.
//!
//! A commit waits for the disk, whatever is in it. So the thread takes all writes that wait, each as a savepoint of its
//! own: one that fails undoes itself alone. Nobody is answered before the commit their write is in.
//!
//! The statements run on this thread at once, so a write wakes it once, however many statements it has.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tracing::Dispatch;

use super::connection::Inner;
use super::{Connection, Error, Written};

/// Writes of one commit at most: the first of them waits for all.
const MAX_TOGETHER: usize = 64;
/// Writes that may wait. More would only wait for longer than their clients do.
const MAX_WAITING: usize = 4_096;
/// Statements kept ready; there are fewer of them in the stores.
const MAX_STATEMENTS: usize = 128;

/// The writer; clones share its thread, which ends with the last of them.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    /// `None` once it is closed.
    thread: Arc<Mutex<Option<Thread>>>,
}

#[derive(Debug)]
struct Thread {
    waiting: mpsc::Sender<Box<dyn Job>>,
    running: JoinHandle<()>,
}

impl Writer {
    /// Writes to the database at `path`, which exists and is in WAL mode. Waits for `busy_timeout` at most where another
    /// process writes.
    ///
    /// # Errors
    /// It can't be opened, or no thread started.
    pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<Self, Error> {
        let connection = Connection(Inner::SqliteWrite(connect(path, busy_timeout)?));
        let (waiting, jobs) = mpsc::channel(MAX_WAITING);
        let turn = Turn {
            connection,
            runtime: Handle::current(),
        };
        let running = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || turn.run(jobs))
            .map_err(|error| Error::Unavailable(error.into()))?;
        Ok(Self {
            thread: Arc::new(Mutex::new(Some(Thread { waiting, running }))),
        })
    }

    /// Waits for what was asked before, then closes the connection.
    pub(super) async fn close(&self) {
        let thread = self.thread().take();
        if let Some(Thread { waiting, running }) = thread {
            drop(waiting);
            // Both fail only where it panicked: it has ended, then.
            let _ = tokio::task::spawn_blocking(|| running.join()).await;
        }
    }

    /// Whether the thread lives.
    ///
    /// # Errors
    /// It was closed, or ended by itself: only a restart helps.
    pub(super) fn ping(&self) -> Result<(), Error> {
        match self.thread().as_ref() {
            None => Err(sqlx::Error::PoolClosed.into()),
            Some(thread) if thread.waiting.is_closed() => Err(sqlx::Error::WorkerCrashed.into()),
            Some(_) => Ok(()),
        }
    }

    /// Runs `work` and answers when it is durable, or undone. It runs to its end even if nobody waits for that.
    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> Written<'c, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let write = Write {
            work: Some(work),
            result: None,
            reply,
            span: tracing::Span::current(),
            subscriber: tracing::dispatcher::get_default(Clone::clone),
        };
        self.queue(Box::new(write))?;
        answer.await.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<(), Error> {
        let thread = self.thread();
        let thread = thread.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        thread.waiting.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => sqlx::Error::PoolTimedOut.into(),
            mpsc::error::TrySendError::Closed(_) => sqlx::Error::WorkerCrashed.into(),
        })
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path, busy_timeout: Duration) -> Result<rusqlite::Connection, Error> {
    // One thread has it, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    // Syncs the log at each commit: with `NORMAL`, a power cut would lose acknowledged writes.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // As for the readers: no statement is planned anew because its arguments are others.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
    Ok(connection)
}

/// What the thread has.
struct Turn {
    connection: Connection,
    runtime: Handle,
}

impl Turn {
    /// Writes what waits, until there will be no more.
    fn run(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut together = Vec::with_capacity(MAX_TOGETHER);
        while jobs.blocking_recv_many(&mut together, MAX_TOGETHER) > 0 {
            let committed = self.commit(&mut together).map_err(|error| {
                // Refused where SQLite has rolled back by itself.
                let _ = self.statement("ROLLBACK");
                Arc::new(error)
            });
            for job in together.drain(..) {
                job.answer(committed.clone());
            }
        }
    }

    fn commit(&mut self, together: &mut [Box<dyn Job>]) -> Result<(), Error> {
        // As a writer at once: a transaction that starts reading and writes later may fail with "busy".
        self.statement("BEGIN IMMEDIATE")?;
        if let [alone] = together {
            // What fails alone takes the transaction with it.
            if !alone.run(&mut self.connection, &self.runtime) {
                return self.statement("ROLLBACK");
            }
        } else {
            for job in together {
                self.statement("SAVEPOINT one_write")?;
                if !job.run(&mut self.connection, &self.runtime) {
                    // A full disk may have ended the transaction: then the others have to come again.
                    self.statement("ROLLBACK TO one_write")
                        .map_err(|error| Error::Unavailable(error.into()))?;
                }
                self.statement("RELEASE one_write")?;
            }
        }
        self.statement("COMMIT")
    }

    fn statement(&mut self, sql: &'static str) -> Result<(), Error> {
        let run = self.connection.execute(sql, &[]);
        self.runtime.block_on(run).map(drop)
    }
}

/// A write of any type.
trait Job: Send {
    /// Does its work; whether that is to stay.
    fn run(&mut self, connection: &mut Connection, runtime: &Handle) -> bool;

    /// Answers whoever waits, now that all of the transaction is durable, or nothing of it.
    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>);
}

struct Write<T, E, F> {
    work: Option<F>,
    /// `None` until it has run, and where it panicked.
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    /// What is logged in the work belongs to the request.
    span: tracing::Span,
    subscriber: Dispatch,
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Written<'c, T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn run(&mut self, connection: &mut Connection, runtime: &Handle) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let work = || runtime.block_on(work(connection));
        let work =
            || tracing::dispatcher::with_default(&self.subscriber, || self.span.in_scope(work));
        // What it had of the connection was given back on the way; its transaction is rolled back.
        self.result = catch_unwind(AssertUnwindSafe(work)).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>) {
        let result = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error),
            (Some(done), Ok(())) => done,
            (_, Err(error)) => Err(Error::NotCommitted(error).into()),
            (None, Ok(())) => Err(Error::Panicked.into()),
        };
        // Whoever asked may be gone; what is done is done.
        let _ = self.reply.send(result);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use futures::FutureExt as _;
    use tokio::sync::Notify;

    use super::*;

    /// Numbers whose parents have to be there when a transaction ends.
    fn numbers(folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("numbers.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE numbers (
                     n INTEGER PRIMARY KEY,
                     parent INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED
                 )",
            )
            .unwrap();
        path
    }

    async fn add(writer: &Writer, n: i64, parent: Option<i64>) -> Result<(), Error> {
        let insert = "INSERT INTO numbers (n, parent) VALUES ($1, $2)";
        let write = writer.write(move |tx| {
            Box::pin(async move { tx.execute(insert, crate::args![n, parent]).await })
        });
        write.await.map(drop)
    }

    async fn all(writer: &Writer) -> Vec<i64> {
        let read = writer.write(|tx| {
            Box::pin(async move { tx.fetch_all("SELECT n FROM numbers ORDER BY n", &[]).await })
        });
        let rows: Result<Vec<(i64,)>, Error> = read.await;
        rows.unwrap().into_iter().map(|(n,)| n).collect()
    }

    /// Keeps the thread busy, until what is returned is notified: what is asked meanwhile waits together.
    async fn hold(writer: &Writer) -> Arc<Notify> {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        tokio::spawn({
            let (writer, begun, go_on) = (writer.clone(), begun.clone(), go_on.clone());
            async move {
                let held = writer.write::<(), Error, _>(move |_| {
                    Box::pin(async move {
                        begun.notify_one();
                        go_on.notified().await;
                        Ok(())
                    })
                });
                held.await
            }
        });
        begun.notified().await;
        go_on
    }

    #[tokio::test]
    async fn commits_wait_for_the_disk_and_parents_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        let settings = writer.write(|tx| {
            Box::pin(async move {
                let sql = "SELECT (SELECT synchronous FROM pragma_synchronous),
                                  (SELECT foreign_keys FROM pragma_foreign_keys),
                                  (SELECT journal_mode FROM pragma_journal_mode)";
                tx.fetch_one(sql, &[]).await
            })
        });
        let settings: Result<(i64, i64, String), Error> = settings.await;
        // 2 is FULL.
        assert_eq!(settings.unwrap(), (2, 1, "wal".to_owned()));
        writer.close().await;
    }

    #[tokio::test]
    async fn what_cannot_be_committed_is_nobodys_and_the_next_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        let go_on = hold(&writer).await;
        let release = async { go_on.notify_one() };
        let (good, orphan, ()) =
            futures::join!(add(&writer, 1, None), add(&writer, 2, Some(3)), release);
        for result in [good, orphan] {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::NotCommitted(_)), "{error}");
            assert!(!error.may_pass());
        }
        // Alone.
        let error = add(&writer, 2, Some(3)).await.unwrap_err();
        assert!(matches!(error, Error::NotCommitted(_)), "{error}");
        add(&writer, 1, None).await.unwrap();
        assert_eq!(all(&writer).await, [1]);
        writer.close().await;
    }

    #[tokio::test]
    async fn while_another_process_writes_trying_again_may_help() {
        let folder = tempfile::tempdir().unwrap();
        let path = numbers(&folder);
        let writer = Writer::open(&path, Duration::ZERO).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = add(&writer, 1, None).await.unwrap_err();
        assert!(matches!(error, Error::NotCommitted(_)), "{error}");
        assert!(error.may_pass());
        other.execute_batch("COMMIT").unwrap();
        add(&writer, 1, None).await.unwrap();
        assert_eq!(all(&writer).await, [1]);
        writer.close().await;
    }

    #[tokio::test]
    async fn on_a_full_disk_trying_again_may_help() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        let limited = writer.write(|tx| {
            Box::pin(async move {
                // It can't be less than there are.
                tx.fetch_all("PRAGMA max_page_count = 1", &[]).await
            })
        });
        let limited: Result<Vec<(i64,)>, Error> = limited.await;
        assert_eq!(limited.unwrap().len(), 1);
        let go_on = hold(&writer).await;
        let grow = writer.write(|tx| {
            Box::pin(async move { tx.execute("CREATE TABLE more (n INTEGER)", &[]).await })
        });
        let release = async { go_on.notify_one() };
        let (before, grow, after, ()) =
            futures::join!(add(&writer, 1, None), grow, add(&writer, 2, None), release);
        let error: Error = grow.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        before.unwrap();
        after.unwrap();
        assert_eq!(all(&writer).await, [1, 2]);
        writer.close().await;
    }

    #[tokio::test]
    async fn one_that_panics_among_others_undoes_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        let go_on = hold(&writer).await;
        let panics = writer.write::<(), Error, _>(|tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO numbers (n) VALUES (2)", &[])
                    .await?;
                panic!("on purpose")
            })
        });
        let release = async { go_on.notify_one() };
        let (before, panicked, after, ()) = futures::join!(
            add(&writer, 1, None),
            panics,
            add(&writer, 3, None),
            release
        );
        before.unwrap();
        assert!(matches!(panicked, Err(Error::Panicked)), "{panicked:?}");
        after.unwrap();
        assert_eq!(all(&writer).await, [1, 3]);
        writer.close().await;
    }

    /// It can't be told from outside otherwise: reads go on.
    #[tokio::test]
    async fn a_thread_that_ended_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        writer.ping().unwrap();
        let (waiting, gone) = mpsc::channel(1);
        drop(gone);
        if let Some(thread) = writer.thread().as_mut() {
            thread.waiting = waiting;
        }
        assert!(writer.ping().is_err());
        assert!(add(&writer, 1, None).await.is_err());
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&numbers(&folder), Duration::ZERO).unwrap();
        let go_on = hold(&writer).await;
        let count = i64::try_from(MAX_WAITING).unwrap();
        let mut waiting = futures::future::join_all((0..count).map(|n| add(&writer, n, None)));
        assert!((&mut waiting).now_or_never().is_none());
        let refused = add(&writer, count, None).now_or_never();
        assert!(
            matches!(refused, Some(Err(Error::Unavailable(_)))),
            "{refused:?}"
        );
        go_on.notify_one();
        for result in waiting.await {
            result.unwrap();
        }
        assert_eq!(all(&writer).await.len(), MAX_WAITING);
        writer.close().await;
    }

    #[tokio::test]
    async fn what_was_asked_before_the_end_is_written_and_nothing_is_held_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = numbers(&folder);
        let log = folder.path().join("numbers.db-wal");
        let writer = Writer::open(&path, Duration::ZERO).unwrap();
        let go_on = hold(&writer).await;
        let mut asked = Box::pin(add(&writer, 1, None));
        // Whoever goes away takes nothing along.
        assert!(add(&writer, 2, None).now_or_never().is_none());
        assert!((&mut asked).now_or_never().is_none());
        let release = async {
            assert!(log.exists());
            go_on.notify_one();
        };
        let (asked, (), ()) = futures::join!(asked, writer.close(), release);
        asked.unwrap();
        // SQLite removes it with the last connection.
        assert!(!log.exists());
        assert!(writer.ping().is_err());
        let error = add(&writer, 3, None).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        let writer = Writer::open(&path, Duration::ZERO).unwrap();
        assert_eq!(all(&writer).await, [1, 2]);
        writer.close().await;
    }
}
