//! Every reason to answer a request at the edge, and the one table from reason to reply.
//!
//! Three readers, three forms: the client gets the fixed text of this table, the operator's log and metrics
//! the bounded [`Reason::code`], and nobody the token. A new reason cannot be forgotten: the table is an
//! exhaustive match and a test prints it whole.

mod reply;
mod token;

pub use reply::{Challenge, ErrorSettings, RejectionContext, reject};

/// Why a request was answered at the edge: the bounded set of reason codes in metrics, audit lines, dynamic
/// metadata and Envoy's response code details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Plain HTTP is answered with a redirect to HTTPS.
    HttpsRedirect,
    /// A CORS preflight is answered here; it carries no token by design of the Fetch standard.
    Preflight,
    /// The protected resource metadata of RFC 9728 is served here.
    ResourceMetadata,
    /// `:path` is missing or cannot be normalised safely.
    InvalidPath,
    /// `:authority` is missing or no host name where one is needed.
    InvalidAuthority,
    /// Several credentials in one request, or one that is there twice (RFC 6750 §2).
    SeveralTokens,
    /// No token was sent where one is required.
    MissingToken,
    /// The token is no compact JWS, or its header or payload is not what RFC 7515 and RFC 7519 ask for.
    MalformedToken,
    /// The token has no dots at all: Auth0 issues such tokens when no `audience` was asked for.
    OpaqueToken,
    /// The token is a JWE. Auth0's newer opaque tokens are: there too, no `audience` was asked for.
    EncryptedToken,
    /// The token's `alg` is not among the provider's algorithms.
    AlgorithmNotAllowed,
    /// The token's `typ` is not among the provider's types.
    TypeNotAllowed,
    /// The token's `iss` is not the provider's.
    WrongIssuer,
    /// The token's `aud` names none of the audiences asked for.
    WrongAudience,
    /// No key of the provider has the token's `kid` and algorithm.
    UnknownKeyId,
    /// The signature does not match.
    BadSignature,
    /// `exp` has passed, or is missing where it is required.
    Expired,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// The token lives longer than the provider's `max_lifetime`.
    LifetimeTooLong,
    /// A registered claim is missing or has the wrong type.
    InvalidClaims,
    /// The token is bound to a key (`cnf`), and nobody asks for the proof of it.
    BoundToken,
    /// The token, its session, its subject or its client was revoked.
    Revoked,
    /// The session cookie cannot be opened, or has expired.
    InvalidSession,
    /// The authentication is too old or too weak for this route (RFC 9470).
    StepUpRequired,
    /// A scope is missing.
    InsufficientScope,
    /// A claim is not what the rule asks for.
    ClaimMismatch,
    /// An unsafe request authenticated by cookie came from another site.
    CrossSite,
    /// The client's address is blocked.
    AddressBlocked,
    /// A rate limit is used up.
    RateLimited,
    /// Too many failed authentications; blocked for a while.
    AuthenticationBlocked,
    /// No key set has been fetched yet, or the last one is older than `max_stale`.
    KeysUnavailable,
    /// The rate limit service did not answer, or counters could not be written.
    RateLimitUnavailable,
    /// The revocation feed is down for longer than allowed.
    RevocationsUnavailable,
    /// Too many requests wait for keys already.
    TooManyWaiting,
    /// The host failed where it must not; the request is denied.
    Internal,
}

/// Who is at fault: decides the log level and whether an operator should be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody: the reply is part of normal service.
    Nobody,
    /// The client sent what it must not.
    Client,
    /// The identity provider or another service this proxy depends on.
    Dependency,
    /// This proxy.
    Ourselves,
}

/// One row of the table: what a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status; zero where the reply's maker chooses it.
    pub status: u16,
    /// The `error` code of RFC 6750 §3.1, RFC 9470 §3 or, where OAuth has none, ours; `None` where no
    /// credentials were sent.
    pub error: Option<&'static str>,
    /// The fixed text a client sees.
    pub description: &'static str,
    /// Who is at fault.
    pub fault: Fault,
}

impl Reason {
    /// All reasons, in the order of the table.
    pub const ALL: [Self; 35] = [
        Self::HttpsRedirect,
        Self::Preflight,
        Self::ResourceMetadata,
        Self::InvalidPath,
        Self::InvalidAuthority,
        Self::SeveralTokens,
        Self::MissingToken,
        Self::MalformedToken,
        Self::OpaqueToken,
        Self::EncryptedToken,
        Self::AlgorithmNotAllowed,
        Self::TypeNotAllowed,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::UnknownKeyId,
        Self::BadSignature,
        Self::Expired,
        Self::NotYetValid,
        Self::LifetimeTooLong,
        Self::InvalidClaims,
        Self::BoundToken,
        Self::Revoked,
        Self::InvalidSession,
        Self::StepUpRequired,
        Self::InsufficientScope,
        Self::ClaimMismatch,
        Self::CrossSite,
        Self::AddressBlocked,
        Self::RateLimited,
        Self::AuthenticationBlocked,
        Self::KeysUnavailable,
        Self::RateLimitUnavailable,
        Self::RevocationsUnavailable,
        Self::TooManyWaiting,
        Self::Internal,
    ];

