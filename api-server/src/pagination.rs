//! Cursors: opaque positions that stay true while others insert and delete.
//!
//! A cursor is the sort key of the last item a client has seen, never an offset: what comes or goes before it
//! moves nothing. It holds no secret and grants nothing, so it needs no signature: whoever alters one reads another
//! place of their own list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Invalid;

/// Items a page has unless `limit` says otherwise.
pub const DEFAULT_LIMIT: u32 = 20;
/// Items a page has at most.
pub const MAX_LIMIT: u32 = 100;

/// A position in a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When the last item seen was created, in milliseconds.
    pub created_at: i64,
    /// Its id, which tells apart what was created in the same millisecond.
    pub id: String,
}

impl Position {
    /// Before everything.
    pub fn start() -> Self {
        Self {
            created_at: i64::MAX,
            id: String::new(),
        }
    }

    /// The opaque form.
    pub fn to_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("d1.{}.{}", self.created_at, self.id))
    }

    /// Reads the opaque form.
    ///
    /// # Errors
    /// The cursor isn't one of ours.
    pub fn from_cursor(cursor: &str) -> Result<Self, Invalid> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (created_at, id) = text.strip_prefix("d1.")?.split_once('.')?;
            (id.len() <= 64 && !id.contains('\0')).then_some(())?;
            Some(Self {
                created_at: created_at.parse().ok()?,
                id: id.to_owned(),
            })
        };
        parse().ok_or_else(|| Invalid::new("cursor", "is not a cursor this API gave out"))
    }
}

/// Reads `limit`: 1 to [`MAX_LIMIT`].
///
/// # Errors
/// It is no number, or out of range.
pub fn parse_limit(text: Option<&str>) -> Result<u32, Invalid> {
    text.map_or(Ok(DEFAULT_LIMIT), |text| {
        text.parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Invalid::new("limit", format!("must be a number from 1 to {MAX_LIMIT}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_the_position_it_was_made_of() {
        let position = Position {
            created_at: 1_700_000_000_123,
            id: "0191-x".to_owned(),
        };
        assert_eq!(Position::from_cursor(&position.to_cursor()), Ok(position));
    }

    #[test]
    fn what_is_no_cursor_of_ours_is_refused() {
        for cursor in ["", "x", "ZDEuMQ", "ZDIuMS5h", "%00", "ZDEuMS4A"] {
            assert!(Position::from_cursor(cursor).is_err(), "{cursor}");
        }
    }

    #[test]
    fn a_limit_is_from_1_to_100() {
        for (text, expected) in [
            (None, Some(20)),
            (Some("1"), Some(1)),
            (Some("100"), Some(100)),
            (Some("0"), None),
            (Some("101"), None),
            (Some("-1"), None),
            (Some("ten"), None),
        ] {
            assert_eq!(parse_limit(text).ok(), expected, "{text:?}");
        }
    }
}
