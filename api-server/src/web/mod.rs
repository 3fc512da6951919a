//! The browser app: its files as they are, and one page for every place in it.
//!
//! The files are read once, when the server starts. A request names one of them or none, so there is no path to
//! climb out of, and what was there at the start is what is served.

mod compress;
mod file;
mod folder;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};

pub use folder::{Error, Folder, MAX_BYTES};

use crate::error::{self, ApiError};

/// The routes of the app: `/`, and everything below `/app/`.
///
/// A path below `/app/` that looks like a file's is that file or none; any other is a place in the app, and answered with
/// the page that finds it (a deep link).
pub(crate) fn router<S: Clone + Send + Sync + 'static>(folder: Arc<Folder>) -> Router<S> {
    let handler = move |request: Request| {
        let folder = Arc::clone(&folder);
        async move { answer(&folder, &request) }
    };
    Router::new()
        .route("/", axum::routing::get(handler.clone()))
        .route("/app/", axum::routing::get(handler.clone()))
        .route("/app/{*path}", axum::routing::get(handler))
        .method_not_allowed_fallback(error::method_not_allowed)
}

fn answer(folder: &Folder, request: &Request) -> Response {
    let path = request.uri().path();
    let name = path.strip_prefix("/app/").unwrap_or_default();
    let looks_like_a_file = name.rsplit('/').next().is_some_and(|it| it.contains('.'));
    let file = if looks_like_a_file {
        folder.file(name)
    } else {
        Some(folder.page())
    };
    match file {
        Some(file) => file.answer(request.headers()),
        None => ApiError::NotFound.into_response(),
    }
}
