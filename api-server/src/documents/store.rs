//! The documents' statements. Every one names the owner: there is no way to ask for a document alone.

use crate::args;
use crate::database::{Connection, Database, Error, Sql};
use crate::documents::DocumentId;
use crate::documents::model::{Document, Draft, Summary};
use crate::documents::search::Words;
use crate::pagination::Position;
use crate::timestamp::Timestamp;

/// One document: owner, id.
pub const FIND: &str =
    "SELECT id, version, title, tags, content, created_at, updated_at FROM documents
     WHERE owner = $1 AND id = $2 AND deleted_at IS NULL";

/// A page of a list: owner, time and id of the last item before it, limit.
pub const LIST: &str =
    "SELECT id, version, title, tags, size_bytes, created_at, updated_at FROM documents
     WHERE owner = $1 AND deleted_at IS NULL AND (created_at, id) < ($2, $3)
     ORDER BY created_at DESC, id DESC LIMIT $4";

/// The live document `id` of `owner`.
pub async fn read(
    database: &Database,
    owner: &str,
    id: &DocumentId,
) -> Result<Option<Document>, Error> {
    let rows = database.read_few(FIND, args![owner, id.as_str()]).await?;
    Ok(rows.into_iter().next())
}

/// The live document `id` of `owner`, to be changed in the same transaction.
pub async fn find(
    transaction: &mut Connection,
    owner: &str,
    id: &DocumentId,
) -> Result<Option<Document>, Error> {
    transaction
        .fetch_optional(FIND, args![owner, id.as_str()])
        .await
}

/// Up to `limit` live documents of `owner` after `position`, newest first.
pub async fn list(
    database: &Database,
    owner: &str,
    position: &Position,
    limit: u32,
) -> Result<Vec<Summary>, Error> {
    database
        .read_few(
            LIST,
            args![owner, position.created_at, &position.id, i64::from(limit)],
        )
        .await
}

/// Up to `limit` live documents of `owner` after `position` in which all `words` occur, newest first.
pub async fn search(
    database: &Database,
    owner: &str,
    words: &Words,
    position: &Position,
    limit: u32,
) -> Result<Vec<Summary>, Error> {
    let query = words.to_query(owner);
    database
        .read()
        .await?
        .fetch_all(
            Sql {
                sqlite: "SELECT id, version, title, tags, size_bytes, created_at, updated_at FROM documents
                     WHERE owner = $1 AND deleted_at IS NULL AND (created_at, id) < ($2, $3)
                       AND row_id IN (SELECT rowid FROM documents_search WHERE documents_search MATCH $5)
                     ORDER BY created_at DESC, id DESC LIMIT $4",
                postgres: "SELECT id, version, title, tags, size_bytes, created_at, updated_at FROM documents
                     WHERE owner = $1 AND deleted_at IS NULL AND (created_at, id) < ($2, $3)
                       AND search @@ to_tsquery('simple', $6)
                     ORDER BY created_at DESC, id DESC LIMIT $4",
            },
            args![
                owner,
                position.created_at,
                &position.id,
                i64::from(limit),
                query.fts5,
                query.tsquery,
            ],
        )
        .await
}

/// Makes `owner`'s changes wait until this transaction ends.
pub async fn lock_owner(
    transaction: &mut Connection,
    owner: &str,
    now: Timestamp,
) -> Result<(), Error> {
    transaction
        .execute(
            "INSERT INTO users (subject, change_seq, created_at) VALUES ($1, 0, $2)
             ON CONFLICT (subject) DO UPDATE SET change_seq = users.change_seq",
            args![owner, now],
        )
        .await?;
    Ok(())
}

/// The next number of `owner`'s changes. Holds the owner's row until the transaction ends: the owner's changes
/// happen one after the other, and whoever reads number n can rely on all below n being visible.
pub async fn next_change(
    transaction: &mut Connection,
    owner: &str,
    now: Timestamp,
) -> Result<i64, Error> {
    let (change,): (i64,) = transaction
        .fetch_one(
            "INSERT INTO users (subject, change_seq, created_at) VALUES ($1, 1, $2)
             ON CONFLICT (subject) DO UPDATE SET change_seq = users.change_seq + 1
             RETURNING change_seq",
            args![owner, now],
        )
        .await?;
    Ok(change)
}

