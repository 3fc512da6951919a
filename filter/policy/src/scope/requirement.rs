//! The scopes a rule asks for.

use super::{ScopeSet, ScopeToken};
use crate::condition::Truth;

/// Which scopes a token must carry: every one of `all_of`, and, unless it is empty, at least one of `any_of`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRequirement {
    /// All of these are required.
    pub all_of: Vec<ScopeToken>,
    /// One of these is required; empty asks for none.
    pub any_of: Vec<ScopeToken>,
}

impl ScopeRequirement {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.any_of.is_empty()
    }

    /// Whether `granted` suffices. Where it does not, that is known only of a token that lists its scopes, and
    /// lists them well: one that does not may mean anything, and `not` must make no grant of it.
    pub fn judge(&self, granted: &ScopeSet) -> Truth {
        let has = |scope: &ScopeToken| granted.contains(scope.as_str());
        let is_met =
            self.all_of.iter().all(has) && (self.any_of.is_empty() || self.any_of.iter().any(has));
        match (is_met, granted.is_well_formed()) {
            (true, _) => Truth::True,
            (false, true) => Truth::False,
            (false, false) => Truth::Unknown,
        }
    }

    /// Every scope named, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = &ScopeToken> {
        self.all_of.iter().chain(&self.any_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn tokens(list: &str) -> Vec<ScopeToken> {
        list.split_whitespace()
            .map(|scope| scope.parse().unwrap())
            .collect()
    }

    #[track_caller]
    fn check(all_of: &str, any_of: &str, claims: &str, expected: Truth) {
        let requirement = ScopeRequirement {
            all_of: tokens(all_of),
            any_of: tokens(any_of),
        };
        let limits = Limits {
            depth: 3,
            values: 20,
        };
        let claims = json::parse(claims.as_bytes(), limits).unwrap();
        let granted = ScopeSet::from_claims(claims.as_object().unwrap(), ["scope"]);
        assert_eq!(requirement.judge(&granted), expected, "{claims:?}");
    }

    fn scope(granted: &str) -> String {
        format!(r#"{{"scope":"{granted}"}}"#)
    }

    #[test]
    fn all_of_needs_every_scope() {
        check("", "", &scope(""), Truth::True);
        check("a b", "", &scope("a b c"), Truth::True);
        check("a b", "", &scope("b"), Truth::False);
        check("a b", "", &scope(""), Truth::False);
    }

    #[test]
    fn any_of_needs_one_scope() {
        check("", "a b", &scope("b"), Truth::True);
        check("", "a b", &scope("c"), Truth::False);
        check("x", "a b", &scope("a"), Truth::False);
        check("x", "a b", &scope("x"), Truth::False);
        check("x", "a b", &scope("x b"), Truth::True);
    }

    #[test]
    fn scopes_that_are_missing_or_malformed_are_unknown_and_not_absent() {
        for claims in [
            "{}",
            r#"{"scope":7}"#,
            r#"{"scope":["b",1]}"#,
            r#"{"scope":"b\u0000"}"#,
        ] {
            check("a", "", claims, Truth::Unknown);
        }
        check("a", "", r#"{"scope":["a",1]}"#, Truth::True);
    }
}
