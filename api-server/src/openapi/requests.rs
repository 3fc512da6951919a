//! What requests carry, as the document describes it. Reading is the handlers' own business: they report all mistakes
//! at once, which a deserializer does not.
#![expect(dead_code, reason = "these types are described and never made")]

use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// The document's id.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DocumentId {
    /// A UUID in lower case.
    #[param(pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    id: String,
}

/// The session's id.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SessionId {
    /// As the list of sessions has it.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    id: String,
}

/// The version a change is made on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfMatch {
    /// The `ETag` that was read, or `*`.
    #[param(rename = "If-Match", pattern = "^(\\*|\"[0-9]+\"(, \"[0-9]+\")*)$")]
    if_match: String,
}

/// Versions the client has.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfNoneMatch {
    /// The `ETag`s of versions at hand: one of them is answered with 304.
    #[param(
        rename = "If-None-Match",
        pattern = "^(\\*|\"[0-9]+\"(, \"[0-9]+\")*)$",
        nullable = false
    )]
    if_none_match: Option<String>,
}

/// A page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Items of the page at most; 20 if it is left out.
    #[param(minimum = 1, maximum = 100, nullable = false)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Up to 16 words, all of which occur in the document, in full or as the beginning of a longer one.
    #[param(min_length = 1, max_length = 256, nullable = false)]
    q: Option<String>,
}

/// A page of changes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncQuery {
    /// Changes of the page at most; 20 if it is left out.
    #[param(minimum = 1, maximum = 100, nullable = false)]
    limit: Option<u32>,
    /// `cursor` of the page before; without it, from the beginning.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Where the edge stands.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// `cursor` of the page before; one that is not known gets a snapshot.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// How a login begins.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LoginQuery {
    /// A path on this site to go to afterwards; anything else counts as `/`.
    #[param(nullable = false)]
    return_to: Option<String>,
    /// S256 challenge (RFC 7636 §4.2) of a page that keeps its own verifier: it gets the URL as JSON.
    #[param(pattern = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", nullable = false)]
    code_challenge: Option<String>,
}

/// What the provider sends the browser back with. Whatever comes, the browser is sent on.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    /// The authorization code.
    #[param(nullable = false)]
    code: Option<String>,
    /// The state of the login begun in this browser.
    #[param(nullable = false)]
    state: Option<String>,
    /// Why there is no code (RFC 6749 §4.1.2.1).
    #[param(nullable = false)]
    error: Option<String>,
}

/// What a document contains. What is left out is empty.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentContent {
    /// One line.
    #[serde(default)]
    #[schema(max_length = 500, pattern = "^[^\\x00\\r\\n]*$")]
    title: String,
    /// In the order they are to have.
    #[serde(default)]
    #[schema(max_items = 32)]
    tags: Vec<Tag>,
    /// Markdown; title, tags and content have 1 MiB of UTF-8 at most.
    #[serde(default)]
    #[schema(pattern = "^[^\\x00]*$")]
    content: String,
}

/// One tag.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
)]
pub(crate) struct Tag(String);

/// Changes to what a document contains (RFC 7396): null empties a member, what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentPatch {
    /// One line.
    #[schema(max_length = 500, pattern = "^[^\\x00\\r\\n]*$")]
    title: Option<String>,
    /// All of them, in the order they are to have.
    #[schema(max_items = 32)]
    tags: Option<Vec<Tag>>,
    /// Markdown.
    #[schema(pattern = "^[^\\x00]*$")]
    content: Option<String>,
}

/// Changes to a profile (RFC 7396); what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfilePatch {
    /// What the user is called; not only spaces.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    name: String,
    /// An absolute https URL without user information.
    #[serde(default)]
    #[schema(max_length = 1024, pattern = "^https://[^\\s\\x00-\\x1f\\x7f-\\x9f]+$")]
    picture: String,
}

/// What a device changed while it was offline, in the order it did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Push {
    /// Each is applied or refused on its own.
    #[schema(max_items = 100)]
    changes: Vec<PushedChange>,
}

/// One change: a `document`, or `deleted`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PushedChange {
    /// New for every change a device makes; the same again is answered as before.
    #[schema(pattern = "^[!-~]{1,64}$")]
    idempotency_key: String,
    /// A UUID in lower case; the device chooses it for a new document.
    #[schema(pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    id: String,
    /// The version the change was made on, 0 for a new document.
    #[serde(default)]
    #[schema(minimum = 0)]
    base_version: i64,
    /// True deletes the document.
    #[serde(default)]
    deleted: bool,
    /// All of the document.
    #[serde(default)]
    #[schema(nullable = false)]
    document: Option<DocumentContent>,
}

/// What a page that logs in by itself sends back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Callback {
    /// The authorization code.
    code: String,
    /// The state of the login begun in this browser.
    state: String,
    /// The PKCE verifier (RFC 7636 §4.1) of the page's challenge.
    code_verifier: String,
}

/// A logout token of the provider (OpenID Connect Back-Channel Logout 1.0 §2.5).
#[derive(Deserialize, ToSchema)]
pub(crate) struct LogoutToken {
    /// The token.
    logout_token: String,
}

/// A user as the post-login Action knows them; other members are left alone.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SyncUser {
    /// `sub` of the user's tokens.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    user_id: String,
    /// As the provider knows it.
    #[schema(max_length = 320, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    email: Option<String>,
    /// Whether the provider has verified it.
    #[serde(default)]
    email_verified: Value,
    /// What the user is called.
    #[schema(max_length = 1024, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    name: Option<String>,
    /// The URL of a picture.
    #[schema(max_length = 1024, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    picture: Option<String>,
}
