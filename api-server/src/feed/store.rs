//! The feed's statements.

use super::Entry;
use crate::args;
use crate::database::{Connection, Error};
use crate::timestamp::Timestamp;

/// Something to refuse. Times are whole seconds since the epoch.
#[derive(Clone, Debug)]
pub struct Revocation<'a> {
    /// `jti`, `sid`, `sub`, `client` or `address`.
    pub kind: &'static str,
    /// What it names.
    pub value: &'a str,
    /// Of which issuer's tokens; `None` is about everyone's.
    pub issuer: Option<&'a str>,
    /// Only tokens issued before; required with `sub`.
    pub issued_before: Option<i64>,
    /// When it may be forgotten.
    pub expires_at: i64,
}

/// Where the feed stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) epoch: i64,
    pub(super) seq: i64,
}

crate::record!(Head: epoch, seq);

pub(super) async fn head(connection: &mut Connection) -> Result<Head, Error> {
    connection
        .fetch_one("SELECT epoch, seq FROM feed_head WHERE id = 1", &[])
        .await
}

pub(super) async fn entries(
    connection: &mut Connection,
    after: i64,
    until: i64,
    now: i64,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    connection
        .fetch_all(
            "SELECT seq, kind, value, issuer, issued_before, expires_at FROM feed_entries
             WHERE seq > $1 AND seq <= $2 AND expires_at > $3 ORDER BY seq LIMIT $4",
            args![after, until, now, i64::try_from(limit).unwrap_or(i64::MAX)],
        )
        .await
}

/// Adds a revocation. Takes the feed's lock until the transaction ends: call it last.
pub async fn publish(
    transaction: &mut Connection,
    revocation: Revocation<'_>,
) -> Result<(), Error> {
    let (seq,): (i64,) = transaction
        .fetch_one(
            "UPDATE feed_head SET seq = seq + 1 WHERE id = 1 RETURNING seq",
            &[],
        )
        .await?;
    transaction
        .execute(
            "INSERT INTO feed_entries (seq, kind, value, issuer, issued_before, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![
                seq,
                revocation.kind,
                revocation.value,
                revocation.issuer,
                revocation.issued_before,
                revocation.expires_at
            ],
        )
        .await?;
    Ok(())
}

/// Lifts what was published about `value`: whoever holds an older cursor gets a snapshot.
pub async fn lift(
    transaction: &mut Connection,
    kind: &'static str,
    value: &str,
) -> Result<bool, Error> {
    let lifted = transaction
        .execute(
            "DELETE FROM feed_entries WHERE kind = $1 AND value = $2",
            args![kind, value],
        )
        .await?;
    if lifted > 0 {
        transaction
            .execute("UPDATE feed_head SET epoch = epoch + 1 WHERE id = 1", &[])
            .await?;
    }
    Ok(lifted > 0)
}

/// Drops what has expired; no cursor minds.
pub async fn prune(transaction: &mut Connection, now: Timestamp) -> Result<u64, Error> {
    transaction
        .execute(
            "DELETE FROM feed_entries WHERE expires_at <= $1",
            args![now.as_millis() / 1000],
        )
        .await
}
