//! The boundaries at which the project is tested, from many quick tests to few whole ones.

/// Test targets that prove one boundary.
#[derive(Debug)]
pub(super) struct Boundary {
    /// Its name in the summary.
    pub(super) name: &'static str,
    /// Packages, or one test target of a package; empty for all that no other boundary names.
    pub(super) targets: &'static [(&'static str, Option<&'static str>)],
}

/// Runs once for each module that was built.
pub(super) const COMPILED_FILTER: &str = "compiled filter";

/// In the order they run.
pub(super) const ALL: [Boundary; 5] = [
    Boundary {
        name: "policy, native",
        targets: &[("edge-auth-policy", None), ("edge-auth-filter", None)],
    },
    Boundary {
        name: COMPILED_FILTER,
        targets: &[("gateway-tests", Some("filter"))],
    },
    Boundary {
        name: "api-server",
        targets: &[("api-server", None)],
    },
    Boundary {
        name: "end to end",
        targets: &[("gateway-tests", Some("e2e"))],
    },
    Boundary {
        name: "tools",
        targets: &[],
    },
];

impl Boundary {
    /// The boundary in nextest's language of filters.
    pub(super) fn filterset(&self) -> String {
        if self.targets.is_empty() {
            let others = ALL.iter().filter(|other| !other.targets.is_empty());
            let others: Vec<_> = others.map(Boundary::filterset).collect();
            return format!("not ({})", others.join(" | "));
        }
        let targets = self.targets.iter().map(|(package, target)| match target {
            Some(target) => format!("(package(={package}) & binary(={target}))"),
            None => format!("package(={package})"),
        });
        targets.collect::<Vec<_>>().join(" | ")
    }

    /// Whether a test target belongs here.
    pub(super) fn has(&self, package: &str, target: &str) -> bool {
        if self.targets.is_empty() {
            let mut others = ALL.iter().filter(|other| !other.targets.is_empty());
            return !others.any(|other| other.has(package, target));
        }
        self.targets
            .iter()
            .any(|(p, t)| *p == package && t.is_none_or(|t| t == target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_target_belongs_to_exactly_one_boundary() {
        for (package, target) in [
            ("edge-auth-policy", "edge_auth_policy"),
            ("gateway-tests", "filter"),
            ("gateway-tests", "e2e"),
            ("gateway-tests", "gateway_tests"),
            ("api-server", "api"),
            ("a-package-of-tomorrow", "its_tests"),
        ] {
            let owners = ALL.iter().filter(|boundary| boundary.has(package, target));
            assert_eq!(owners.count(), 1, "{package} {target}");
        }
    }

    #[test]
    fn tools_are_what_no_other_boundary_names() {
        assert_eq!(
            ALL[4].filterset(),
            "not (package(=edge-auth-policy) | package(=edge-auth-filter) \
             | (package(=gateway-tests) & binary(=filter)) | package(=api-server) \
             | (package(=gateway-tests) & binary(=e2e)))"
        );
    }
}
