//! `GET /api/v1/documents`

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;
use crate::auth::{Caller, ReadDocuments};
use crate::documents::model::Summary;
use crate::documents::search::Words;
use crate::documents::store;
use crate::error::ApiError;
use crate::openapi;
use crate::pagination::{Position, parse_limit};
use crate::query::Query;

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DocumentPage)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// Newest first.
    items: Vec<Summary>,
    /// Where the next page begins; null after the last one.
    next_cursor: Option<String>,
}

/// The caller's documents, newest first, without their content; with `q`, those in which all its words occur.
#[utoipa::path(
    get, path = "/api/v1/documents", operation_id = "listDocuments", tag = "documents",
    params(openapi::ListQuery), security(("bearer" = ["read:documents"])),
    responses((status = 200, description = "A page of documents", body = Page), openapi::Bearer)
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<ReadDocuments>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref());
    let limit = query.take("limit", parse_limit);
    let position = query.take("cursor", |cursor| {
        cursor.map_or(Ok(Position::start()), Position::from_cursor)
    });
    let words = query.take("q", |text| text.map(Words::parse).transpose());
    query.finish()?;
    let (Some(limit), Some(position), Some(words)) = (limit, position, words) else {
        return Err(ApiError::Internal("a wrong parameter without an error"));
    };
    // One more than asked for tells whether there is a next page.
    let (owner, fetched) = (caller.subject(), limit + 1);
    let mut items = match words {
        Some(words) => store::search(&app.database, owner, &words, &position, fetched).await?,
        None => store::list(&app.database, owner, &position, fetched).await?,
    };
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| {
        Position {
            created_at: last.created_at.as_millis(),
            id: last.id.clone(),
        }
        .to_cursor()
    });
    let page = Page { items, next_cursor };
    Ok(([(CACHE_CONTROL, "private, no-cache")], Json(page)).into_response())
}
