//! `PostgreSQL`: one pool for reads and writes; the server keeps writers apart by row locks.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tracing::Instrument as _;

use super::connection::Inner;
use super::{Connection, Error, Written};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects and migrates; the migrator holds an advisory lock, so replicas that start together take turns.
pub(super) async fn open(options: PgConnectOptions, max_connections: u32) -> Result<PgPool, Error> {
    let options = options
        .application_name("edge-auth api-server")
        // Ends what can't end by itself: a lock or a statement that waits longer than any client would.
        .options([
            ("lock_timeout", "10s"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

/// Runs `work` in a transaction of its own, in a task that a client that goes away does not end.
pub(super) async fn write<T, E, F>(pool: PgPool, work: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Written<'c, T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let written = async move {
        let transaction = pool.begin().await.map_err(Error::from)?;
        let mut connection = Connection(Inner::PostgresWrite(transaction));
        let value = work(&mut connection).await?;
        if let Inner::PostgresWrite(transaction) = connection.0 {
            transaction.commit().await.map_err(Error::from)?;
        }
        Ok(value)
    };
    // What is logged in there belongs to the request.
    tokio::spawn(written.in_current_span())
        .await
        .unwrap_or_else(|_| Err(Error::Panicked.into()))
}
