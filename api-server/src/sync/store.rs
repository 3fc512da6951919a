//! The statements of sync. Every one names the owner.

use super::change::Stored;
use super::cursor::Cursor;
use crate::args;
use crate::database::{Connection, Error};
use crate::documents::DocumentId;
use crate::timestamp::Timestamp;

/// The number of `owner`'s latest change.
pub(super) async fn latest(connection: &mut Connection, owner: &str) -> Result<Cursor, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT change_seq FROM users WHERE subject = $1",
            args![owner],
        )
        .await?;
    Ok(Cursor(row.map_or(0, |(number,)| number)))
}

/// Number and size of up to `limit` changed documents after `cursor`, in the order of their changes.
pub(super) async fn sizes(
    connection: &mut Connection,
    owner: &str,
    cursor: Cursor,
    limit: u32,
) -> Result<Vec<(i64, i64)>, Error> {
    connection
        .fetch_all(
            "SELECT change_seq, size_bytes FROM documents WHERE owner = $1 AND change_seq > $2
             ORDER BY change_seq LIMIT $3",
            args![owner, cursor.0, i64::from(limit)],
        )
        .await
}

/// The documents whose latest change is after `after` and not after `until`.
pub(super) async fn changes(
    connection: &mut Connection,
    owner: &str,
    after: Cursor,
    until: Cursor,
) -> Result<Vec<Stored>, Error> {
    connection
        .fetch_all(
            "SELECT id, version, title, tags, content, created_at, updated_at, deleted_at FROM documents
             WHERE owner = $1 AND change_seq > $2 AND change_seq <= $3 ORDER BY change_seq",
            args![owner, after.0, until.0],
        )
        .await
}

/// The document or tombstone `id`.
pub(super) async fn find(
    connection: &mut Connection,
    owner: &str,
    id: &DocumentId,
) -> Result<Option<Stored>, Error> {
    connection
        .fetch_optional(
            "SELECT id, version, title, tags, content, created_at, updated_at, deleted_at FROM documents
             WHERE owner = $1 AND id = $2",
            args![owner, id.as_str()],
        )
        .await
}

/// What was applied under `key` before.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) change_hash: Vec<u8>,
    pub(super) version: i64,
}

crate::record!(Applied: change_hash, version);

/// Looks an idempotency key up.
pub(super) async fn applied(
    transaction: &mut Connection,
    owner: &str,
    key: &str,
) -> Result<Option<Applied>, Error> {
    transaction
        .fetch_optional(
            "SELECT change_hash, version FROM applied_pushes WHERE owner = $1 AND idempotency_key = $2",
            args![owner, key],
        )
        .await
}

/// Keeps that the change under `key` was applied.
pub(super) async fn remember(
    transaction: &mut Connection,
    owner: &str,
    key: &str,
    (id, version): (&DocumentId, i64),
    hash: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    transaction
        .execute(
            "INSERT INTO applied_pushes (owner, idempotency_key, change_hash, document_id, version, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            args![owner, key, hash, id.as_str(), version, now],
        )
        .await?;
    Ok(())
}
