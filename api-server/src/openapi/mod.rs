//! The API's own description (`OpenAPI` 3.1), generated from the handlers and served as `/openapi.json`.
//!
//! A route is added by `routes!`, which puts the handler into the router and its description into the document at
//! once: neither can be there without the other. The internal listener has a document of its own.

mod requests;
mod responses;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, RefOr, Schema};
use utoipa::{Modify, OpenApi as _, PartialSchema, ToSchema};

pub(crate) use requests::{
    Callback, CallbackQuery, DocumentContent, DocumentId, DocumentPatch, FeedQuery, IfMatch,
    IfNoneMatch, ListQuery, LoginQuery, LogoutToken, ProfilePatch, Push, SessionId, SyncQuery,
    SyncUser,
};
pub(crate) use responses::{Auth, Bearer, Conditional, InternalOnly, Plain, WithBody};

use crate::app;
use crate::error::Problem;
use crate::login::OAuthError;
use crate::sessions::cookie;
use crate::timestamp::Timestamp;

/// What stands above the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "edge-auth API server",
        description = "Markdown documents with sync, profiles, and browser sessions behind the edge.\n\nErrors of the \
            API are problem details (RFC 9457, `application/problem+json`); errors of tokens, sessions and logins have \
            OAuth's format (RFC 6750, `application/json`).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "documents", description = "One's own Markdown documents"),
        (name = "sync", description = "For devices that work offline"),
        (name = "profile", description = "The caller's profile, here and at the identity provider"),
        (name = "login", description = "Login, logout and browser sessions"),
        (name = "operation", description = "Health and this document")
    ),
    modifiers(&Security)
)]
struct Public;

/// What stands above the internal listener's paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "edge-auth API server, internal listener",
        description = "For the edge, the identity provider's hooks and operators; never reachable from outside.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "internal", description = "For the edge and the identity provider's hooks"),
        (name = "operation", description = "Health, metrics and this document")
    ),
    modifiers(&InternalSecurity)
)]
struct Internal;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_default();
        add_errors(components);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token of the identity provider for this API",
            ));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let session = ApiKeyValue::with_description(
            cookie::SESSION,
            "The sealed session cookie that a login sets",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    }
}

struct InternalSecurity;

impl Modify for InternalSecurity {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_default();
        add_errors(components);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of the setting `internal_token`"));
        components.add_security_scheme("internal", SecurityScheme::Http(token.build()));
    }
}

/// The two formats of errors, which responses name.
fn add_errors(components: &mut Components) {
    let mut schemas = vec![
        (Problem::name().into_owned(), Problem::schema()),
        (OAuthError::name().into_owned(), OAuthError::schema()),
    ];
    Problem::schemas(&mut schemas);
    OAuthError::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

/// The beginning of the public document.
pub(crate) fn public_base() -> OpenApi {
    Public::openapi()
}

/// The beginning of the internal listener's document.
pub(crate) fn internal_base() -> OpenApi {
    Internal::openapi()
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operation",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object), Plain)
)]
pub(crate) async fn public() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| text(app::public_routes().into_openapi()));
    reply(&DOCUMENT)
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operation",
    responses((status = 200, description = "The OpenAPI document", content_type = "application/json", body = Object), Plain)
)]
pub(crate) async fn internal() -> Response {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| text(app::internal_routes().into_openapi()));
    reply(&DOCUMENT)
}

fn text(document: OpenApi) -> Bytes {
    // The package's version is the API's.
    let mut info = document.info.clone();
    env!("CARGO_PKG_VERSION").clone_into(&mut info.version);
    let document = OpenApiBuilder::from(document).info(info).build();
    serde_json::to_vec(&document).unwrap_or_default().into()
}

fn reply(document: &Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], document.clone()).into_response()
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(SchemaType::new(utoipa::openapi::Type::String))
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::DateTime,
            )))
            .description(Some("RFC 3339"))
            .into()
    }
}

impl ToSchema for Timestamp {}
