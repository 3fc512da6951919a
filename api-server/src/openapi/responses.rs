//! The errors a kind of route can answer with, described once.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// Errors any route can answer with.
pub(crate) enum Plain {}
/// Errors of a route that takes a bearer token.
pub(crate) enum Bearer {}
/// Errors of a route that reads a JSON body.
pub(crate) enum WithBody {}
/// Errors of a route that changes something under a precondition.
pub(crate) enum Conditional {}
/// Errors of a login route.
pub(crate) enum Auth {}
/// Errors of a route for holders of the internal token.
pub(crate) enum InternalOnly {}

/// The body's format: problem details, OAuth's, or either.
#[derive(Clone, Copy)]
enum Format {
    Problem,
    OAuth,
    Either,
}
use Format::{Either, OAuth, Problem};

fn describe(rows: &[(u16, Format, &'static str)]) -> BTreeMap<String, RefOr<Response>> {
    let content = |name| {
        ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(name)))
            .build()
    };
    rows.iter()
        .map(|&(status, format, description)| {
            let mut response = ResponseBuilder::new().description(description);
            if matches!(format, Problem | Either) {
                response = response.content("application/problem+json", content("Problem"));
            }
            if matches!(format, OAuth | Either) {
                response = response.content("application/json", content("OAuthError"));
            }
            (status.to_string(), response.build().into())
        })
        .collect()
}

macro_rules! responses {
    ($($kind:ty => [$($row:expr),* $(,)?];)*) => {$(
        impl IntoResponses for $kind {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                describe(&[$($row),*])
            }
        }
    )*};
}

responses! {
    Plain => [
        (500, Problem, "The server failed"),
        (503, Problem, "Busy; `Retry-After` says when to come back"),
    ];
    Bearer => [
        (400, Either, "The request, or how it carries its token, is malformed"),
        (401, OAuth, "There is no token, or it is not good; see `WWW-Authenticate`"),
        (403, OAuth, "The token lacks the scope; see `WWW-Authenticate`"),
        (500, Problem, "The server failed"),
        (503, Either, "Busy, or the issuer's keys are not there; `Retry-After` says when to come back"),
    ];
    WithBody => [
        (400, Either, "The request is malformed"),
        (413, Problem, "The body, or what is in it, is too large"),
        (415, Problem, "The body has another media type"),
        (422, Problem, "The body is JSON, and its content is not acceptable"),
    ];
    Conditional => [
        (404, Problem, "There is no such resource of the caller's"),
        (412, Problem, "The resource has changed since it was read; `ETag` is what it is now"),
        (428, Problem, "`If-Match` is missing"),
    ];
    Auth => [
        (400, Either, "The request is malformed, or belongs to no login begun here"),
        (401, OAuth, "There is no session, or it is over"),
        (403, OAuth, "The request comes from another site, or the provider refused"),
        (404, OAuth, "There is no such session, or login is not configured"),
        (413, Problem, "The body is too large"),
        (429, OAuth, "Too often; `Retry-After` says when to come back"),
        (500, Either, "The server failed"),
        (502, OAuth, "The identity provider's answer is not acceptable"),
        (503, Either, "Busy, or the identity provider can't be reached"),
    ];
    InternalOnly => [
        (400, Either, "The request is malformed"),
        (401, OAuth, "The internal token is missing or wrong"),
        (404, Problem, "No internal token is configured"),
        (413, Problem, "The body is too large"),
        (500, Problem, "The server failed"),
        (503, Problem, "Busy"),
    ];
}
