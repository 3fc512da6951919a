//! `GET /api/v1/sync/changes`

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::change::Change;
use super::cursor::Cursor;
use super::store;
use crate::app::App;
use crate::auth::{Caller, ReadDocuments};
use crate::error::{ApiError, Problem};
use crate::openapi;
use crate::pagination::parse_limit;
use crate::query::Query;

/// Documents changed since a cursor.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ChangePage)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// Each document once, in the order of its latest change.
    changes: Vec<Change>,
    /// Where to go on from, now or later.
    cursor: String,
    /// Whether there is more already.
    more: bool,
}

/// What changed after `cursor`: at most `limit` documents and about [`PAGE_BYTES`].
#[utoipa::path(
    get, path = "/api/v1/sync/changes", operation_id = "pullChanges", tag = "sync",
    params(openapi::SyncQuery), security(("bearer" = ["read:documents"])),
    responses(
        (status = 200, description = "Documents changed since the cursor", body = Page),
        openapi::Bearer,
        (status = 410, description = "The cursor belongs to another history; sync from the start", body = Problem,
            content_type = "application/problem+json")
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<ReadDocuments>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref());
    let limit = query.take("limit", parse_limit);
    let cursor = query.take("cursor", Cursor::parse);
    query.finish()?;
    let (Some(limit), Some(cursor)) = (limit, cursor) else {
        return Err(ApiError::Internal("a wrong parameter without an error"));
    };
    let owner = caller.subject();
    let mut connection = app.database.read().await?;
    if cursor > store::latest(&mut connection, owner).await? {
        return Err(ApiError::CursorAhead);
    }
    let sizes = store::sizes(&mut connection, owner, cursor, limit + 1).await?;
    let (until, taken) = fill(cursor, &sizes, limit as usize);
    // A document that changes between the two statements leaves this page for a later one: it is not lost.
    let stored = store::changes(&mut connection, owner, cursor, until).await?;
    let page = Page {
        changes: stored.into_iter().map(Change::from).collect(),
        cursor: until.to_text(),
        more: taken < sizes.len(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(page)).into_response())
}

/// Where a page ends and how many documents it has: at least one, if there is one.
fn fill(cursor: Cursor, sizes: &[(i64, i64)], limit: usize) -> (Cursor, usize) {
    let mut bytes = 0;
    let taken = sizes
        .iter()
        .take(limit)
        .take_while(|(_, size)| {
            let first = bytes == 0;
            bytes += size + 1;
            first || bytes <= PAGE_BYTES
        })
        .count();
    let last = taken.checked_sub(1).and_then(|last| sizes.get(last));
    (last.map_or(cursor, |&(number, _)| Cursor(number)), taken)
}

/// Bytes of documents on a page, unless a single one is larger.
const PAGE_BYTES: i64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_its_limit_or_when_it_is_full() {
        let mib = 1 << 20;
        for (sizes, limit, expected) in [
            (&[][..], 5, (Cursor(7), 0)),
            (&[(8, 0), (9, 0)], 5, (Cursor(9), 2)),
            (&[(8, 0), (9, 0)], 1, (Cursor(8), 1)),
            (&[(8, 3 * mib), (9, mib - 2), (10, 0)], 5, (Cursor(9), 2)),
            (&[(8, 5 * mib), (9, 1)], 5, (Cursor(8), 1)),
        ] {
            assert_eq!(fill(Cursor(7), sizes, limit), expected);
        }
    }
}
