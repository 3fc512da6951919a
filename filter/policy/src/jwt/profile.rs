//! What a provider's tokens must look like.

use std::time::Duration;

use crate::signature::AlgorithmSet;

/// What is asked of a token, from the configuration of its provider. An empty list allows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenProfile {
    /// The values of `iss` that are allowed, compared byte by byte: Auth0's end with a slash.
    pub issuers: Vec<Box<str>>,
    /// The values of which `aud` must contain one.
    pub audiences: Vec<Box<str>>,
    /// The algorithms that are allowed.
    pub algorithms: AlgorithmSet,
    /// What is granted on `exp`, `nbf` and `iat` for clocks that differ.
    pub clock_skew: Duration,
    /// Whether a token without `exp` is refused.
    pub require_expiration: bool,
    /// The longest time from `iat` to `exp`; where it is set, both are required.
    pub max_lifetime: Option<Duration>,
    /// The values of `typ` that are allowed, as [`TokenProfile::normalise_type`] writes them; a token without one counts as `jwt`.
    pub types: Vec<Box<str>>,
    /// The claims that list scopes, by their literal names; [`DEFAULT_SCOPE_CLAIMS`] where nothing else is asked for.
    pub scope_claims: Vec<Box<str>>,
    /// The members of `cnf` (RFC 7800 §3.1) that somebody behind us proves; a token bound in any other way is refused.
    pub confirmed_upstream: Vec<Box<str>>,
}

/// The claims that list scopes: RFC 8693 §4.2's, and the one Okta and Entra write.
pub const DEFAULT_SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

impl TokenProfile {
    /// Writes a `typ` as [`TokenProfile::types`] holds it: without `application/`, in lower case (RFC 7515 §4.1.9).
    pub fn normalise_type(media_type: &str) -> Box<str> {
        without_prefix(media_type).to_ascii_lowercase().into()
    }

    /// Whether tokens with this `typ` are allowed.
    pub(super) fn allows_type(&self, media_type: Option<&str>) -> bool {
        let media_type = without_prefix(media_type.unwrap_or("jwt"));
        self.types
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(media_type))
    }
}

/// RFC 7515 §4.1.9: `application/` is left out where no other slash follows.
fn without_prefix(media_type: &str) -> &str {
    match media_type.split_at_checked("application/".len()) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
        {
            rest
        }
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(types: &[&str], media_type: Option<&str>, expected: bool) {
        let profile = TokenProfile {
            issuers: Vec::new(),
            audiences: Vec::new(),
            algorithms: AlgorithmSet::EMPTY,
            clock_skew: Duration::ZERO,
            require_expiration: true,
            max_lifetime: None,
            types: types
                .iter()
                .copied()
                .map(TokenProfile::normalise_type)
                .collect(),
            scope_claims: Vec::new(),
            confirmed_upstream: Vec::new(),
        };
        assert_eq!(profile.allows_type(media_type), expected, "{media_type:?}");
    }

    #[test]
    fn types_compare_as_media_types() {
        let types = ["JWT", "application/at+jwt"];
        for media_type in [
            "JWT",
            "jwt",
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/JWT",
        ] {
            check(&types, Some(media_type), true);
        }
        for media_type in [
            "",
            "logout+jwt",
            "dpop+jwt",
            "application/",
            "a/application/jwt",
            "application/x/jwt",
            "jwt ",
        ] {
            check(&types, Some(media_type), false);
        }
    }

    #[test]
    fn a_missing_type_counts_as_jwt() {
        check(&["JWT"], None, true);
        check(&["at+jwt"], None, false);
        check(&[], None, false);
    }
}
