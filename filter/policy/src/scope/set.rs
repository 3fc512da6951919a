//! The scopes a token carries.

use std::ops::Range;

use super::token::is_scope_token;
use crate::json::{Object, Value};
use crate::token_cache::block;

/// A set of scope-tokens, in two allocations however many there are.
///
/// It is bounded by the token it was read from. Words that are no scope-tokens are left out: no rule can ask for
/// them, so leaving them out grants nothing.
#[derive(Clone, Debug, Default)]
pub struct ScopeSet {
    text: String,
    /// Where the distinct words stand in `text`, sorted by word.
    words: Vec<Range<usize>>,
    /// Whether any claim was there to read.
    is_present: bool,
    /// Whether something in them was no scope-token, or no list of them.
    is_malformed: bool,
}

impl ScopeSet {
    /// The scopes in the claims called `names`, for instance `scope` (RFC 8693 §4.2), `scp` (as Okta and Entra
    /// call it) and Auth0's `permissions`: each a list in a string, separated by spaces, or an array of strings. A
    /// claim of any other type grants nothing.
    pub fn from_claims<'n>(claims: &Object, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut set = Self::default();
        for value in names.into_iter().filter_map(|name| claims.get(name)) {
            set.is_present = true;
            match value {
                Value::String(list) => list
                    .split(' ')
                    .filter(|word| !word.is_empty())
                    .for_each(|word| set.push(word)),
                Value::Array(words) => {
                    for word in words {
                        // One element is one word: "a b" in an array is no scope-token and not two.
                        match word.as_str() {
                            Some(word) => set.push(word),
                            None => set.is_malformed = true,
                        }
                    }
                }
                _ => set.is_malformed = true,
            }
        }
        let Self { text, words, .. } = &mut set;
        let word = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        words.sort_unstable_by(|a, b| word(a).cmp(word(b)));
        words.dedup_by(|a, b| word(a) == word(b));
        set
    }

    fn push(&mut self, word: &str) {
        if is_scope_token(word) {
            let start = self.text.len();
            self.text.push_str(word);
            self.words.push(start..self.text.len());
        } else {
            self.is_malformed = true;
        }
    }

    /// Whether the token lists its scopes, and everything in the lists is one. What is not in a set that is not
    /// well-formed may have been meant all the same.
    pub fn is_well_formed(&self) -> bool {
        self.is_present && !self.is_malformed
    }

    fn word(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Whether `word` is in the set; scopes are case-sensitive (RFC 6749 §3.3).
    pub fn contains(&self, word: &str) -> bool {
        self.words
            .binary_search_by(|range| self.word(range).cmp(word))
            .is_ok()
    }

    /// The words, sorted and distinct.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|range| self.word(range))
    }

    /// What it takes in memory beyond itself, in bytes.
    pub(crate) fn heap_bytes(&self) -> u64 {
        block(self.text.capacity()) + block(self.words.capacity() * size_of::<Range<usize>>())
    }

    /// How many distinct words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn claims(text: &str) -> Object {
        let limits = Limits {
            depth: 4,
            values: 100,
        };
        json::parse(text.as_bytes(), limits)
            .unwrap()
            .into_object()
            .unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let set = ScopeSet::from_claims(&claims(text), ["scope", "scp"]);
        assert_eq!(set.iter().collect::<Vec<_>>(), expected, "{text}");
        for scope in expected {
            assert!(set.contains(scope));
        }
        assert_eq!(set.len(), expected.len());
    }

    #[test]
    fn scopes_come_from_strings_and_arrays() {
        check(r#"{"scope":"write:a read:a"}"#, &["read:a", "write:a"]);
        check(r#"{"scp":"b a"}"#, &["a", "b"]);
        check(r#"{"scope":["b","a"]}"#, &["a", "b"]);
        check(r#"{"scp":["a"],"scope":"b a"}"#, &["a", "b"]);
        check(r#"{"scope":"  a   a "}"#, &["a"]);
    }

    #[test]
    fn malformed_scopes_grant_nothing() {
        check("{}", &[]);
        check(r#"{"scope":null,"scp":7}"#, &[]);
        check(r#"{"scope":{"a":"b"}}"#, &[]);
        check(r#"{"scope":""}"#, &[]);
        check(r#"{"scope":["a b",1,null,["c"],"é","d"]}"#, &["d"]);
        check(r#"{"scope":"a\tb c\u0000 \"d\""}"#, &[]);
        check(r#"{"permissions":["a"]}"#, &[]);
    }

    #[test]
    fn containment_is_exact_and_case_sensitive() {
        let set = ScopeSet::from_claims(&claims(r#"{"scope":"read:documents"}"#), ["scope"]);
        for word in [
            "read:document",
            "read:documents ",
            "READ:DOCUMENTS",
            "read",
            "documents",
            "",
        ] {
            assert!(!set.contains(word), "{word}");
        }
    }

    #[test]
    fn only_the_claims_that_are_named_are_read() {
        let text = r#"{"scope":"a","permissions":["read:a"],"https://pymd.io/p":["b"]}"#;
        let words = |names: &[&str]| {
            let set = ScopeSet::from_claims(&claims(text), names.iter().copied());
            set.iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words(&["scope"]), "a");
        assert_eq!(words(&["permissions"]), "read:a");
        assert_eq!(
            words(&["scope", "permissions", "https://pymd.io/p"]),
            "a b read:a"
        );
        assert_eq!(words(&["scp"]), "");
    }

    #[test]
    fn a_set_is_well_formed_where_scopes_are_listed_and_nothing_else() {
        let is = |text| ScopeSet::from_claims(&claims(text), ["scope", "scp"]).is_well_formed();
        for text in [r#"{"scope":""}"#, r#"{"scp":[]}"#, r#"{"scope":" a  b "}"#] {
            assert!(is(text), "{text}");
        }
        for text in [
            "{}",
            r#"{"scope":null}"#,
            r#"{"scope":"a","scp":7}"#,
            r#"{"scp":["a",7]}"#,
            r#"{"scp":["a b"]}"#,
            r#"{"scp":[""]}"#,
            r#"{"scope":"a\tb"}"#,
        ] {
            assert!(!is(text), "{text}");
        }
    }
}
