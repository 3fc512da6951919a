//! An organisation bound to a host: a token of one tenant of an application opens no other tenant's host.
//!
//! Auth0 puts the organisation somebody logged in to into `org_id`, and into `org_name` where that is switched
//! on. The host is the normalised `:authority` and nothing else: a client can send every other header.

use crate::authority::{Authority, normal_host};
use crate::claims::ClaimPath;
use crate::json::Value;
use crate::jwt::VerifiedClaims;
use crate::request::RequestHead;

use super::Truth;

/// A claim, and what it must be on each host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The claim, which must be text.
    pub path: ClaimPath,
    /// What it must be.
    pub hosts: Hosts,
}

/// Which organisation a host is for. A host that is not covered is for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Hosts in normal form and their organisations, sorted by host.
    Listed(Vec<(Box<str>, Box<str>)>),
    /// The organisation is a part of the host's name.
    Template(Template),
}

/// `{org}.example.com`: a host name in which `{org}` stands for text without dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    before: Box<str>,
    after: Box<str>,
}

/// Why a template is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{org}` is missing or there twice.
    #[error("must have {{org}} in it, once, as in {{org}}.example.com")]
    Placeholder,
    /// What is around it makes no host name, or nothing fixed follows it.
    #[error("must be a host name without a port, with a domain of your own after {{org}}")]
    Host,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`TemplateError`]
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (before, after) = text
            .split_once(PLACEHOLDER)
            .ok_or(TemplateError::Placeholder)?;
        if after.contains(PLACEHOLDER) {
            return Err(TemplateError::Placeholder);
        }
        let example = format!("{before}org{after}");
        let authority = Authority::parse(example.as_bytes()).map_err(|_| TemplateError::Host)?;
        let domain = after.trim_end_matches('.');
        if authority.port().is_some() || !domain.contains('.') {
            return Err(TemplateError::Host);
        }
        let normal = normal_host(&example);
        let (before, after) = normal
            .split_at_checked(before.len())
            .and_then(|(before, rest)| Some((before, rest.strip_prefix("org")?)))
            .ok_or(TemplateError::Host)?;
        Ok(Self {
            before: before.into(),
            after: after.into(),
        })
    }

    fn organization<'h>(&self, host: &'h str) -> Option<&'h str> {
        host.strip_prefix(&*self.before)?
            .strip_suffix(&*self.after)
            .filter(|organization| !organization.is_empty() && !organization.contains('.'))
    }
}

impl Hosts {
    fn organization<'a>(&'a self, host: &'a str) -> Option<&'a str> {
        match self {
            Self::Listed(hosts) => {
                let found = hosts.binary_search_by(|(own, _)| (**own).cmp(host)).ok()?;
                hosts.get(found).map(|(_, organization)| &**organization)
            }
            Self::Template(template) => template.organization(host),
        }
    }
}

impl Organization {
    /// Whether the token's organisation is the host's. Unknown where the host is for none, and where the claim
    /// is missing or no text.
    pub(super) fn judge(&self, claims: &VerifiedClaims, head: &RequestHead<'_>) -> Truth {
        let Ok(Some(authority)) = Authority::of(head) else {
            return Truth::Unknown;
        };
        let host = authority.normal_host();
        match (self.hosts.organization(&host), claims.claim(&self.path)) {
            (Some(expected), Some(Value::String(own))) => (**own == *expected).into(),
            _ => Truth::Unknown,
        }
    }
}

const PLACEHOLDER: &str = "{org}";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, host: &str, expected: Option<&str>) {
        let template = Template::parse(template).unwrap();
        assert_eq!(template.organization(host), expected, "{host}");
    }

    #[test]
    fn a_template_names_one_label_or_a_part_of_one() {
        check("{org}.example.com", "acme.example.com", Some("acme"));
        check(
            "App-{org}.Example.com.",
            "app-acme.example.com",
            Some("acme"),
        );
        check("{org}.example.com", ".example.com", None);
        check("{org}.example.com", "example.com", None);
        check("{org}.example.com", "a.b.example.com", None);
        check("{org}.example.com", "acme.example.com.evil.example", None);
        check("{org}.example.com", "acmexexample.com", None);
    }

    #[test]
    fn templates_that_bind_nothing_are_refused() {
        let refused = |text: &str| Template::parse(text).unwrap_err();
        for text in ["example.com", "{tenant}.example.com", "{org}.{org}.com", ""] {
            assert_eq!(refused(text), TemplateError::Placeholder, "{text}");
        }
        for text in [
            "{org}",
            "{org}.com:443",
            "app.{org}",
            "{org}com",
            "{org}.example.com/x",
            "a b.{org}.com",
            "*.{org}.com",
        ] {
            assert_eq!(refused(text), TemplateError::Host, "{text}");
        }
    }
}
