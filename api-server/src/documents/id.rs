//! Document ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::error::ApiError;

/// The id of a document: a UUID in its canonical spelling. What is none names no document: 404.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentId(String);

impl DocumentId {
    /// A new id that sorts after those made before (UUID version 7), so that one time's rows lie together.
    pub fn new() -> Self {
        Self(Uuid::now_v7().hyphenated().to_string())
    }

    /// Reads the canonical spelling, and only that: one document has one URL.
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok()?.hyphenated().to_string();
        (uuid == text).then_some(Self(uuid))
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.0
    }
}

impl Default for DocumentId {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for DocumentId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::NotFound)?;
        Self::parse(&text).ok_or(ApiError::NotFound)
    }
}
