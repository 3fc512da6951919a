//! What nobody needs any more goes: expired entries of the feed, old sessions, remembered pushes and tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::args;
use crate::clock::Clock;
use crate::database::{Connection, Database, Error};
use crate::timestamp::Timestamp;
use crate::{feed, internal};

/// How often it is looked for.
const PERIOD: Duration = Duration::from_mins(10);
const DAY_MILLIS: i64 = 86_400_000;

/// Prunes for ever. Every replica does; deleting what is gone already is no harm.
pub async fn run(database: Database, clock: Arc<dyn Clock>) {
    let mut interval = tokio::time::interval(PERIOD);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = prune(&database, clock.now().into()).await {
            tracing::warn!(%error, "old rows could not be pruned");
        }
    }
}

/// Prunes once; the number of rows that went.
///
/// # Errors
/// The database fails; nothing has gone then.
pub async fn prune(database: &Database, now: Timestamp) -> Result<u64, Error> {
    database
        .write(move |tx| Box::pin(async move { prune_all(tx, now).await }))
        .await
}

async fn prune_all(tx: &mut Connection, now: Timestamp) -> Result<u64, Error> {
    let before = |days: i64| now.as_millis() - days * DAY_MILLIS;
    let mut gone = feed::store::prune(tx, now).await?;
    gone += internal::forget(tx, now).await?;
    for (sql, limit) in [
        // A device that was offline for longer gets a conflict instead of an answer it has heard before.
        (
            "DELETE FROM applied_pushes WHERE created_at < $1",
            before(30),
        ),
        ("DELETE FROM sessions WHERE expires_at < $1", before(30)),
        ("DELETE FROM logout_tokens WHERE expires_at < $1", before(1)),
        ("DELETE FROM audit_events WHERE at < $1", before(400)),
    ] {
        gone += tx.execute(sql, args![limit]).await?;
    }
    Ok(gone)
}
