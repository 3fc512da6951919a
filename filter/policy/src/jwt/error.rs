//! Why a token is refused.

use std::time::Duration;

use crate::json;
use crate::signature::Algorithm;
use crate::time::UnixTime;

/// Why a token is refused. Its texts are for operators; none carries anything from the token but numbers and names
/// out of this source. What clients and metrics are told of each is [`crate::rejection::Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a JWT at all, but an opaque token. Auth0 gives out such access tokens where no `audience` was asked for.
    #[error("the token is opaque, not a JWT")]
    NotAJwt,
    /// Five segments: an encrypted token (RFC 7516 §7.1), which only its recipient can open; it is never opened here
    /// (CVE-2023-51774, CVE-2024-33664). Auth0's newer opaque tokens look like this too.
    #[error("the token is encrypted")]
    Encrypted,
    /// Longer than [`super::MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLarge,
    /// Not three segments, or one of them empty as in an unsecured JWT (RFC 7515 §7.1, RFC 7519 §6).
    #[error("the token does not have three non-empty segments")]
    Segments,
    /// A segment is not canonical base64url (RFC 7515 §2).
    #[error("a segment of the token is not canonical base64url")]
    Encoding,
    /// The encoded JOSE header is longer than [`super::MAX_HEADER_BYTES`].
    #[error("the JOSE header is too long")]
    HeaderTooLarge,
    /// The JOSE header is not strict JSON (RFC 7515 §4).
    #[error("the JOSE header is refused: {0}")]
    HeaderJson(json::Error),
    /// The JOSE header is not an object, or the member named is missing, of the wrong type or too long (§4.1).
    #[error("JOSE header: {0} is missing or malformed")]
    MalformedHeader(&'static str),
    /// `crit` is present. No extension is understood here, so every one of them is refused (RFC 7515 §4.1.11;
    /// CVE-2026-32597, CVE-2025-59420).
    #[error("the JOSE header has critical extensions")]
    CriticalHeader,
    /// `b64` (RFC 7797 §3), `enc` or `zip` (RFC 7516 §4.1) are present.
    #[error("JOSE header: {0} is not supported")]
    UnsupportedHeader(&'static str),
    /// `alg` names nothing known here, `none` and HMAC included (RFC 8725 §3.1).
    #[error("the algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The configuration does not allow this algorithm (RFC 8725 §3.1).
    #[error("algorithm {0} is not allowed")]
    AlgorithmNotAllowed(Algorithm),
    /// The configuration does not allow this `typ` (RFC 8725 §3.11).
    #[error("the token type is not allowed")]
    TypeNotAllowed,
    /// The payload is not strict JSON (RFC 7519 §7.2).
    #[error("the claims are refused: {0}")]
    ClaimsJson(json::Error),
    /// The payload is JSON but no object (RFC 7519 §4).
    #[error("the claims are not a JSON object")]
    ClaimsNotAnObject,
    /// `iss` is not one of the configured issuers, compared byte by byte (RFC 8725 §3.8).
    #[error("the issuer is not allowed")]
    IssuerNotAllowed,
    /// The key set has no key of this `kid`: it may have been rotated, so the set is worth a fetch.
    #[error("the key id is unknown")]
    UnknownKeyId,
    /// The key set has keys, but none of this `kid`, type, curve and `alg` (RFC 8725 §3.1).
    #[error("no key fits the algorithm and key id")]
    NoFittingKey,
    /// No candidate key made this signature (RFC 7515 §5.2).
    #[error("the signature does not match")]
    SignatureMismatch,
    /// The verifier in use cannot check this algorithm: our fault, not the client's.
    #[error("signatures by {0} cannot be checked here")]
    SignatureUnsupported(Algorithm),
    /// A claim that the configuration requires is missing.
    #[error("claim {0} is missing")]
    MissingClaim(&'static str),
    /// A registered claim is there but of the wrong type or out of range (RFC 7519 §4.1); it is never taken as
    /// absent (CVE-2026-25537).
    #[error("claim {0} is malformed")]
    MalformedClaim(&'static str),
    /// `cnf` binds the token to a key whose proof nobody asks for: taken as a bearer token it would be downgraded
    /// (RFC 7800 §3.1, RFC 9449 §7.2).
    #[error("the token is bound to a key")]
    Bound,
    /// None of the configured audiences is in `aud` (RFC 7519 §4.1.3).
    #[error("the audience is not allowed")]
    AudienceNotAllowed,
    /// `exp` has passed, clock skew granted (RFC 7519 §4.1.4).
    #[error("expired")]
    Expired {
        /// The token's `exp`.
        expiration_time: UnixTime,
        /// When it was checked.
        now: UnixTime,
    },
    /// `nbf` lies ahead, clock skew granted (RFC 7519 §4.1.5).
    #[error("not yet valid")]
    NotYetValid {
        /// The token's `nbf`.
        not_before: UnixTime,
        /// When it was checked.
        now: UnixTime,
    },
    /// `iat` lies ahead, clock skew granted: a token from the future has a wrong clock behind it, and its age says
    /// nothing (RFC 7519 §4.1.6).
    #[error("issued in the future")]
    IssuedInTheFuture {
        /// The token's `iat`.
        issued_at: UnixTime,
        /// When it was checked.
        now: UnixTime,
    },
    /// From `iat` to `exp` is longer than the configuration allows.
    #[error("the lifetime is too long")]
    LifetimeTooLong {
        /// From `iat` to `exp`.
        lifetime: Duration,
        /// The configured bound.
        max_lifetime: Duration,
    },
}
