//! Why a fetch did not give keys.

use crate::jwk;

/// Why an attempt to fetch keys failed. Whatever it was, the keys already loaded stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// No answer: timeout, no healthy host, connection lost.
    #[error("the identity provider did not answer")]
    NoAnswer,
    /// An answer with another status than 200. Redirects are not followed.
    #[error("the identity provider answered with status {0}")]
    Status(u16),
    /// The body is larger than this many bytes.
    #[error("the document has more than {0} bytes")]
    TooLarge(usize),
    /// The body is not a key set with a usable key.
    #[error(transparent)]
    KeySet(#[from] jwk::Error),
    /// The body is not provider metadata with an issuer and a `jwks_uri`.
    #[error("the document is not provider metadata")]
    MalformedMetadata,
    /// The metadata's `issuer` is another one than configured (OpenID Connect Discovery 1.0 §4.3).
    #[error("the provider metadata names another issuer")]
    IssuerMismatch,
    /// `jwks_uri` is not an https URI of an allowed host (CVE-2026-41413).
    #[error("the provider metadata names a jwks_uri that is not allowed")]
    JwksUriRefused,
}

impl FetchFailure {
    /// The bounded form, for metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Status(_) => "status",
            Self::TooLarge(_) => "too_large",
            Self::KeySet(error) => error.reason(),
            Self::MalformedMetadata => "malformed_metadata",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::JwksUriRefused => "jwks_uri_refused",
        }
    }
}
