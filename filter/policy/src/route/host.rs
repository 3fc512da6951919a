//! Host patterns: a host, or `*.` and a suffix. RFC 9110 §7.2, RFC 4343 (case).

use std::fmt;

use super::Error;
use crate::authority::{Authority, normal_host};

/// A host, or every host below one. The port, case and a trailing dot of a request's host do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// The host in normal form, or the suffix without its `*.`.
    pub(super) name: Box<str>,
    pub(super) wildcard: bool,
}

impl HostPattern {
    /// Parses `host`, or `*.suffix` for one or more labels before the suffix, as in Envoy's virtual hosts.
    ///
    /// # Errors
    /// [`Error::Host`]
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (wildcard, host) = match text.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, text),
        };
        match Authority::parse(host.as_bytes()) {
            Ok(authority) if authority.port().is_none() && !(wildcard && host.starts_with('[')) => {
                Ok(Self {
                    name: normal_host(host).into(),
                    wildcard,
                })
            }
            _ => Err(Error::Host {
                host: text.to_owned(),
            }),
        }
    }

    /// Whether this pattern is for the host of `authority`.
    pub fn matches(&self, authority: &Authority<'_>) -> bool {
        let host = authority.normal_host();
        if self.wildcard {
            let labels = host.strip_suffix(&*self.name);
            labels.is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
        } else {
            *host == *self.name
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.wildcard { "*." } else { "" })?;
        f.write_str(&self.name)
    }
}
