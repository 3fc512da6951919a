//! The edge feed: what the edge must refuse before it expires by itself, ordered, resumable, pruned.
//!
//! `GET /internal/edge/feed`, on the internal listener only. The format is the policy's
//! (`edge_auth_policy::revocation::feed`); a test reads what is written here with it.

pub mod store;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;
use crate::error::{ApiError, Invalid, Problem};
use crate::openapi;
use crate::query::Query;

/// One revocation, as the edge reads it. Times are whole seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Revocation)]
pub struct Entry {
    #[serde(skip)]
    seq: i64,
    kind: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issued_before: Option<i64>,
    expires_at: i64,
}

crate::record!(Entry: seq, kind, value, issuer, issued_before, expires_at);

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FeedPage)]
struct Page {
    version: u8,
    snapshot: bool,
    cursor: String,
    more: bool,
    entries: Vec<Entry>,
}

/// Entries of a page at most; with values of at most 255 bytes that stays below the edge's 1 MiB.
const PAGE_ENTRIES: usize = 2_000;

/// A page of revocations after a cursor.
#[utoipa::path(
    get, path = "/internal/edge/feed", operation_id = "edgeFeed", tag = "internal",
    params(openapi::FeedQuery),
    responses(
        openapi::Plain,
        (status = 200, description = "What is to be refused, after the cursor", body = Page),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn handler(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref());
    let cursor = query
        .take("cursor", |text| {
            Ok::<_, Invalid>(text.and_then(Cursor::parse))
        })
        .flatten();
    query.finish()?;
    let mut connection = app.database.read().await?;
    let head = store::head(&mut connection).await?;
    // A cursor of another epoch, or from ahead of us, names a state that no longer is: everything is told again.
    let known = cursor.filter(|cursor| cursor.epoch == head.epoch && cursor.seq <= head.seq);
    let after = known.map_or(0, |cursor| cursor.seq);
    let now = i64::try_from(app.clock.now().as_secs()).unwrap_or(i64::MAX);
    let mut entries =
        store::entries(&mut connection, after, head.seq, now, PAGE_ENTRIES + 1).await?;
    let more = entries.len() > PAGE_ENTRIES;
    entries.truncate(PAGE_ENTRIES);
    let seq = match entries.last() {
        Some(last) if more => last.seq,
        _ => head.seq,
    };
    let page = Page {
        version: 1,
        snapshot: known.is_none(),
        cursor: Cursor {
            epoch: head.epoch,
            seq,
        }
        .to_text(),
        more,
        entries,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(page)).into_response())
}

/// A position in the feed. The epoch changes when something is lifted, which only a snapshot can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    epoch: i64,
    seq: i64,
}

impl Cursor {
    fn to_text(self) -> String {
        format!("{}.{}", self.epoch, self.seq)
    }

    fn parse(text: &str) -> Option<Self> {
        let (epoch, seq) = text.split_once('.')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            seq: seq.parse().ok()?,
        })
    }
}
