//! Which rule decides a request: hosts, methods and one path pattern per rule; the first match wins.
//!
//! [`Matcher`] finds it in time that depends on the request, not on the number of rules. What a pattern
//! means:
//!
//! - `path: /a` is exactly that path. `/a/` is another one; where the upstream treats both alike, use `prefix`.
//! - `prefix: /a` is `/a` and everything below `/a/`, in whole segments: `/ab` is not below `/a`. A literal
//!   string prefix would let a public `/api/docs` open `/api/docs-internal`; a rule that closes something
//!   loses only what is beside it, and that falls to the rules after it and then to the default, which wants
//!   a token. One word, one meaning, the one Kubernetes' Gateway API has.
//! - `prefix: /a/` is what lies below, and not `/a` itself; `prefix: /` is every path.
//! - `template: /a/{id}` has one non-empty segment of any text where a name stands in braces.
//!
//! There are no regular expressions: nothing to escape (CVE-2026-39350), nothing to anchor
//! (CVE-2025-54576), nothing to bound (ISTIO-SECURITY-2026-006). Patterns see the normal form of
//! [`crate::path`] only, and never a header but `:method` and `:authority` (CVE-2026-34457).

#[cfg(test)]
mod agreement;
mod host;
mod matcher;
mod method;
mod pattern;
#[cfg(test)]
mod tests;

pub use host::HostPattern;
pub use matcher::{Matcher, TooAmbiguous};
pub use method::MethodSet;
pub use pattern::{Literal, PathMatch, Template};

/// What a request must look like for a rule to decide it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// Any of these hosts; empty for every host.
    pub hosts: Vec<HostPattern>,
    /// The methods.
    pub methods: MethodSet,
    /// The path.
    pub path: PathMatch,
}

/// Why a pattern in the configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No request can have this path.
    #[error(transparent)]
    Path(#[from] crate::path::LiteralError),
    /// A template with a brace that does not enclose a whole segment.
    #[error("segment {segment:?} must be text without braces, or one {{name}}")]
    Segment {
        /// The offending segment.
        segment: String,
    },
    /// A parameter name that is no identifier.
    #[error(
        "parameter {name:?} must be letters, digits and underscores, and not start with a digit"
    )]
    ParameterName {
        /// The offending name.
        name: String,
    },
    /// Two parameters of one template with the same name.
    #[error("parameter {name:?} appears twice")]
    DuplicateParameter {
        /// The name.
        name: String,
    },
    /// More segments than 64.
    #[error("more than {max} segments", max = pattern::MAX_SEGMENTS)]
    TooManySegments,
    /// Not a host, or `*.` and a host name.
    #[error(
        "{host:?} must be a host without a port, or *. and a host name; leave hosts out to match every host"
    )]
    Host {
        /// The offending host.
        host: String,
    },
    /// Not a token of RFC 9110 §5.6.2, or a standard method in lower case: methods are case-sensitive.
    #[error("{method:?} is not a method; standard methods are upper-case")]
    Method {
        /// The offending method.
        method: String,
    },
    /// An empty list of methods, which would match nothing.
    #[error("the list of methods is empty; leave it out to match every method")]
    NoMethods,
}
