//! Whole tokens as keys, compared eight bytes at a time: wasm has no instruction that compares memory, and the C
//! library's function goes byte by byte.

use std::hash::{Hash, Hasher};

use quick_cache::Equivalent;

/// A token that is remembered.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Token(pub(super) Box<[u8]>);

/// A token that a request carries.
pub(super) struct Candidate<'t>(pub(super) &'t [u8]);

impl Hash for Candidate<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Token> for Candidate<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        is_equal(self.0, &token.0)
    }
}

fn is_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    a.iter().zip(b).all(|(a, b)| word(a) == word(b)) && a_rest == b_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        for length in 0..40_u8 {
            let token: Vec<u8> = (0..length).collect();
            assert!(is_equal(&token, &token.clone()));
            for at in 0..token.len() {
                let mut other = token.clone();
                other[at] ^= 0x80;
                assert!(!is_equal(&token, &other), "{length} {at}");
            }
            let mut longer = token.clone();
            longer.push(0);
            assert!(!is_equal(&token, &longer) && !is_equal(&longer, &token));
        }
    }
}
