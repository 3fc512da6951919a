//! The one table from what went wrong to what a client is told: problem details (RFC 9457) for the API's own errors,
//! OAuth's format (RFC 6750, through the policy's table) for those of the token.
//!
//! Three readers, three forms: a client gets the fixed text of its kind, an operator one log line with the cause,
//! metrics the code. No request body, token or statement value is in any of them.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use edge_auth_policy::rejection::{
    Challenge, ErrorSettings, Fault, Reason, RejectionContext, reject,
};
use serde::Serialize;

use crate::database;
use crate::documents::ETag;

/// Every way a request of the API can fail.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No such resource, or none of the caller's.
    #[error("not found")]
    NotFound,
    /// The path exists, the method does not.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// A change without `If-Match` could overwrite another's (RFC 6585 §3).
    #[error("If-Match is missing")]
    PreconditionRequired,
    /// `If-Match` or `If-None-Match` is not a list of entity tags.
    #[error("a precondition header is malformed")]
    MalformedPrecondition,
    /// The document changed since the client read it (RFC 9110 §15.5.13).
    #[error("If-Match names another version")]
    PreconditionFailed {
        /// What it is now.
        current: ETag,
    },
    /// The body, or the document in it, is larger than allowed.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The body's media type is not one this route reads.
    #[error("unsupported media type")]
    UnsupportedMediaType {
        /// The one it reads.
        accepted: &'static str,
    },
    /// The body is not JSON.
    #[error("the body is not JSON")]
    MalformedBody {
        /// Where the parser gave up.
        line: usize,
        /// Where the parser gave up.
        column: usize,
    },
    /// The body could not be read to its end.
    #[error("the body could not be read")]
    IncompleteBody,
    /// The query has parameters that are wrong.
    #[error("a query parameter is invalid")]
    InvalidQuery(Vec<Invalid>),
    /// The body is JSON, and its content isn't acceptable.
    #[error("the content is invalid")]
    InvalidContent(Vec<Invalid>),
    /// The token is missing or isn't good enough.
    #[error("{}", .reason.code())]
    Rejected {
        /// Why, in the policy's words.
        reason: Reason,
        /// The scope this route needs.
        scope: Option<&'static str>,
    },
    /// A sync cursor from a history that no longer is: the database was restored from a backup, say.
    #[error("the sync cursor is ahead of the history")]
    CursorAhead,
    /// The request took longer than allowed.
    #[error("the request took too long")]
    TimedOut,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A handler panicked or an invariant does not hold.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// One part of a request that is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Invalid {
    /// A JSON pointer into the body (RFC 6901), or the name of a query parameter.
    pub at: String,
    /// What would be right.
    pub detail: String,
}

impl Invalid {
    /// `detail` is wrong at `at`.
    pub fn new(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            detail: detail.into(),
        }
    }
}

/// A row of the table: what a kind of error is on the wire. `code` never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code, also the last part of `type`.
    pub code: &'static str,
    /// A short text for people, the same for every occurrence.
    pub title: &'static str,
}

/// The prefix of every `type`.
pub const TYPE_PREFIX: &str = "urn:problem-type:edge-auth:";

