//! The cursor of a device: how far into its owner's history it has read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Invalid;

/// The number of the last change a device has seen; zero before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor(pub(super) i64);

impl Cursor {
    /// The opaque form.
    pub(super) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("s1.{}", self.0))
    }

    /// Reads the opaque form; no cursor is the beginning.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Invalid> {
        let Some(text) = text else {
            return Ok(Self(0));
        };
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let number: i64 = std::str::from_utf8(&bytes)
                .ok()?
                .strip_prefix("s1.")?
                .parse()
                .ok()?;
            (number >= 0).then_some(Self(number))
        };
        parse().ok_or_else(|| Invalid::new("cursor", "is not a cursor this API gave out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for number in [0, 1, i64::MAX] {
            let text = Cursor(number).to_text();
            assert_eq!(Cursor::parse(Some(&text)), Ok(Cursor(number)));
        }
        assert_eq!(Cursor::parse(None), Ok(Cursor(0)));
    }

    #[test]
    fn another_lists_cursor_is_refused() {
        for text in ["", "x", "ZDEuMS5h", "czEuLTE"] {
            assert!(Cursor::parse(Some(text)).is_err(), "{text}");
        }
    }
}