    /// The bounded code, in `snake_case`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HttpsRedirect => "https_redirect",
            Self::Preflight => "preflight",
            Self::ResourceMetadata => "resource_metadata",
            Self::InvalidPath => "invalid_path",
            Self::InvalidAuthority => "invalid_authority",
            Self::SeveralTokens => "several_tokens",
            Self::MissingToken => "missing_token",
            Self::MalformedToken => "malformed_token",
            Self::OpaqueToken => "opaque_token",
            Self::EncryptedToken => "encrypted_token",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::TypeNotAllowed => "type_not_allowed",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::UnknownKeyId => "unknown_key_id",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::InvalidClaims => "invalid_claims",
            Self::BoundToken => "bound_token",
            Self::Revoked => "revoked",
            Self::InvalidSession => "invalid_session",
            Self::StepUpRequired => "step_up_required",
            Self::InsufficientScope => "insufficient_scope",
            Self::ClaimMismatch => "claim_mismatch",
            Self::CrossSite => "cross_site",
            Self::AddressBlocked => "address_blocked",
            Self::RateLimited => "rate_limited",
            Self::AuthenticationBlocked => "authentication_blocked",
            Self::KeysUnavailable => "keys_unavailable",
            Self::RateLimitUnavailable => "rate_limit_unavailable",
            Self::RevocationsUnavailable => "revocations_unavailable",
            Self::TooManyWaiting => "too_many_waiting",
            Self::Internal => "internal",
        }
    }

    /// What a client is told: the one table from reason to reply.
    #[expect(clippy::too_many_lines, reason = "one table, one row per reason")]
    pub const fn row(self) -> Row {
        use Fault::{Client, Dependency, Nobody, Ourselves};
        const INVALID_TOKEN: Option<&str> = Some("invalid_token");
        const INVALID_REQUEST: Option<&str> = Some("invalid_request");
        const UNAVAILABLE: Option<&str> = Some("temporarily_unavailable");
        const TRY_AGAIN: &str = "The service is not ready to check this request; try again shortly";
        let (status, error, description, fault) = match self {
            Self::HttpsRedirect => (0, None, "Use HTTPS", Nobody),
            Self::Preflight => (204, None, "", Nobody),
            Self::ResourceMetadata => (200, None, "", Nobody),
            Self::InvalidPath => (
                400,
                INVALID_REQUEST,
                "The request path is not acceptable",
                Client,
            ),
            Self::InvalidAuthority => (
                400,
                INVALID_REQUEST,
                "The request host is not acceptable",
                Client,
            ),
            Self::SeveralTokens => (
                400,
                INVALID_REQUEST,
                "The request carries more than one credential",
                Client,
            ),
            Self::MissingToken => (401, None, "An access token is required", Client),
            Self::MalformedToken => (401, INVALID_TOKEN, "The access token is malformed", Client),
            Self::OpaqueToken => (
                401,
                INVALID_TOKEN,
                "The access token is opaque; ask the authorization server for this API's audience",
                Client,
            ),
            Self::EncryptedToken => (
                401,
                INVALID_TOKEN,
                "The access token is encrypted, not signed; ask the authorization server for this API's audience",
                Client,
            ),
            Self::AlgorithmNotAllowed
            | Self::TypeNotAllowed
            | Self::WrongIssuer
            | Self::UnknownKeyId
            | Self::BadSignature
            | Self::LifetimeTooLong
            | Self::InvalidClaims => (401, INVALID_TOKEN, "The access token is invalid", Client),
            Self::WrongAudience => (
                401,
                INVALID_TOKEN,
                "The access token is for another audience",
                Client,
            ),
            Self::BoundToken => (
                401,
                INVALID_TOKEN,
                "The access token is bound to a key; ask the authorization server for a bearer token",
                Client,
            ),
            Self::Expired => (401, INVALID_TOKEN, "The access token expired", Client),
            Self::NotYetValid => (
                401,
                INVALID_TOKEN,
                "The access token is not valid yet",
                Client,
            ),
            Self::Revoked => (401, INVALID_TOKEN, "The access token was revoked", Client),
            Self::InvalidSession => (401, INVALID_TOKEN, "The session has ended; sign in", Client),
            Self::StepUpRequired => (
                401,
                Some("insufficient_user_authentication"),
                "A stronger or more recent authentication is required",
                Client,
            ),
            Self::InsufficientScope => (
                403,
                Some("insufficient_scope"),
                "The access token lacks a scope this request needs",
                Client,
            ),
            Self::ClaimMismatch => (
                403,
                Some("access_denied"),
                "The access token does not permit this request",
                Client,
            ),
            Self::CrossSite => (
                403,
                Some("access_denied"),
                "The request came from another site",
                Client,
            ),
            Self::AddressBlocked => (
                403,
                Some("access_denied"),
                "Requests from this address are blocked",
                Client,
            ),
            Self::RateLimited => (429, Some("rate_limited"), "Too many requests", Client),
            Self::AuthenticationBlocked => (
                429,
                Some("rate_limited"),
                "Too many failed attempts",
                Client,
            ),
            Self::KeysUnavailable
            | Self::RateLimitUnavailable
            | Self::RevocationsUnavailable
            | Self::TooManyWaiting => (503, UNAVAILABLE, TRY_AGAIN, Dependency),
            Self::Internal => (503, UNAVAILABLE, TRY_AGAIN, Ourselves),
        };
        Row {
            status,
            error,
            description,
            fault,
        }
    }
}

#[cfg(test)]
mod tests;
