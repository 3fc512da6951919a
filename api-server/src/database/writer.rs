//! `SQLite`'s one writer. Writes that come while another is being made durable are made durable together.
//!
//! A commit waits for the disk, whatever is in it. So whoever gets the turn takes all writes that wait, each as a
//! savepoint of its own: one that fails undoes itself alone. Nobody is answered before the commit their write is in.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqlitePool;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::connection::Inner;
use super::{Connection, Error, Written};

/// Writes of one commit at most: the first of them waits for all.
const MAX_TOGETHER: usize = 64;
/// Writes that may wait. More would only wait for longer than their clients do.
const MAX_WAITING: usize = 4_096;

/// The writer; clones share its queue.
#[derive(Clone)]
pub(super) struct Writer {
    pool: SqlitePool,
    waiting: Arc<Mutex<VecDeque<Box<dyn Job>>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("waiting", &self.waiting().len())
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Writes through `pool`, which has one connection.
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            waiting: Arc::default(),
            turn: Arc::default(),
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs `work` and answers when it is durable, or undone.
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
        };
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MAX_WAITING {
                return Err(Error::from(sqlx::Error::PoolTimedOut).into());
            }
            waiting.push_back(Box::new(write));
        }
        // In a task of its own, which a client that goes away does not end.
        let writer = self.clone();
        tokio::spawn(async move { writer.take_turn().await });
        // Without an answer it, or one it shared a transaction with, panicked: all of that was rolled back.
        answer.await.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    /// Writes all that waits when the turn comes; often somebody before has done so already.
    async fn take_turn(&self) {
        let _turn = self.turn.lock().await;
        let mut together: Vec<_> = {
            let mut waiting = self.waiting();
            let count = waiting.len().min(MAX_TOGETHER);
            waiting.drain(..count).collect()
        };
        if together.is_empty() {
            return;
        }
        let committed = self.commit(&mut together).await.map_err(Arc::new);
        for job in together {
            job.answer(committed.clone());
        }
    }

    async fn commit(&self, together: &mut [Box<dyn Job>]) -> Result<(), Error> {
        // As a writer at once: a transaction that starts reading and writes later may fail with "busy".
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut connection = Connection(Inner::SqliteWrite(transaction));
        if let [alone] = together {
            // What fails alone takes the transaction with it.
            if !alone.run(&mut connection).await {
                return connection.roll_back().await;
            }
        } else {
            // The commit releases the last one. What is sent together costs one switch of threads.
            let mut next = "SAVEPOINT one_write";
            for job in together {
                connection.execute(next, &[]).await?;
                next = "RELEASE one_write; SAVEPOINT one_write";
                if !job.run(&mut connection).await {
                    connection.execute("ROLLBACK TO one_write", &[]).await?;
                }
            }
        }
        connection.commit().await
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Box<dyn Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write of any type.
trait Job: Send {
    /// Does its work; whether that is to stay.
    fn run<'j>(
        &'j mut self,
        connection: &'j mut Connection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'j>>;

    /// Answers whoever waits, now that all of the transaction is durable, or nothing of it.
    fn answer(self: Box<Self>, committed: Result<(), Arc<Error>>);
}

struct Write<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    /// What is logged in the work belongs to the request.
    span: tracing::Span,
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Written<'c, T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn run<'j>(
        &'j mut self,
        connection: &'j mut Connection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'j>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return false;
            };
            let result = work(connection).instrument(self.span.clone()).await;
            let stays = result.is_ok();
            self.result = Some(result);
            stays
        })
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
