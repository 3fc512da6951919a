//! The scopes a rule asks for.

use super::{ScopeSet, ScopeToken};

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

    /// Whether `granted` suffices.
    pub fn is_met_by(&self, granted: &ScopeSet) -> bool {
        self.missing(granted).next().is_none()
    }

    /// The scopes that would help, in the order of the configuration: what of `all_of` is not granted, and all of
    /// `any_of` where none of it is. Empty exactly if the requirement is met.
    ///
    /// RFC 6750 §3 lets a challenge say in `scope=` what is necessary; see [`Self::all`] for the whole of it.
    pub fn missing<'a>(&'a self, granted: &'a ScopeSet) -> impl Iterator<Item = &'a ScopeToken> {
        let lacks = |scope: &&ScopeToken| !granted.contains(scope.as_str());
        let any_of = if self.any_of.iter().all(|scope| lacks(&scope)) {
            &*self.any_of
        } else {
            &[]
        };
        self.all_of.iter().filter(lacks).chain(any_of)
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
    fn check(all_of: &str, any_of: &str, granted: &str, missing: &str) {
        let requirement = ScopeRequirement {
            all_of: tokens(all_of),
            any_of: tokens(any_of),
        };
        let claims = format!(r#"{{"scope":"{granted}"}}"#);
        let claims = json::parse(
            claims.as_bytes(),
            Limits {
                depth: 1,
                values: 2,
            },
        )
        .unwrap();
        let granted = ScopeSet::from_claims(claims.as_object().unwrap());
        let names: Vec<_> = requirement
            .missing(&granted)
            .map(ScopeToken::as_str)
            .collect();
        assert_eq!(names.join(" "), missing);
        assert_eq!(requirement.is_met_by(&granted), missing.is_empty());
    }

    #[test]
    fn all_of_needs_every_scope() {
        check("", "", "", "");
        check("a b", "", "a b c", "");
        check("a b", "", "b", "a");
        check("a b", "", "", "a b");
    }

    #[test]
    fn any_of_needs_one_scope() {
        check("", "a b", "b", "");
        check("", "a b", "c", "a b");
        check("x", "a b", "a", "x");
        check("x", "a b", "x", "a b");
        check("x", "a b", "", "x a b");
    }
}
