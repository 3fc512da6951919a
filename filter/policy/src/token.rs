//! `token` of RFC 9110 §5.6.2: what methods and field names are made of.

/// Whether `text` is a non-empty `token`.
///
/// ```text
/// token = 1*tchar
/// tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
///       / DIGIT / ALPHA
/// ```
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn separators_spaces_and_controls_are_no_part_of_a_token() {
        for token in ["GET", "x-user-id", "X_1", "!#$%&'*+-.^_`|~"] {
            assert!(is_token(token), "{token}");
        }
        for text in [
            "", "a b", "a:", "a\r\n", "a\0", "(a)", "a,b", "a;b", "é", "a\"", "a/b", "{a}", "a@b",
        ] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