impl ApiError {
    /// The table.
    pub fn row(&self) -> Row {
        let (status, code, title) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "There is no such resource",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The resource does not have this method",
            ),
            Self::PreconditionRequired => (
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
                "A change needs If-Match with the ETag that was read",
            ),
            Self::MalformedPrecondition => (
                StatusCode::BAD_REQUEST,
                "malformed_precondition",
                "If-Match or If-None-Match is not a list of entity tags",
            ),
            Self::PreconditionFailed { .. } => (
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "The resource has changed since it was read",
            ),
            Self::TooLarge { .. } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The content is larger than allowed",
            ),
            Self::UnsupportedMediaType { .. } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The media type is not supported here",
            ),
            Self::MalformedBody { .. } => (
                StatusCode::BAD_REQUEST,
                "malformed_body",
                "The body is not JSON",
            ),
            Self::IncompleteBody => (
                StatusCode::BAD_REQUEST,
                "incomplete_body",
                "The body could not be read to its end",
            ),
            Self::InvalidQuery(_) => (
                StatusCode::BAD_REQUEST,
                "invalid_query",
                "A query parameter is not acceptable",
            ),
            Self::InvalidContent(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_content",
                "The content is not acceptable",
            ),
            Self::Rejected { reason, .. } => {
                let row = reason.row();
                let status = StatusCode::from_u16(row.status);
                (
                    status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
                    reason.code(),
                    row.description,
                )
            }
            Self::CursorAhead => (
                StatusCode::GONE,
                "cursor_gone",
                "The cursor belongs to another history; sync from the start",
            ),
            Self::TimedOut => (
                StatusCode::SERVICE_UNAVAILABLE,
                "timed_out",
                "The request took too long",
            ),
            Self::Database(error) if error.may_pass() => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The service is busy; try again shortly",
            ),
            Self::Database(_) | Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "The server failed",
            ),
        };
        Row {
            status,
            code,
            title,
        }
    }

    /// What this occurrence adds to the title.
    fn detail(&self) -> Option<String> {
        match self {
            Self::TooLarge { limit_bytes } => Some(format!("at most {limit_bytes} bytes")),
            Self::UnsupportedMediaType { accepted } => Some(format!("send {accepted}")),
            Self::MalformedBody { line, column } => {
                Some(format!("at line {line}, column {column}"))
            }
            _ => None,
        }
    }

    fn log(&self, row: Row) {
        match self {
            Self::Rejected { reason, .. } => match reason.row().fault {
                Fault::Dependency | Fault::Ourselves => {
                    tracing::warn!(code = row.code, "the token can't be judged");
                }
                Fault::Client | Fault::Nobody => {
                    tracing::info!(code = row.code, "the token was refused");
                }
            },
            _ if row.status == StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(code = row.code, error = %self, "a request failed");
            }
            _ if row.status.is_server_error() => {
                tracing::error!(code = row.code, error = %self, "a request failed");
            }
            _ => tracing::debug!(code = row.code, "a request was refused"),
        }
    }
}

/// Problem details (RFC 9457 §3).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// A URI that names the kind of problem; it ends with the code.
    r#type: String,
    /// A short text for people, the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The kind's stable code.
    code: &'static str,
    /// What this occurrence adds to the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// All parts of the request that are not acceptable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Invalid>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let row = self.row();
        self.log(row);
        if let Self::Rejected { reason, scope } = self {
            return rejection(reason, scope);
        }
        let problem = Problem {
            r#type: format!("{TYPE_PREFIX}{}", row.code),
            title: row.title,
            status: row.status.as_u16(),
            code: row.code,
            detail: self.detail(),
            errors: match &self {
                Self::InvalidQuery(errors) | Self::InvalidContent(errors) => errors.clone(),
                _ => Vec::new(),
            },
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match &self {
            Self::PreconditionFailed { current } => {
                headers.insert(ETAG, current.to_header());
            }
            _ if row.status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        (row.status, headers, body).into_response()
    }
}

/// The reply of the policy's table: the same status, challenge and body as at the edge.
fn rejection(reason: Reason, scope: Option<&'static str>) -> Response {
    let reply = reject(
        reason,
        &ErrorSettings::default(),
        RejectionContext {
            challenge: Challenge {
                scope,
                ..Challenge::default()
            },
            ..RejectionContext::default()
        },
    );
    let headers: HeaderMap = reply
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name.as_ref()).ok()?,
                HeaderValue::try_from(value.as_ref()).ok()?,
            ))
        })
        .collect();
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    (status, headers, reply.body).into_response()
}

/// What unknown paths get.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// What known paths with other methods get. The router adds `Allow`.
pub async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}
