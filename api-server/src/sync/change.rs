//! One changed document as a device sees it: all of it, or that it is gone.

use serde::Serialize;

use crate::documents::model::Tags;
use crate::timestamp::Timestamp;

/// The state a document has after its latest change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    /// The document.
    pub(super) id: String,
    /// Its version now: the `baseVersion` of the device's next edit.
    pub(super) version: i64,
    /// When it changed.
    pub(super) updated_at: Timestamp,
    /// Whether it is deleted; then there is no `document`.
    pub(super) deleted: bool,
    /// What it contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<Body>,
}

/// What a live document contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ChangedDocument)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    title: String,
    tags: Tags,
    content: String,
    created_at: Timestamp,
}

/// A document or its tombstone, as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    id: String,
    pub(super) version: i64,
    title: String,
    tags: Tags,
    content: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    pub(super) deleted_at: Option<i64>,
}

crate::record!(Stored: id, version, title, tags, content, created_at, updated_at, deleted_at);

impl From<Stored> for Change {
    fn from(stored: Stored) -> Self {
        let deleted = stored.deleted_at.is_some();
        Self {
            id: stored.id,
            version: stored.version,
            updated_at: stored.updated_at,
            deleted,
            document: (!deleted).then_some(Body {
                title: stored.title,
                tags: stored.tags,
                content: stored.content,
                created_at: stored.created_at,
            }),
        }
    }
}
