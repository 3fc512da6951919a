//! One scope-token.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// The longest scope-token a configuration may name, in bytes.
pub const MAX_SCOPE_TOKEN_BYTES: usize = 256;

/// A scope-token as RFC 6749 §3.3 defines it, so it can stand in a `WWW-Authenticate` header as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(Box<str>);

/// A text is not a scope-token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeTokenError {
    /// There is no empty scope-token.
    #[error("a scope must not be empty")]
    Empty,
    /// Longer than [`MAX_SCOPE_TOKEN_BYTES`].
    #[error("a scope must not be longer than {MAX_SCOPE_TOKEN_BYTES} bytes")]
    TooLong,
    /// A space, a quote, a backslash, a control character, or anything that is not ASCII.
    #[error("a scope is made of visible ASCII characters without `\"` and `\\`")]
    Character,
}

impl ScopeToken {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = ScopeTokenError;

    fn from_str(text: &str) -> Result<Self, ScopeTokenError> {
        if text.is_empty() {
            Err(ScopeTokenError::Empty)
        } else if text.len() > MAX_SCOPE_TOKEN_BYTES {
            Err(ScopeTokenError::TooLong)
        } else if is_scope_token(text) {
            Ok(Self(text.into()))
        } else {
            Err(ScopeTokenError::Character)
        }
    }
}

// scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
pub(super) fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl Borrow<str> for ScopeToken {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_tokens_are_what_the_abnf_says() {
        for text in [
            "read:documents",
            "!",
            "a",
            "https://api/x.y",
            "#$[]^_~",
            &"x".repeat(256),
        ] {
            assert_eq!(text.parse::<ScopeToken>().unwrap().as_str(), text);
        }
        let check =
            |text: &str, error| assert_eq!(text.parse::<ScopeToken>(), Err(error), "{text:?}");
        check("", ScopeTokenError::Empty);
        check(&"x".repeat(257), ScopeTokenError::TooLong);
        for text in [
            "a b", " ", "a\"b", "a\\b", "a\r\nb", "\0", "é", "\u{7f}", "a\t",
        ] {
            check(text, ScopeTokenError::Character);
        }
    }
}
