//! What the session cookie holds.

use crate::json::{self, Limits, Value};

/// A browser session as the edge sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session in api-server; what the feed revokes as `sid`.
    pub session_id: Box<str>,
    /// Counts the refreshes: an old cookie that is used to refresh gives itself away.
    pub generation: u64,
    /// The access token the upstream sees as the bearer; verified like any other.
    pub access_token: Box<str>,
}

/// Shows no token.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

const LIMITS: Limits = Limits {
    depth: 2,
    values: 8,
};

impl Session {
    /// The bytes to seal: JSON, short names, because a cookie has 4 KiB.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::json!({
            "s": self.session_id,
            "g": self.generation,
            "t": self.access_token,
        })
        .to_string()
        .into_bytes()
    }

    /// Reads bytes that were sealed; `None` where they are another version's.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let object = json::parse(bytes, LIMITS).ok()?.into_object()?;
        let text = |name| object.get(name).and_then(Value::as_str);
        Some(Self {
            session_id: text("s").filter(|id| !id.is_empty())?.into(),
            generation: object.get("g")?.as_number()?.as_u64()?,
            access_token: text("t").filter(|token| !token.is_empty())?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_back_and_shows_no_token() {
        let session = Session {
            session_id: "id".into(),
            generation: 3,
            access_token: "secret".into(),
        };
        assert_eq!(
            Session::from_bytes(&session.to_bytes()),
            Some(session.clone())
        );
        assert!(!format!("{session:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_session_is_none() {
        for bytes in [
            &b""[..],
            b"{}",
            br#"{"s":"","g":1,"t":"t"}"#,
            br#"{"s":"s","g":-1,"t":"t"}"#,
            br#"{"s":"s","g":1,"t":""}"#,
        ] {
            assert_eq!(Session::from_bytes(bytes), None);
        }
    }
}
