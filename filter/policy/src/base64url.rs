//! The base64url of JOSE (RFC 7515 §2): no padding, no white space, one encoding for one value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes `text`, which must be the canonical encoding.
///
/// Other libraries accept padding or leftover bits, so that one token has many spellings and a list of refused
/// tokens can be walked around (OWASP `CheatSheetSeries` PR 2242). Here re-encoding always gives `text` back.
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes `bytes`.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_encoding_is_accepted() {
        assert_eq!(decode("Zg").unwrap(), b"f");
        assert_eq!(decode("-_-_").unwrap(), [0xfb, 0xff, 0xbf]);
        for text in [
            "Zh", "Zg==", "Zg=", "Zg ", " Zg", "Z g", "Zg\n", "+/+/", "Z", "Zm9vY", "Zm9\0", "Zm9ö",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_itself(text in "[A-Za-z0-9_-]{0,40}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(bytes), text);
            }
        }
    }
}