/// Adds version 1 of a document, as `owner`'s next change (see [`next_change`]). Both in one go: a new document is what
/// is written most.
pub async fn insert(
    transaction: &mut Connection,
    owner: &str,
    id: &DocumentId,
    draft: &Draft,
    now: Timestamp,
) -> Result<(), Error> {
    transaction
        .execute(
            Sql {
                sqlite: "INSERT INTO users (subject, change_seq, created_at) VALUES ($1, 1, $3)
                     ON CONFLICT (subject) DO UPDATE SET change_seq = users.change_seq + 1;
                     INSERT INTO documents (owner, id, version, change_seq, created_at, updated_at,
                                            size_bytes, title, tags, content)
                     SELECT subject, $2, 1, change_seq, $3, $3, $4, $5, $6, $7 FROM users WHERE subject = $1",
                postgres: "WITH owner AS (
                         INSERT INTO users (subject, change_seq, created_at) VALUES ($1, 1, $3)
                         ON CONFLICT (subject) DO UPDATE SET change_seq = users.change_seq + 1
                         RETURNING subject, change_seq
                     )
                     INSERT INTO documents (owner, id, version, change_seq, created_at, updated_at,
                                            size_bytes, title, tags, content)
                     SELECT subject, $2, 1, change_seq, $3, $3, $4, $5, $6, $7 FROM owner",
            },
            args![
                owner,
                id.as_str(),
                now,
                size(draft),
                draft.title(),
                draft.tags().as_json(),
                draft.content()
            ],
        )
        .await?;
    Ok(())
}

/// Gives the live document `id` new content as change number `change`.
pub async fn replace(
    transaction: &mut Connection,
    owner: &str,
    id: &DocumentId,
    draft: &Draft,
    change: i64,
    now: Timestamp,
) -> Result<Document, Error> {
    transaction
        .fetch_one(
            "UPDATE documents SET version = version + 1, change_seq = $3, updated_at = $4,
                                  size_bytes = $5, title = $6, tags = $7, content = $8
             WHERE owner = $1 AND id = $2 AND deleted_at IS NULL
             RETURNING id, version, title, tags, content, created_at, updated_at",
            args![
                owner,
                id.as_str(),
                change,
                now,
                size(draft),
                draft.title(),
                draft.tags().as_json(),
                draft.content()
            ],
        )
        .await
}

/// Brings the tombstone `id` back with new content as change number `change`.
pub async fn revive(
    transaction: &mut Connection,
    owner: &str,
    id: &DocumentId,
    draft: &Draft,
    change: i64,
    now: Timestamp,
) -> Result<Document, Error> {
    transaction
        .fetch_one(
            "UPDATE documents SET version = version + 1, change_seq = $3, updated_at = $4, deleted_at = NULL,
                                  size_bytes = $5, title = $6, tags = $7, content = $8
             WHERE owner = $1 AND id = $2 AND deleted_at IS NOT NULL
             RETURNING id, version, title, tags, content, created_at, updated_at",
            args![
                owner,
                id.as_str(),
                change,
                now,
                size(draft),
                draft.title(),
                draft.tags().as_json(),
                draft.content()
            ],
        )
        .await
}

/// Leaves a tombstone of the live document `id` as change number `change`: devices learn of it, its text is gone.
pub async fn bury(
    transaction: &mut Connection,
    owner: &str,
    id: &DocumentId,
    change: i64,
    now: Timestamp,
) -> Result<u64, Error> {
    transaction
        .execute(
            "UPDATE documents SET version = version + 1, change_seq = $3, updated_at = $4,
                                  deleted_at = $4, size_bytes = 0, title = '', tags = '[]', content = ''
             WHERE owner = $1 AND id = $2 AND deleted_at IS NULL",
            args![owner, id.as_str(), change, now],
        )
        .await
}

fn size(draft: &Draft) -> i64 {
    i64::try_from(draft.size_bytes()).unwrap_or(i64::MAX)
}
