//! A token that is well-formed and otherwise anybody's word.

use std::fmt;

use super::Error;
use super::jws::Jws;
use crate::json::{self, Limits, Object, Value};

/// What the claims of a token may make us build.
pub const CLAIMS_LIMITS: Limits = Limits {
    depth: 16,
    values: 2048,
};

/// A well-formed token. **Nothing in it can be believed**; [`super::verify()`] is what it is for.
pub struct UnverifiedToken<'a> {
    pub(super) jws: Jws<'a>,
    pub(super) claims: Object,
}

impl<'a> UnverifiedToken<'a> {
    /// Splits and decodes `compact`, a whole token without surrounding space.
    ///
    /// # Errors
    /// The variants of [`Error`] up to [`Error::ClaimsNotAnObject`] that need no configuration.
    pub fn parse(compact: &'a [u8]) -> Result<Self, Error> {
        let jws = Jws::parse(compact)?;
        let claims = json::parse(&jws.payload, CLAIMS_LIMITS)
            .map_err(Error::ClaimsJson)?
            .into_object()
            .ok_or(Error::ClaimsNotAnObject)?;
        Ok(Self { jws, claims })
    }

    /// The `iss` the sender wrote. Only good for choosing the provider whose keys and profile the token is then
    /// verified with.
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The `kid` the sender wrote. Only good for looking up keys, and never to be logged or used as a label.
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header.key_id()
    }
}

/// Shows nothing: a token is never logged.
impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").finish_non_exhaustive()
    }
}
